"""Converts the tool schemas and traces that well-known packages ship, and says how many came through.

Usage: corpus.py CONVERTER PACKAGES, a folder with `bfcl_eval*.whl`, and `servers.jsonl` (what `servers.py` recorded),
`python.jsonl` (what `python_tools.py` asked of Python packages) and `traces.jsonl` (what `traces.py` found in sources).
"""

import collections
import json
import subprocess
import sys
import zipfile
from pathlib import Path

CONVERTER, PACKAGES = sys.argv[1], Path(sys.argv[2])


def bfcl():
    """The function-calling leaderboard: its functions, and its questions with their first right answer as traces."""
    package = zipfile.ZipFile(next(PACKAGES.glob("bfcl_eval*.whl")))
    files = [n for n in package.namelist() if n.startswith("bfcl_eval/data/") and n.endswith(".json")]
    read = lambda name: [json.loads(line) for line in package.read(name).decode().splitlines() if line.strip()]
    answers = {}
    for name in files:
        if "/possible_answer/" in name:
            answers |= {row["id"]: row["ground_truth"] for row in read(name)}
    for name in files:
        if "/possible_answer/" in name or "format_sensitivity" in name or "sanity_check" in name:
            continue
        for row in read(name):
            if "/multi_turn_func_doc/" in name:
                yield "bfcl-eval", "tool", json.dumps(row)
                continue
            for tool in row.get("function", []):
                yield "bfcl-eval", "tool", json.dumps(tool)
            truth, question = answers.get(row.get("id")), row.get("question")
            if not truth or not isinstance(question, list) or not question or not isinstance(question[0], list):
                continue
            if all(isinstance(call, dict) for call in truth):
                yield "bfcl-eval", "openai-chat", json.dumps(single_turn(row, truth))
            elif all(isinstance(turn, list) for turn in truth):
                yield "bfcl-eval", "llama-4", multi_turn(row, truth)


def single_turn(row, truth):
    calls = []
    for i, call in enumerate(truth):
        (name, arguments), = call.items()
        # Each argument lists what is right; "" says that it may be left out.
        first = {k: v[0] for k, v in arguments.items() if isinstance(v, list) and v and v[0] != ""}
        function = {"name": name, "arguments": json.dumps(first)}
        calls.append({"id": f"call_{i}", "type": "function", "function": function})
    tools = [{"type": "function", "function": tool} for tool in row.get("function", [])]
    return {"messages": row["question"][0] + [{"role": "assistant", "content": None, "tool_calls": calls}], "tools": tools}


def multi_turn(row, truth):
    """The calls as the leaderboard writes them: Python."""
    text = "<|begin_of_text|>"
    for turn, calls in zip(row["question"], truth):
        for message in turn:
            text += f"<|header_start|>user<|header_end|>\n\n{message['content']}<|eot|>"
        if calls:
            text += f"<|header_start|>assistant<|header_end|>\n\n[{', '.join(calls)}]<|eot|>"
    return text


def beside(loss):
    """Whether a loss says nothing of what was said or declared. Those that have any are counted in a column of their own."""
    return loss["kind"] in ("layout", "ids") or loss["what"].startswith("objects that say nothing of further fields")


def actions(trace):
    """The calls in a trace, which is in the trace language."""
    return sum(line.startswith(("action:", "action [")) for line in trace.splitlines())


def openai_calls(document):
    messages = document["messages"] if isinstance(document, dict) else document
    return sum(len(m.get("tool_calls") or ()) for m in messages)


def inspect_calls(log):
    messages = [m for sample in log.get("samples") or () for m in sample["messages"]]
    return sum(len(m.get("tool_calls") or ()) for m in messages)


# How many calls a document of a format holds.
CALLS = {"openai-chat": openai_calls, "inspect": inspect_calls}


def recorded(name):
    path = PACKAGES / name
    for line in path.read_text().splitlines() if path.exists() else ():
        row = json.loads(line)
        yield row["package"], row["format"], row["document"]


def main():
    files = ("servers.jsonl", "python.jsonl", "traces.jsonl")
    rows = [row for source in (bfcl(), *map(recorded, files)) for row in source]
    # To the trace language, and for traces also to a format of another family.
    requests = [{"from": form, "to": "trace", "document": document} for _, form, document in rows]
    lines = "\n".join(map(json.dumps, requests))
    done = subprocess.run([CONVERTER], input=lines, capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    counts = collections.defaultdict(collections.Counter)
    reasons = collections.defaultdict(collections.Counter)
    examples = {}
    for (package, form, document), answer in zip(rows, answers, strict=True):
        key = (package, form)
        counts[key]["in"] += 1
        if "error" in answer:
            reason = "refused: " + shortened(answer["error"])
            counts[key]["refused"] += 1
            reasons[key][reason] += 1
            examples.setdefault(reason, document[:3000])
            continue
        counts[key]["out"] += 1
        counts[key]["same"] += answer["same"]
        lost = [l for l in answer["losses"] if not beside(l)]
        counts[key]["whole"] += not lost
        counts[key]["beside"] += len(lost) < len(answer["losses"])
        if form in CALLS:
            counts[key]["calls in"] += CALLS[form](json.loads(document))
            counts[key]["calls out"] += sum(map(actions, answer["documents"]))
        for reason in {f"{l['kind']}: {shortened(l['what'])}" for l in lost}:
            reasons[key][reason] += 1
            examples.setdefault(reason, document[:3000])
    print("| package | what | in | out | nothing lost | layout, ids, closed | comes back | refused | calls |\n" + "|---" * 9 + "|")
    for (package, form), c in counts.items():
        what = "tools" if form == "tool" else f"traces (`{form}`)"
        # A refused document has its calls on neither side.
        assert c["calls in"] == c["calls out"], (package, form, c["calls in"], c["calls out"])
        print(f"| {package} | {what} | {c['in']} | {c['out']} | {c['whole']} | {c['beside']} | {c['same']} | {c['refused']} | {c['calls out']} |")
    print("\nNot counted as lost, but in a column of their own: the layout and the ids of a source, and that an object which says "
          "nothing of further fields is taken to have none.")
    for key, found in reasons.items():
        print(f"\n{key[0]}, {key[1]}:")
        for reason, n in found.most_common(12):
            print(f"  {n} × {reason}")
    (PACKAGES / "examples.json").write_text(json.dumps(examples, indent=1))


def shortened(text):
    import re

    text = re.sub(r" at (`[^`]*`|line \d+, column \d+|the whole document)", "", text)
    return re.sub(r"`[^`]{30,}`", "`…`", re.sub(r" of `[^`]*`$", "", text))[:160]


main()
