#!/bin/sh
# Everything that needs a graphics processor, in one call: ten training steps against the CPU, then the speed of training steps
# and their memory on both. Any adapter of Vulkan, Metal or DirectX 12 does, also a software one (Debian: mesa-vulkan-drivers).
# Usage: benches/gpu.sh [SIZES], model sizes as in a recipe, default 1M,10M,100M; under ten minutes on a graphics card.
set -eu
cd "$(dirname "$0")/.."
cargo test --release --quiet -p groundwork-train --features wgpu --test gpu -- --nocapture
cargo build --release --quiet -p groundwork --features wgpu
program=$(cargo metadata --format-version 1 --no-deps |
    sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release/groundwork
recipe=$(mktemp -t gpu-XXXXXX.toml)
trap 'rm -f "$recipe"' EXIT
for size in $(echo "${1:-1M,10M,100M}" | tr , ' '); do
    cat >"$recipe" <<TOML
name = "gpu-$size"
model = { size = "$size" }
train = { batch = 16 }
tokenizer = { vocabulary = 4096, source = [{ name = "files", world = "files" }] }
data = { sequence = 512, tokens = 10_000_000, source = [{ name = "files", world = "files" }] }
TOML
    for device in gpu cpu; do
        printf '%s %s  ' "$size" "$device"
        "$program" train "$recipe" --trial 10 --device "$device" || true
    done
done
