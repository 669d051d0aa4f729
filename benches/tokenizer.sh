#!/bin/sh
# Training and encoding of the tokeniser against the `tokenizers` crate, on the sources in the cargo registry.
# Usage: benches/tokenizer.sh [MEGABYTES_TO_TRAIN] [MEGABYTES_TO_ENCODE] [ROUNDS]
set -eu
cd "$(dirname "$0")/.."
sources="${CARGO_HOME:-$HOME/.cargo}/registry/src"
if [ ! -d "$sources" ]; then
    echo "no sources in $sources: run \`cargo fetch\` first" >&2
    exit 2
fi
exec cargo run --release --quiet -p groundwork-corpus --example tokenizer_bench -- \
    "$sources" "${1:-100}" "${2:-20}" "${3:-3}"
