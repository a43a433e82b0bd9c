"""Score changes of lost items: each one falls from its old score to the worst of the range."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from muscle_metrics.flips.changes import ScoreChanges

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["fall", "lose_scores"]

# A finite fall of a score without a range, larger than any minimum effect of a policy. Sums of its
# square are finite as well.
BEYOND_EVERY_EFFECT = 1e100

Scores = npt.NDArray[np.float64]


def fall(
    old: Sequence[float | None], low: float, high: float, *, higher_is_better: bool = True
) -> tuple[Scores, Scores]:
    """Give the old scores, and the worst ones that could follow; an unknown old one is the best.

    An old score that is known keeps what can break a fact of the old run alone: an item that could
    not get worse does not count as one that could because it is lost.

    Examples
    --------
    >>> fall([0.5, 0, None], 0, 1)
    (array([0.5, 0. , 1. ]), array([0., 0., 0.]))
    """
    best, worst = (high, low) if higher_is_better else (low, high)
    best, worst = (
        end if math.isfinite(end) else math.copysign(BEYOND_EVERY_EFFECT, end)
        for end in (best, worst)
    )
    known = [best if score is None else score for score in old]
    return np.array(known, dtype=np.float64), np.full(len(old), float(worst))


def lose_scores(
    old: Sequence[float | None],
    *,
    tie: float,
    minimum_effect: float,
    low: float,
    high: float,
    higher_is_better: bool = True,
) -> ScoreChanges:
    """Let items fall from their old scores to the worst.

    Examples
    --------
    >>> lose_scores([0.4, 0.9, None], tie=0, minimum_effect=0.5, low=0, high=1).negative
    2
    """
    before, after = fall(old, low, high, higher_is_better=higher_is_better)
    return ScoreChanges(
        old=before,
        new=after,
        tie=tie,
        minimum_effect=minimum_effect,
        low=low,
        high=high,
        higher_is_better=higher_is_better,
    )
