#!/bin/sh
# Greedy generation of 256 tokens with the cache, batch 64 and batch 1, here and by Hugging Face `generate`.
# Usage: benches/generate.sh [SIZE] [ROUNDS] [THREADS]; PyTorch and transformers are installed into target/ once.
set -eu
cd "$(dirname "$0")/.."
. benches/train_step/venv.sh
"$venv/bin/python" -c 'import transformers' 2>/dev/null || "$venv/bin/pip" install --quiet transformers
cargo build --release --quiet -p groundwork-train --example train_step
exec "$venv/bin/python" benches/train_step/generate.py "${1:-S}" "${2:-3}" "${3:-2}"
