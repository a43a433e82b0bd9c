from __future__ import annotations

import re
from decimal import Decimal, localcontext
from math import exp, expm1, log, log1p
from statistics import NormalDist
from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betainccinv, betaincinv
from scipy.stats import binom, binomtest
from statsmodels.stats.proportion import proportion_confint

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.statistics.interval import Side
from muscle_metrics.statistics.proportions import ProportionMethod, proportion_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

METHODS: tuple[ProportionMethod, ...] = get_args(ProportionMethod)
ONE_SIDED: tuple[Side, ...] = ("lower", "upper")
HUGE = 10**12


# For laws that are checked for each method.
few = settings(max_examples=40)


@st.composite
def shares(draw: st.DrawFn, most: int = HUGE) -> tuple[int, int]:
    total = draw(st.integers(1, most) | st.integers(1, 50))
    return draw(st.integers(0, total)), total


# Sums of the binomial tail in place of Beta quantiles


COUNTS = (1, 2, 5, 41, 212, 999, 2000)


@pytest.mark.parametrize("alpha", [0.4999, 0.05, 0.001, 1e-9])
@pytest.mark.parametrize("total", [2, 3, 10, 1319, 4001, 12_000])
def test_summed_bounds_are_those_of_scipy(total, alpha):
    # The quantiles of scipy 1.17.1 err by 3e-12 at 999 of 12 000.
    for count in {n for few in COUNTS for n in (few, total - few) if 0 < n < total}:
        low, high = (
            getattr(
                proportion_interval(
                    count, total, confidence=1 - alpha, method="clopper-pearson", side=side
                ),
                end,
            )
            for side, end in (("lower", "low"), ("upper", "high"))
        )
        below, above = (
            betaincinv(count, total - count + 1, 1 - (1 - alpha)),
            betainccinv(count + 1, total - count, 1 - (1 - alpha)),
        )
        assert low == pytest.approx(below, rel=1e-11 if count == 999 else 1e-12)
        assert high == pytest.approx(above, rel=1e-11 if count == 999 else 1e-12)


@pytest.mark.parametrize("alpha", [0.4999, 0.05, 1e-9])
@pytest.mark.parametrize("total", [10**5, 10**7, 10**12])
def test_the_tail_at_a_summed_bound_is_the_error(total, alpha):
    # Beyond some ten thousand items the quantiles of scipy err by more than these sums do, but
    # its tails do not: P(X <= n) of a rare event.
    alpha = 1 - (1 - alpha)
    for count in COUNTS:
        high = proportion_interval(
            count, total, confidence=1 - alpha, method="clopper-pearson", side="upper"
        ).high
        assert binomial_at_most(count, total, high) == pytest.approx(alpha, rel=1e-10)


def binomial_at_most(count, total, rate):
    """Sum all terms with 50 digits."""
    with localcontext(prec=50):
        share = Decimal(rate)
        odds, term = share / (1 - share), (1 - share) ** total
        tail = term
        for number in range(count):
            term *= odds * (total - number) / (number + 1)
            tail += term
        return float(tail)


def test_more_counts_than_are_summed_agree_with_the_sums_at_the_border():
    for total in (4001, 4003, 100_000):
        bounds = [
            proportion_interval(count, total, method="clopper-pearson")
            for count in range(1998, 2004)
        ]
        for end in ("low", "high"):
            steps = np.diff([getattr(bound, end) for bound in bounds])
            assert np.ptp(steps) < 1e-3 * steps.min()


# Golden values


