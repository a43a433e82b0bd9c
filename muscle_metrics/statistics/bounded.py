"""The mean of scores on a known range, bounded without assuming a shape (Gaffke's bound).

With ``k`` values and weights ``D`` from the flat Dirichlet law on ``k + 1`` cells, the upper bound
is the ``1 - alpha`` quantile of ``sum(D_i x_i) + D_{k+1} high``: one more value is added, at the
worst end of the range. Written with exponential variables, that quantile is the point ``u`` where
``sum(E_i (x_i - u)) + E_{k+1} (high - u)`` is positive with probability ``alpha``. This
probability is computed as one smooth contour integral, so the bound needs no random draws.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.statistics.bisection import falling_root
from muscle_metrics.statistics.counts import check_count
from muscle_metrics.statistics.gamma_sums import log_chance_positive
from muscle_metrics.statistics.interval import Interval, Side, tail_levels
from muscle_metrics.statistics.proportions import proportion_interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["FEWEST_VALUES", "bounded_mean_interval", "net_share_interval"]

FEWEST_VALUES = 10
"""Below this many values a mean is reported as "too few" rather than judged."""

_MOST_CELLS = 1024


def bounded_mean_interval(
    values: ArrayLike,
    *,
    low: float,
    high: float,
    confidence: float = 0.95,
    side: Side = "two-sided",
) -> Interval:
    """Interval for the mean of independent values that lie between `low` and `high`.

    It holds for any law on the range, also where collapses are rare and the t interval and the
    bootstrap fail; on values at the two ends it *is* the Clopper-Pearson interval. That it covers
    at least `confidence` is conjectured and supported by simulation, not proved.

    Parameters
    ----------
    values : array_like of float, shape (k,)
        One value per independent item; no values give the whole range.
    low, high : float
        The range a value can take, known before the data are seen.
    confidence : float, default 0.95
        Level, between 0 and 1.
    side : {"two-sided", "lower", "upper"}
        A one-sided bound leaves the other end at the end of the range.

    Returns
    -------
    Interval
        In the unit of the values. More than 1024 distinct values are first averaged within as many
        equal cells between the smallest and the largest of them; this moves a bound by less than
        a ten-thousandth of its distance from the mean.

    Raises
    ------
    InputError
        If a value is not a number within the range.
    UsageError
        If the range is empty or not finite, or the level or side is unknown.

    References
    ----------
    Gaffke, "Three Test Statistics for a Nonparametric One-Sided Hypothesis on the Mean of a
    Nonnegative Variable", Mathematical Methods of Statistics 14 (2005), 451-467.
    Learned-Miller and Thomas, "A New Confidence Interval for the Mean of a Bounded Random
    Variable", arXiv 1905.06208 (the conjecture).

    Examples
    --------
    >>> print(bounded_mean_interval([0.0, 0.1, 0.0, 0.4, 0.2], low=0, high=1))
    [0.0298, 0.5957]
    """
    below, above = tail_levels(confidence, side)
    points, counts = _distinct(_check_values(values, low, high))
    lower = low if below == 0 else -_upper_bound(-points, counts, -low, below)
    upper = high if above == 0 else _upper_bound(points, counts, high, above)
    return Interval(float(lower), float(upper))


def net_share_interval(
    *, lost: int, gained: int, total: int, confidence: float = 0.95, side: Side = "two-sided"
) -> Interval:
    """Interval for the share of items that are lost, minus the share that are gained.

    It is `bounded_mean_interval` of as many values 1 and -1, and 0 for all other items. By exact
    enumeration its two one-sided 95 % bounds keep a margin that is just reached in at most 4.7 % of
    all samples of 100 to 2000 items, and those of Tango's interval in up to 5.9 %.

    Parameters
    ----------
    lost, gained, total : int
        Items that count 1, items that count -1, and all items.
    confidence : float, default 0.95
        Level, between 0 and 1.
    side : {"two-sided", "lower", "upper"}
        A one-sided bound leaves the other end at -1 or 1.

    Returns
    -------
    Interval
        No item at all leaves ``[-1, 1]``.

    Raises
    ------
    InputError
        If a number is no count, or more items are lost and gained than there are.
    UsageError
        If the level or side is unknown.

    Examples
    --------
    >>> print(net_share_interval(lost=9, gained=11, total=2000))
    [-0.0061, 0.0040]
    """
    below, above = tail_levels(confidence, side)
    if check_count("lost", lost) + check_count("gained", gained) > check_count("total", total):
        raise InputError(
            f"expected at most {total} items, got {lost} lost and {gained} gained: count each once"
        )
    counts = np.array([gained, total - lost - gained, lost], dtype=np.float64)
    held = counts > 0
    points, counts = np.array([-1.0, 0.0, 1.0])[held], counts[held]
    return Interval(
        low=-_upper_bound(-points, counts, 1.0, below) if below else -1.0,
        high=_upper_bound(points, counts, 1.0, above) if above else 1.0,
    )


def _check_values(values: ArrayLike, low: float, high: float) -> Floats:
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise UsageError(
            f"expected a finite range with low < high, got [{low!r}, {high!r}]: give the scorer's "
            "true range"
        )
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise InputError(
            f"expected one row of values, got an array of shape {array.shape}: pass a flat list"
        )
    outside = np.flatnonzero(~((array >= low) & (array <= high)))
    if outside.size:
        raise InputError(
            f"expected values between {low!r} and {high!r}, got {float(array[outside[0]])!r} at "
            f"position {outside[0]} ({outside.size} of {array.size} lie outside): give the "
            "scorer's true range"
        )
    return array


def _distinct(values: Floats) -> tuple[Floats, Floats]:
    """Return distinct values and how often each occurs, averaged in cells if there are too many."""
    points, counts = np.unique(values, return_counts=True)
    if points.size <= _MOST_CELLS:
        return points, counts.astype(np.float64)
    cells = np.searchsorted(np.linspace(points[0], points[-1], _MOST_CELLS + 1)[1:-1], points)
    weights = np.bincount(cells, weights=counts).astype(np.float64)
    sums = np.bincount(cells, weights=points * counts)
    filled = weights > 0
    return sums[filled] / weights[filled], weights[filled]


def _upper_bound(points: Floats, counts: Floats, end: float, alpha: float) -> float:
    """Return the ``1 - alpha`` quantile of the weighted mean, one more point at `end` included."""
    at_end = points == end
    inner, inner_counts = points[~at_end], counts[~at_end]
    total = int(counts.sum())
    if inner.size == 0:
        return end
    if inner.size == 1:
        share = proportion_interval(
            int(counts[at_end].sum()),
            total,
            confidence=1 - alpha,
            method="clopper-pearson",
            side="upper",
        ).high
        return float(inner[0] + (end - inner[0]) * share)
    return _quantile(inner, inner_counts, end, 1 + counts[at_end].sum(), alpha)


def _quantile(points: Floats, counts: Floats, end: float, end_count: float, alpha: float) -> float:
    from scipy.special import expit

    shapes = np.append(counts, end_count)
    bottom, span = float(points.min()), float(end - points.min())
    from_bottom, from_end = np.append(points - bottom, span), np.append(end - points, 0.0)

    def miss(logit: float) -> float:
        # Each difference is taken from the nearer end, so bounds near an end keep their digits.
        share, rest = expit(logit), expit(-logit)
        upward, downward = from_bottom - span * share, span * rest - from_end
        return log_chance_positive(np.where(share < rest, upward, downward), shapes) - math.log(
            alpha
        )

    mean = float(shapes @ from_bottom / shapes.sum() / span)
    centre = math.log(mean / (1 - mean))
    logit = falling_root(miss, centre)
    share, rest = float(expit(logit)), float(expit(-logit))
    return bottom + span * share if share < rest else end - span * rest
