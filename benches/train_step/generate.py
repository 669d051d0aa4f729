"""Greedy generation here and by Hugging Face `generate`, same weights: generate.py SIZE ROUNDS THREADS.

The decoder is a Qwen3 but for one thing: it normalises the embedding before the first layer. Normalised rows in the
table say the same, so the tokens must be equal as well.
"""

import json
import os
import statistics
import subprocess
import sys
import time

import torch
from safetensors.torch import load_file
from transformers import Qwen3Config, Qwen3ForCausalLM

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = os.path.join(HERE, "..", "..", "target")
NEW = 256


def qwen3(folder):
    with open(os.path.join(folder, "shape.json")) as file:
        shape = json.load(file)["model"]
    ours = load_file(os.path.join(folder, "weights.safetensors"))
    d, heads, kv, width = shape["d_model"], shape["heads"], shape["kv_heads"], shape["head_dim"]
    config = Qwen3Config(
        vocab_size=shape["vocabulary"], hidden_size=d, intermediate_size=shape["d_ff"],
        num_hidden_layers=len(shape["attention"]), num_attention_heads=heads, num_key_value_heads=kv,
        head_dim=width, rms_norm_eps=1e-6, tie_word_embeddings=False, max_position_embeddings=4096,
        rope_parameters={"rope_type": "default", "rope_theta": shape["rope_base"]},
    )
    table = ours["embedding"]
    table = table / (table.pow(2).mean(-1, keepdim=True) + 1e-6).sqrt()
    weights = {"model.embed_tokens.weight": table, "model.norm.weight": ours["norm"], "lm_head.weight": ours["head"].T}
    for layer in range(len(shape["attention"])):
        of = lambda name: ours[f"layers.{layer}.{name}"]
        q, k, v = of("qkv").T.split([heads * width, kv * width, kv * width])
        gate, up = of("up").T.chunk(2)
        for name, value in {
            "input_layernorm": of("attention_norm"), "self_attn.q_proj": q, "self_attn.k_proj": k,
            "self_attn.v_proj": v, "self_attn.q_norm": of("query_norm"), "self_attn.k_norm": of("key_norm"),
            "self_attn.o_proj": of("out").T, "post_attention_layernorm": of("ff_norm"), "mlp.gate_proj": gate,
            "mlp.up_proj": up, "mlp.down_proj": of("down").T,
        }.items():
            weights[f"model.layers.{layer}.{name}.weight"] = value
    model = Qwen3ForCausalLM(config).eval()
    model.load_state_dict({name: value.contiguous() for name, value in weights.items()})
    return model, shape["vocabulary"]


def main():
    size, rounds, threads = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    torch.set_num_threads(int(threads))
    folder = os.path.join(TARGET, "train_step", size)
    program = os.path.join(TARGET, "release", "examples", "train_step")
    subprocess.run([program, "make", size, folder], check=True)
    model, vocabulary = qwen3(folder)
    for batch in (64, 1):
        ours, theirs = [], []
        for _ in range(rounds):
            found = subprocess.run(
                [program, "decode", folder, str(batch), str(NEW)], check=True, capture_output=True, text=True,
                env=os.environ | {"RAYON_NUM_THREADS": threads},
            )
            found = json.loads(found.stdout)
            ours.append(batch * NEW / sum(found["seconds"]))
            prompt = torch.tensor([[row * 7 % vocabulary] for row in range(batch)])
            start = time.perf_counter()
            with torch.inference_mode():
                tokens = model.generate(
                    prompt, attention_mask=torch.ones_like(prompt), do_sample=False, min_new_tokens=NEW,
                    max_new_tokens=NEW, pad_token_id=0, eos_token_id=None,
                )
            theirs.append(batch * NEW / (time.perf_counter() - start))
        a, b = torch.tensor(found["tokens"]), tokens
        # Equal logits to six digits can still tie; after the first difference two rows go their own ways.
        agree = (a == b).cumprod(1).float().mean().item()
        ratio = statistics.median(x / y for x, y in zip(ours, theirs))
        print(f"{size}, batch {batch}: {statistics.median(ours):.0f} tokens/s against {statistics.median(theirs):.0f},"
              f" ratio {ratio:.2f}; {1000 * batch / statistics.median(ours):.2f} ms a step against"
              f" {1000 * batch / statistics.median(theirs):.2f}; {100 * agree:.1f}% of the tokens agree")


if __name__ == "__main__":
    main()
