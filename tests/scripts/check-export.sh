#!/usr/bin/env bash
# Exports a journal in every format and opens it with pandas, polars and pyarrow: do they read what was written?
#
#   check-export.sh ACTH_BINARY
#
# Makes a virtual environment in a temporary directory and installs into it with pip, so it needs a network or a cache.
# Exit codes: 0 all good, 1 a check failed or nothing could be checked, 2 wrong usage.
set -euo pipefail

if [[ $# -ne 1 ]]; then
    echo "usage: $0 ACTH_BINARY" >&2
    exit 2
fi
[[ -x "$1" && -f "$1" ]] || { echo "$1 is not a program" >&2; exit 2; }
acth="$(realpath "$1")"
here="$(dirname "$(realpath "$0")")"
command -v python3 >/dev/null || {
    echo "failed: python3 is missing; the check reads the export with pandas and polars" >&2
    exit 1
}

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv" || {
    echo "failed: python3 cannot make a virtual environment (Debian: install python3-venv)" >&2
    exit 1
}
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    pandas==3.1.1 polars==2.1.0 pyarrow==26.0.1 || {
    echo "failed: pip could not install pandas, pyarrow and polars" >&2
    exit 1
}

"$acth" backtest --duration 20s --journal "$work/journal" --json >"$work/backtest.json"
for format in parquet csv jsonl; do
    "$acth" journal export "$work/journal" --format "$format" --output "$work/$format" --json \
        >"$work/$format.json"
done
"$acth" journal import "$work/jsonl/frames.jsonl" --journal "$work/copy" --json >"$work/import.json"
"$acth" journal export "$work/copy" --format jsonl --output "$work/again" --json >"$work/again.json"
cmp "$work/jsonl/frames.jsonl" "$work/again/frames.jsonl"
echo "export, import and export again give the same bytes"
"$work/venv/bin/python" "$here/../python/check_export.py" "$work"
