"""How likely a gate on the negative flip rate is to decide, and how many items that takes.

The gate on a flip rate passes if the one-sided Clopper-Pearson upper bound is at most the limit and
fails if the lower bound exceeds it. Both are conditions on the number of flips alone, so every
probability here is an exact binomial tail.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from muscle_metrics.errors import InputError, UsageError, check_choice
from muscle_metrics.statistics.counts import check_count
from muscle_metrics.statistics.interval import check_confidence, check_share, normal_quantile

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Sizes = NDArray[np.int64]
    Floats = NDArray[np.float64]

__all__ = [
    "GatePower",
    "fewest_to_fail",
    "gate_power",
    "minimum_items",
    "most_to_pass",
    "required_items",
]

_LARGEST_PLAN = 10_000_000
_SHORTEST_STRETCH = 10


class GatePower(NamedTuple):
    """Probabilities of the three verdicts; they add up to 1."""

    passes: float
    fails: float
    inconclusive: float


def gate_power(
    *, items: int, limit: float, true_rate: float, confidence: float = 0.95
) -> GatePower:
    """Probability of each verdict of a gate on the negative flip rate, over samples of `items`.

    Parameters
    ----------
    items : int
        Independent items of the benchmark, at least 1.
    limit : float
        Allowed flip rate, strictly between 0 and 1.
    true_rate : float
        Flip rate of the population, between 0 and 1.
    confidence : float, default 0.95
        One-sided level of both bounds.

    Returns
    -------
    GatePower
        Exact binomial probabilities.

    Raises
    ------
    InputError
        If `items` is not a positive count.
    UsageError
        If a rate or the level is out of range.

    Examples
    --------
    >>> gate_power(items=386, limit=0.05, true_rate=0.025).passes > 0.8
    True
    """
    _check_rates(limit, true_rate)
    if check_count("items", items) == 0:
        raise InputError("expected at least 1 item, got 0")
    sizes = np.array([items])
    passes, fails = (
        float(verdict(sizes, limit, true_rate, 1 - check_confidence(confidence))[0])
        for verdict in (_chance_to_pass, _chance_to_fail)
    )
    return GatePower(passes, fails, max(0.0, 1 - passes - fails))


def minimum_items(limit: float, confidence: float = 0.95) -> int:
    """Fewest items with which a gate on the negative flip rate can pass at all, without any flip.

    Parameters
    ----------
    limit : float
        Allowed flip rate, strictly between 0 and 1.
    confidence : float, default 0.95
        One-sided level of the upper bound.

    Returns
    -------
    int
        ``ceil(log(1 - confidence) / log(1 - limit))``.

    Raises
    ------
    UsageError
        If the limit or level is not between 0 and 1.

    Examples
    --------
    >>> minimum_items(0.01)
    299
    """
    check_share("limit", limit)
    least = math.log(1 - check_confidence(confidence)) / math.log1p(-limit)
    if not math.isfinite(least):
        raise UsageError(f"expected limit of at least 1e-300, got {limit!r}: write 2 % as 0.02")
    return math.ceil(least)


def required_items(
    *,
    limit: float,
    true_rate: float,
    power: float = 0.8,
    confidence: float = 0.95,
    verdict: Literal["pass", "fail"] = "pass",
) -> int:
    """Fewest items with which the gate reaches a verdict with probability `power`.

    The probability is a saw-tooth in the number of items, so it must hold for this number and for
    all further ones up to 2 % more, ten at least.

    Parameters
    ----------
    limit : float
        Allowed flip rate, strictly between 0 and 1.
    true_rate : float
        Flip rate to plan for: below the limit for "pass", above it for "fail".
    power : float, default 0.8
        Probability of the verdict, between 0 and 1.
    confidence : float, default 0.95
        One-sided level of the bounds.
    verdict : {"pass", "fail"}
        The verdict that should be reached.

    Returns
    -------
    int
        Number of independent items.

    Raises
    ------
    UsageError
        If a rate, the power or the level is out of range, the true rate lies on the wrong side of
        the limit, or it is so near that more than ten million items were needed.

    Examples
    --------
    >>> required_items(limit=0.02, true_rate=0.01)
    969
    """
    _check_rates(limit, true_rate)
    check_share("power", power)
    alpha = 1 - check_confidence(confidence)
    check_choice("verdict", verdict, ("pass", "fail"))
    distance = limit - true_rate if verdict == "pass" else true_rate - limit
    if distance <= 0:
        side = "below" if verdict == "pass" else "above"
        raise UsageError(
            f"expected a true rate {side} the limit to plan for {verdict!r}, got {true_rate!r} "
            f"and limit {limit!r}, where no number of items makes this verdict likely: plan for "
            f"another --true-rate (true_rate=) or --verdict (verdict=)"
        )
    spread = normal_quantile(alpha) * _deviation(limit)
    spread += normal_quantile(1 - power) * _deviation(true_rate)
    rough = math.ceil((max(spread, 0.0) / distance) ** 2)
    if rough > _LARGEST_PLAN:
        raise UsageError(
            f"expected a plan of at most {_LARGEST_PLAN} items, got about {rough} for a true rate "
            f"of {true_rate!r} and limit {limit!r}: plan for a rate further from the limit"
        )
    chance = _chance_to_pass if verdict == "pass" else _chance_to_fail
    # Whole flips shift the exact answer by one or two times 1 / distance.
    reach = math.ceil(4 / distance)
    return _first_lasting(
        lambda sizes: chance(sizes, limit, true_rate, alpha) >= power,
        start=max(rough - reach, 1),
        block=2 * reach,
    )


def most_to_pass(sizes: Sizes, limit: float, alpha: float) -> Floats:
    """Most flips at which the upper bound is within the limit: P(X <= most | limit) <= alpha."""
    from scipy.stats import binom

    most = np.asarray(binom.ppf(alpha, sizes, limit))
    return np.asarray(most - (binom.cdf(most, sizes, limit) > alpha))


def fewest_to_fail(sizes: Sizes, limit: float, alpha: float) -> Floats:
    """Fewest flips at which the lower bound exceeds it: P(X >= fewest | limit) < alpha."""
    from scipy.stats import binom

    fewest = np.asarray(binom.isf(alpha, sizes, limit)) + 1
    return np.asarray(fewest + (binom.sf(fewest - 1, sizes, limit) >= alpha))


def _chance_to_pass(sizes: Sizes, limit: float, rate: float, alpha: float) -> Floats:
    from scipy.stats import binom

    return np.asarray(binom.cdf(most_to_pass(sizes, limit, alpha), sizes, rate))


def _chance_to_fail(sizes: Sizes, limit: float, rate: float, alpha: float) -> Floats:
    from scipy.stats import binom

    return np.asarray(binom.sf(fewest_to_fail(sizes, limit, alpha) - 1, sizes, rate))


def _first_lasting(enough: Callable[[Sizes], NDArray[np.bool_]], *, start: int, block: int) -> int:
    """Return the first size from `start` on that is enough, together with its next 2 %."""
    while True:
        sizes = np.arange(start, start + block)
        failing = sizes[~enough(sizes)]
        # Stretches without a failing size; the last of them may go on beyond the block.
        firsts, ends = np.append(start, failing + 1), np.append(failing, start + block)
        lasting = firsts[ends - firsts >= np.maximum(_SHORTEST_STRETCH, firsts // 50)]
        if lasting.size:
            return int(lasting[0])
        start, block = int(firsts[-1]), 2 * block


def _deviation(rate: float) -> float:
    return math.sqrt(rate * (1 - rate))


def _check_rates(limit: float, true_rate: float) -> None:
    check_share("limit", limit)
    if not 0 <= true_rate <= 1:
        raise UsageError(
            f"expected a true rate between 0 and 1, got {true_rate!r}: write 2 % as --true-rate "
            f"0.02 (true_rate=)"
        )
