from __future__ import annotations

import re
import subprocess
import sys
from decimal import Decimal, localcontext
from math import erfc, isnan, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple, get_args

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import gammaln, xlogy
from scipy.stats import binom, binomtest
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.proportion import proportion_confint

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.statistics.interval import Interval, Side
from muscle_metrics.statistics.paired import (
    Alternative,
    McNemarMethod,
    PairedMethod,
    mcnemar,
    paired_interval,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

METHODS: tuple[PairedMethod, ...] = get_args(PairedMethod)
TESTS: tuple[McNemarMethod, ...] = get_args(McNemarMethod)
LEVELS = st.floats(0.5, 0.9999)
# For laws that are checked for each method.
few = settings(max_examples=40)


class Cells(NamedTuple):
    both_right: int
    negative: int
    positive: int
    both_wrong: int

    @property
    def change(self) -> float:
        return (self.positive - self.negative) / sum(self)

    def swapped(self) -> Cells:
        return Cells(self.both_right, self.positive, self.negative, self.both_wrong)

    def interval(
        self, method: PairedMethod = "tango", confidence: float = 0.95, side: Side = "two-sided"
    ) -> Interval:
        return paired_interval(**self._asdict(), method=method, confidence=confidence, side=side)


@st.composite
def tables(draw: st.DrawFn, most: int = 10**6) -> Cells:
    count = st.integers(0, 20) | st.integers(0, most)
    return draw(
        st.builds(Cells, both_right=count, negative=count, positive=count, both_wrong=count).filter(
            any
        )
    )


# The change of accuracy: golden values. The sign is new minus old, so that more positive than
# negative flips is a change above 0.


@pytest.mark.parametrize(
    ("method", "cells", "low", "high"),
    [
        # R PropCIs: scoreci.mp(b = 40, c = 20, n = 160, conf.level = 0.95) for (c - b) / n.
        # How the unflipped items split does not matter.
        ("tango", Cells(80, 40, 20, 20), -0.2180642, -0.0308645),
        ("tango", Cells(100, 40, 20, 0), -0.2180642, -0.0308645),
        # mpmath 1.3, 50 digits: roots of T(D) = z and T(D) = -z as Tango (1998) writes T.
        ("tango", Cells(36, 12, 2, 0), -0.34470874828, -0.06111240619),
        ("tango", Cells(1, 1, 7, 12), 0.02600303248, 0.51723227642),
        ("tango", Cells(49, 1, 0, 0), -0.10495443590, 0.05277455112),
        ("tango", Cells(5, 2, 2, 0), -0.42739768024, 0.42739768024),
        ("tango", Cells(0, 499, 1, 0), -0.99929372721, -0.97751858659),
        # Printed with five decimals; the textbook formulas below agree in full.
        ("newcombe", Cells(36, 12, 2, 0), -0.34043, -0.05693),
        ("newcombe", Cells(1, 1, 7, 12), 0.02556, 0.50692),
        ("newcombe", Cells(80, 40, 20, 20), -0.21652, -0.03046),
        ("bonett-price", Cells(80, 40, 20, 20), -0.21680, -0.03011),
    ],
)
def test_published_changes(method: PairedMethod, cells: Cells, low: float, high: float) -> None:
    tolerance = 5e-8 if method == "tango" else 5e-6
    assert cells.interval(method) == pytest.approx((low, high), abs=tolerance)
    assert cells.swapped().interval(method) == pytest.approx((-high, -low), abs=tolerance)


@pytest.mark.parametrize(
    ("negative", "positive", "total", "low", "high"),
    [
        # mpmath 1.3, 50 digits, as above.
        (3, 50, 10**6, 3.41847491700738e-5, 6.316309343308804e-5),
        (5, 7, 10**12, -5.5460710820707639e-12, 1.0032955744181867e-11),
        (10**11, 10**11 + 10**6, 10**12, 1.2347526812078828e-7, 1.8765247318868945e-6),
    ],
)
def test_tango_keeps_its_digits_however_many_items_there_are(
    negative: int, positive: int, total: int, low: float, high: float
) -> None:
    cells = Cells(total - negative - positive, negative, positive, 0)
    assert cells.interval() == pytest.approx((low, high), rel=1e-13)


@pytest.mark.parametrize("total", [1, 50, 10**6, 10**12])
@pytest.mark.parametrize("confidence", [0.6, 0.95])
def test_tango_without_a_flip(total: int, confidence: float) -> None:
    # With b = c = 0 the score is -sqrt(n D / (1 - D)), so D = z^2 / (n + z^2).
    square = NormalDist().inv_cdf((1 - confidence) / 2) ** 2
    half = square / (total + square)
    found = Cells(total, 0, 0, 0).interval(confidence=confidence)
    assert found == pytest.approx((-half, half), rel=1e-13)
    if (total, confidence) == (50, 0.95):
        assert half == pytest.approx(0.07135, abs=5e-6)


def test_tango_when_every_item_flips_the_same_way() -> None:
    # mpmath 1.3 as above for the inner bound; the outer one is the end itself.
    assert Cells(0, 5, 0, 0).interval() == (-1.0, pytest.approx(-0.1310350704336506, rel=1e-13))
    assert Cells(0, 0, 5, 0).interval() == (pytest.approx(0.1310350704336506, rel=1e-13), 1.0)


# The change of accuracy: textbook formulas


@given(tables(), st.floats(0.6, 0.9999))
def test_tango_solves_the_score_equation(cells: Cells, confidence: float) -> None:
    low, high = cells.interval(confidence=confidence)
    z = -NormalDist().inv_cdf((1 - confidence) / 2)
    if low > -1:
        assert score(cells, low) == pytest.approx(z, rel=1e-7)
    if high < 1:
        assert score(cells, high) == pytest.approx(-z, rel=1e-7)


def score(cells: Cells, change: float) -> float:
    """Statistic of Tango (1998) as he writes it, in enough digits not to cancel."""
    with localcontext() as context:
        context.prec = 80
        n, b, c, d = sum(cells), cells.negative, cells.positive, Decimal(change)
        linear = -c - b + (2 * n - c + b) * d
        share = ((linear * linear + 8 * n * b * d * (1 - d)).sqrt() - linear) / (4 * n)
        return float((c - b - n * d) / (n * (2 * share + d * (1 - d))).sqrt())


@given(tables(), LEVELS)
def test_newcombe_squares_and_adds_wilson_limits(cells: Cells, confidence: float) -> None:
    a, b, c, d = cells
    n, alpha = sum(cells), 1 - confidence
    old, new = (a + b) / n, (a + c) / n
    old_low, old_high = proportion_confint(a + b, n, alpha=alpha, method="wilson")
    new_low, new_high = proportion_confint(a + c, n, alpha=alpha, method="wilson")
    product = (a + b) * (c + d) * (a + c) * (b + d)
    numerator = a * d - b * c
    if numerator > n / 2:
        numerator -= n / 2
    elif numerator >= 0:
        numerator = 0
    phi = numerator / sqrt(product) if product else 0.0
    expected = (
        new - old - root(new - new_low, old_high - old, phi),
        new - old + root(new_high - new, old - old_low, phi),
    )
    assert cells.interval("newcombe", confidence) == pytest.approx(expected, rel=1e-6, abs=1e-9)


def root(new: float, old: float, phi: float) -> float:
    return sqrt(max(new * new - 2 * phi * new * old + old * old, 0))


@given(tables(), LEVELS)
def test_bonett_price_is_wald_with_one_more_flip_each_way(cells: Cells, confidence: float) -> None:
    n = sum(cells) + 2
    b, c = (cells.negative + 1) / n, (cells.positive + 1) / n
    half = NormalDist().inv_cdf(1 - (1 - confidence) / 2) * sqrt((b + c - (c - b) ** 2) / n)
    expected = (max(c - b - half, -1), min(c - b + half, 1))
    assert cells.interval("bonett-price", confidence) == pytest.approx(expected, abs=1e-12)


def test_tango_excludes_0_exactly_when_the_asymptotic_test_rejects() -> None:
    rejected = 0
    for negative in range(31):
        for positive in range(31 - negative):
            cells = Cells(30 - negative - positive, negative, positive, 0)
            low, high = cells.interval()
            p_value = mcnemar(negative=negative, positive=positive, method="asymptotic").p_value
            assert (low > 0 or high < 0) == (p_value < 0.05), cells
            rejected += p_value < 0.05
    # Of 496 tables; the rest is as it should be even if nothing were ever excluded.
    assert rejected == 276


# The change of accuracy: exact coverage of one-sided 95 % bounds at 50 items


def lower_bounds(method: PairedMethod | None) -> dict[tuple[int, int], float]:
    """Bound for each (negative, positive) out of 50; no method means Wald's."""
    found = {}
    for b in range(51):
        for c in range(51 - b):
            cells = Cells(50 - b - c, b, c, 0)
            if method is None:
                error = sqrt((b + c - (b - c) ** 2 / 50) / 50**2)
                found[b, c] = cells.change + NormalDist().inv_cdf(0.05) * error
            else:
                found[b, c] = cells.interval(method, 0.95, "lower").low
    return found


def smallest_coverage(bounds: dict[tuple[int, int], float], rates: NDArray[np.float64]) -> float:
    """Over rates of (negative, positive) flips, one pair a row."""
    b, c = np.array(list(bounds)).T
    ways = gammaln(51) - gammaln(b + 1) - gammaln(c + 1) - gammaln(51 - b - c)
    low = np.array(list(bounds.values()))
    shares = []
    for p, q in rates:
        chance = np.exp(ways + xlogy(b, p) + xlogy(c, q) + xlogy(50 - b - c, max(1 - p - q, 0)))
        shares.append(chance[low <= q - p].sum())
    return min(shares)


def test_tango_lower_bounds_hold_their_level_best() -> None:
    flips = np.geomspace(0.01, 1, 60)
    losses = np.array([(f * s, f * (1 - s)) for f in flips for s in np.linspace(0.5, 1, 26)])
    gains = losses[:, ::-1]
    # Full enumeration of the 1326 tables for each pair of rates; the gate asks about losses.
    tango, newcombe, wald = (lower_bounds(method) for method in ("tango", "newcombe", None))
    assert smallest_coverage(tango, losses) == pytest.approx(0.9214, abs=5e-5)
    assert smallest_coverage(tango, gains) == pytest.approx(0.9048, abs=5e-5)
    assert smallest_coverage(newcombe, gains) == pytest.approx(0.8701, abs=5e-5)
    assert smallest_coverage(wald, losses) == pytest.approx(0.3912, abs=5e-5)


# The change of accuracy: laws


@few
@given(tables(), LEVELS)
@pytest.mark.parametrize("method", METHODS)
def test_the_interval_of_a_change_lies_in_its_range(
    method: PairedMethod, cells: Cells, confidence: float
) -> None:
    low, high = cells.interval(method, confidence)
    assert -1 <= low <= high <= 1
    if method != "bonett-price":  # it pulls towards 0, past the estimate when most items flip
        assert low - 1e-12 <= cells.change <= high + 1e-12


@few
@given(tables(), LEVELS)
@pytest.mark.parametrize("method", METHODS)
def test_exchanging_the_models_mirrors_the_interval(
    method: PairedMethod, cells: Cells, confidence: float
) -> None:
    low, high = cells.interval(method, confidence)
    assert cells.swapped().interval(method, confidence) == (-high, -low)


@few
@given(tables(), LEVELS)
@pytest.mark.parametrize("method", METHODS)
def test_a_one_sided_bound_of_a_change_spends_everything_on_one_end(
    method: PairedMethod, cells: Cells, confidence: float
) -> None:
    both = cells.interval(method, confidence)
    single = 1 - (1 - confidence) / 2
    lower = cells.interval(method, single, "lower")
    upper = cells.interval(method, single, "upper")
    assert lower == (pytest.approx(both.low, rel=1e-9, abs=1e-13), 1.0)
    assert upper == (-1.0, pytest.approx(both.high, rel=1e-9, abs=1e-13))


@few
@given(tables(), st.floats(0.6, 0.99), st.floats(1e-3, 0.009))
@pytest.mark.parametrize("method", METHODS)
def test_more_confidence_in_a_change_is_wider(
    method: PairedMethod, cells: Cells, confidence: float, more: float
) -> None:
    inner = cells.interval(method, confidence)
    outer = cells.interval(method, confidence + more)
    assert outer.low < inner.low or outer.low == inner.low == -1
    assert outer.high > inner.high or outer.high == inner.high == 1


@given(tables(most=10**4), LEVELS)
def test_one_item_fixed_raises_both_bounds_and_one_item_broken_lowers_them(
    cells: Cells, confidence: float
) -> None:
    wrong = cells._replace(both_wrong=cells.both_wrong + 1).interval(confidence=confidence)
    fixed = cells._replace(positive=cells.positive + 1).interval(confidence=confidence)
    assert fixed.low > wrong.low or wrong.low == -1
    assert fixed.high > wrong.high or fixed.high == 1
    right = cells._replace(both_right=cells.both_right + 1).interval(confidence=confidence)
    broken = cells._replace(negative=cells.negative + 1).interval(confidence=confidence)
    assert broken.low < right.low or broken.low == -1
    assert broken.high < right.high or right.high == 1


@pytest.mark.parametrize("side", get_args(Side))
@pytest.mark.parametrize("method", METHODS)
def test_no_items_leave_every_change_possible(method: PairedMethod, side: Side) -> None:
    assert Cells(0, 0, 0, 0).interval(method, side=side) == (-1.0, 1.0)


def test_the_default_is_a_two_sided_tango_interval_at_95_percent() -> None:
    cells = Cells(1, 1, 7, 12)
    assert paired_interval(**cells._asdict()) == cells.interval("tango", 0.95, "two-sided")


# The change of accuracy: input


@pytest.mark.parametrize("name", Cells._fields)
@pytest.mark.parametrize("value", [-1, 0.5, True])
def test_every_cell_must_be_a_count(name: str, value: object) -> None:
    cells = Cells(3, 1, 2, 4)._asdict() | {name: value}
    message = f"expected {name} to be a count, an integer of at least 0, got {value!r}"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        paired_interval(**cells)


@pytest.mark.parametrize("method", METHODS)
def test_numpy_cells_do_not_overflow(method: PairedMethod) -> None:
    # a * d and n^2 are far beyond int32 here.
    cells = Cells(700_000, 40_000, 50_000, 210_000)
    found = paired_interval(**{k: np.int32(v) for k, v in cells._asdict().items()}, method=method)
    assert found == cells.interval(method)
    assert type(found.low) is type(found.high) is float


def test_unknown_options_of_a_change_are_refused() -> None:
    message = "expected method to be one of ['tango', 'newcombe', 'bonett-price'], got 'wald'"
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        Cells(0, 0, 0, 0).interval("wald")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"^expected side to be one of .* got 'both'$"):
        Cells(0, 0, 0, 0).interval(side="both")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"^expected a confidence level .* got 95: "):
        Cells(0, 0, 0, 0).interval(confidence=95)


