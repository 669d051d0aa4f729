"""Counts tokens: tokens.py FOLDER, which holds the same traces as `trace` and in a file for each other format."""

import json
import re
import sys
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

FOLDER = Path(sys.argv[1])
SIZES = [4096]
KINDS = "text tools system goal user plan thought action observation error reflection answer".split()
# What is one token of its own in the format's real tokenisers; markers that are plain text there are none.
CHATML = ["<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<think>", "</think>"]
SPECIAL = {
    "hermes": CHATML,
    "qwen-coder": CHATML,
    "llama-3": "<|begin_of_text|> <|start_header_id|> <|end_header_id|> <|eot_id|>".split(),
    "llama-4": "<|begin_of_text|> <|header_start|> <|header_end|> <|eot|>".split(),
    "mistral-v3": "<s> </s> [INST] [/INST] [AVAILABLE_TOOLS] [/AVAILABLE_TOOLS] [TOOL_CALLS] [TOOL_RESULTS] [/TOOL_RESULTS]".split(),
    "mistral-v13": "<s> </s> [INST] [/INST] [SYSTEM_PROMPT] [/SYSTEM_PROMPT] [AVAILABLE_TOOLS] [/AVAILABLE_TOOLS] [TOOL_CALLS] [ARGS] "
    "[TOOL_RESULTS] [/TOOL_RESULTS] [THINK] [/THINK]".split(),
    "deepseek-v3": "<｜begin▁of▁sentence｜> <｜end▁of▁sentence｜> <｜User｜> <｜Assistant｜> <｜tool▁calls▁begin｜> <｜tool▁calls▁end｜> "
    "<｜tool▁call▁begin｜> <｜tool▁call▁end｜> <｜tool▁sep｜> <｜tool▁outputs▁begin｜> <｜tool▁outputs▁end｜> <｜tool▁output▁begin｜> "
    "<｜tool▁output▁end｜>".split(),
    "deepseek-v3.2": "<｜begin▁of▁sentence｜> <｜end▁of▁sentence｜> <｜User｜> <｜Assistant｜> ｜DSML｜ <think> </think>".split(),
    "glm-4.5": "[gMASK] <sop> <|system|> <|user|> <|assistant|> <|observation|> <think> </think> <tool_call> </tool_call> "
    "<tool_response> </tool_response> <arg_key> </arg_key> <arg_value> </arg_value>".split(),
    "kimi-k2": "<|im_system|> <|im_user|> <|im_assistant|> <|im_middle|> <|im_end|> <|tool_calls_section_begin|> "
    "<|tool_calls_section_end|> <|tool_call_begin|> <|tool_call_argument_begin|> <|tool_call_end|> <think> </think>".split(),
    "minimax-m2": "]~!b[ ]~b] [e~[ <minimax:tool_call> </minimax:tool_call> <think> </think>".split(),
    "gemma-4": '<bos> <|turn> <turn|> <|channel> <channel|> <|tool> <tool|> <|tool_call> <tool_call|> <|tool_response> '
    '<tool_response|> <|"|>'.split(),
    "harmony": "<|start|> <|end|> <|message|> <|channel|> <|constrain|> <|return|> <|call|>".split(),
    "trace": [f"<|{kind}|>" for kind in KINDS + ["end"]],
}
# Digits one by one and letters in words, as most recent tokenisers do; the same for all.
SPLIT = r"(?i:'[sdmt]|'ll|'ve|'re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"


def traces():
    """The training text of every trace: its spans' markers and bodies, without metadata and indentation."""
    open_span = re.compile(rf"({'|'.join(KINDS)})(?: \[.*?\])?(?:: ?| (?={{))(.*)", re.S)
    for text in (FOLDER / "trace").read_text().split("\n---\n"):
        out = []
        for line in text.removesuffix("\n").split("\n"):
            # The declarations of tools stand in braces, of which the last is in the first column.
            span = None if line.startswith("  ") or line == "}" else open_span.fullmatch(line)
            if span:
                out.append(f"<|{span[1]}|>{span[2]}")
            elif line:
                out.append("\n" + line.removeprefix("  "))
        if out:
            yield "".join(out) + "<|end|>"


def documents(name):
    if name == "trace":
        return list(traces())
    # Formats of declarations alone.
    if name.startswith("mcp") or name in ("python", "typescript"):
        return None
    lines = (FOLDER / name).read_text().split("\n")
    documents = [line for line in lines if line]
    first = json.loads(documents[0])
    return [json.loads(line)["text"] for line in documents] if list(first) == ["text"] else documents


def count(texts, special, size):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(SPLIT), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    # One in ten is held out, and counted.
    tokenizer.train_from_iterator((t for i, t in enumerate(texts) if i % 10), trainer)
    held_out = texts[::10]
    encoded = tokenizer.encode_batch(held_out, add_special_tokens=False)
    return sum(len(e.ids) for e in encoded) / len(held_out), tokenizer.get_vocab_size()


def main():
    first = ["trace", "openai-chat", "hermes"]
    names = first + sorted(p.name for p in FOLDER.iterdir() if p.name not in first)
    all_documents = {name: documents(name) for name in names}
    expected = len(all_documents["trace"])
    print(f"{FOLDER.name}: {expected} traces, tokens a trace on {len(all_documents['trace'][::10])} that were held out")
    print("| format | bytes |" + "".join(f" {size} | trace is less by |" for size in SIZES))
    base = {}
    for name in names:
        texts = all_documents[name]
        if texts is None:
            continue
        assert len(texts) == expected, (name, len(texts), expected)
        size = sum(len(t.encode()) for t in texts[::10]) / len(texts[::10])
        row = f"| `{name}` | {size:.0f} |"
        for vocabulary in SIZES:
            tokens, learnt = count(texts, SPECIAL.get(name, []), vocabulary)
            base.setdefault(vocabulary, tokens)
            note = "" if learnt == vocabulary else f" (of {learnt})"
            row += f" {tokens:.0f}{note} | {100 * (1 - base[vocabulary] / tokens):.0f} % |"
        print(row, flush=True)


main()
