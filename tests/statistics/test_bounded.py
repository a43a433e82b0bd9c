from __future__ import annotations

import re
from fractions import Fraction
from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import multinomial
from scipy.stats import t as student

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.statistics import bounded
from muscle_metrics.statistics.bounded import bounded_mean_interval, net_share_interval
from muscle_metrics.statistics.proportions import proportion_interval

SIDES = ("two-sided", "lower", "upper")

scores = st.lists(st.integers(0, 20).map(lambda score: score / 20), min_size=1, max_size=12)
few = settings(max_examples=25)


def dirichlet_tail(points: list[Fraction], u: Fraction) -> Fraction:
    """Exact P(sum(D_i x_i) > u) for distinct points and D flat on the simplex."""
    return sum(
        (x - u) ** (len(points) - 1) / prod(x - y for y in points if y != x)
        for x in points
        if x > u
    )


# Golden values and oracles


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.999])
@pytest.mark.parametrize("total", [1, 2, 7, 50, 1319])
def test_zeros_and_ones_give_clopper_pearson(total, confidence, side):
    for count in {0, 1, total // 3, total - 1, total}:
        values = [1.0] * count + [0.0] * (total - count)
        expected = proportion_interval(
            count, total, confidence=confidence, method="clopper-pearson", side=side
        )
        result = bounded_mean_interval(values, low=0, high=1, confidence=confidence, side=side)
        assert result == pytest.approx(expected, rel=1e-12, abs=1e-15)


# Next to 0 and 1, so that the integral is used where the answer is a Beta quantile.
@pytest.mark.parametrize(("count", "total"), [(1, 3), (9, 10), (2, 1000), (999, 1000), (3, 10**6)])
def test_integral_agrees_with_clopper_pearson(count, total):
    near = 1e-13
    values = np.zeros(total)
    values[-count:] = 1 - near
    values[0] = near
    expected = proportion_interval(count, total, method="clopper-pearson")
    result = bounded_mean_interval(values, low=0, high=1)
    assert result.low == pytest.approx(expected.low, rel=1e-6 if total == 10**6 else 1e-8)
    assert result.high == pytest.approx(expected.high, rel=1e-6 if total == 10**6 else 1e-8)


# One value in a thousand: a bound of 1e-13 is the difference of numbers near 1 if taken carelessly.
def test_bounds_next_to_an_end_keep_their_digits():
    values = np.zeros(1000)
    values[:2] = 1 - 1e-13, 1e-25
    low = bounded_mean_interval(values, low=0, high=1, confidence=1 - 1e-10, side="lower").low
    # The chance of at least one in a thousand is the error.
    alpha = 1 - (1 - 1e-10)
    assert low == pytest.approx(-np.expm1(np.log1p(-alpha) / 1000), rel=1e-6, abs=0)
    upper = bounded_mean_interval(-values, low=-1, high=0, confidence=1 - 1e-10, side="upper").high
    assert upper == -low


@pytest.mark.parametrize("alpha", [0.2, 0.05, 0.001])
@pytest.mark.parametrize("size", [2, 3, 8, 25])
def test_bounds_leave_exactly_alpha_outside(size, alpha):
    generator = np.random.default_rng(size)
    values = generator.choice(np.arange(1, 1000), size, replace=False) / 1000
    exact = [Fraction(value) for value in values.tolist()]
    low, high = bounded_mean_interval(values, low=0, high=1, confidence=1 - 2 * alpha)
    assert float(dirichlet_tail([*exact, Fraction(1)], Fraction(high))) == pytest.approx(
        alpha, rel=1e-7
    )
    assert 1 - float(dirichlet_tail([*exact, Fraction(0)], Fraction(low))) == pytest.approx(
        alpha, rel=1e-7
    )


def test_ties_agree_with_random_weights():
    values = np.array([0.0] * 30 + [0.25] * 4 + [1.0] * 2)
    generator = np.random.default_rng(0)
    weights = generator.dirichlet(np.ones(values.size + 1), size=200_000)
    body, extra = weights[:, :-1] @ values, weights[:, -1]
    low, high = bounded_mean_interval(values, low=-1, high=1)
    # Four standard errors of a simulated tail of 2.5 %.
    assert np.mean(body - extra < low) == pytest.approx(0.025, abs=0.0014)
    assert np.mean(body + extra > high) == pytest.approx(0.025, abs=0.0014)


@pytest.mark.parametrize("spread", [1.0, 1e-3])
def test_averaging_in_cells_hardly_moves_a_bound(spread, monkeypatch):
    generator = np.random.default_rng(1)
    values = 0.3 + spread * generator.beta(0.3, 3, size=1500) / 2
    # Some values more often than others: those below the median ten times.
    values = np.repeat(values, np.where(values < np.median(values), 10, 1))
    averaged = bounded_mean_interval(values, low=0, high=1)
    monkeypatch.setattr(bounded, "_MOST_CELLS", 1500)
    exact = bounded_mean_interval(values, low=0, high=1)
    assert averaged != exact
    assert averaged.low - values.mean() == pytest.approx(exact.low - values.mean(), rel=1e-5)
    assert averaged.high - values.mean() == pytest.approx(exact.high - values.mean(), rel=1e-5)


def test_a_million_values():
    values = np.random.default_rng(2).random(10**6)
    low, high = bounded_mean_interval(values, low=0, high=1)
    # So many values are as good as normal.
    reach = 1.959964 * values.std() / 1000
    assert (low, high) == pytest.approx((values.mean() - reach, values.mean() + reach), abs=3e-6)


# Laws


@few
@given(scores)
def test_contains_the_mean_within_the_range(values):
    low, high = bounded_mean_interval(values, low=0, high=1)
    assert 0 <= low <= np.mean(values) + 1e-12
    assert np.mean(values) - 1e-12 <= high <= 1


@few
@given(scores, st.floats(0.5, 0.98))
def test_nested_in_confidence(values, confidence):
    inner = bounded_mean_interval(values, low=0, high=1, confidence=confidence)
    outer = bounded_mean_interval(values, low=0, high=1, confidence=confidence + 0.01)
    assert outer.low <= inner.low + 1e-12
    assert outer.high >= inner.high - 1e-12


@few
@given(scores, st.data())
def test_rises_with_every_value(values, data):
    index = data.draw(st.integers(0, len(values) - 1))
    assume(values[index] < 1)
    raised = [*values]
    raised[index] += 0.05
    before = bounded_mean_interval(values, low=0, high=1)
    after = bounded_mean_interval([min(value, 1.0) for value in raised], low=0, high=1)
    assert after.low >= before.low - 1e-9
    assert after.high >= before.high - 1e-9


@few
@given(scores)
def test_mirrors_and_scales(values):
    low, high = bounded_mean_interval(values, low=0, high=1)
    mirrored = bounded_mean_interval([-4 * value for value in values], low=-4, high=0)
    assert mirrored == pytest.approx((-4 * high, -4 * low), rel=1e-8, abs=1e-12)


@few
@given(scores, st.randoms(use_true_random=False))
def test_order_does_not_matter(values, random):
    shuffled = random.sample(values, len(values))
    assert bounded_mean_interval(shuffled, low=0, high=1) == bounded_mean_interval(
        values, low=0, high=1
    )


@few
@given(scores)
def test_one_sided_bounds_are_the_ends_of_a_wider_level(values):
    both = bounded_mean_interval(values, low=0, high=1, confidence=0.9)
    lower = bounded_mean_interval(values, low=0, high=1, confidence=0.95, side="lower")
    upper = bounded_mean_interval(values, low=0, high=1, confidence=0.95, side="upper")
    assert lower == pytest.approx((both.low, 1), rel=1e-9, abs=1e-12)
    assert upper == pytest.approx((0, both.high), rel=1e-9, abs=1e-12)


# Examples


def test_no_value_leaves_the_whole_range():
    assert bounded_mean_interval([], low=-1, high=2) == (-1, 2)


def test_equal_values_are_bounded_by_their_number():
    # The mean lies above u unless at least one of k further draws, all at the end, would show.
    low, high = bounded_mean_interval([0.5] * 20, low=0, high=1, confidence=0.9)
    assert high == pytest.approx(1 - 0.5 * 0.05 ** (1 / 20))
    assert low == pytest.approx(0.5 * 0.05 ** (1 / 20))


@pytest.mark.parametrize("kind", [np.bool_, np.uint8, np.int64, np.float32])
def test_flags_and_whole_numbers_are_values_as_well(kind):
    values = [0, 1, 1, 0, 1]
    expected = bounded_mean_interval([float(value) for value in values], low=0, high=1)
    assert bounded_mean_interval(np.array(values, kind), low=0, high=1) == expected


def test_as_many_values_as_cells_are_not_averaged(monkeypatch):
    values = np.random.default_rng(4).beta(0.3, 3, size=51)
    exact = [bounded_mean_interval(values[:size], low=0, high=1) for size in (50, 51)]
    monkeypatch.setattr(bounded, "_MOST_CELLS", 50)
    assert bounded_mean_interval(values[:50], low=0, high=1) == exact[0]
    assert bounded_mean_interval(values, low=0, high=1) != exact[1]


RANGE = "give the scorer's true range"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            [0.5, 1.5, 2.0],
            f"values between 0 and 1, got 1.5 at position 1 (2 of 3 lie outside): {RANGE}",
        ),
        (
            [float("nan")],
            f"values between 0 and 1, got nan at position 0 (1 of 1 lie outside): {RANGE}",
        ),
        ([[0.5]], "one row of values, got an array of shape (1, 1): pass a flat list"),
    ],
)
def test_values_off_the_range_are_refused(values, message):
    with pytest.raises(InputError, match=f"^expected {re.escape(message)}$"):
        bounded_mean_interval(values, low=0, high=1)