# The first four shares are the examples of Newcombe (1998), Statistics in Medicine 17, 857-872.
# statsmodels 0.15.0: proportion_confint(count, total, method="wilson", "beta" or "jeffreys");
# mid-p: scipy 1.17.1, brentq(binom.cdf(x, n, p) - binom.pmf(x, n, p) / 2 - .025, xtol=1e-15).
@pytest.mark.parametrize(
    ("method", "count", "total", "low", "high"),
    [
        ("wilson", 81, 263, 0.255288519878, 0.366209576983),
        ("clopper-pearson", 81, 263, 0.252736745585, 0.367621922601),
        ("mid-p", 81, 263, 0.254402104946, 0.365773474258),
        ("jeffreys", 81, 263, 0.254521934991, 0.365647499174),
        ("wilson", 15, 148, 0.062386399531, 0.160487241723),
        ("clopper-pearson", 15, 148, 0.057844010083, 0.161650490349),
        ("mid-p", 15, 148, 0.060063602666, 0.158121733051),
        ("jeffreys", 15, 148, 0.060448517009, 0.157643143479),
        ("wilson", 0, 20, 0.0, 0.161125158053),
        ("clopper-pearson", 0, 20, 0.0, 0.168433470983),
        ("mid-p", 0, 20, 0.0, 0.139108340668),
        ("jeffreys", 0, 20, 0.0, 0.116638982905),
        ("wilson", 1, 29, 0.006113214293, 0.171755218793),
        ("clopper-pearson", 1, 29, 0.000872646884, 0.177644295489),
        ("mid-p", 1, 29, 0.001724770115, 0.158537383681),
        ("jeffreys", 1, 29, 0.003746173649, 0.150077686002),
        ("wilson", 321, 952, 0.307862166197, 0.367816266518),
        ("wilson", 306, 652, 0.431309990849, 0.507699659331),
        ("wilson", 92, 652, 0.116480292363, 0.169932614742),
    ],
)
def test_published_shares(
    method: ProportionMethod, count: int, total: int, low: float, high: float
) -> None:
    assert proportion_interval(count, total, method=method) == pytest.approx((low, high), abs=1e-12)


def test_scipy_documentation_example() -> None:
    # scipy docs, binomtest(k=7, n=50).proportion_ci(): method="exact", then "wilson".
    exact = proportion_interval(7, 50, method="clopper-pearson")
    assert exact == pytest.approx((0.05819170033997342, 0.26739600249700846), abs=1e-11)
    assert proportion_interval(7, 50) == pytest.approx((0.0695083343, 0.2618619371), abs=5e-11)


def test_a_billion_items() -> None:
    none = proportion_interval(0, 10**9, method="clopper-pearson", side="upper")
    assert none == (0.0, pytest.approx(2.995732269066785e-9, rel=1e-15))
    # mpmath 1.3, 60 digits: root of the exact sum P(X <= 1) = .05. Beta quantiles of
    # scipy 1.12 to 1.17 give 4.74386449e-9, 4e-9 of it too little.
    one = proportion_interval(1, 10**9, method="clopper-pearson", side="upper")
    assert one == (0.0, pytest.approx(4.74386450951039e-9, rel=1e-8))


@pytest.mark.parametrize(
    ("count", "total", "high"),
    [
        # mpmath 1.3, 60 digits: root of the exact sum P(X <= count) = .05.
        (1, 1000, 0.00473499357549978),
        (100, 1000, 0.116991532096368),
        (10, 10**6, 1.69621601883809e-5),
        (2, 10**9, 6.29579360834927e-9),
        (100, 10**12, 1.1807927278103e-10),
        (1, 10**12, 4.7438645183817e-12),
    ],
)
def test_clopper_pearson_against_exact_sums(count: int, total: int, high: float) -> None:
    bound = proportion_interval(count, total, method="clopper-pearson", side="upper").high
    assert bound == pytest.approx(high, rel=1e-8)
    mirror = proportion_interval(total - count, total, method="clopper-pearson", side="lower").low
    assert mirror == pytest.approx(1 - high, abs=1e-15)


@pytest.mark.parametrize("total", [1, 2, 7, 100, 10**6, 10**9, HUGE])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999999])
def test_clopper_pearson_without_a_single_hit(total: int, confidence: float) -> None:
    alpha = 1 - confidence
    none = proportion_interval(
        0, total, method="clopper-pearson", side="upper", confidence=confidence
    )
    assert none == (0.0, pytest.approx(-expm1(log(alpha) / total), rel=1e-13))
    every = proportion_interval(
        total, total, method="clopper-pearson", side="lower", confidence=confidence
    )
    assert every == (pytest.approx(exp(log(alpha) / total), rel=1e-13), 1.0)


