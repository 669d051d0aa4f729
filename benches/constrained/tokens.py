"""Writes the bytes of every token of a vocabulary, one a line in hexadecimal, and an end token."""

import pathlib
import sys

import mistral_common
import sentencepiece

data = pathlib.Path(mistral_common.__file__).parent / "data"
model = sentencepiece.SentencePieceProcessor(model_file=str(sorted(data.glob("*.model.v3"))[0]))
lines = []
for i in range(model.vocab_size()):
    piece = model.id_to_piece(i)
    if model.is_byte(i):
        lines.append(bytes([int(piece[3:5], 16)]).hex())
    elif not model.is_control(i) and not model.is_unknown(i):
        lines.append(piece.replace("\u2581", " ").encode().hex())
lines.append(b"<|end|>".hex())
pathlib.Path(sys.argv[1]).write_text("\n".join(lines) + "\n")
