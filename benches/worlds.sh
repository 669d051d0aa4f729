#!/bin/sh
# World steps and expert traces a second on one core, by world and level, and what a clone costs.
# Usage: benches/worlds.sh [WORLD]...
set -eu
cd "$(dirname "$0")/.."
exec cargo run --release --quiet -p groundwork-worlds --example throughput -- "$@"
