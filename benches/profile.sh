#!/bin/sh
# Where the time of a training step goes: each operation, forward and backward, against the measured rates of products and memory.
# Usage: benches/profile.sh [SIZES] [ROUNDS] [THREADS], sizes of train_step.sh: XS,S,M.
set -eu
cd "$(dirname "$0")/.."
export RAYON_NUM_THREADS="${3:-2}"
exec cargo run --release --quiet -p groundwork-kernels --example profile -- "${1:-XS,S,M}" "${2:-5}"
