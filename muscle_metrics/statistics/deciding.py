"""How many more items or repeats would decide an inconclusive gate, and with what chance."""

from __future__ import annotations

import math
from bisect import bisect_left
from statistics import NormalDist

import numpy as np

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.statistics.counts import check_count
from muscle_metrics.statistics.interval import check_confidence, check_share, normal_quantile
from muscle_metrics.statistics.power import fewest_to_fail, most_to_pass

__all__ = ["chance_of_items", "chance_of_units", "items_to_decide", "required_repeats"]

_LARGEST_ADDITION = 10**12
# True rates over which a chance is averaged.
_RATES = 400


def items_to_decide(
    count: int, total: int, *, limit: float, confidence: float = 0.95
) -> int | None:
    """How many more items would decide, if flips go on at the observed rate.

    Parameters
    ----------
    count, total : int
        Flips and items so far, at least 1 item.
    limit : float
        Allowed flip rate, strictly between 0 and 1.
    confidence : float, default 0.95
        One-sided level of the bounds.

    Returns
    -------
    int or None
        0 if the gate has decided already; None if the observed rate is the limit, or so near that
        no affordable number decides.

    Raises
    ------
    InputError
        If not ``0 <= count <= total`` or there is no item.
    UsageError
        If the limit or level is not between 0 and 1.

    Examples
    --------
    >>> items_to_decide(0, 100, limit=0.02)
    49
    """
    from scipy.special import betainc, betaincc

    check_share("limit", limit)
    alpha = 1 - check_confidence(confidence)
    if not check_count("count", count) <= check_count("total", total) or total == 0:
        raise InputError(f"expected count <= total and at least 1 item, got {count} of {total}")
    rate = count / total

    def decides(more: int) -> bool:
        # Clopper-Pearson bounds for a number of flips that need not be whole.
        items = total + more
        flips = count + rate * more
        passes = betaincc(flips + 1, items - flips, limit) <= alpha
        fails = betainc(flips, items - flips + 1, limit) < alpha
        return bool(passes or fails)

    # At one rate, more items never undo a decision: bisection finds the first number.
    if not decides(_LARGEST_ADDITION):
        return None
    return bisect_left(range(_LARGEST_ADDITION), True, key=decides)


def chance_of_items(
    count: int, total: int, *, more: int, limit: float, confidence: float = 0.95
) -> float:
    """How likely further independent items are to decide, where the true rate is not known.

    Parameters
    ----------
    count, total : int
        Flips and items so far, at least 1 item.
    more : int
        Items that would be added to them.
    limit : float
        Allowed flip rate, strictly between 0 and 1.
    confidence : float, default 0.95
        One-sided level of the bounds.

    Returns
    -------
    float
        Averaged over the true rates that the items so far leave open, by Jeffreys' prior.

    Raises
    ------
    InputError
        If a number is no count.

    Examples
    --------
    >>> f"{chance_of_items(0, 100, more=49, limit=0.02):.2f}"
    '0.82'
    """
    from scipy.stats import beta, binom

    alpha = 1 - check_confidence(confidence)
    check_count("more", more)
    levels = (np.arange(_RATES) + 0.5) / _RATES
    rates = beta.ppf(levels, count + 0.5, total - count + 0.5)
    size = np.array([total + more])
    passes = binom.cdf(most_to_pass(size, limit, alpha) - count, more, rates)
    fails = binom.sf(fewest_to_fail(size, limit, alpha) - 1 - count, more, rates)
    return float(np.mean(passes + fails))


def chance_of_units(*, reach: float, distance: float, confidence: float = 0.95) -> float:
    """How likely the number of units decides that brings the bound to the limit.

    Parameters
    ----------
    reach : float
        Distance between the estimate and its bound so far, more than `distance`.
    distance : float
        Distance between the estimate and the limit, not negative.
    confidence : float, default 0.95
        One-sided level of the bounds.

    Returns
    -------
    float
        By the normal approximation: one half that the estimate does not move towards the limit,
        and the chance that it moves so far beyond that the other bound decides.

    Examples
    --------
    >>> f"{chance_of_units(reach=0.02, distance=0.01):.2f}"
    '0.53'
    """
    # Old units are the share (distance / reach)^2 of all units after the addition.
    share = min((distance / reach) ** 2, 1.0)
    if share == 1:
        return 1.0
    z = normal_quantile(1 - check_confidence(confidence))
    return 0.5 + NormalDist().cdf(-2 * z * math.sqrt(share / (1 - share)))


def required_repeats(
    *,
    prompts: int,
    repeats: int,
    repeat_variance: float,
    prompt_variance: float,
    margin: float,
    confidence: float = 0.95,
) -> int | None:
    """How many generations per prompt would separate the flip rate from the limit.

    Repeats average out the variance that decoding adds, never the variance between prompts.

    Parameters
    ----------
    prompts, repeats : int
        Prompts, and generations of each by each model so far.
    repeat_variance, prompt_variance : float
        The two components of the variance for one prompt, as in `DecodingNoise`.
    margin : float
        Distance between the observed flip rate and the limit, positive.
    confidence : float, default 0.95
        One-sided level.

    Returns
    -------
    int or None
        At least `repeats`, by the normal approximation; None if only more prompts would do.

    Raises
    ------
    InputError
        If a number of prompts or repeats is not a positive count.
    UsageError
        If the margin is not positive or the level out of range.

    Examples
    --------
    >>> required_repeats(
    ...     prompts=600, repeats=4, repeat_variance=0.04, prompt_variance=0.01, margin=0.01
    ... )
    14
    """
    if not (check_count("prompts", prompts) and check_count("repeats", repeats)):
        raise InputError(
            f"expected at least 1 prompt and 1 repeat, got {prompts} prompts and {repeats} repeats"
        )
    if not margin > 0:
        raise UsageError(
            f"expected margin, the distance to the limit, above 0, got {margin!r}: "
            f"no number of repeats decides at the limit"
        )
    z = max(NormalDist().inv_cdf(check_confidence(confidence)), 0.0)
    room = prompts * margin**2 - z**2 * prompt_variance
    if room <= 0:
        return None
    return max(repeats, math.ceil(repeats * z**2 * repeat_variance / room))
