"""Sequential tests: their error rates hold although every item is looked at as it arrives.

An e-value is the capital of a bet against a hypothesis. If the hypothesis is true, the capital ever
reaches ``1 / alpha`` with probability at most ``alpha``, so one may stop as soon as it does. Items
must come in an order fixed before the results are seen, and a retry or a timeout counts as an item.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from muscle_metrics.errors import InputError
from muscle_metrics.statistics.counts import check_count
from muscle_metrics.statistics.interval import Interval, check_confidence, check_share

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "LogEValues",
    "StreamDecision",
    "decide_stream",
    "finite_rate_interval",
    "log_e_values",
]


class LogEValues(NamedTuple):
    """Natural logarithms of the evidence that the flip rate is below, or above, the limit."""

    for_pass: Floats
    for_fail: Floats


class StreamDecision(NamedTuple):
    """Decision of a stream of items, with the number of items and flips up to it."""

    verdict: Literal["pass", "fail", "continue"]
    items: int
    flips: int


def log_e_values(flips: ArrayLike, items: ArrayLike, *, limit: float) -> LogEValues:
    """Evidence for a flip rate below and above `limit` after some items of a stream.

    Parameters
    ----------
    flips, items : array_like of int
        Flips among the first items, of any matching shape.
    limit : float
        Allowed flip rate, strictly between 0 and 1.

    Returns
    -------
    LogEValues
        Two arrays of that shape: `for_pass` bets against a rate of at least `limit`, `for_fail`
        against one of at most `limit`. A bet too small for a float is ``-inf``.

    Raises
    ------
    InputError
        If flips are negative or more than items.
    UsageError
        If `limit` is not between 0 and 1.

    Notes
    -----
    The bet is a mixture over all rates on one side of the limit, by the Beta(1/2, 1/2) law
    truncated there.

    References
    ----------
    Ramdas, Grünwald, Vovk and Shafer, "Game-Theoretic Statistics and Safe Anytime-Valid Inference",
    Statistical Science 38 (2023), 576-601 (method of mixtures).
    """
    from scipy.special import betainc, betaincc, betaln

    check_share("limit", limit)
    bad, seen = np.asarray(flips, dtype=np.float64), np.asarray(items, dtype=np.float64)
    outside = np.asarray(~((bad >= 0) & (bad <= seen)))
    if outside.any():
        first = [
            f"{np.broadcast_to(counts, outside.shape)[outside][0]:g}" for counts in (bad, seen)
        ]
        raise InputError(
            f"expected flips between 0 and the number of items, got {' of '.join(first)}"
        )
    good = seen - bad
    evidence = betaln(0.5 + bad, 0.5 + good) - betaln(0.5, 0.5)
    evidence -= bad * math.log(limit) + good * math.log1p(-limit)
    with np.errstate(divide="ignore"):
        inside = np.log(betainc(0.5 + bad, 0.5 + good, limit))
        outside = np.log(betaincc(0.5 + bad, 0.5 + good, limit))
    return LogEValues(
        for_pass=evidence + inside - math.log(betainc(0.5, 0.5, limit)),
        for_fail=evidence + outside - math.log(betaincc(0.5, 0.5, limit)),
    )


def decide_stream(flipped: ArrayLike, *, limit: float, confidence: float = 0.95) -> StreamDecision:
    """Stop a stream at the first item that decides it, or ask for more items.

    Parameters
    ----------
    flipped : array_like of bool, shape (items,)
        Whether each item is a flip, in the recorded order.
    limit : float
        Allowed flip rate, strictly between 0 and 1.
    confidence : float, default 0.95
        One minus the probability of ever deciding wrongly, separately for "pass" and for "fail".

    Returns
    -------
    StreamDecision
        `items` and `flips` up to the deciding item, or all of them for "continue".

    Raises
    ------
    InputError
        If an entry is neither a flip nor not a flip.
    UsageError
        If the limit or level is not between 0 and 1.

    Examples
    --------
    >>> decide_stream([False] * 500, limit=0.05)
    StreamDecision(verdict='pass', items=74, flips=0)
    """
    needed = -math.log(1 - check_confidence(confidence))
    marks = np.asarray(flipped)
    if marks.ndim != 1:
        raise InputError(
            f"expected a row of True (a flip) and False (no flip), got an array of shape "
            f"{marks.shape}: pass one per item"
        )
    strange = np.flatnonzero(~np.isin(marks, (0, 1)))
    if strange.size:
        raise InputError(
            f"expected a row of True (a flip) and False (no flip), got "
            f"{marks.tolist()[strange[0]]!r} at item {strange[0]}: pass one of them per item"
        )
    counts = np.cumsum(marks.astype(np.int64))
    for_pass, for_fail = log_e_values(counts, np.arange(1, marks.size + 1), limit=limit)
    decided = np.flatnonzero((for_pass >= needed) | (for_fail >= needed))
    if not decided.size:
        return StreamDecision("continue", int(marks.size), int(marks.sum()))
    first = int(decided[0])
    verdict: Literal["pass", "fail"] = "pass" if for_pass[first] >= needed else "fail"
    return StreamDecision(verdict, first + 1, int(counts[first]))


def finite_rate_interval(
    flips: int, items: int, *, population: int, confidence: float = 0.95
) -> Interval:
    """Flip rate of a whole benchmark, after some of its items in random order, at any time.

    With probability `confidence` it holds the true rate at every moment at once, so it may be
    computed after each item. It closes on the true rate as the benchmark is used up.

    Parameters
    ----------
    flips, items : int
        Flips among the items seen so far, which were drawn without replacement.
    population : int
        Items of the whole benchmark.
    confidence : float, default 0.95
        Level for both ends and all moments together, between 0 and 1.

    Returns
    -------
    Interval
        Bounds in [0, 1], multiples of ``1 / population``.

    Raises
    ------
    InputError
        If not ``flips <= items <= population``, or the benchmark is empty.
    UsageError
        If the level is not between 0 and 1.

    References
    ----------
    Waudby-Smith and Ramdas, "Confidence Sequences for Sampling Without Replacement", NeurIPS 2020
    (prior-posterior ratio), here with the Beta(1/2, 1/2)-binomial prior.
    """
    flips, items = check_count("flips", flips), check_count("items", items)
    population = check_count("population", population)
    if not flips <= items <= population or population == 0:
        raise InputError(
            f"expected flips <= items <= population, got {flips}, {items} and {population}"
        )
    evidence = _log_beta(flips + 0.5, items - flips + 0.5) - _log_beta(0.5, 0.5)
    most = evidence + math.log(1 - check_confidence(confidence))

    def plausible(total: int) -> bool:
        rest = _log_choose(population - items, total - flips)
        return rest - _log_choose(population, total) >= most

    # The likelihood rises and falls once in the total, so each end is found by bisection.
    remaining = population - items
    likeliest = flips + (min(remaining, (remaining + 1) * flips // items) if items else 0)
    return Interval(
        low=_farthest(likeliest, flips, plausible) / population,
        high=_farthest(likeliest, remaining + flips, plausible) / population,
    )


def _farthest(inside: int, end: int, plausible: Callable[[int], bool]) -> int:
    """Return the plausible total nearest to `end`, starting from a plausible one."""
    step = 1 if end >= inside else -1
    totals = range(inside, end + step, step)
    return totals[bisect_left(totals[1:], True, key=lambda total: not plausible(total))]


def _log_beta(first: float, second: float) -> float:
    return math.lgamma(first) + math.lgamma(second) - math.lgamma(first + second)


def _log_choose(total: int, chosen: int) -> float:
    return math.lgamma(total + 1) - math.lgamma(chosen + 1) - math.lgamma(total - chosen + 1)
