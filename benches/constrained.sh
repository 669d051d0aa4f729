#!/usr/bin/env bash
# How long the mask of valid tokens takes, over a vocabulary of 32 000 tokens that was trained on real text (the one that
# the Python package `mistral-common` ships), and whether llguidance computes the same masks from the grammar that
# `groundwork trace grammar` writes, and in what time. Needs python3 with pip.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q 'mistral-common[sentencepiece]' 'llguidance>=1.9,<2' numpy
"$work/venv/bin/python" benches/constrained/tokens.py "$work/tokens"
cargo run --release -q -p groundwork-grammar --example mask_time -- "$work/tokens" "$work"
"$work/venv/bin/python" benches/constrained/llguidance_masks.py "$work/tokens" "$work"
