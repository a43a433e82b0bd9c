"""Confidence intervals for a proportion, `count` of `total`."""

from __future__ import annotations

from collections.abc import Callable
from math import comb, exp, expm1, log, log1p, sqrt
from typing import Literal, get_args

from muscle_metrics.errors import InputError, check_choice
from muscle_metrics.statistics.bisection import last_where
from muscle_metrics.statistics.counts import check_count
from muscle_metrics.statistics.interval import Interval, Side, normal_quantile, tail_levels

__all__ = ["ProportionMethod", "proportion_interval"]

ProportionMethod = Literal["wilson", "clopper-pearson", "jeffreys", "mid-p"]

_MOST_SUMMED = 2000
# scipy 1.15 gives nan at 1e12 items, 1.17 at 1e17; above these counts an expansion has 11 digits.
_MOST_INVERTED = 10**7
_MOST_STEPS = 50
_NEGLIGIBLE = 1e-18
_CONVERGED = 1e-10


def proportion_interval(
    count: int,
    total: int,
    *,
    confidence: float = 0.95,
    method: ProportionMethod = "wilson",
    side: Side = "two-sided",
) -> Interval:
    """Range of true proportions that `count` out of `total` leaves plausible.

    Parameters
    ----------
    count, total : int
        Items that have the property, and all items; ``0 <= count <= total``.
    confidence : float
        How often such an interval should hold the true proportion, strictly between 0 and 1.
    method : {"wilson", "clopper-pearson", "jeffreys", "mid-p"}
        ``"wilson"`` is narrow and right on average: for tables and plots.
        ``"clopper-pearson"`` never holds the true proportion less often than it says, on either
        side: for decisions. The other two lie between them: ``"jeffreys"`` is the Bayesian
        interval under the Beta(1/2, 1/2) prior, ``"mid-p"`` is Clopper-Pearson with half the
        probability of the observed count.
    side : {"two-sided", "lower", "upper"}
        A one-sided bound spends all the error probability on one end; the other end is 0 or 1.

    Returns
    -------
    Interval
        Bounds in [0, 1]. The low bound is 0 when no item has the property, the high bound is 1
        when every item has it, and no item at all leaves ``[0, 1]``.

    Raises
    ------
    InputError
        If the counts are not integers with ``0 <= count <= total``.
    UsageError
        If `confidence`, `method` or `side` is unknown or out of range.

    Notes
    -----
    Wilson bounds are exact to a few units in the last place. Clopper-Pearson bounds come from sums
    of the binomial tail, to twelve digits, unless both counts exceed 2000. The other bounds come
    from the Beta quantiles of scipy. Their relative error is below 1e-8 at most counts, but scipy
    1.17 misses the tail by 0.3 % at 999 of 10 million. Where both counts exceed 10 million, an
    expansion of the Beta quantile has eleven digits.

    References
    ----------
    Wilson (1927), Journal of the American Statistical Association 22, 209-212.
    Clopper and Pearson (1934), Biometrika 26, 404-413.
    Brown, Cai and DasGupta (2001), Statistical Science 16, 101-133, section 3.1.
    Abramowitz and Stegun (1964), Handbook of Mathematical Functions, 26.5.22.

    Examples
    --------
    >>> print(proportion_interval(41, 1319))
    [0.0230, 0.0419]
    """
    count = check_count("count", count)
    total = check_count("total", total)
    if count > total:
        raise InputError(f"expected count to be at most total, got {count} of {total}")
    check_choice("method", method, get_args(ProportionMethod))
    lower, upper = _BOUNDS[method]
    below, above = tail_levels(confidence, side)
    return Interval(
        low=lower(count, total, below) if below and count else 0.0,
        high=upper(count, total, above) if above and count < total else 1.0,
    )


def _wilson_lower(count: int, total: int, alpha: float) -> float:
    # The product of the two roots is known exactly; the textbook difference cancels near 0.
    return count * count / total / _wilson_root(count, total, alpha)


def _wilson_upper(count: int, total: int, alpha: float) -> float:
    return _wilson_root(count, total, alpha) / (total + normal_quantile(alpha) ** 2)


def _wilson_root(count: int, total: int, alpha: float) -> float:
    z = normal_quantile(alpha)
    return count + z * z / 2 + z * sqrt(count * (total - count) / total + z * z / 4)


def _clopper_pearson_lower(count: int, total: int, alpha: float) -> float:
    if count == total:
        return exp(log(alpha) / total)
    if _is_summed(count, total, alpha):
        return 1 / (1 + exp(-_log_odds(count, total - count, alpha)))
    return _beta_lower(count, total - count + 1, alpha)


