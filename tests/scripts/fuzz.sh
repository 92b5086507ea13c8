#!/usr/bin/env bash
# Runs every fuzz target for some seconds: tests/scripts/fuzz.sh [SECONDS] [TARGET...]
#
# Needs a nightly toolchain and a C++ compiler, nothing else: the flags are those of cargo-fuzz. Without them it says so and ends with 2
# in CI (where CI is set) and with 0 elsewhere. What a target finds lies in tests/fuzz/artifacts/TARGET; the command that
# repeats it is printed.
set -euo pipefail
cd "$(dirname "$0")/../fuzz"
seconds="${1:-20}"
shift || true
targets=("$@")
[ "${#targets[@]}" -gt 0 ] || targets=(frame segment snapshot archive)

cannot() {
  echo "fuzz: cannot run here: $1" >&2
  [ -n "${CI:-}" ] && exit 2
  exit 0
}
cargo +nightly --version >/dev/null 2>&1 || cannot "there is no nightly toolchain (rustup toolchain install nightly)"
command -v c++ >/dev/null || command -v g++ >/dev/null || cannot "there is no C++ compiler for libFuzzer"

host="$(rustc +nightly -vV | sed -n 's/^host: //p')"
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Zsanitizer=address -Ccodegen-units=1"
export CARGO_TARGET_DIR="${FUZZ_TARGET_DIR:-$PWD/target}"
cargo +nightly build --release --quiet --locked --target "$host"

for target in "${targets[@]}"; do
  mkdir -p "corpus/$target" "artifacts/$target"
  echo "== fuzz $target for $seconds s"
  ASAN_OPTIONS=detect_leaks=0 \
    "$CARGO_TARGET_DIR/$host/release/$target" "corpus/$target" \
    -max_total_time="$seconds" -artifact_prefix="artifacts/$target/" -max_len=16384 \
    -malloc_limit_mb=256 -rss_limit_mb=1024 -timeout=10 -print_final_stats=1 2>&1 |
    grep -E "^(Done|stat::(number_of_executed|peak)|==|SUMMARY|Test unit|artifact|thread|.*panicked)" || {
      echo "fuzz $target: found something, see tests/fuzz/artifacts/$target" >&2
      exit 1
    }
  if [ -n "$(ls -A "artifacts/$target")" ]; then
    echo "fuzz $target: found something; again: $CARGO_TARGET_DIR/$host/release/$target tests/fuzz/artifacts/$target/*" >&2
    exit 1
  fi
done
echo "fuzz: nothing found"