@pytest.mark.parametrize("total", [1, 20, 10**9, HUGE])
def test_mid_p_without_a_single_hit(total: int) -> None:
    # Half of (1 - p)^n equals alpha, so p = 1 - (2 alpha)^(1/n).
    none = proportion_interval(0, total, method="mid-p", side="upper")
    assert none == (0.0, pytest.approx(-expm1(log(0.1) / total), rel=1e-9))
    every = proportion_interval(total, total, method="mid-p", side="lower")
    assert every == (pytest.approx(exp(log(0.1) / total), rel=1e-9), 1.0)


@pytest.mark.parametrize("method", ["clopper-pearson", "jeffreys", "mid-p"])
@pytest.mark.parametrize("total", [12 * 10**10, 10**12, 10**15, 10**17, 10**18])
@pytest.mark.parametrize("part", [1, 3, 10**4, 10**7, 10**9])
def test_no_bound_is_lost_however_many_items_there_are(
    part: int, total: int, method: ProportionMethod
) -> None:
    """Beta quantiles are nan in scipy 1.15 at 1e12 items, and in 1.17 at 1e17."""
    for count in (total // part, total - total // part, part, total - part):
        low, high = proportion_interval(count, total, method=method)
        assert 0 <= low <= count / total <= high <= 1
        # In items, these bounds and Wilson's differ by 3, and by the rounding of a double.
        wilson = proportion_interval(count, total)
        assert [low * total, high * total] == pytest.approx(
            [wilson.low * total, wilson.high * total], abs=3, rel=1e-15
        )


# Oracles


@given(shares(), st.floats(0.5, 0.9999))
def test_wilson_is_the_textbook_formula(share: tuple[int, int], confidence: float) -> None:
    count, total = share
    with localcontext() as context:
        context.prec = 60
        z = Decimal(NormalDist().inv_cdf(1 - (1 - confidence) / 2))
        p, n = Decimal(count) / total, Decimal(total)
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).sqrt()
        expected = float(centre - half), float(centre + half)
    found = proportion_interval(count, total, confidence=confidence)
    assert found == pytest.approx(expected, rel=1e-11, abs=1e-30)


@few
@given(shares(most=10**6), st.floats(0.5, 0.9999))
@pytest.mark.parametrize(
    ("method", "theirs"), [("wilson", "wilson"), ("clopper-pearson", "beta"), ("jeffreys",) * 2]
)
def test_agrees_with_statsmodels(
    method: ProportionMethod, theirs: str, share: tuple[int, int], confidence: float
) -> None:
    count, total = share
    low, high = proportion_confint(count, total, alpha=1 - confidence, method=theirs)
    found = proportion_interval(count, total, confidence=confidence, method=method)
    # Their Jeffreys interval does not reach the ends where nothing, or everything, was counted.
    assert found.low == pytest.approx(low if count else 0.0, rel=1e-7, abs=1e-12)
    assert found.high == pytest.approx(high if count < total else 1.0, rel=1e-7)


@few
@given(shares(most=10**5), st.floats(0.5, 0.9999))
@pytest.mark.parametrize(("side", "alternative"), [("lower", "greater"), ("upper", "less")])
@pytest.mark.parametrize(("method", "theirs"), [("wilson", "wilson"), ("clopper-pearson", "exact")])
def test_one_sided_bounds_agree_with_scipy(
    method: ProportionMethod,
    theirs: str,
    side: Side,
    alternative: str,
    share: tuple[int, int],
    confidence: float,
) -> None:
    test = binomtest(*share, alternative=alternative)
    expected = test.proportion_ci(confidence_level=confidence, method=theirs)
    found = proportion_interval(*share, confidence=confidence, method=method, side=side)
    assert found == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(shares(most=10**9), st.floats(0.5, 0.9999))
def test_mid_p_leaves_alpha_in_each_tail(share: tuple[int, int], confidence: float) -> None:
    count, total = share
    low, high = proportion_interval(count, total, confidence=confidence, method="mid-p")
    half = (1 - confidence) / 2
    if count:
        tail = binom.sf(count, total, low) + binom.pmf(count, total, low) / 2
        assert tail == pytest.approx(half, rel=1e-6)
    if count < total:
        tail = binom.cdf(count, total, high) - binom.pmf(count, total, high) / 2
        assert tail == pytest.approx(half, rel=1e-6)


# Exact coverage, by enumeration of every outcome


