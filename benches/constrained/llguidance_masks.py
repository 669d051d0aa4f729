"""Computes the masks of the same calls with llguidance, from the grammars in Lark notation, and compares them bit by bit."""

import pathlib
import statistics
import sys
import time

import llguidance.numpy
import numpy
from llguidance import LLMatcher, LLTokenizer, TokenizerWrapper


class Tokens:
    def __init__(self, path):
        self.tokens = [bytes.fromhex(line) for line in pathlib.Path(path).read_text().splitlines()]
        self.eos_token_id = len(self.tokens) - 1
        self.bos_token_id = None
        self.special_token_ids = [self.eos_token_id]

    def __call__(self, text):
        return []


tokens = Tokens(sys.argv[1])
tokenizer = LLTokenizer(TokenizerWrapper(tokens))
mask = llguidance.numpy.allocate_token_bitmask(1, tokenizer.vocab_size)
width = mask.shape[1]
every = []
for grammar in sorted(pathlib.Path(sys.argv[2]).glob("*.lark")):
    ours = numpy.fromfile(grammar.with_suffix(".masks"), dtype=numpy.int32).reshape(-1, width)
    times, differ, at = [], 0, 0
    # Otherwise it passes over bytes that are the only ones possible, and gives the mask behind them.
    text = '%llguidance {"no_forcing": true}\n' + grammar.read_text()
    for line in grammar.with_suffix(".calls").read_text().splitlines():
        matcher = LLMatcher(tokenizer, text)
        for token in [*map(int, line.split()), None]:
            start = time.perf_counter()
            llguidance.numpy.fill_next_token_bitmask(matcher, mask, 0)
            times.append((time.perf_counter() - start) * 1e6)
            differ += not numpy.array_equal(mask[0], ours[at])
            at += 1
            if token is not None:
                assert matcher.consume_token(token), (grammar.stem, line)
    every += times
    print(f"llguidance {grammar.stem:<12} {len(times):>6} masks, {differ} differ, median {statistics.median(times):.1f} \u00b5s")
    assert at == len(ours)
print(f"llguidance {'all':<12} {len(every):>6} masks, median {statistics.median(every):.1f} \u00b5s")
