"""The models of the replica: tiny Llamas, pretrained from scratch, and their task adapters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_model, save_model
from transformers import LlamaConfig, LlamaForCausalLM

from tests.benchmarks.replica.language import END, PAD, START, VOCABULARY, Language

__all__ = ["add_adapter", "load_base", "pretrain", "write_bases"]

BASES = Path(__file__).parent / "bases"

# 57 and 130 thousand parameters. The larger model has seen less: as accurate, otherwise wrong.
SIZES = {
    "v1": {"hidden_size": 40, "intermediate_size": 80, "num_hidden_layers": 3},
    "v2": {"hidden_size": 48, "intermediate_size": 144, "num_hidden_layers": 4},
}
STEPS = {"v1": 2000, "v2": 750}
BATCH = 64
# One pair of base models, as of any update; studies differ in data and adapters.
SEEDS = {"v1": 703, "v2": 702}
RATE = 4e-3


def _untrained(name: str) -> Any:
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCABULARY,
            num_attention_heads=4,
            max_position_embeddings=64,
            pad_token_id=PAD,
            bos_token_id=START,
            eos_token_id=END,
            **SIZES[name],
        )
    )


def pretrain(name: str) -> Any:
    """Train a base model on texts of its own."""
    language = Language()
    number = list(SIZES).index(name) + 1
    torch.manual_seed(10 * SEEDS[name] + number)
    rng = np.random.default_rng([SEEDS[name], number, 3])
    model = _untrained(name)
    steps = STEPS[name]
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, RATE, total_steps=steps, pct_start=0.1
    )
    for step in range(steps):
        if step % 50 == 0:
            texts = torch.from_numpy(language.texts(rng, 50 * BATCH))
        batch = texts[step % 50 * BATCH :][:BATCH]
        logits = model(batch).logits[:, :-1].flatten(0, 1)
        loss = torch.nn.functional.cross_entropy(logits, batch[:, 1:].flatten(), ignore_index=PAD)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    return model.eval().requires_grad_(requires_grad=False)


def load_base(name: str) -> Any:
    """Give a base model as it is kept beside this file, where `write_bases` put it."""
    model = _untrained(name)
    load_model(model, BASES / f"{name}.safetensors")
    return model.eval().requires_grad_(requires_grad=False)


def write_bases() -> None:
    """Train both base models anew, in about two minutes."""
    for name in SIZES:
        save_model(pretrain(name), BASES / f"{name}.safetensors")


def add_adapter(base: Any, seed: int) -> Any:
    """Give a base model a fresh LoRA adapter of rank 16 on all linear layers."""
    torch.manual_seed(seed)
    settings = LoraConfig(
        task_type="CAUSAL_LM", r=16, lora_alpha=32, target_modules="all-linear", lora_dropout=0.0
    )
    return get_peft_model(base, settings)
