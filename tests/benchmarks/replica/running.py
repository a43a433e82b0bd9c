"""All methods of one study, one after the other."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from muscle_metrics.adapter import CompatibilityConfig, TaskModel, train_compatibility_adapter
from tests.benchmarks.replica.exact import run_exact
from tests.benchmarks.replica.methods import CONTROL, GROUPS, METHODS, RECIPE, Method
from tests.benchmarks.replica.study import RATE, STEPS, Sizes, Study

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


__all__ = ["run_study", "scores_path", "store_study", "train_by_package"]

HALF = "half v2, half old_only (interpolated)"
FAST = Sizes(validation=160, test=1000, prompts=1000)
FAST_METHODS = (CONTROL, "MUSCLE (student_incorrect)", RECIPE)


def run_study(
    family: str,
    seed: int,
    folder: Path | None,
    *,
    sizes: Sizes = FAST,
    group: str = "main",
    fast: bool = False,
    say: Callable[[str], None] = lambda _line: None,
    save: Callable[[dict[str, np.ndarray]], None] = lambda _scores: None,
) -> dict[str, np.ndarray]:
    """Scores of the test items by method, of one group of methods."""
    torch.set_num_threads(1)
    began = perf_counter()
    study = Study(family, seed, sizes=sizes, folder=folder)
    scores = {"v1": study.scores(study.old)}

    def record(name: str, model: Any, note: str = "") -> None:
        scores[name] = study.scores(model)
        flips = float((scores[name] < scores["v1"] - 1e-9).mean())
        say(
            f"{family} {seed} {perf_counter() - began:5.0f} s  {name}: accuracy "
            f"{scores[name].mean():.4f}, NFR {flips:.4f}{note}"
        )
        save(scores)

    if group == "main":
        for name, model in study.rivals(retrained=not fast):
            record(name, model)
    for method in GROUPS[group]:
        if fast and method.name not in FAST_METHODS:
            continue
        chosen = replace(method, times=method.times / 2) if fast else method
        fitted = study.fit(chosen)
        record(method.name, fitted.model, f", epoch {fitted.epoch:g}")
    if group == "ablations":
        record(HALF, study.half("old_only"))
    if group == "main" and not fast:
        student, frontier = study.frontier([RECIPE])
        record(f"{RECIPE}, picked on the frontier", student, f", {frontier.picked.name}")
        result = train_by_package(study, METHODS[RECIPE])
        record(f"{RECIPE}, by the trainer", result.model, f", epoch {result.best.epoch:g}")
    return scores


def train_by_package(study: Study, method: Method) -> Any:
    """Train by the package's own trainer, with the method's loss and replay."""
    config = CompatibilityConfig(
        strategy=method.settings.strategy,
        temperature=method.settings.temperature,
        distillation_weight=method.settings.distillation_weight,
        replay_share=method.settings.replay_share,
        replay_weight=method.replay_weight,
        replay_temperature=1.0,
        learning_rate=RATE,
        warmup_share=0.1,
        max_gradient_norm=0.0,
        batch_size=64,
        epochs=4,
        max_length=64,
        metric=study.config.metric,
        max_new_tokens=study.config.max_new_tokens,
        evaluation_batch_size=1024,
        seed=study.seed,
    )
    # An epoch of the trainer is one pass over the data, here of as many steps as the study's.
    passes = 64 * STEPS[study.family] // 4 // len(study.train)
    return train_compatibility_adapter(
        old=TaskModel(study.old, tokenizer=study.tokenizer),
        new=TaskModel(study.new, tokenizer=study.tokenizer),
        train=[
            replace(example, id=f"{example.id} {turn}")
            for turn in range(passes)
            for example in study.train
        ],
        validation=study.validation,
        replay=[replace(prompt, completion=None) for prompt in study.prompts],
        config=config,
    )


def scores_path(folder: Path, family: str, seed: int, group: str, ending: str = "") -> Path:
    """File of the scores of one group of methods."""
    return folder / f"{family}-{seed}-{group}{ending}.npz"


def store_study(family: str, seed: int, folder: Path, group: str, fast: bool) -> None:
    """Run a group of methods and store its scores, unless the folder has them."""
    path, partial = (
        scores_path(folder, family, seed, group, ending) for ending in ("", "-partial")
    )
    if path.exists():
        return
    sizes = FAST if fast else Sizes()
    options: dict[str, Any] = {
        "sizes": sizes,
        "say": lambda line: print(line, flush=True),
        "save": lambda scores: np.savez_compressed(partial, **scores),
    }
    if family == "exact":
        run_exact(seed, folder, **options)
    else:
        run_study(family, seed, folder, group=group, fast=fast, **options)
    partial.rename(path)
