"""The adapter's step against the naive one: three models in memory, all logits of each.

Run with ``pytest tests/benchmarks/test_adapter.py -s`` to see the ratios. Every measurement is a
process of its own, so that its peak of memory is its own too; times are processor times of one
thread. Nothing asserts seconds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.benchmarks.memory import peak_megabytes

if TYPE_CHECKING:
    from collections.abc import Callable

TOKENS, HIDDEN, VOCABULARY = 1024, 128, 128_000
STEPS = 2


def measured(work: Callable[[], Any]) -> dict[str, float]:
    """Peak of memory above what is there now, in MB, and processor seconds."""
    before = peak_megabytes()
    start = time.process_time()
    work()
    seconds = time.process_time() - start
    return {"megabytes": peak_megabytes() - before, "seconds": seconds}


def loss(way: str) -> dict[str, float]:
    """Loss and gradient of one batch at a vocabulary of 128 000."""
    import torch

    from muscle_metrics.adapter.loss.fused import HeadRows, fused_compatibility_loss
    from muscle_metrics.adapter.loss.losses import compatibility_loss
    from muscle_metrics.adapter.loss.strategies import LossSettings, Tokens

    torch.set_num_threads(1)
    torch.manual_seed(0)
    heads = [torch.randn(VOCABULARY, HIDDEN) for _ in range(3)]
    hidden = [torch.randn(TOKENS, HIDDEN) for _ in range(3)]
    student = hidden[0].requires_grad_()
    labels = torch.randint(VOCABULARY, (TOKENS,))
    settings = LossSettings(strategy="student_incorrect")

    def naive() -> None:
        with torch.no_grad():
            old, new = hidden[1] @ heads[1].T, hidden[2] @ heads[2].T
        compatibility_loss(
            student @ heads[0].T, labels, old=old, new=new, settings=settings
        ).loss.backward()

    def fused() -> None:
        tokens = Tokens(
            labels,
            torch.full((TOKENS,), 1 / TOKENS),
            torch.zeros(TOKENS, dtype=torch.long),
            torch.zeros(TOKENS, dtype=torch.bool),
        )
        fused_compatibility_loss(
            student,
            heads[0],
            tokens=tokens,
            old=HeadRows(hidden[1], heads[1]),
            new=HeadRows(hidden[2], heads[2]),
            settings=settings,
        ).loss.backward()

    found = measured(naive if way == "naive" else fused)
    assert student.grad is not None
    return {**found, "gradient": float(student.grad.norm())}


def step(way: str) -> dict[str, float]:
    """Steps of a model of 20 million parameters, its adapter in training."""
    import copy

    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from muscle_metrics.adapter.config import CompatibilityConfig
    from muscle_metrics.adapter.data.examples import EncodedExample, collate
    from muscle_metrics.adapter.loss.losses import compatibility_loss
    from muscle_metrics.adapter.models import TaskModel, load_student
    from muscle_metrics.adapter.teachers.distillation import Distillation, LiveTeacher
    from muscle_metrics.adapter.teachers.stored import StoredTeacher, compute_rows, store_rows

    torch.set_num_threads(1)
    vocabulary = 16_000

    def made(seed: int) -> Any:
        torch.manual_seed(seed)
        return LlamaForCausalLM(
            LlamaConfig(
                vocab_size=vocabulary,
                hidden_size=384,
                intermediate_size=1024,
                num_hidden_layers=6,
                num_attention_heads=6,
                num_key_value_heads=6,
            )
        ).eval()

    config = CompatibilityConfig(lora_rank=16)
    student = load_student(TaskModel(made(2), tokenizer=object()), config)
    settings = config.loss_settings(1.0)
    rows = torch.randint(1, vocabulary, (8, 128)).tolist()
    encoded = [EncodedExample(row, [-100, *row[1:]], 1.0) for row in rows]
    batch = collate([[(place, False, one)] for place, one in enumerate(encoded)], padding=0)
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask")}
    models = [student.model]
    if way == "naive":
        old, new = made(1), copy.deepcopy(made(2))
        models += [old, new]

        def work() -> None:
            for _ in range(STEPS):
                with torch.no_grad():
                    teachers = [
                        model(**inputs).logits[:, :-1].flatten(0, 1) for model in (old, new)
                    ]
                logits = student.model(**inputs).logits[:, :-1].flatten(0, 1)
                labels = batch["labels"][:, 1:].flatten()
                compatibility_loss(
                    logits, labels, old=teachers[0], new=teachers[1], settings=settings
                ).loss.backward()
    else:
        teacher: Any
        if way == "live":
            old = made(1)
            models.append(old)
            teacher = LiveTeacher(old, vocabulary)
        else:
            folder = Path(tempfile.mkdtemp())
            blocks = compute_rows(
                made(1),
                encoded,
                vocabulary=vocabulary,
                temperature=2.0,
                top_k=64,
                batch_size=4,
            )
            store_rows(blocks, folder, temperature=2.0, recipe="x")
            teacher = StoredTeacher(folder, "x", 2.0)
        distillation = Distillation(student, teacher, settings, vocabulary=vocabulary)

        def work() -> None:
            for _ in range(STEPS):
                distillation(**batch).loss.backward()

    weights = {
        values.untyped_storage().data_ptr(): values.untyped_storage().nbytes()
        for model in models
        for name, values in model.named_parameters()
        if "lora" not in name
    }
    return {**measured(work), "weights": sum(weights.values()) / 2**20}


def in_a_process(what: str, way: str) -> dict[str, float]:
    run = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.test_adapter", what, way],
        check=True,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    return json.loads(run.stdout.splitlines()[-1])


def test_the_fused_loss_needs_an_eighth_of_the_memory_and_no_more_time():
    pytest.importorskip("torch")
    naive, fused = (in_a_process("loss", way) for way in ("naive", "fused"))
    less = naive["megabytes"] / fused["megabytes"]
    faster = naive["seconds"] / fused["seconds"]
    print(
        f"\nloss of {TOKENS} tokens, vocabulary {VOCABULARY}: naive {naive['megabytes']:.0f} MB, "
        f"fused {fused['megabytes']:.0f} MB, {less:.1f} times less; {faster:.2f} times as fast"
    )
    assert fused["gradient"] == pytest.approx(naive["gradient"], rel=1e-5)
    assert less >= 8
    assert faster >= 1


def test_a_step_shares_a_base_and_stored_rows_save_a_model():
    for package in ("peft", "transformers"):
        pytest.importorskip(package)
    naive, live, stored = (in_a_process("step", way) for way in ("naive", "live", "stored"))
    for name, ours in (("shared base", live), ("stored rows of 64 tokens", stored)):
        print(
            f"\nstep with {name}: {ours['weights'] / naive['weights']:.2f} of the frozen weights, "
            f"{naive['seconds'] / ours['seconds']:.2f} times as fast, "
            f"{naive['megabytes'] / ours['megabytes']:.1f} times less memory beside the weights"
        )
    assert live["weights"] == pytest.approx(naive["weights"] * 2 / 3, rel=1e-6)
    assert stored["weights"] == pytest.approx(naive["weights"] / 3, rel=1e-6)
    assert naive["seconds"] / stored["seconds"] >= 1.7


if __name__ == "__main__":
    print(json.dumps({"loss": loss, "step": step}[sys.argv[1]](sys.argv[2])))
