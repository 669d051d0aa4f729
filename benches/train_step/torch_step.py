"""Whole training steps of the same decoder in PyTorch: torch_step.py FOLDER STEPS [--compile] [--bf16].

Reads what `train_step make` wrote and prints the same JSON as `train_step run`.
"""

import argparse
import json
import os
import resource
import time

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

EPSILON = 1e-6


class Decoder(torch.nn.Module):
    """crates/model/src/decoder.rs, line by line. Matrices are [in, out]."""

    def __init__(self, shape, weights):
        super().__init__()
        self.model = shape["model"]
        self.names = list(weights)
        for name, value in weights.items():
            self.register_parameter(name.replace(".", "_"), torch.nn.Parameter(value.clone()))
        half = self.model["head_dim"] // 2
        frequencies = self.model["rope_base"] ** (-torch.arange(half).double() / half)
        angles = torch.outer(torch.arange(shape["sequence"]).double(), frequencies)
        self.register_buffer("cos", angles.cos().float()[None, None])
        self.register_buffer("sin", angles.sin().float()[None, None])

    def p(self, name):
        return getattr(self, name.replace(".", "_"))

    def rope(self, x):
        a, b = x.chunk(2, -1)
        return torch.cat((a * self.cos - b * self.sin, b * self.cos + a * self.sin), -1)

    def forward(self, tokens, targets):
        heads, width, d = self.model["heads"], self.model["head_dim"], self.model["d_model"]
        batch, sequence = tokens.shape
        x = F.rms_norm(F.embedding(tokens, self.p("embedding")), (d,), None, EPSILON)
        for layer in range(len(self.model["attention"])):
            p = lambda name: self.p(f"layers.{layer}.{name}")
            h = F.rms_norm(x, (d,), p("attention_norm"), EPSILON)
            qkv = (h @ p("qkv")).view(batch, sequence, 3, heads, width)
            q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
            q = self.rope(F.rms_norm(q, (width,), p("query_norm"), EPSILON)).to(v.dtype)
            k = self.rope(F.rms_norm(k, (width,), p("key_norm"), EPSILON)).to(v.dtype)
            o = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + o.transpose(1, 2).reshape(batch, sequence, d) @ p("out")
            h = F.rms_norm(x, (d,), p("ff_norm"), EPSILON) @ p("up")
            gate, up = h.chunk(2, -1)
            x = x + (F.silu(gate) * up) @ p("down")
        x = F.rms_norm(x, (d,), self.p("norm"), EPSILON)
        logits = x @ self.p("head")
        return F.cross_entropy(logits.view(-1, logits.shape[-1]).float(), targets.reshape(-1))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("steps", type=int)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--bf16", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count())))
    with open(f"{args.folder}/shape.json") as file:
        shape = json.load(file)
    model = Decoder(shape, load_file(f"{args.folder}/weights.safetensors"))
    tokens = torch.from_numpy(np.fromfile(f"{args.folder}/tokens.i32", dtype="<i4").astype(np.int64))
    tokens = tokens.view(-1, shape["batch"], shape["sequence"] + 1)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=1e-3, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0, fused=True
    )
    forward = torch.compile(model) if args.compile else model
    losses, seconds = [], []
    for step in range(args.steps):
        batch = tokens[step % len(tokens)]
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.bf16):
            loss = forward(batch[:, :-1], batch[:, 1:])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"losses": losses, "seconds": seconds, "peak_bytes": peak}))


if __name__ == "__main__":
    main()