def bounds(total: int, method: ProportionMethod, side: Side) -> NDArray[np.float64]:
    return np.array(
        [proportion_interval(count, total, method=method, side=side) for count in range(total + 1)]
    )


def coverage(rates: NDArray[np.float64], intervals: NDArray[np.float64]) -> NDArray[np.float64]:
    counts = np.arange(len(intervals))
    chance = binom.pmf(counts, len(intervals) - 1, rates[:, None])
    held = (intervals[:, 0] <= rates[:, None]) & (rates[:, None] <= intervals[:, 1])
    return (chance * held).sum(axis=1)


def smallest_coverage(total: int, method: ProportionMethod, side: Side) -> float:
    """Coverage drops only where the truth leaves an interval: look on both sides of every end."""
    intervals = bounds(total, method, side)
    ends = np.unique(intervals)
    rates = np.concatenate([np.linspace(0, 1, 101), ends, ends * (1 - 1e-9), ends * (1 + 1e-9)])
    return float(coverage(rates[rates <= 1], intervals).min())


@pytest.mark.parametrize("side", get_args(Side))
def test_clopper_pearson_never_covers_less_than_it_says(side: Side) -> None:
    for total in range(1, 61):
        smallest = smallest_coverage(total, "clopper-pearson", side)
        assert smallest >= 0.95 - 1e-7, total
        if side != "two-sided":
            # No shorter bound of this kind exists: the level is reached.
            assert smallest == pytest.approx(0.95, abs=1e-6), total


# Exact infima at 100 items, 95 %. A grid of rates 0.001 apart would stop at .8186 for Wilson.
@pytest.mark.parametrize(
    ("method", "smallest"), [("wilson", 0.79959), ("jeffreys", 0.83831), ("mid-p", 0.9)]
)
@pytest.mark.parametrize("side", ONE_SIDED)
def test_other_one_sided_bounds_cover_less(
    method: ProportionMethod, smallest: float, side: Side
) -> None:
    assert smallest_coverage(100, method, side) == pytest.approx(smallest, abs=1e-5)


def test_wilson_covers_well_on_average() -> None:
    rates = np.linspace(0.0005, 0.9995, 1000)
    for total in (50, 100, 500):
        mean = coverage(rates, bounds(total, "wilson", "two-sided")).mean()
        assert 0.950 <= mean <= 0.954, total


# Laws


@few
@given(shares(), st.floats(0.5, 0.9999))
@pytest.mark.parametrize("method", METHODS)
def test_the_estimate_lies_inside(
    method: ProportionMethod, share: tuple[int, int], confidence: float
) -> None:
    count, total = share
    low, high = proportion_interval(count, total, method=method, confidence=confidence)
    assert 0 <= low <= count / total <= high <= 1
    assert low < high


@few
@given(shares(), st.floats(0.5, 0.9999))
@pytest.mark.parametrize("method", METHODS)
def test_counting_the_other_items_mirrors_the_interval(
    method: ProportionMethod, share: tuple[int, int], confidence: float
) -> None:
    count, total = share
    low, high = proportion_interval(count, total, method=method, confidence=confidence)
    other = proportion_interval(total - count, total, method=method, confidence=confidence)
    assert other == pytest.approx((1 - high, 1 - low), abs=1e-8)


@few
@given(shares(most=10**6), st.floats(0.5, 0.9999))
@pytest.mark.parametrize("method", METHODS)
def test_one_more_hit_raises_both_bounds(
    method: ProportionMethod, share: tuple[int, int], confidence: float
) -> None:
    count, total = share
    fewer = proportion_interval(count, total + 1, method=method, confidence=confidence)
    more = proportion_interval(count + 1, total + 1, method=method, confidence=confidence)
    assert fewer.low < more.low
    assert fewer.high < more.high or more.high == 1.0


@few
@given(shares(most=10**6), st.floats(0.6, 0.99), st.floats(1e-4, 0.009))
@pytest.mark.parametrize("side", get_args(Side))
@pytest.mark.parametrize("method", METHODS)
def test_more_confidence_is_wider(
    method: ProportionMethod, side: Side, share: tuple[int, int], confidence: float, more: float
) -> None:
    inner = proportion_interval(*share, method=method, side=side, confidence=confidence)
    outer = proportion_interval(*share, method=method, side=side, confidence=confidence + more)
    assert outer.low < inner.low or inner.low == outer.low == 0
    assert outer.high > inner.high or inner.high == outer.high == 1


