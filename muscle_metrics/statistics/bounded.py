"""The mean of scores on a known range, bounded without assuming a shape (Gaffke's bound).

With ``k`` values and weights ``D`` from the flat Dirichlet law on ``k + 1`` cells, the upper bound
is the ``1 - alpha`` quantile of ``sum(D_i x_i) + D_{k+1} high``: one more value is added, at the
worst end of the range. Written with exponential variables, that quantile is the point ``u`` where
``sum(E_i (x_i - u)) + E_{k+1} (high - u)`` is positive with probability ``alpha``. This
probability is computed as one smooth contour integral, so the bound needs no random draws.
"""

from __future__ import annotations

import cmath
import math
from typing import TYPE_CHECKING

import numpy as np

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.statistics.interval import Interval, Side, tail_levels
from muscle_metrics.statistics.proportions import proportion_interval

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["FEWEST_VALUES", "bounded_mean_interval"]

FEWEST_VALUES = 10
"""Below this many values a mean is reported as "too few" rather than judged."""

_MOST_CELLS = 1024
_STEP = 1 / 3
_NODES = 26
_MOST_CORRECTIONS = 30


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
    from scipy.optimize import brentq
    from scipy.special import expit

    shapes = np.append(counts, end_count)
    bottom, span = float(points.min()), float(end - points.min())
    from_bottom, from_end = np.append(points - bottom, span), np.append(end - points, 0.0)

    def miss(logit: float) -> float:
        # Each difference is taken from the nearer end, so bounds near an end keep their digits.
        share, rest = expit(logit), expit(-logit)
        upward, downward = from_bottom - span * share, span * rest - from_end
        return _log_tail(np.where(share < rest, upward, downward), shapes) - math.log(alpha)

    mean = float(shapes @ from_bottom / shapes.sum() / span)
    centre = math.log(mean / (1 - mean))
    low, high = _walk(miss, centre, -0.5), _walk(miss, centre, 0.5)
    logit = brentq(miss, low, high, xtol=1e-12, rtol=1e-12)
    share, rest = float(expit(logit)), float(expit(-logit))
    return bottom + span * share if share < rest else end - span * rest


def _walk(miss: Callable[[float], float], start: float, step: float) -> float:
    """Return a point on the other side of the root of a falling function, in doubling steps."""
    while miss(start) * step > 0:
        start, step = start + step, 2 * step
    return start


def _log_tail(scales: Floats, shapes: Floats) -> float:
    """Return ``log P(sum(scale * Gamma(shape)) > 0)``, for scales of both signs.

    The probability is the integral of ``exp(f(s))`` over a line that passes 0 on its right, divided
    by ``2 pi i``, where ``f(s) = K(s) - log(s)`` and ``K`` is the cumulant generating function.
    The line is bent into the path of steepest descent, on which ``f`` is real and falls as
    ``-t**2 / 2``; there the trapezoidal rule in ``t`` converges geometrically. All saddle points
    are real, so this path meets no other one.
    """
    saddle, curvature = _saddle_point(scales, shapes)
    tilted = scales / (1 - saddle * scales)
    log_point, direction = 0j, 1j / (saddle * math.sqrt(curvature))
    total = direction.imag / 2
    for node in range(1, _NODES):
        t = node * _STEP
        log_point += _STEP * direction
        for _ in range(_MOST_CORRECTIONS):
            point = cmath.exp(log_point)
            rest = 1 - saddle * (point - 1) * tilted
            fall = -complex(np.log(rest) @ shapes) - log_point + t * t / 2
            slope = saddle * point * complex((tilted / rest) @ shapes) - 1
            log_point -= fall / slope
            if abs(fall) < 1e-9 * abs(slope):
                break
        direction = -t / slope
        total += math.exp(-t * t / 2) * (point * direction).imag
    peak = -float(shapes @ np.log1p(-saddle * scales))
    return peak + math.log(total * _STEP / math.pi)


def _saddle_point(scales: Floats, shapes: Floats) -> tuple[float, float]:
    """Return where ``K(s) - log(s)`` is smallest right of 0, and its second derivative there."""
    from scipy.optimize import brentq

    largest = 1 / float(scales.max())

    def slope(share: float) -> float:
        point = share * largest
        return float(shapes @ (scales / (1 - point * scales))) - 1 / point

    # The slope rises from minus to plus infinity between 0 and 1 / max(scales).
    tiny = 1e-15
    point = largest * float(brentq(slope, tiny, 1 - tiny, xtol=1e-18, rtol=1e-14))
    tilted = scales / (1 - point * scales)
    return point, float(shapes @ tilted**2) + point**-2