@pytest.mark.parametrize(
    "ends", [(1, 1), (1, 0), (0, float("inf")), (float("-inf"), 1), (float("nan"), 1)]
)
def test_empty_and_endless_ranges_are_refused(ends):
    low, high = ends
    message = f"expected a finite range with low < high, got [{low!r}, {high!r}]: {RANGE}"
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        bounded_mean_interval([1.0], low=low, high=high)


# Error rates


# Every sample of three possible scores, with its probability: no simulation error.
@pytest.mark.slow
@pytest.mark.parametrize("points", [(0.0, 0.5, 1.0), (0.0, 0.1, 1.0), (0.3, 0.6, 0.9)])
@pytest.mark.parametrize("size", [4, 10, 20])
def test_exact_coverage_of_three_point_laws(size, points):
    samples = np.array([(i, j, size - i - j) for i in range(size + 1) for j in range(size + 1 - i)])
    bounds = np.array(
        [
            bounded_mean_interval(np.repeat(points, counts), low=0, high=1, confidence=0.9)
            for counts in samples
        ]
    )
    for i, j in product(range(21), repeat=2):
        if i + j <= 20:
            chances = np.array([i, j, 20 - i - j]) / 20
            weights, mean = multinomial.pmf(samples, size, chances), chances @ points
            assert weights @ (bounds[:, 0] <= mean + 1e-9) >= 0.95
            assert weights @ (bounds[:, 1] >= mean - 1e-9) >= 0.95


