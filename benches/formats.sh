#!/bin/sh
# Reading and writing traces in other formats, megabytes a second on one core; writing includes the loss report.
# Usage: benches/formats.sh
set -eu
cd "$(dirname "$0")/.."
exec cargo run --release --quiet -p groundwork-trace --example formats_throughput
