#!/bin/sh
# Do TensorBoard and Trackio open what Groundwork writes, and does Groundwork read what they write?
# Installs both from PyPI into a virtual environment.
# Usage: benches/trackers.sh [FOLDER OF RUNS]; without one, a small run is trained first.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
venv=${TRACKERS_VENV:-$work/venv}
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -c 'import tensorboard, trackio, zstandard' 2>/dev/null ||
  "$venv/bin/pip" install --quiet tensorboard trackio zstandard
cargo build --release --quiet -p groundwork
groundwork=$(cargo metadata --format-version 1 --no-deps |
  "$venv/bin/python" -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')/release/groundwork
runs=${1:-}
if [ -z "$runs" ]; then
  runs=$work/runs
  "$groundwork" train recipes/infill.toml --runs "$runs" >/dev/null
fi
TRACKIO_DIR=$work/trackio "$venv/bin/python" benches/trackers/check.py "$groundwork" "$runs" "$work"
