"""Alternating rounds of training steps, here and in PyTorch; see benches/train_step.sh."""

import ctypes.util
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = os.path.join(HERE, "..", "..", "target")
# Steps a round, the first ones left out of the median.
STEPS = {"XS": 40, "S": 12, "M": 8, "L": 6}
WARM = 3


def run(command, environment):
    result = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{result.stderr[-2000:]}")
    return json.loads(result.stdout.strip().splitlines()[-1])


def main():
    sizes, rounds, threads = sys.argv[1].split(","), int(sys.argv[2]), sys.argv[3]
    preload = os.path.join(TARGET, "train_step", "mkl.so")
    # Its name in Debian; without it the rows say so by their peak memory only.
    tcmalloc = ctypes.util.find_library("tcmalloc_minimal")
    unlocked = {"LD_PRELOAD": ":".join(filter(None, [preload, tcmalloc]))}
    ours = os.path.join(TARGET, "release", "examples", "train_step")
    torch = [sys.executable, os.path.join(HERE, "torch_step.py")]
    with open("/proc/cpuinfo") as file:
        flags = set(next(line for line in file if line.startswith("flags")).split())
    kinds = [
        ("Groundwork f32", None, {}),
        ("Groundwork bf16", None, {}),
        ("PyTorch f32, eager", [], {}),
        ("PyTorch f32, compiled", ["--compile"], {}),
        ("PyTorch f32, compiled, MKL unlocked", ["--compile"], unlocked),
    ]
    if "avx512_bf16" in flags or "amx_bf16" in flags:
        kinds.append(("PyTorch bf16, compiled, MKL unlocked", ["--compile", "--bf16"], unlocked))
    else:
        print("This processor has no bf16 products: no bf16 rows.")
        kinds = [kind for kind in kinds if kind[0] != "Groundwork bf16"]
    for size in sizes:
        folder = os.path.join(TARGET, "train_step", size)
        subprocess.run([ours, "make", size, folder], check=True)
        with open(os.path.join(folder, "shape.json")) as file:
            shape = json.load(file)
        tokens = shape["batch"] * shape["sequence"]
        steps = STEPS[size]
        results = {name: [] for name, _, _ in kinds}
        for _ in range(rounds):
            for name, flags_of, environment in kinds:
                command = [ours, "run"] if flags_of is None else torch
                command = command + [folder, str(steps)] + (flags_of or [])
                if name == "Groundwork bf16":
                    command.append("bf16")
                limits = {"RAYON_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
                results[name].append(run(command, environment | limits))
        expected = results["PyTorch f32, eager"][0]["losses"]
        for name, found in results.items():
            tolerance = 2e-2 if "bf16" in name else 5e-4
            worst = max(abs(a - b) for a, b in zip(found[0]["losses"], expected))
            if not worst < tolerance:
                sys.exit(f"{size}, {name}: losses differ by {worst:.5f}")
        print(f"\n{size}: {tokens} tokens a step, {threads} threads, median of {rounds} rounds; first losses",
              ", ".join(f"{loss:.3f}" for loss in expected[:4]))
        print(f"{'':38} {'tokens/s':>9} {'rounds':>17} {'ratio':>6} {'peak MB':>8}")
        of = lambda found: [tokens / statistics.median(r["seconds"][WARM:]) for r in found]
        base = statistics.median(of(results["Groundwork f32"]))
        for name, found in results.items():
            rates = of(found)
            median = statistics.median(rates)
            peak = max(r["peak_bytes"] for r in found) / 1e6
            spread = f"{min(rates):.0f}-{max(rates):.0f}"
            print(f"{name:38} {median:9.0f} {spread:>17} {base / median:6.2f} {peak:8.0f}")


if __name__ == "__main__":
    main()
