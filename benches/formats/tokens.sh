#!/usr/bin/env bash
# Tokens of the same traces in every format, each under a BPE tokeniser of its own, of the same size and trained on the
# same traces, with the markers of the format as special tokens. Tokenisers are those of the Python package `tokenizers`.
# Usage: benches/formats/tokens.sh [TRACES A WORLD] [GROUNDWORK]
set -euo pipefail
cd "$(dirname "$0")/../.."
count=${1:-500}
if [ $# -ge 2 ]; then groundwork=$2; else
  cargo build --release --quiet -p groundwork
  groundwork=${CARGO_TARGET_DIR:-target}/release/groundwork
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q tokenizers
for declare in full none; do
  mkdir "$work/$declare"
  for world in files route ledger tracking library database repository logistics; do
    "$groundwork" trace generate "$world" -o "$work/$world.parquet" --count "$count" --levels 1,2 --fault-rate 0.2 --seed 7 \
      --declare "$declare" --threads 1 2>/dev/null
    "$groundwork" trace convert trace trace "$work/$world.parquet" 2>/dev/null >> "$work/$declare/trace"
    echo --- >> "$work/$declare/trace"
  done
  for format in $("$groundwork" trace convert --list | awk 'NR > 1 && $1 != "trace" && $1 !~ /^[^a-z]/ {print $1}'); do
    "$groundwork" trace convert trace "$format" "$work/$declare/trace" -o "$work/$declare/$format" 2>/dev/null
  done
  "$work/venv/bin/python" benches/formats/tokens.py "$work/$declare"
done
