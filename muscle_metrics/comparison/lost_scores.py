"""Score changes of lost items: each one falls from the best score to the worst."""

from __future__ import annotations

import math

import numpy as np

from muscle_metrics.flips.changes import ScoreChanges

__all__ = ["largest_fall", "lose_scores"]

# A finite fall of a score without a range, larger than any minimum effect of a policy. Sums of its
# square are finite as well.
BEYOND_EVERY_EFFECT = 1e100


def largest_fall(low: float, high: float, *, higher_is_better: bool = True) -> tuple[float, float]:
    """Give the best and the worst score of a range; without one, scores far apart.

    Examples
    --------
    >>> largest_fall(0, 100, higher_is_better=False)
    (0, 100)
    """
    if not math.isfinite(high - low):
        low, high = 0.0, BEYOND_EVERY_EFFECT
    return (high, low) if higher_is_better else (low, high)


def lose_scores(
    items: int,
    *,
    tie: float,
    minimum_effect: float,
    low: float,
    high: float,
    higher_is_better: bool = True,
) -> ScoreChanges:
    """Let some items fall from the best score to the worst.

    Examples
    --------
    >>> lose_scores(2, tie=0, minimum_effect=0.5, low=0, high=1).negative
    2
    """
    best, worst = largest_fall(low, high, higher_is_better=higher_is_better)
    return ScoreChanges(
        old=np.full(items, float(best)),
        new=np.full(items, float(worst)),
        tie=tie,
        minimum_effect=minimum_effect,
        low=low,
        high=high,
        higher_is_better=higher_is_better,
    )
