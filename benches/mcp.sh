#!/usr/bin/env bash
# Worlds as MCP servers and the recorder, against the official client: the Python package `mcp`, over standard input and
# output and over HTTP, in both dialects. Needs python3 with pip. Usage: benches/mcp.sh [PATH_OF_GROUNDWORK]
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-}
if [ -z "$program" ]; then
  cargo build --release -q -p groundwork
  program=${CARGO_TARGET_DIR:-target}/release/groundwork
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q 'mcp>=2.3,<3'
"$work/venv/bin/python" benches/mcp/client.py "$program" "$work"
