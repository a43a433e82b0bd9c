"""What an item without an answer or a score counts as: the worst score of its metric.

A missing answer is not the empty text, which some references accept. It is never handed to a
scorer, and never right, whatever the threshold.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from muscle_metrics.errors import UsageError
from muscle_metrics.scorers.table import names_scorer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from muscle_metrics.answers.correctness import Correctness
    from muscle_metrics.runs.joining.mismatches import Need
    from muscle_metrics.runs.record import Run
    from muscle_metrics.scorers import Metric, Scorer

__all__ = [
    "UNBOUNDED",
    "deny_unanswered",
    "fill_missing",
    "is_unanswered",
    "needs_of",
    "score_answered",
    "with_range",
    "worst_recorded",
]

UNBOUNDED = (-math.inf, math.inf)
EXACT_MATCH = "exact_match"

Flags = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float64]


def needs_of(
    runs: Sequence[Run], metric: Metric | Sequence[Metric] | None
) -> tuple[frozenset[Need], ...]:
    """For each run what an item must hold to be judged: a score, an answer, or both.

    A metric that a run recorded needs its score, any other an answer. By default recorded scores
    judge if all runs hold some, else answers do.
    """
    recorded = [{name for record in run for name in record.scores} for run in runs]
    if metric is None and all(recorded):
        by_score: frozenset[Need] = frozenset({"score"})
        return (by_score,) * len(runs)
    listed: Sequence[Any] = metric if isinstance(metric, list | tuple) else [metric or EXACT_MATCH]
    return tuple(frozenset(_needs(listed, names)) for names in recorded)


def _needs(metrics: Sequence[Metric], recorded: set[str]) -> set[Need]:
    needs: set[Need] = set()
    for metric in metrics:
        if isinstance(metric, str) and metric in recorded:
            needs.add("score")
        elif not isinstance(metric, str) or names_scorer(metric):
            needs.add("answer")
    return needs


def is_unanswered(answers: Sequence[object]) -> Flags:
    """Mark the items whose answer is None."""
    return np.fromiter((answer is None for answer in answers), dtype=bool, count=len(answers))


def deny_unanswered(
    correctness: Correctness | None, old: Sequence[object], new: Sequence[object]
) -> Correctness | None:
    """Make every item wrong that a model left unanswered: a low threshold would accept it."""
    if correctness is None:
        return None
    return correctness._replace(
        old_right=correctness.old_right & ~is_unanswered(old),
        new_right=correctness.new_right & ~is_unanswered(new),
    )


def worst_recorded(
    metric: str,
    *,
    is_verdict: bool,
    higher_is_better: bool = True,
    score_range: tuple[float, float] = UNBOUNDED,
) -> float:
    """Score of an item without one: the worse end of the range, or wrong for true and false.

    Parameters
    ----------
    metric : str
        Name of the recorded score.
    is_verdict : bool
        Whether all recorded scores are 0 or 1.
    higher_is_better : bool
        Direction of the score.
    score_range : tuple of float
        Least and largest value that the score can take.

    Raises
    ------
    UsageError
        If scores are graded, and the range has no such end.
    """
    worst = score_range[0] if higher_is_better else score_range[1]
    if math.isfinite(worst):
        return worst
    if is_verdict:
        return float(not higher_is_better)
    raise _no_worst(metric)


def with_range(scorer: Scorer, score_range: tuple[float, float]) -> Scorer:
    """Give a scorer the ends of a range that it lacks itself."""
    low, high = score_range
    return replace(
        scorer,
        low=scorer.low if math.isfinite(scorer.low) else low,
        high=scorer.high if math.isfinite(scorer.high) else high,
    )


def score_answered(
    scorer: Scorer,
    score: Callable[..., tuple[Scores, Scores]],
    *,
    old: Sequence[Any],
    new: Sequence[Any],
    references: Sequence[Any],
) -> tuple[Scores, Scores]:
    """Score the answers that were given; each missing one has the worst score.

    Parameters
    ----------
    scorer : Scorer
        Its worse end is finite if an answer is missing.
    score : callable
        `score_both` bound to the scorer.
    old, new, references : sequence, shape (N,)
        Texts, or None for no answer.

    Returns
    -------
    tuple of numpy.ndarray, shape (N,)
        The old and the new scores.

    Raises
    ------
    UsageError
        If an answer is missing, and no score of the scorer is the worst.
    """
    silent = is_unanswered(old), is_unanswered(new)
    if not any(column.any() for column in silent):
        return score(old=old, new=new, references=references)
    if not math.isfinite(_worst_of(scorer)):
        raise _no_worst(scorer.name)
    answered = np.flatnonzero(~(silent[0] & silent[1])).tolist()
    scores = tuple(np.full(len(old), float(_worst_of(scorer))) for _ in silent)
    if answered:
        # An item that one model answered is scored once: an unchanged text keeps its score.
        pairs = [
            (new[k] if old[k] is None else old[k], old[k] if new[k] is None else new[k])
            for k in answered
        ]
        texts = dict(zip(("old", "new"), zip(*pairs, strict=True), strict=True))
        found = score(**texts, references=[references[k] for k in answered])
        for column, given, missing in zip(scores, found, silent, strict=True):
            column[answered] = np.where(missing[answered], column[answered], given)
    return scores[0], scores[1]


def fill_missing(scores: npt.ArrayLike, worst: float) -> Scores:
    """Put the worst score in the place of None and nan."""
    column = np.asarray(scores, dtype=np.float64)
    return np.where(np.isnan(column), worst, column)


def _worst_of(scorer: Scorer) -> float:
    return scorer.low if scorer.higher_is_better else scorer.high


def _no_worst(metric: str) -> UsageError:
    return UsageError(
        f"expected a worst score of {metric!r} for items without an answer or a score, got "
        f"no range: give one with --score-range LOW HIGH (score_range=), or leave "
        f'these items out with --unanswered drop (unanswered="drop")'
    )
