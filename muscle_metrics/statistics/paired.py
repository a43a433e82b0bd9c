"""Old and new model on the same items: the change of accuracy, and whether it is chance."""

from __future__ import annotations

from math import erfc, nan, sqrt
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from muscle_metrics.errors import check_choice
from muscle_metrics.statistics.bisection import last_where
from muscle_metrics.statistics.counts import check_count
from muscle_metrics.statistics.interval import Interval, Side, normal_quantile, tail_levels
from muscle_metrics.statistics.proportions import proportion_interval

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Alternative",
    "McNemar",
    "McNemarMethod",
    "PairedMethod",
    "mcnemar",
    "paired_interval",
]

PairedMethod = Literal["tango", "newcombe", "bonett-price"]
McNemarMethod = Literal["mid-p", "exact", "asymptotic", "corrected"]
Alternative = Literal["two-sided", "regression"]


class McNemar(NamedTuple):
    """Result of a McNemar test on the items that flipped."""

    statistic: float
    p_value: float


class _Cells(NamedTuple):
    both_right: int
    negative: int
    positive: int
    both_wrong: int

    def swapped(self) -> _Cells:
        return self._replace(negative=self.positive, positive=self.negative)


def paired_interval(
    *,
    both_right: int,
    negative: int,
    positive: int,
    both_wrong: int,
    confidence: float = 0.95,
    method: PairedMethod = "tango",
    side: Side = "two-sided",
) -> Interval:
    """Range of true changes of accuracy, new minus old over all items, that is plausible.

    Parameters
    ----------
    both_right, negative, positive, both_wrong : int
        Items before and after the update: right and right, right and then wrong, wrong and
        then right, wrong and wrong. The estimate is ``(positive - negative) / total``.
    confidence : float
        How often such an interval should hold the true change, strictly between 0 and 1.
    method : {"tango", "newcombe", "bonett-price"}
        ``"tango"`` inverts the score test; its one-sided bounds keep their level best of the
        three. ``"newcombe"`` combines two Wilson intervals (his method 10, with the
        continuity-corrected correlation) and ``"bonett-price"`` adds one flip each way: both are
        for comparison with other tools.
    side : {"two-sided", "lower", "upper"}
        A one-sided bound spends all the error probability on one end; the other end is -1 or 1.

    Returns
    -------
    Interval
        Bounds in [-1, 1]; no item at all leaves ``[-1, 1]``.

    Raises
    ------
    InputError
        If a cell is not an integer of at least 0.
    UsageError
        If `confidence`, `method` or `side` is unknown or out of range.

    References
    ----------
    Tango (1998), Statistics in Medicine 17, 891-908.
    Newcombe (1998), Statistics in Medicine 17, 2635-2650, method 10.
    Bonett and Price (2012), Journal of Educational and Behavioral Statistics 37, 479-488.

    Examples
    --------
    >>> print(paired_interval(both_right=80, negative=40, positive=20, both_wrong=20))
    [-0.2181, -0.0309]
    """
    cells = _Cells(
        check_count("both_right", both_right),
        check_count("negative", negative),
        check_count("positive", positive),
        check_count("both_wrong", both_wrong),
    )
    check_choice("method", method, get_args(PairedMethod))
    lower = _LOWER_BOUNDS[method]
    below, above = tail_levels(confidence, side)
    # Old and new change places: the bound above is the mirror image of the bound below.
    return Interval(
        low=max(lower(cells, below), -1.0) if below and sum(cells) else -1.0,
        high=min(-lower(cells.swapped(), above), 1.0) if above and sum(cells) else 1.0,
    )


def _tango_lower(cells: _Cells, alpha: float) -> float:
    total, negative, positive = sum(cells), cells.negative, cells.positive
    z = normal_quantile(alpha)

    def score_is_high(change: float) -> bool:
        """Whether the estimate lies more than z standard errors above `change`."""
        # Constrained maximum likelihood estimate q of the share of negative flips, for N = total,
        # b = negative, c = positive, D = change (Tango 1998, eq. 3):
        # 2N q^2 + ((2N - c + b) D - b - c) q - b D (1 - D) = 0
        linear = (2 * total - positive + negative) * change - positive - negative
        constant = -negative * change * (1 - change)
        root = sqrt(max(linear * linear - 8 * total * constant, 0.0))
        # The second form does not cancel.
        share = (root - linear) / (4 * total) if linear <= 0 else -2 * constant / (root + linear)
        variance = total * (2 * share + change * (1 - change))
        return positive - negative - total * change > z * sqrt(max(variance, 0.0))

    return last_where(score_is_high, -1.0, 1.0)


