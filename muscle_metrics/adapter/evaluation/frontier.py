"""Between the new model's adapter and the trained one: accuracy against flips, without training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from peft import set_peft_model_state_dict
from peft.utils import get_peft_model_state_dict

from muscle_metrics.adapter.evaluation.selection import fewest_flips
from muscle_metrics.comparison.ranking import undominated
from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.flips.changes import measure_changes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch

    from muscle_metrics.adapter.evaluation.evaluate import Evaluate
    from muscle_metrics.flips.rates import Rate

__all__ = [
    "Candidate",
    "Frontier",
    "interpolate_adapters",
    "pareto_front",
    "pick_candidate",
    "trace_frontier",
]


class Candidate(NamedTuple):
    """One adapter to choose from.

    Parameters
    ----------
    name : str
    accuracy : float
        Mean score of the items.
    nfr : Rate
        Negative flip rate against the old model, of all items.
    """

    name: str
    accuracy: float
    nfr: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """Candidates on the validation items, the best of them, and the one that was picked.

    Parameters
    ----------
    candidates : tuple of Candidate
        The start first.
    front : tuple of Candidate
        Those that no other one beats, by rising accuracy.
    picked : Candidate
        The least negative flips with no loss of accuracy against the start.
    weights : mapping of str to Tensor
        Of the picked adapter, as peft names them.
    """

    candidates: tuple[Candidate, ...]
    front: tuple[Candidate, ...]
    picked: Candidate
    weights: Mapping[str, torch.Tensor]


def interpolate_adapters(
    start: Mapping[str, torch.Tensor], end: Mapping[str, torch.Tensor], share: float
) -> dict[str, torch.Tensor]:
    """Mix the weights of two adapters of one shape.

    The mixture has the rank, and so the cost, of either. Both factors of a low-rank product are
    mixed, so only the two ends are exact; adapters of which one started from the other lie close.

    Parameters
    ----------
    start, end : mapping of str to Tensor
    share : float
        Of the end; 0 gives the start and 1 the end.

    Returns
    -------
    dict of str to Tensor

    Raises
    ------
    InputError
        If names or shapes differ.
    UsageError
        If the share is out of range.

    Examples
    --------
    >>> import torch
    >>> interpolate_adapters({"a": torch.tensor([0.0])}, {"a": torch.tensor([2.0])}, 0.5)
    {'a': tensor([1.])}
    """
    if not 0 <= share <= 1:
        raise UsageError(f"expected share to be between 0 and 1, got {share!r}")
    shapes = [{name: tuple(value.shape) for name, value in side.items()} for side in (start, end)]
    if shapes[0] != shapes[1]:
        other = next(iter(dict(shapes[0].items() ^ shapes[1].items())))
        raise InputError(
            f"expected two adapters of one shape, got {shapes[0].get(other)} and "
            f"{shapes[1].get(other)} of {other!r}: interpolate adapters of the same model and rank"
        )
    return {name: start[name].lerp(end[name].to(start[name]), share) for name in start}


def pareto_front(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Keep the candidates that no other one beats: as good in both, and better in one.

    Parameters
    ----------
    candidates : sequence of Candidate

    Returns
    -------
    tuple of Candidate
        By rising accuracy, and so by rising negative flip rate.

    Examples
    --------
    >>> from muscle_metrics.flips.rates import Rate
    >>> good, bad = Candidate("good", 0.8, Rate(1, 9)), Candidate("bad", 0.7, Rate(2, 9))
    >>> [candidate.name for candidate in pareto_front([good, bad])]
    ['good']
    """
    best = undominated([(one.accuracy, one.nfr) for one in candidates])
    front = [one for one, is_best in zip(candidates, best, strict=True) if is_best]
    return tuple(sorted(front, key=lambda one: (one.accuracy, one.nfr)))


def pick_candidate(candidates: Sequence[Candidate]) -> Candidate:
    """Pick the least negative flips with no loss of accuracy against the first candidate.

    Parameters
    ----------
    candidates : sequence of Candidate
        The first is the start, which is always allowed. Of equals, the more accurate, then the
        earlier.

    Returns
    -------
    Candidate

    Raises
    ------
    InputError
        If there are none.

    Examples
    --------
    >>> from muscle_metrics.flips.rates import Rate
    >>> start, less = Candidate("v2", 0.7, Rate(2, 9)), Candidate("less", 0.6, Rate(1, 9))
    >>> pick_candidate([start, less]).name
    'v2'
    """
    if not candidates:
        raise InputError("expected at least 1 candidate, got none: give the start at least")
    return fewest_flips(candidates, lambda candidate: candidate.nfr)


def trace_frontier(
    model: Any,
    tokenizer: Any,
    *,
    start: Mapping[str, torch.Tensor],
    trained: Mapping[str, Mapping[str, torch.Tensor]],
    old_scores: Sequence[float],
    evaluate: Evaluate,
    shares: Sequence[float] = (0.25, 0.5, 0.75, 1.0),
    minimum_effect: float = 0.0,
) -> Frontier:
    """Judge the adapters between the start and each trained one, and pick.

    Nothing is trained: each share costs one evaluation. The picked adapter costs no more to run
    than the new model.

    Parameters
    ----------
    model : peft.PeftModel
        The new base model with an adapter of that shape; left with the picked weights.
    tokenizer : transformers tokenizer
    start : mapping of str to Tensor
        Weights of the new model's own adapter.
    trained : mapping of str to weights
        Trained adapters by name, such as one per strategy.
    old_scores : sequence of float, length N
        Of the old model on the validation items.
    evaluate : callable
        From a model and its tokenizer to one score per validation item, as `make_evaluator` makes
        it.
    shares : sequence of float
        Of the trained adapter, in (0, 1].
    minimum_effect : float
        A score must change by more than this to count as a flip.

    Returns
    -------
    Frontier
        Report results on other items: the pick was chosen by these scores, which favour it.

    Raises
    ------
    InputError
        If adapters differ in shape, or scores do not fit.

    Examples
    --------
    See the how-to page of the adapter; a model is needed.

    >>> trace_frontier(None, None, start={}, trained={}, old_scores=[1], evaluate=lambda *_: [1])
    Traceback (most recent call last):
    muscle_metrics.errors.InputError: expected the weights of the new model's adapter, got none...
    """
    if not start:
        raise InputError(
            "expected the weights of the new model's adapter, got none: give those that peft's "
            "get_peft_model_state_dict returns"
        )
    adapters = {"start": dict(start)}
    for name, end in trained.items():
        for share in shares:
            adapters[f"{name} x {share:g}"] = interpolate_adapters(start, end, share)
    candidates = []
    for name, weights in adapters.items():
        set_peft_model_state_dict(model, weights)
        scores = evaluate(model, tokenizer)
        changes = measure_changes(
            old=np.asarray(old_scores, dtype=np.float64),
            new=np.asarray(scores, dtype=np.float64),
            minimum_effect=minimum_effect,
        )
        accuracy = float(np.mean(np.asarray(scores, dtype=np.float64)))
        candidates.append(Candidate(name, accuracy, changes.negative_flip_rate))
    picked = pick_candidate(candidates)
    set_peft_model_state_dict(model, adapters[picked.name])
    return Frontier(
        candidates=tuple(candidates),
        front=pareto_front(candidates),
        picked=picked,
        weights=get_peft_model_state_dict(model, save_embedding_layers=False),
    )
