#!/bin/sh
# Model tokens a second in batched rollouts, with a fresh decoder.
# Usage: benches/rollouts.sh [SIZE] [BATCH] [TOKENS]     default: 3M 64 256
set -eu
cd "$(dirname "$0")/.."
exec cargo run --release --quiet -p groundwork-arena --example rollouts -- "$@"
