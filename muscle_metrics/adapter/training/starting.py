"""What is seen before training: how far apart the models are, and whether the new one converged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muscle_metrics.adapter.data.answering import answering
from muscle_metrics.adapter.data.batches import collate
from muscle_metrics.adapter.evaluation.selection import measure_standing
from muscle_metrics.adapter.loss.strategies import IGNORED
from muscle_metrics.adapter.running import all_logits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from muscle_metrics.adapter.config import CompatibilityConfig
    from muscle_metrics.adapter.evaluation.validation import Evaluate
    from muscle_metrics.adapter.models import LoadedModel

__all__ = ["decide_weight"]


def decide_weight(
    student: LoadedModel,
    gold: Sequence[Any],
    old_scores: Sequence[float],
    evaluate: Evaluate,
    config: CompatibilityConfig,
) -> tuple[float, list[str]]:
    """Decide lambda, and say what was seen: distillation alone is for equals that have converged.

    Parameters
    ----------
    student : LoadedModel
        At its start.
    gold : sequence of EncodedExample
        Whose labels are their completions: prompts are not to be predicted.
    old_scores : sequence of float
        Of the old model on the validation items.
    evaluate : callable
    config : CompatibilityConfig

    Returns
    -------
    weight : float
        Of the distillation, in [0, 1].
    notes : list of str

    Raises
    ------
    InputError
        If there is no validation item.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from muscle_metrics.adapter.config import CompatibilityConfig
    >>> student = SimpleNamespace(model=None, tokenizer=None)
    >>> decide_weight(student, [], [], lambda model, tokenizer: [], CompatibilityConfig())
    Traceback (most recent call last):
    muscle_metrics.errors.InputError: expected at least 1 validation item to judge epochs by, got...
    """
    start = measure_standing(
        old=old_scores, new=evaluate(student.model, student.tokenizer), epoch=0
    )
    old_accuracy = sum(map(float, old_scores)) / len(old_scores)
    gap = start.accuracy - old_accuracy
    converged = _share_learnt(student, gold, config)
    notes = [
        f"on {start.items} validation items the old model scores {old_accuracy:.1%} and the new "
        f"one {start.accuracy:.1%}, with {start.negative_flip_rate:.1%} negative flips",
        f"the new model predicts {converged:.1%} of its training completions without a mistake",
    ]
    if config.distillation_weight is not None:
        return config.distillation_weight, notes
    if gap < config.large_gap and converged >= config.converged_at:
        return 1.0, notes
    reason = (
        "is much better than the old one"
        if gap >= config.large_gap
        else "has not converged on its training data"
    )
    return 0.5, [*notes, f"the new model {reason}: half of the loss is cross-entropy"]


def _share_learnt(
    student: LoadedModel, gold: Sequence[Any], config: CompatibilityConfig, most: int = 256
) -> float:
    """Share of training examples whose labels are all predicted rightly."""
    step = max(len(gold) // most, 1)
    probed = gold[::step]
    learnt = 0
    with answering(student.model):
        for start in range(0, len(probed), config.evaluation_batch_size):
            items = [
                [(0, False, one)] for one in probed[start : start + config.evaluation_batch_size]
            ]
            batch = collate(items, padding=0)
            device = next(student.model.parameters()).device
            batch = {name: values.to(device) for name, values in batch.items()}
            predicted = all_logits(student.model, batch)[:, :-1].argmax(-1)
            labels = batch["labels"][:, 1:]
            learnt += int(((predicted == labels) | (labels == IGNORED)).all(1).sum())
    return learnt / len(probed)
