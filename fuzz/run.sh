#!/usr/bin/env bash
# Fuzzes one target with libFuzzer, guided by coverage, on a stable compiler and without cargo-fuzz.
# Usage: fuzz/run.sh TARGET SECONDS [LIBFUZZER OPTION…]; what was found lies in fuzz/artifacts, the inputs in fuzz/corpus.
set -euo pipefail
target=$1 seconds=$2
shift 2
cd "$(dirname "$0")"
export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-../target/fuzz}
sancov="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
host=$(rustc -vV | sed -n 's/^host: //p')
[ -d "corpus/$target" ] || cargo run --release --quiet --example seeds -- corpus
# With a target named, the flags reach no build script.
RUSTFLAGS="$sancov" cargo build --release --quiet --target "$host" --bin "$target"
mkdir -p "artifacts/$target"
exec "$CARGO_TARGET_DIR/$host/release/$target" "corpus/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
  -artifact_prefix="artifacts/$target/" -print_final_stats=1 "$@"
