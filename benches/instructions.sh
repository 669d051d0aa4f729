#!/bin/sh
# Instructions that each fused operation executes, forward and backward, on one thread (AVX2: valgrind has no AVX-512).
# They do not depend on how busy the machine is, so they can be a gate: more than 10% above `instructions.txt` fails.
# Usage: benches/instructions.sh [--accept], the latter to write what was found as the new expectation.
set -eu
cd "$(dirname "$0")/.."
cargo build --release --quiet -p groundwork-kernels --example operation
program=target/release/examples/operation
expected=benches/instructions.txt
export RAYON_NUM_THREADS=1

count() { # NAME REPEATS
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$1" "$2" 2>&1 |
        sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}

found=$(mktemp)
for name in $("$program"); do
    # The second and third run alone: start-up and what is computed once drop out.
    echo "$name $((($(count "$name" 3) - $(count "$name" 1)) / 2))"
done >"$found"
if [ "${1:-}" = --accept ]; then
    mv "$found" "$expected"
    cat "$expected"
    exit
fi
awk 'NR == FNR { was[$1] = $2; next }
    !($1 in was) { printf "%-22s %10d  new: run with --accept\n", $1, $2; bad = 1; next }
    { change = 100 * ($2 / was[$1] - 1)
      printf "%-22s %10d %10d %+6.1f%%%s\n", $1, was[$1], $2, change, (change > 10 ? "  slower" : "")
      if (change > 10) bad = 1 }
    END { exit bad }' "$expected" "$found"