# A score that rarely collapses: the t interval sees no collapse and is far too sure.
@pytest.mark.slow
@pytest.mark.parametrize(("size", "collapse", "t_coverage"), [(10, 0.03, 0.3), (30, 0.02, 0.5)])
def test_lower_bound_holds_where_collapses_are_rare(size, collapse, t_coverage):
    generator = np.random.default_rng(size)
    bounds: dict[bytes, float] = {}
    held, t_held = [], []
    for _ in range(2000):
        values = generator.choice([-0.02, 0.0, 0.02], size)
        values[generator.random(size) < collapse] = -1
        values.sort()
        if (key := values.tobytes()) not in bounds:
            bounds[key] = bounded_mean_interval(values, low=-1, high=1, side="lower").low
        held.append(bounds[key] <= -collapse)
        error = values.std(ddof=1) / size**0.5
        t_held.append(values.mean() - student.isf(0.05, size - 1) * error <= -collapse)
    assert np.mean(held) >= 0.95
    assert np.mean(t_held) < t_coverage


# Counts of -1, 0 and 1


@pytest.mark.parametrize(
    ("lost", "gained", "total"),
    [(0, 0, 10), (3, 0, 10), (0, 3, 10), (10, 0, 10), (5, 5, 10), (0, 10, 10), (30, 20, 500)],
)
@pytest.mark.parametrize("side", ["two-sided", "lower", "upper"])
def test_a_net_share_is_a_mean_of_as_many_values(lost, gained, total, side):
    values = np.repeat([1.0, -1.0, 0.0], [lost, gained, total - lost - gained])
    of_values = bounded_mean_interval(values, low=-1, high=1, side=side)
    assert net_share_interval(lost=lost, gained=gained, total=total, side=side) == of_values


def test_a_net_share_of_billions_is_that_of_the_normal_law():
    found = net_share_interval(lost=10**7 + 400, gained=10**7, total=10**9)
    reach = 1.959964 * (2e7 / 1e18) ** 0.5
    assert found == pytest.approx((4e-7 - reach, 4e-7 + reach), rel=1e-3)


def test_no_item_leaves_every_net_share_open():
    assert net_share_interval(lost=0, gained=0, total=0) == (-1, 1)
