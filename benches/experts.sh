#!/bin/sh
# The experts solve every task: 100,000 of each world over all levels, faults and splits, each trace replayed. For the night.
# Usage: benches/experts.sh [TASKS [WORLD...]]
set -eu
cd "$(dirname "$0")/.."
exec cargo run --release --quiet -p groundwork-worlds --example experts -- "$@"
