#!/bin/sh
# Trains a small model with a program that is not ours, with and without momentum, at three sizes and with four seeds, and
# has Groundwork judge what it printed. Half a minute in plain Python; train.py uses PyTorch where it is installed.
# Usage: examples/outside-trainer/run.sh [FOLDER]
set -eu
cd "$(dirname "$0")"
logs=${1:-logs}
mkdir -p "$logs"
for size in 4:3000 8:6000 16:12000; do
  width=${size%:*} tokens=${size#*:}
  for seed in 1 2 3 4; do
    for arm in plain:0 momentum:0.9; do
      name=${arm%:*}-$((width * 108))-s$seed
      # A run that is finished has its log under its own name; one that was interrupted goes on from its checkpoint.
      [ -e "$logs/$name.jsonl" ] && continue
      mkdir -p "$logs/$name"
      python3 train.py --folder "$logs/$name" --width "$width" --tokens "$tokens" --seed "$seed" \
        --rate 0.2 --momentum "${arm#*:}" >>"$logs/$name.part"
      mv "$logs/$name.part" "$logs/$name.jsonl"
    done
  done
done
exec "${GROUNDWORK:-groundwork}" verdict "$logs" --pattern '{arm}-{size}-s{seed}.jsonl' --metric val_loss --baseline plain \
  --report "$logs/verdict.html"