def test_what_tables_show_does_not_wait_for_scipy() -> None:
    program = (
        "import sys\n"
        "from muscle_metrics.statistics.paired import mcnemar, paired_interval\n"
        "from muscle_metrics.statistics.proportions import proportion_interval\n"
        "paired_interval(both_right=8, negative=1, positive=2, both_wrong=3)\n"
        "mcnemar(negative=1, positive=2, method='asymptotic')\n"
        "proportion_interval(1, 10)\n"
        "sys.exit('scipy' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


# McNemar: golden values


@pytest.mark.parametrize(
    ("negative", "positive", "exact", "mid_p", "asymptotic", "corrected"),
    [
        # statsmodels 0.15.0: mcnemar([[0, b], [c, 0]], exact=..., correction=...); mid-p is
        # exact less binom.pmf(min(b, c), b + c, .5) of scipy 1.17.1.
        (1, 7, 0.0703125, 0.0390625, 0.033894853525, 0.077099871744),
        (12, 2, 0.012939453125, 0.00738525390625, 0.007526315166, 0.016156931261),
        # R mcnemar.test prints .0356919 (correct = FALSE) and .0499500 for these two counts.
        (33, 18, 0.048873892318, 0.036483400008, 0.035691900117, 0.049949976455),
        (15, 3, 0.007537841796875, 0.004425048828125, 0.004677734981, 0.009521891184),
        (25, 7, 0.002102401573, 0.001318727154, 0.001462716587, 0.002654029359),
        (10, 0, 0.001953125, 0.0009765625, 0.001565402258, 0.004426525858),
        (1, 0, 1.0, 0.5, 0.317310507863, 1.0),
        (0, 0, 1.0, 1.0, 1.0, 1.0),
        # As many each way is as equal as it gets; R does not correct there, statsmodels does.
        (7, 7, 1.0, 0.895263671875, 1.0, 1.0),
        (10**7, 10**7 + 5000, 0.2637076683, 0.2636121680, 0.2636121566, 0.2637076688),
    ],
)
def test_published_p_values(
    negative: int, positive: int, exact: float, mid_p: float, asymptotic: float, corrected: float
) -> None:
    found = [
        mcnemar(negative=negative, positive=positive, method=method).p_value
        for method in ("exact", "mid-p", "asymptotic", "corrected")
    ]
    assert found == pytest.approx([exact, mid_p, asymptotic, corrected], abs=5e-9, rel=5e-8)


def test_published_mid_p_of_40_and_20_flips() -> None:
    assert mcnemar(negative=40, positive=20).p_value == pytest.approx(0.0098534, abs=5e-8)


def test_statistics() -> None:
    # R mcnemar.test: McNemar's chi-squared = 4.4117647, and 3.8431373 with the correction.
    assert mcnemar(negative=33, positive=18, method="asymptotic").statistic == pytest.approx(
        4.4117647, abs=5e-8
    )
    assert mcnemar(negative=33, positive=18, method="corrected").statistic == pytest.approx(
        3.8431373, abs=5e-8
    )
    for method in ("exact", "mid-p"):
        assert mcnemar(negative=33, positive=18, method=method).statistic == 18
        assert mcnemar(negative=18, positive=33, method=method).statistic == 18
    for method, statistic in (("asymptotic", 0.0), ("corrected", 0.0), ("exact", 7.0)):
        assert mcnemar(negative=7, positive=7, method=method).statistic == statistic


def test_huggingface_evaluate_example() -> None:
    # evaluate: load("mcnemar").compute(references=[1, 0, 1], predictions1=[1, 1, 1],
    # predictions2=[1, 0, 1]); its p-value is scipy's chi2.sf(1, 1).
    found = mcnemar(negative=0, positive=1, method="asymptotic")
    assert found == (1.0, pytest.approx(0.31731050786291115, rel=1e-14))


@pytest.mark.parametrize("alternative", get_args(Alternative))
def test_without_a_flip_nothing_speaks_against_equality(alternative: Alternative) -> None:
    for method in TESTS:
        statistic, p_value = mcnemar(negative=0, positive=0, method=method, alternative=alternative)
        assert p_value == 1.0
        assert statistic == 0.0 if method in ("exact", "mid-p") else isnan(statistic)


def test_one_sided_p_values_ask_about_regressions_only() -> None:
    # scipy 1.17.1: binomtest(33, 51, alternative="greater").pvalue = .024436946.
    worse = mcnemar(negative=33, positive=18, method="exact", alternative="regression")
    assert worse == (18.0, pytest.approx(0.024436946, abs=5e-10))
    better = mcnemar(negative=18, positive=33, method="exact", alternative="regression")
    assert better == (18.0, pytest.approx(binomtest(18, 51, alternative="greater").pvalue))
    assert better.p_value > 0.98


# McNemar: oracles


FLIPS = st.integers(0, 30) | st.integers(0, 10**5)


@given(FLIPS, FLIPS)
def test_agrees_with_statsmodels(negative: int, positive: int) -> None:
    assume(negative != positive)
    table = [[0, negative], [positive, 0]]
    for method, options in (
        ("exact", {"exact": True}),
        ("asymptotic", {"exact": False, "correction": False}),
        ("corrected", {"exact": False, "correction": True}),
    ):
        theirs = statsmodels_mcnemar(table, **options)
        found = mcnemar(negative=negative, positive=positive, method=method)
        assert found.statistic == pytest.approx(theirs.statistic, rel=1e-12)
        assert found.p_value == pytest.approx(min(theirs.pvalue, 1), rel=1e-9, abs=1e-290)


@given(FLIPS, FLIPS)
def test_coin_tests_agree_with_binomial_tails(negative: int, positive: int) -> None:
    flips, fewer = negative + positive, min(negative, positive)
    assume(flips > 0)
    tie = binom.pmf(fewer, flips, 0.5)
    exact = min(2 * binom.cdf(fewer, flips, 0.5), 1)
    mid_p = exact - tie if negative != positive else 1 - tie / 2
    above = binom.sf(negative - 1, flips, 0.5)
    for method, alternative, expected in (
        ("exact", "two-sided", exact),
        ("mid-p", "two-sided", mid_p),
        ("exact", "regression", above),
        ("mid-p", "regression", above - binom.pmf(negative, flips, 0.5) / 2),
    ):
        found = mcnemar(
            negative=negative, positive=positive, method=method, alternative=alternative
        )
        # Below that scipy's tails are 0, and not its masses.
        assert found.p_value == pytest.approx(expected, rel=1e-9, abs=1e-280)
        assert found.statistic == fewer


@given(FLIPS, FLIPS)
def test_one_sided_chi_square_is_the_normal_tail(negative: int, positive: int) -> None:
    flips = negative + positive
    assume(flips > 0)
    for method, correction in (("asymptotic", 0), ("corrected", 1)):
        z = (negative - positive - correction) / sqrt(flips)
        found = mcnemar(
            negative=negative, positive=positive, method=method, alternative="regression"
        )
        assert found.p_value == pytest.approx(NormalDist().cdf(-z), rel=1e-9, abs=1e-15)
        assert found.p_value == pytest.approx(erfc(z / sqrt(2)) / 2, rel=1e-12, abs=1e-290)
        both = mcnemar(negative=negative, positive=positive, method=method)
        assert found.statistic == both.statistic
        if negative > positive:
            assert both.p_value == pytest.approx(2 * found.p_value, rel=1e-12, abs=1e-290)


# McNemar: laws


@few
@given(FLIPS, FLIPS)
@pytest.mark.parametrize("method", TESTS)
def test_a_two_sided_test_does_not_ask_which_model_came_first(
    method: McNemarMethod, negative: int, positive: int
) -> None:
    found = mcnemar(negative=negative, positive=positive, method=method)
    mirror = mcnemar(negative=positive, positive=negative, method=method)
    assert found == mirror or isnan(found.statistic)
    assert 0 <= found.p_value <= 1


@few
@given(FLIPS, FLIPS)
@pytest.mark.parametrize("method", ["mid-p", "asymptotic"])
def test_regression_and_improvement_share_the_probability(
    method: McNemarMethod, negative: int, positive: int
) -> None:
    assume(negative + positive > 0)
    worse = mcnemar(negative=negative, positive=positive, method=method, alternative="regression")
    better = mcnemar(negative=positive, positive=negative, method=method, alternative="regression")
    assert worse.p_value + better.p_value == pytest.approx(1, abs=1e-12)


def largest_false_alarm_rate(
    method: McNemarMethod, total: int, flip_rates: NDArray[np.float64]
) -> float:
    """Exact chance of p <= .05 when flips go either way alike, for the worst flip rate."""
    rejected = [
        binom.pmf(np.arange(flips + 1), flips, 0.5)
        @ [
            mcnemar(negative=negative, positive=flips - negative, method=method).p_value <= 0.05
            for negative in range(flips + 1)
        ]
        for flips in range(total + 1)
    ]
    chance = binom.pmf(np.arange(total + 1), total, flip_rates[:, None])
    return float((chance @ np.array(rejected)).max())


@pytest.mark.parametrize(
    ("total", "rate"), [(20, 0.0504), (50, 0.0497), (100, 0.0501), (200, 0.0498)]
)
def test_mid_p_keeps_its_level_unless_nearly_every_item_flips(total: int, rate: float) -> None:
    found = largest_false_alarm_rate("mid-p", total, np.linspace(0, 0.9, 901))
    assert found == pytest.approx(rate, abs=5e-5)


def test_mid_p_at_50_flips_is_its_worst_case() -> None:
    # 2 P(X <= 18) for 50 flips: the level of a single, fully discordant table.
    worst = 2 * binom.cdf(18, 50, 0.5)
    assert largest_false_alarm_rate("mid-p", 50, np.linspace(0, 1, 1001)) == pytest.approx(worst)
    assert worst == pytest.approx(0.0649, abs=5e-5)


def test_the_exact_test_stays_below_its_level() -> None:
    for total, rate in ((20, 0.0414), (50, 0.0368)):
        found = largest_false_alarm_rate("exact", total, np.linspace(0, 1, 1001))
        assert found == pytest.approx(rate, abs=5e-5)


def test_equal_and_opposite_flips_are_no_evidence() -> None:
    # 5 % broken and 5 % fixed of 1000: why this test cannot be a gate.
    assert mcnemar(negative=50, positive=50, method="exact").p_value == 1.0
    assert mcnemar(negative=50, positive=50).p_value > 0.9


# McNemar: input


@pytest.mark.parametrize("name", ["negative", "positive"])
@pytest.mark.parametrize("value", [-1, 1.0, False])
def test_flips_must_be_counts(name: str, value: object) -> None:
    flips = {"negative": 1, "positive": 2} | {name: value}
    message = f"expected {name} to be a count, an integer of at least 0, got {value!r}"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        mcnemar(**flips)  # type: ignore[arg-type]


def test_unknown_options_of_the_test_are_refused() -> None:
    message = (
        "expected method to be one of ['mid-p', 'exact', 'asymptotic', 'corrected'], got 'midp'"
    )
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        mcnemar(negative=0, positive=0, method="midp")  # type: ignore[arg-type]
    message = "expected alternative to be one of ['two-sided', 'regression'], got 'greater'"
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        mcnemar(negative=0, positive=0, alternative="greater")  # type: ignore[arg-type]


def test_the_default_is_a_two_sided_mid_p_test() -> None:
    found = mcnemar(negative=9, positive=2)
    assert found == mcnemar(negative=9, positive=2, method="mid-p", alternative="two-sided")
    assert found == mcnemar(negative=np.int64(9), positive=np.uint8(2))
    assert type(found.statistic) is type(found.p_value) is float