@few
@given(shares(), st.floats(0.5, 0.9999))
@pytest.mark.parametrize("method", METHODS)
def test_a_one_sided_bound_spends_everything_on_one_end(
    method: ProportionMethod, share: tuple[int, int], confidence: float
) -> None:
    both = proportion_interval(*share, method=method, confidence=confidence)
    single = 1 - (1 - confidence) / 2
    lower = proportion_interval(*share, method=method, confidence=single, side="lower")
    upper = proportion_interval(*share, method=method, confidence=single, side="upper")
    assert lower == (pytest.approx(both.low, rel=1e-9), 1.0)
    assert upper == (0.0, pytest.approx(both.high, rel=1e-9))


@pytest.mark.parametrize("total", [1, 3, 1000, HUGE])
@pytest.mark.parametrize("side", get_args(Side))
@pytest.mark.parametrize("method", METHODS)
def test_nothing_and_everything_reach_the_ends_exactly(
    method: ProportionMethod, side: Side, total: int
) -> None:
    assert proportion_interval(0, total, method=method, side=side).low == 0.0
    assert proportion_interval(total, total, method=method, side=side).high == 1.0


@pytest.mark.parametrize("side", get_args(Side))
@pytest.mark.parametrize("method", METHODS)
def test_no_items_leave_everything_possible(method: ProportionMethod, side: Side) -> None:
    assert proportion_interval(0, 0, method=method, side=side) == (0.0, 1.0)


def test_the_default_is_a_two_sided_wilson_interval_at_95_percent() -> None:
    expected = proportion_interval(41, 1319, method="wilson", side="two-sided", confidence=0.95)
    assert proportion_interval(41, 1319) == expected
    # statsmodels 0.15.0: proportion_confint(41, 1319, method="wilson").
    assert expected == pytest.approx((0.022995196244, 0.041896524716), abs=1e-12)


def test_the_bound_of_one_in_a_billion_leaves_alpha_below_it() -> None:
    # P(X <= 1) = (1 - p)^n (1 + n p / (1 - p)), without any special function.
    bound = proportion_interval(1, 10**9, method="clopper-pearson", side="upper").high
    tail = exp(10**9 * log1p(-bound)) * (1 + 10**9 * bound / (1 - bound))
    assert tail == pytest.approx(0.05, rel=1e-7)


# Input


@pytest.mark.parametrize("method", METHODS)
def test_numpy_integers_are_counts(method: ProportionMethod) -> None:
    # int32 products would overflow: 60 000 * 60 000 > 2^31.
    found = proportion_interval(np.int32(60_000), np.int32(120_000), method=method)
    assert found == proportion_interval(60_000, 120_000, method=method)
    assert type(found.low) is type(found.high) is float


@pytest.mark.parametrize(
    ("count", "total", "message"),
    [
        (-1, 5, "expected count to be a count, an integer of at least 0, got -1"),
        (1.0, 5, "expected count to be a count, an integer of at least 0, got 1.0"),
        (True, 5, "expected count to be a count, an integer of at least 0, got True"),
        (0, 5.0, "expected total to be a count, an integer of at least 0, got 5.0"),
        (0, -5, "expected total to be a count, an integer of at least 0, got -5"),
        (6, 5, "expected count to be at most total, got 6 of 5"),
        (1, 0, "expected count to be at most total, got 1 of 0"),
    ],
)
def test_wrong_counts_are_refused(count: int, total: int, message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        proportion_interval(count, total)


def test_an_unknown_method_is_refused() -> None:
    message = (
        "expected method to be one of ['wilson', 'clopper-pearson', 'jeffreys', 'mid-p'], "
        "got 'wald'"
    )
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        proportion_interval(1, 5, method="wald")  # type: ignore[arg-type]


def test_unknown_sides_and_levels_are_refused_even_without_items() -> None:
    with pytest.raises(UsageError, match=r"^expected side to be one of .* got 'both'$"):
        proportion_interval(0, 0, side="both")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"^expected a confidence level .* got 95: "):
        proportion_interval(0, 0, confidence=95)
