#!/usr/bin/env bash
# Replays one journal natively and on emulated CPUs, an old one and a new one, and compares the decision and state
# hashes: libraries choose other instructions there, and the decisions must not care.
#
#   replay-under-emulation.sh ACTH JOURNAL
#
# Builds nothing. Without qemu-user it tries apt-get; where that is not permitted it says so and exits 0, or 1 with
# ACTH_REQUIRE_EMULATION=1. Exit codes: 0 all the same or skipped, 1 different or required and absent, 2 wrong usage.
set -euo pipefail

if [[ $# -ne 2 ]]; then
    echo "usage: $0 ACTH JOURNAL" >&2
    exit 2
fi
acth="$1"
journal="$2"
[[ -x "$acth" ]] || { echo "$acth is not a program" >&2; exit 2; }
[[ -d "$journal" ]] || { echo "$journal is not a journal's directory" >&2; exit 2; }

skip() {
    if [[ "${ACTH_REQUIRE_EMULATION:-0}" == 1 ]]; then
        echo "failed: $1, and ACTH_REQUIRE_EMULATION=1" >&2
        exit 1
    fi
    echo "skipped: $1"
    exit 0
}

[[ "$(uname -m)" == x86_64 ]] || skip "the journal of this machine is replayed on x86-64 only"

if ! command -v qemu-x86_64 >/dev/null; then
    command -v apt-get >/dev/null || skip "qemu-x86_64 is not installed and there is no apt-get"
    sudo=()
    if [[ "$(id -u)" != 0 ]]; then
        sudo=(sudo -n)
        sudo -n true 2>/dev/null || skip "qemu-x86_64 is not installed and this user may not install it"
    fi
    "${sudo[@]}" apt-get install --yes --no-install-recommends qemu-user >/dev/null 2>&1 \
        || { "${sudo[@]}" apt-get update >/dev/null 2>&1 \
            && "${sudo[@]}" apt-get install --yes --no-install-recommends qemu-user >/dev/null 2>&1; } \
        || skip "qemu-user cannot be installed here"
fi

# The two hashes and the verdict of a replay, from its one JSON object.
facts() {
    local json="$1" key
    for key in decision_hash state_hash identical; do
        grep -o "\"$key\":\"\?[0-9a-z]*" <<<"$json" | head -n 1
    done
}

replay() {
    local name="$1"
    shift
    local json status=0 start="$SECONDS"
    json="$("$@" replay "$journal" --json)" || status=$?
    if [[ "$status" != 0 ]]; then
        echo "$name: the replay ended with exit code $status" >&2
        exit 1
    fi
    found="$(facts "$json")"
    if [[ "$(wc -l <<<"$found")" != 3 ]]; then
        echo "$name: the replay printed no hashes" >&2
        exit 1
    fi
    echo "$name: $(tr '\n' ' ' <<<"$found")in $((SECONDS - start)) s"
}

replay native "$acth"
native="$found"
different=0
for cpu in Nehalem EPYC; do
    # Qemu says on stderr which features of the model it cannot emulate; only that is dropped.
    replay "$cpu" qemu-x86_64 -cpu "$cpu" "$acth" 2> >(grep -v "TCG doesn't support" >&2 || true)
    if [[ "$found" != "$native" ]]; then
        echo "$cpu: differs from the native replay" >&2
        different=1
    fi
done
exit "$different"
