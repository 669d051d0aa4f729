#!/usr/bin/env bash
# The tests of the kernels on 64-bit ARM, where products and exponentials take NEON, on a processor that QEMU imitates: what is
# computed, not how fast. Needs rustup, qemu-user and a linker for the target (Debian: qemu-user gcc-aarch64-linux-gnu).
set -euo pipefail
cd "$(dirname "$0")/.."
target=aarch64-unknown-linux-gnu
rustup target add "$target"
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu"
exec cargo test --release --target "$target" -p groundwork-kernels --lib --tests
