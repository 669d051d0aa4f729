#!/bin/sh
# Checks that the expressions in the tests of the Python interpreter mean in CPython what the tests say: needs `python3`.
cd "$(dirname "$0")/.." || exit 2
python3 -W ignore - crates/worlds/src/python/machine/expressions.txt <<'PYTHON'
import sys

wrong = 0
lines = open(sys.argv[1], encoding="utf-8").read().splitlines()
for line in lines:
    expression, expected = line.split(" => ", 1)
    value = repr(eval(expression))
    if value != expected:
        wrong += 1
        print(f"{expression} is {value}, not {expected}")
print(f"{len(lines) - wrong} of {len(lines)} expressions agree")
sys.exit(1 if wrong else 0)
PYTHON
