#!/usr/bin/env python3
"""A trainer that Groundwork knows nothing of: a character model of one hidden layer, trained by SGD with momentum.

It reports by printing JSON lines, keeps a checkpoint of its own in the run's folder, and goes on from it when it is started
again. With PyTorch installed it uses that; without, plain Python does the same arithmetic, slowly.
"""

import argparse
import json
import math
import os
import random
import signal
import sys
import time

SYMBOLS = "abcdefghijklmnopqrstuvwxyz "
CONTEXT = 3


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("--width", type=int, required=True, help="hidden units")
    p.add_argument("--tokens", type=int, required=True)
    p.add_argument("--momentum", type=float, default=0.0)
    p.add_argument("--rate", type=float, default=0.1)
    p.add_argument("--seed", type=int, required=True)
    p.add_argument("--folder", required=True, help="where checkpoints go")
    return p.parse_args()


def text(length, seed):
    """Words of a made-up language: the next letter depends on the last two."""
    rng, grammar = random.Random(seed), random.Random(12345)
    n = len(SYMBOLS)
    first, second = ([[grammar.gauss(0, 1) for _ in range(n)] for _ in range(n)] for _ in range(2))
    out = [0, 1]
    while len(out) < length:
        weights = [math.exp(1.5 * (a + b)) for a, b in zip(first[out[-1]], second[out[-2]])]
        out.append(rng.choices(range(n), weights)[0])
    return out


class PlainModel:
    """Embeddings of the context are added up, then tanh, then a linear layer: p = softmax(W tanh(sum E))."""

    def __init__(self, width, seed):
        rng = random.Random(seed)
        n = len(SYMBOLS)
        self.e = [[rng.gauss(0, 0.3) for _ in range(width)] for _ in range(n * CONTEXT)]
        self.w = [[rng.gauss(0, 0.3) for _ in range(width)] for _ in range(n)]
        self.velocity = {name: [[0.0] * width for _ in rows] for name, rows in [("e", self.e), ("w", self.w)]}

    def forward(self, context):
        rows = [self.e[i * len(SYMBOLS) + c] for i, c in enumerate(context)]
        hidden = [math.tanh(sum(column)) for column in zip(*rows)]
        logits = [sum(a * b for a, b in zip(row, hidden)) for row in self.w]
        top = max(logits)
        exps = [math.exp(z - top) for z in logits]
        total = sum(exps)
        return hidden, [x / total for x in exps]

    def loss(self, tokens):
        pairs = range(CONTEXT, len(tokens))
        return -sum(math.log(self.forward(tokens[i - CONTEXT : i])[1][tokens[i]]) for i in pairs) / len(pairs)

    def step(self, tokens, at, rate, momentum):
        context, target = tokens[at - CONTEXT : at], tokens[at]
        hidden, p = self.forward(context)
        error = p[:]
        error[target] -= 1.0
        back = [
            (1 - h * h) * sum(error[j] * self.w[j][k] for j in range(len(error))) for k, h in enumerate(hidden)
        ]
        for j, d in enumerate(error):
            self.move(self.w[j], self.velocity["w"][j], [d * h for h in hidden], rate, momentum)
        for i, c in enumerate(context):
            row = i * len(SYMBOLS) + c
            self.move(self.e[row], self.velocity["e"][row], back, rate, momentum)
        return -math.log(p[target])

    @staticmethod
    def move(values, velocity, gradient, rate, momentum):
        for k, g in enumerate(gradient):
            velocity[k] = momentum * velocity[k] + g
            values[k] -= rate * (1 - momentum) * velocity[k]

    def state(self):
        return {"e": self.e, "w": self.w, "velocity": self.velocity}

    def load(self, state):
        self.e, self.w, self.velocity = state["e"], state["w"], state["velocity"]


class TorchModel:
    """The same in PyTorch, a token a step."""

    def __init__(self, width, seed):
        plain = PlainModel(width, seed)
        self.e = torch.tensor(plain.e, requires_grad=True)
        self.w = torch.tensor(plain.w, requires_grad=True)
        self.velocity = {"e": torch.zeros_like(self.e), "w": torch.zeros_like(self.w)}
        self.offsets = torch.arange(CONTEXT) * len(SYMBOLS)

    def logits(self, contexts):
        return torch.tanh(self.e[contexts + self.offsets].sum(-2)) @ self.w.T

    def loss(self, tokens):
        t = torch.tensor(tokens)
        with torch.no_grad():
            return torch.nn.functional.cross_entropy(self.logits(t.unfold(0, CONTEXT, 1)[:-1]), t[CONTEXT:]).item()

    def step(self, tokens, at, rate, momentum):
        context = torch.tensor([tokens[at - CONTEXT : at]])
        loss = torch.nn.functional.cross_entropy(self.logits(context), torch.tensor([tokens[at]]))
        gradients = torch.autograd.grad(loss, [self.e, self.w])
        with torch.no_grad():
            for value, v, g in zip([self.e, self.w], self.velocity.values(), gradients):
                v.mul_(momentum).add_(g)
                value.sub_(rate * (1 - momentum) * v)
        return loss.item()

    def state(self):
        velocity = {name: v.tolist() for name, v in self.velocity.items()}
        return {"e": self.e.tolist(), "w": self.w.tolist(), "velocity": velocity}

    def load(self, state):
        with torch.no_grad():
            for to, of in [({"e": self.e, "w": self.w}, state), (self.velocity, state["velocity"])]:
                for name in ("e", "w"):
                    to[name].copy_(torch.tensor(of[name]))


try:
    import torch
except ImportError:
    torch = None


def main():
    args = arguments()
    model = (TorchModel if torch else PlainModel)(args.width, args.seed)
    train, held_out = text(args.tokens + CONTEXT, 1000 + args.seed), text(2000, 1)
    parameters = args.width * len(SYMBOLS) * (CONTEXT + 1)
    checkpoint = os.path.join(args.folder, "checkpoint.json")
    step, before = 0, 0.0
    if os.path.exists(checkpoint):
        with open(checkpoint) as f:
            saved = json.load(f)
        step, before = saved["step"], saved["seconds"]
        model.load(saved["model"])
        print(f"going on from step {step}", file=sys.stderr)
    stop = []
    signal.signal(signal.SIGINT, lambda *_: stop.append(True))

    def seconds():
        return before + time.time() - began

    def save():
        part = checkpoint + ".part"
        with open(part, "w") as f:
            json.dump({"step": step, "seconds": seconds(), "model": model.state()}, f)
        os.replace(part, checkpoint)

    began, running = time.time(), []
    while step < args.tokens:
        # The last fifth anneals, so that the final loss is not that of a noisy step.
        rate = args.rate * min(1.0, 5.0 * (1.0 - step / args.tokens))
        running.append(model.step(train, step + CONTEXT, rate, args.momentum))
        step += 1
        if step % max(1, args.tokens // 10) == 0:
            record = {
                "step": step,
                "of": args.tokens,
                "tokens": step,
                "loss": sum(running) / len(running),
                "flops": 6 * parameters * step,
                "seconds": seconds(),
            }
            if step == args.tokens:
                record["val_loss"] = model.loss(held_out)
            print(json.dumps(record), flush=True)
            running = []
            save()
        if stop:
            save()
            sys.exit(130)


if __name__ == "__main__":
    main()
