"""The default recipe where v2's adapter has not converged: exact match, by the package alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from muscle_metrics.adapter import CompatibilityConfig, TaskModel, train_compatibility_adapter
from tests.benchmarks.replica.methods import CONTROL, METHODS
from tests.benchmarks.replica.study import Sizes, Study

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np

__all__ = ["DEFAULT", "MUSCLE_ALONE", "run_exact", "train_default"]

DEFAULT = "train_compatibility_adapter, default recipe"
MUSCLE_ALONE = "MUSCLE, last epoch (no guard)"
# Share of the steps of v2's task adapter after which it is taken, too early.
UNCONVERGED = 0.35


def run_exact(
    seed: int,
    folder: Path | None,
    *,
    sizes: Sizes,
    say: Callable[[str], None] = lambda _line: None,
    save: Callable[[dict[str, np.ndarray]], None] = lambda _scores: None,
) -> dict[str, np.ndarray]:
    """Scores of the test items by method; what the default recipe saw is said."""
    torch.set_num_threads(1)
    study = Study("exact", seed, sizes=sizes, folder=folder, unconverged=UNCONVERGED)
    scores = {"v1": study.scores(study.old), "v2": study.scores(study.new)}
    scores[CONTROL] = study.scores(study.fit(METHODS[CONTROL], guarded=False).model)
    muscle = METHODS["MUSCLE (student_incorrect)"]
    scores[MUSCLE_ALONE] = study.scores(study.fit(replace(muscle, times=1.0), guarded=False).model)
    result = train_default(study)
    scores[DEFAULT] = study.scores(result.model)
    for note in result.notes:
        say(f"exact {seed}: {note}")
    say(f"exact {seed}: kept {result.best}")
    save(scores)
    return scores


def train_default(study: Study) -> Any:
    """Train as a user does who sets nothing but the rate, the batch and the length."""
    return train_compatibility_adapter(
        old=TaskModel(study.old, tokenizer=study.tokenizer),
        new=TaskModel(study.new, tokenizer=study.tokenizer),
        train=study.train,
        validation=study.validation,
        config=CompatibilityConfig(
            learning_rate=1e-3,
            batch_size=32,
            epochs=40,
            max_length=64,
            max_new_tokens=4,
            evaluation_batch_size=1024,
            seed=study.seed,
        ),
    )
