#!/usr/bin/env bash
# Are an untrained model, one trained for a minute and one trained for ten minutes ordered by every suite's smooth metric, with
# intervals that do not overlap? Prints bits per action byte by suite and model; exit code 1 where two intervals meet.
# Usage: benches/suites.sh [FOLDER] [TASKS] [TOKENS_OF_A_MINUTE]     default: runs/suites 8 1500000; half an hour on two idle cores
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-runs/suites} tasks=${2:-8} minute=${3:-1500000}
mkdir -p "$folder"
cargo build --release --quiet -p groundwork
groundwork=${CARGO_TARGET_DIR:-target}/release/groundwork

# The help names them, over several lines.
worlds=$("$groundwork" trace generate --help | tr -s ' \n' ' ' | sed -n 's/.*The worlds, [^:]*: \([a-z_, ]*\) Options:.*/\1/p' | tr -d ',')
# Where the agent has a whole library before its eyes, traces are longer than a row.
worlds=$(printf '%s\n' $worlds | grep -v library_whole)
[ -n "$worlds" ] || { echo "the help of \`trace generate\` names no worlds" >&2; exit 1; }

recipe() { # name, tokens
  cat > "$folder/$1.toml" <<TOML
name = "$1"
seed = 1
[train]
batch = 4
[model]
size = "0.3M"
[tokenizer]
vocabulary = 1024
bytes = 1000000
[data]
sequence = 1024
tokens = $2
declare = "full"
TOML
  for world in $worlds; do
    printf '[[data.source]]\nname = "%s"\nworld = "%s"\nlevels = [1, 2, 3]\nfault_rate = 0.3\n' "$world" "$world" >> "$folder/$1.toml"
  done
}
recipe untrained 4096
recipe minute "$minute"
recipe ten-minutes "$((10 * minute))"
for name in untrained minute ten-minutes; do
  "$groundwork" train "$folder/$name.toml" --runs "$folder" > /dev/null
done
suites=$("$groundwork" eval suites | tail -n +2 | awk '{print $1}')
for suite in $suites; do
  for name in untrained minute ten-minutes; do
    run=$(ls -d "$folder/$name"-*/ | head -1)
    "$groundwork" eval "$run" --suite "$suite" --tasks "$tasks" --out "$folder/$suite" > /dev/null
  done
done
python3 - "$folder" $suites <<'PYTHON'
import glob, json, sys
folder, suites = sys.argv[1], sys.argv[2:]
names, fine = ["untrained", "minute", "ten-minutes"], True
print(f"{'bits per action byte':24}" + "".join(f"{n:>26}" for n in names))
for suite in suites:
    line, found = f"{suite:24}", []
    for name in names:
        file = glob.glob(f"{folder}/{suite}/{name}-*/metrics.json")[0]
        m = json.load(open(file)).get("bits_per_action_byte")
        found.append(m)
        line += f"{m['value']:8.3f} ({m['low']:.3f} – {m['high']:.3f})" if m else f"{'–':>26}"
    apart = all(a and b and a["low"] > b["high"] for a, b in zip(found, found[1:]))
    fine &= apart
    print(line + ("" if apart else "   not apart"))
sys.exit(0 if fine else 1)
PYTHON
