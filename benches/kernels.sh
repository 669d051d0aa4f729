#!/bin/sh
# Each fused operation against its plain reference, forward and backward, then whole training steps (forward and backward).
# Usage: benches/kernels.sh [ROUNDS] [THREADS]
set -eu
cd "$(dirname "$0")/.."
export RAYON_NUM_THREADS="${2:-2}"
cargo run --release --quiet -p groundwork-kernels --example step_bench -- "${1:-9}"
for size in 0.1M 0.33M 1M 3M; do
    printf '%s: ' "$size"
    cargo run --release --quiet -p groundwork-model --example train_speed -- "$size"
done
