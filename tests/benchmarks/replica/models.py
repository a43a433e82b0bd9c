"""The two base models: tiny Llama models, pretrained from scratch on texts of the language."""

import json
import time
from pathlib import Path

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from tests.benchmarks.replica.language import BOS, EOS, PAD, VOCABULARY, Language

SIZES = {
    "v1": dict(hidden_size=40, intermediate_size=80, num_hidden_layers=3, num_attention_heads=4),
    "v2": dict(hidden_size=48, intermediate_size=144, num_hidden_layers=4, num_attention_heads=4),
}
STEPS = {"v1": 2400, "v2": 850}


def build(name: str) -> LlamaForCausalLM:
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCABULARY,
            max_position_embeddings=64,
            pad_token_id=PAD,
            bos_token_id=BOS,
            eos_token_id=EOS,
            attn_implementation="sdpa",
            **SIZES[name],
        )
    )


def pretrain(name: str, seed: int, steps: int | None = None, log=False) -> LlamaForCausalLM:
    steps = steps or STEPS[name]
    language = Language()
    torch.manual_seed(seed * 10 + int(name[1]))
    rng = np.random.default_rng([seed, int(name[1]), 3])
    model = build(name)
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=0.01, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps, pct_start=0.1)
    t = time.time()
    for step in range(steps):
        if step % 50 == 0:
            texts = torch.from_numpy(language.pretraining(rng, 50 * 64, 24))
        batch = texts[(step % 50) * 64 : (step % 50 + 1) * 64]
        logits = model(batch).logits[:, :-1]
        loss = torch.nn.functional.cross_entropy(
            logits.reshape(-1, VOCABULARY), batch[:, 1:].reshape(-1), ignore_index=PAD
        )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if log and step % 250 == 249:
            print(name, step + 1, round(loss.item(), 3), round(time.time() - t, 1), flush=True)
    return model


def base(name: str, seed: int, folder: Path, **options) -> LlamaForCausalLM:
    """Return a base model, from the folder when it was trained before."""
    place = Path(folder) / f"{name}-{seed}"
    if not (place / "config.json").exists():
        pretrain(name, seed, **options).save_pretrained(place)
    return LlamaForCausalLM.from_pretrained(place).eval().requires_grad_(False)


if __name__ == "__main__":
    import sys

    torch.set_num_threads(1)
    for seed in sys.argv[2].split(","):
        for name in ("v1", "v2"):
            base(name, int(seed), Path(sys.argv[1]), log=True)