def _newcombe_lower(cells: _Cells, alpha: float) -> float:
    both_right, negative, positive, both_wrong = cells
    total = sum(cells)
    old, new = both_right + negative, both_right + positive
    old_high = proportion_interval(old, total, confidence=1 - alpha, side="upper").high
    new_low = proportion_interval(new, total, confidence=1 - alpha, side="lower").low

    covariance: float = both_right * both_wrong - negative * positive
    if covariance > 0:
        covariance = max(covariance - total / 2, 0.0)
    spread = sqrt(old * (total - old)) * sqrt(new * (total - new))
    correlation = covariance / spread if spread else 0.0

    down, up = new / total - new_low, old_high - old / total
    return (positive - negative) / total - sqrt(
        max(down * down - 2 * correlation * down * up + up * up, 0.0)
    )


def _bonett_price_lower(cells: _Cells, alpha: float) -> float:
    total = sum(cells) + 2
    negative, positive = (cells.negative + 1) / total, (cells.positive + 1) / total
    change = positive - negative
    error = sqrt((negative + positive - change * change) / total)
    return change - normal_quantile(alpha) * error


_LOWER_BOUNDS: dict[PairedMethod, Callable[[_Cells, float], float]] = {
    "tango": _tango_lower,
    "newcombe": _newcombe_lower,
    "bonett-price": _bonett_price_lower,
}


def mcnemar(
    *,
    negative: int,
    positive: int,
    method: McNemarMethod = "mid-p",
    alternative: Alternative = "two-sided",
) -> McNemar:
    """Test whether an update breaks as many items as it fixes, among the items that flipped.

    Not a gate: an update that breaks 5 % of the items and fixes 5 % has a p-value near 1.

    Parameters
    ----------
    negative, positive : int
        Items that went from right to wrong, and from wrong to right.
    method : {"mid-p", "exact", "asymptotic", "corrected"}
        ``"mid-p"`` and ``"exact"`` compare `negative` with a fair coin; exact counts the observed
        outcome in full and is conservative, mid-p counts half of it. ``"asymptotic"`` is the
        chi-square test, ``"corrected"`` the same with the continuity correction.
    alternative : {"two-sided", "regression"}
        Whether a difference either way counts, or only more negative than positive flips.

    Returns
    -------
    McNemar
        `statistic`: the smaller of the two counts for ``"mid-p"`` and ``"exact"``, else
        chi-square with one degree of freedom. `p_value`: in [0, 1]. Without any flip nothing
        speaks against equality: the p-value is 1, and chi-square, 0/0, is nan.

    Raises
    ------
    InputError
        If a count is not an integer of at least 0.
    UsageError
        If `method` or `alternative` is unknown.

    References
    ----------
    McNemar (1947), Psychometrika 12, 153-157.
    Fagerland, Lydersen and Laake (2013), BMC Medical Research Methodology 13, 91.

    Examples
    --------
    >>> mcnemar(negative=0, positive=1, method="asymptotic").statistic
    1.0
    """
    negative = check_count("negative", negative)
    positive = check_count("positive", positive)
    check_choice("method", method, get_args(McNemarMethod))
    check_choice("alternative", alternative, get_args(Alternative))
    if method in ("mid-p", "exact"):
        return _coin_test(negative, positive, method, alternative)
    return _chi_square_test(negative, positive, method, alternative)


def _coin_test(
    negative: int, positive: int, method: McNemarMethod, alternative: Alternative
) -> McNemar:
    fewer, flips = min(negative, positive), negative + positive
    if flips == 0:
        return McNemar(0.0, 1.0)
    # A fair coin is symmetric: many negative flips are as likely as few positive ones.
    tails, few = (2, fewer) if alternative == "two-sided" else (1, positive)
    as_extreme = min(tails * _fair_at_most(few, flips), 1.0)
    more_extreme = tails * _fair_at_most(few - 1, flips)
    return McNemar(
        float(fewer), as_extreme if method == "exact" else (as_extreme + more_extreme) / 2
    )


def _fair_at_most(heads: int, tosses: int) -> float:
    from scipy.special import betainc

    if heads < 0:
        return 0.0
    return float(betainc(tosses - heads, heads + 1, 0.5)) if heads < tosses else 1.0


def _chi_square_test(
    negative: int, positive: int, method: McNemarMethod, alternative: Alternative
) -> McNemar:
    excess, flips = negative - positive, negative + positive
    if flips == 0:
        return McNemar(nan, 1.0)
    correction = 1 if method == "corrected" else 0
    # Never below 0: where a correction overshoots, the two counts are as equal as they can be.
    distance = max(abs(excess) - correction, 0)
    if alternative == "two-sided":
        p_value = erfc(distance / sqrt(2 * flips))
    else:
        p_value = erfc((excess - correction) / sqrt(2 * flips)) / 2
    return McNemar(distance * distance / flips, p_value)
