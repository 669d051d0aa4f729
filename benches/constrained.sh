#!/usr/bin/env bash
# How long the mask of valid tokens takes, over a vocabulary of 32 768 tokens that was trained on real text:
# the one that the Python package `mistral-common` ships. Needs python3 with pip.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q 'mistral-common[sentencepiece]'
"$work/venv/bin/python" - "$work/tokens" <<'PY'
import pathlib, sys, mistral_common, sentencepiece
data = pathlib.Path(mistral_common.__file__).parent / "data"
model = sorted(data.glob("*.model.v3"))[0]
sp = sentencepiece.SentencePieceProcessor(model_file=str(model))
lines = []
for i in range(sp.vocab_size()):
    if sp.is_control(i) or sp.is_unknown(i):
        continue
    piece = sp.id_to_piece(i)
    lines.append(bytes([int(piece[3:5], 16)]).hex() if sp.is_byte(i) else piece.replace("\u2581", " ").encode().hex())
lines.append(b"<|end|>".hex())
open(sys.argv[1], "w").write("\n".join(lines) + "\n")
PY
cargo run --release -q -p groundwork-grammar --example mask_time -- "$work/tokens"