def _clopper_pearson_upper(count: int, total: int, alpha: float) -> float:
    if count == 0:
        return -expm1(log(alpha) / total)
    if _is_summed(count, total, alpha):
        # The lower bound of the items not counted gives the upper bound of those counted.
        return 1 / (1 + exp(_log_odds(total - count, count, alpha)))
    return _beta_upper(count + 1, total - count, alpha)


def _is_summed(count: int, total: int, alpha: float) -> bool:
    """Whether the binomial tail is summed: `import scipy.special` costs more than a small gate."""
    return min(count, total - count) <= _MOST_SUMMED and alpha < 0.5


def _log_odds(successes: int, failures: int, alpha: float) -> float:
    """Log odds of the share at which so many successes or more have the probability `alpha`."""
    total = successes + failures
    log_ways = log(comb(total, successes))
    # 1 - the lower bound, without the difference that is 0 at 1e17 items.
    point = log(_wilson_lower(successes, total, alpha) / _wilson_upper(failures, total, alpha))
    for _ in range(_MOST_STEPS):
        odds = exp(point)
        # Terms of the tail relative to its first: P(X = n + 1) / P(X = n) = odds (N - n) / (n + 1).
        term = tail = 1.0
        for more in range(failures):
            term *= odds * (failures - more) / (successes + more + 1)
            tail += term
            if term < _NEGLIGIBLE * tail:
                break
        first = log_ways - successes * log1p(1 / odds) - failures * log1p(odds)
        # Newton's step: d log(tail probability) / d log(odds) = successes / (1 + odds) / tail.
        step = (log(alpha) - first - log(tail)) * tail * (1 + odds) / successes
        point += step
        if abs(step) < _CONVERGED:
            break
    return point


def _jeffreys_lower(count: int, total: int, alpha: float) -> float:
    return _beta_lower(count + 0.5, total - count + 0.5, alpha)


def _jeffreys_upper(count: int, total: int, alpha: float) -> float:
    return _beta_upper(count + 0.5, total - count + 0.5, alpha)


def _beta_lower(successes: float, failures: float, alpha: float) -> float:
    """Point below which a Beta variable lies with the probability `alpha`."""
    if min(successes, failures) > _MOST_INVERTED:
        return _beta_quantile(successes, failures, normal_quantile(alpha))
    from scipy.special import betaincinv

    return float(betaincinv(successes, failures, alpha))


def _beta_upper(successes: float, failures: float, alpha: float) -> float:
    """Point above which a Beta variable lies with the probability `alpha`."""
    if min(successes, failures) > _MOST_INVERTED:
        return _beta_quantile(successes, failures, -normal_quantile(alpha))
    from scipy.special import betainccinv

    return float(betainccinv(successes, failures, alpha))


def _beta_quantile(successes: float, failures: float, z: float) -> float:
    # Abramowitz and Stegun (1964), 26.5.22, for large counts.
    a, b = 1 / (2 * successes - 1), 1 / (2 * failures - 1)
    h, skew = 2 / (a + b), (z * z - 3) / 6
    w = z * sqrt(h + skew) / h - (b - a) * (skew + 5 / 6 - 2 / (3 * h))
    return successes / (successes + failures * exp(2 * w))


# Half the probability of the observed count lies between none of it and all of it, so the mid-p
# bound lies between two neighbouring Clopper-Pearson bounds.


def _mid_p_lower(count: int, total: int, alpha: float) -> float:
    from scipy.special import betainc

    def tail(rate: float) -> float:
        at_least = betainc(count, total - count + 1, rate)
        more = betainc(count + 1, total - count, rate) if count < total else 0.0
        return float(at_least + more) / 2

    smallest = _clopper_pearson_lower(count, total, alpha)
    largest = _clopper_pearson_lower(count + 1, total, alpha) if count < total else 1.0
    return last_where(lambda rate: tail(rate) <= alpha, smallest, largest)


def _mid_p_upper(count: int, total: int, alpha: float) -> float:
    from scipy.special import betaincc

    def tail(rate: float) -> float:
        at_most = betaincc(count + 1, total - count, rate)
        fewer = betaincc(count, total - count + 1, rate) if count else 0.0
        return float(at_most + fewer) / 2

    smallest = _clopper_pearson_upper(count - 1, total, alpha) if count else 0.0
    largest = _clopper_pearson_upper(count, total, alpha)
    return last_where(lambda rate: tail(rate) > alpha, smallest, largest)


_Bound = Callable[[int, int, float], float]

_BOUNDS: dict[ProportionMethod, tuple[_Bound, _Bound]] = {
    "wilson": (_wilson_lower, _wilson_upper),
    "clopper-pearson": (_clopper_pearson_lower, _clopper_pearson_upper),
    "jeffreys": (_jeffreys_lower, _jeffreys_upper),
    "mid-p": (_mid_p_lower, _mid_p_upper),
}
