#!/usr/bin/env bash
# Do smooth metrics move before success does, and do those of a small model say where the next larger one succeeds? Trains decoders
# of three sizes on more and more tokens of traces, evaluates each, and prints both metrics over tokens; then, for neighbouring sizes,
# the rank correlation of each smooth metric of the smaller with the success of the larger over the cells of the suite.
# Usage: benches/emergence.sh [FOLDER]     default: runs/emergence; half an hour on two idle cores. Goes on where it was.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-runs/emergence}
mkdir -p "$folder"
cargo build --release --quiet -p groundwork
groundwork=${CARGO_TARGET_DIR:-target}/release/groundwork
sizes="0.1M 0.3M 1M"
tokens="250000 500000 1000000 2000000 4000000"
worlds="files route ledger tracking arithmetic questions"

cat > "$folder/suite.toml" <<TOML
worlds = [$(printf '"%s", ' $worlds)]
levels = [1, 2, 3]
faults = ["any"]
tasks = 16
max_tokens = 512
rank_tasks = 48
TOML
for size in $sizes; do
  for count in $tokens; do
    name=e-$size-$count
    if [ ! -f "$folder/$name.toml" ]; then
      cat > "$folder/$name.toml" <<TOML
name = "$name"
seed = 1
[train]
batch = 8
[model]
size = "$size"
precision = "bf16"
[tokenizer]
vocabulary = 512
bytes = 1500000
[data]
sequence = 512
tokens = $count
TOML
      for world in $worlds; do
        printf '[[data.source]]\nname = "%s"\nworld = "%s"\nlevels = [1, 2, 3]\nfault_rate = 0.5\n' "$world" "$world" >> "$folder/$name.toml"
      done
    fi
    "$groundwork" train "$folder/$name.toml" --runs "$folder" > /dev/null
    run=$(ls -d "$folder/$name"-*/ | head -1)
    [ -f "$run/metrics.json" ] || "$groundwork" eval "$run" --suite "$folder/suite.toml" > /dev/null
  done
done
python3 - "$folder" "$sizes" "$tokens" <<'PYTHON'
import glob, json, sys
folder, sizes, tokens = sys.argv[1], sys.argv[2].split(), sys.argv[3].split()
shown = ["bits_per_action_byte", "expert_action_mrr", "right_branch_probability", "success_rate"]
for size in sizes:
    print(f"\n{size:8}" + "".join(f"{name:>28}" for name in shown))
    for count in tokens:
        m = json.load(open(glob.glob(f"{folder}/e-{size}-{count}-*/metrics.json")[0]))
        cell = lambda v: f"{v['value']:8.3f} ({v['low']:.3f} – {v['high']:.3f})" if v else "–"
        print(f"{int(count) / 1e6:5.2f} M " + "".join(f"{cell(m.get(name)):>28}" for name in shown))

def ranks(x):
    places = {v: [i for i, w in enumerate(sorted(x)) if w == v] for v in x}
    return [sum(places[v]) / len(places[v]) for v in x]

def spearman(a, b):
    (a, b), n = (ranks(a), ranks(b)), len(a)
    a, b = [x - sum(a) / n for x in a], [x - sum(b) / n for x in b]
    return sum(x * y for x, y in zip(a, b)) / (sum(x * x for x in a) * sum(y * y for y in b)) ** 0.5

all = [json.load(open(f)) for f in glob.glob(f"{folder}/e-*/metrics.json")]
success = [m["success_rate"]["value"] for m in all]
for name, sign in [("bits_per_action_byte", -1), ("expert_action_mrr", 1), ("right_branch_probability", 1)]:
    print(f"rank correlation of {name} with success over {len(all)} models: {spearman([sign * m[name]['value'] for m in all], success):+.2f}")
PYTHON
run() { ls -d "$folder/e-$1-$2"-*/ | head -1; }
previous=
for size in $sizes; do
  if [ -n "$previous" ]; then
    for count in $tokens; do
      printf '\n%s to %s at %s tokens\n' "$previous" "$size" "$count"
      # Where the larger one solves nothing yet, there is nothing to order.
      "$groundwork" eval predict "$(run "$previous" "$count")" "$(run "$size" "$count")" || true
    done
  fi
  previous=$size
done
printf '\n0.1M at a million tokens, which solves nothing, to 1M at four million\n'
"$groundwork" eval predict "$(run 0.1M 1000000)" "$(run 1M 4000000)"
