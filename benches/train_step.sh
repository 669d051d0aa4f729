#!/bin/sh
# Whole training steps of one decoder here and in PyTorch: same weights, same batches, alternating rounds.
# Usage: benches/train_step.sh [SIZES] [ROUNDS] [THREADS], sizes XS,S,M,L; PyTorch is installed into target/ once.
set -eu
cd "$(dirname "$0")/.."
. benches/train_step/venv.sh
cargo build --release --quiet -p groundwork-train --example train_step
# MKL takes slow paths on processors that are not Intel's unless it is told otherwise, which a determined user does.
printf 'int mkl_serv_intel_cpu_true(void){return 1;}int mkl_serv_intel_cpu(void){return 1;}' |
    gcc -shared -fPIC -x c -o target/train_step/mkl.so -
exec "$venv/bin/python" benches/train_step/compare.py "${1:-XS,S,M}" "${2:-3}" "${3:-2}"
