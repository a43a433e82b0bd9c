from __future__ import annotations

import re
from math import ceil, floor, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.statistics import power
from muscle_metrics.statistics.power import (
    _first_lasting,
    gate_power,
    minimum_items,
    required_items,
)
from muscle_metrics.statistics.proportions import proportion_interval


def verdict(count: int, items: int, limit: float, confidence: float) -> str:
    """What the gate says, from its bounds."""
    options = {"confidence": confidence, "method": "clopper-pearson"}
    if proportion_interval(count, items, side="upper", **options).high <= limit:
        return "pass"
    if proportion_interval(count, items, side="lower", **options).low > limit:
        return "fail"
    return "inconclusive"


# Golden values: exact search with scipy 1.17.1's binom, power .8, one-sided level .95. A search in
# larger steps gives 9424, 4649 and 1812 for 75 % of a limit of 1 %, 2 % and 5 %.
@pytest.mark.parametrize(
    ("limit", "share", "items"),
    [
        (0.01, 0, 299),
        (0.01, 0.25, 773),
        (0.01, 0.5, 1941),
        (0.01, 0.75, 9409),
        (0.01, 1.5, 3295),
        (0.01, 2, 905),
        (0.01, 3, 301),
        (0.02, 0, 149),
        (0.02, 0.25, 386),
        (0.02, 0.5, 969),
        (0.02, 0.75, 4646),
        (0.02, 1.5, 1611),
        (0.02, 2, 452),
        (0.02, 3, 150),
        (0.05, 0, 59),
        (0.05, 0.25, 153),
        (0.05, 0.5, 386),
        (0.05, 0.75, 1810),
        (0.05, 1.5, 614),
        (0.05, 2, 191),
        (0.05, 3, 59),
        (0.10, 0, 29),
        (0.10, 0.25, 76),
        (0.10, 0.5, 203),
        (0.10, 0.75, 869),
        (0.10, 1.5, 299),
        (0.10, 2, 89),
        (0.10, 3, 29),
    ],
)
def test_required_items(limit, share, items):
    goal = "pass" if share < 1 else "fail"
    assert required_items(limit=limit, true_rate=share * limit, verdict=goal) == items


# The power holds for the number and the stretch after it, and one item fewer breaks that.
@pytest.mark.parametrize(
    ("limit", "rate", "goal"),
    [(0.05, 0.025, "pass"), (0.05, 0.075, "fail"), (0.1, 0.02, "pass"), (0.02, 0.2, "fail")],
)
def test_required_items_is_the_first_lasting_number(limit, rate, goal):
    items = required_items(limit=limit, true_rate=rate, verdict=goal)

    def chance(number: int) -> float:
        chances = gate_power(items=number, limit=limit, true_rate=rate)
        return chances.passes if goal == "pass" else chances.fails

    stretch = max(10, items // 50)
    assert all(chance(number) >= 0.8 for number in range(items, items + stretch))
    for start in range(max(items - 60, 1), items):
        stretch = max(10, start // 50)
        assert any(chance(number) < 0.8 for number in range(start, start + stretch))


# Each size costs three binomial tails, and a plan may need ten million items.
@pytest.mark.parametrize(("rate", "goal"), [(0.39, "pass"), (0.41, "fail"), (0.36, "pass")])
def test_the_search_stays_near_the_answer(rate, goal, monkeypatch):
    seen: list[int] = []
    chance = getattr(power, f"_chance_to_{goal}")

    def recorded(sizes, *rest):
        seen.extend(sizes)
        return chance(sizes, *rest)

    monkeypatch.setattr(power, f"_chance_to_{goal}", recorded)
    items = required_items(limit=0.4, true_rate=rate, verdict=goal)
    # Half of the block of 8 / |limit - rate| lies before the normal approximation.
    unit = 1 / abs(0.4 - rate)
    assert items - 6.5 * unit < min(seen) < items - 4 * unit
    assert len(seen) <= (8 + 16) * unit + 6


# By looking at every size, whatever the blocks in which the search goes on.
@given(
    st.sets(st.integers(1, 1500), max_size=30),
    st.integers(1, 800),
    st.integers(1, 400),
)
def test_the_search_finds_the_first_size_that_lasts(failing, start, block):
    def lasts(size: int) -> bool:
        return failing.isdisjoint(range(size, size + max(10, size // 50)))

    found = _first_lasting(lambda sizes: ~np.isin(sizes, list(failing)), start=start, block=block)
    assert found == next(size for size in range(start, 1502) if lasts(size))


@given(
    st.integers(1, 120),
    st.floats(0.005, 0.6),
    # scipy 1.17.1's binom.pmf overflows next to a rate of 1e-308.
    st.just(0.0) | st.floats(1e-200, 1),
    st.sampled_from([0.8, 0.9, 0.95, 0.99]),
)
def test_power_adds_up_the_verdicts_of_the_bounds(items, limit, rate, confidence):
    expected = dict.fromkeys(("pass", "fail", "inconclusive"), 0.0)
    for count in range(items + 1):
        expected[verdict(count, items, limit, confidence)] += binom.pmf(count, items, rate)
    chances = gate_power(items=items, limit=limit, true_rate=rate, confidence=confidence)
    assert chances.passes == pytest.approx(expected["pass"], abs=1e-9)
    assert chances.fails == pytest.approx(expected["fail"], abs=1e-9)
    assert chances.inconclusive == pytest.approx(expected["inconclusive"], abs=1e-9)


# Of two items each verdict needs both alike, with probability 1/4 at the limit: the error itself.
def test_a_bound_that_meets_the_limit_passes_and_does_not_fail():
    assert verdict(0, 2, 0.5, 0.75) == "pass"
    assert verdict(2, 2, 0.5, 0.75) == "inconclusive"
    chances = gate_power(items=2, limit=0.5, true_rate=0.5, confidence=0.75)
    assert chances == pytest.approx((0.25, 0, 0.75))


# Where half of the items may flip, one or two pass without a flip: with .75 and .75**2.
def test_a_power_that_is_met_exactly_is_enough():
    plan = {"limit": 0.5, "true_rate": 0.25, "confidence": 0.5}
    assert [gate_power(items=n, **plan).passes for n in (1, 2)] == [0.75, 0.5625]
    assert required_items(power=0.5625, **plan) == 1


def test_a_population_that_always_flips_always_fails():
    assert gate_power(items=386, limit=0.05, true_rate=1) == (0, 1, 0)
    assert required_items(limit=0.9, true_rate=1, verdict="fail") == 29


@pytest.mark.parametrize("limit", [0.01, 0.02, 0.05, 0.1, 0.3])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_no_wrong_verdict_at_the_limit_beyond_alpha(limit, confidence):
    for items in (*range(1, 200), 1000, 12_000):
        chances = gate_power(items=items, limit=limit, true_rate=limit, confidence=confidence)
        assert chances.passes <= 1 - confidence + 1e-12
        assert chances.fails <= 1 - confidence + 1e-12


@pytest.mark.parametrize("limit", [0.001, 0.01, 0.02, 0.05, 0.1, 0.3, 0.5])
@pytest.mark.parametrize("confidence", [0.8, 0.9, 0.95, 0.99])
def test_minimum_items_is_where_no_flip_first_passes(limit, confidence):
    items = minimum_items(limit, confidence)
    assert items == ceil(log(1 - confidence) / log(1 - limit))
    assert confidence != 0.95 or minimum_items(limit) == items
    assert verdict(0, items, limit, confidence) == "pass"
    assert items == 1 or verdict(0, items - 1, limit, confidence) == "inconclusive"
    assert gate_power(items=items, limit=limit, true_rate=0, confidence=confidence).passes == 1


def test_power_of_a_million_items():
    chances = gate_power(items=10**6, limit=0.02, true_rate=0.0195)
    assert chances.passes == pytest.approx(binom.cdf(19_769, 10**6, 0.0195))
    assert floor(10**6 * proportion_interval(19_769, 10**6, confidence=0.9).high) <= 20_000


WRONG_SIDE = (
    "and limit 0.02, where no number of items makes this verdict likely: plan for another "
    "--true-rate (true_rate=) or --verdict (verdict=)"
)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"limit": 2}, "limit strictly between 0 and 1, got 2: write 2 % as 0.02"),
        ({"limit": 0}, "limit strictly between 0 and 1, got 0: write 2 % as 0.02"),
        (
            {"true_rate": 1.5},
            "a true rate between 0 and 1, got 1.5: write 2 % as --true-rate 0.02 (true_rate=)",
        ),
        (
            {"true_rate": 0.02},
            f"a true rate below the limit to plan for 'pass', got 0.02 {WRONG_SIDE}",
        ),
        (
            {"verdict": "fail"},
            f"a true rate above the limit to plan for 'fail', got 0.01 {WRONG_SIDE}",
        ),
        (
            {"true_rate": 0.01999},
            # Normal approximation: ((1.6448536 * .14 + .8416212 * .1399657) / 1e-5)**2.
            "a plan of at most 10000000 items, got about 1211580303 for a true rate of 0.01999 and "
            "limit 0.02: plan for a rate further from the limit",
        ),
        ({"power": 80}, "power strictly between 0 and 1, got 80: write 2 % as 0.02"),
        ({"confidence": 95}, "a confidence level between 0 and 1, got 95: write 95 % as 0.95"),
        ({"verdict": "PASS"}, "verdict to be one of ['pass', 'fail'], got 'PASS'"),
    ],
)
def test_impossible_plans_are_refused(options, message):
    with pytest.raises(UsageError, match=f"^expected {re.escape(message)}$"):
        required_items(**{"limit": 0.02, "true_rate": 0.01, **options})


@pytest.mark.parametrize("options", [{"limit": 2}, {"true_rate": -0.5}, {"confidence": 95}])
def test_what_is_not_a_rate_is_refused(options):
    with pytest.raises(UsageError, match=r"^expected .* between 0 and 1, got"):
        gate_power(**{"items": 100, "limit": 0.02, "true_rate": 0.01, **options})


def test_a_percentage_is_no_limit_of_a_minimum():
    with pytest.raises(UsageError, match=r"^expected limit strictly between 0 and 1, got 2: write"):
        minimum_items(2)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (0, "at least 1 item, got 0"),
        (-3, "items to be a count, an integer of at least 0, got -3"),
        (1.5, "items to be a count, an integer of at least 0, got 1.5"),
    ],
)
def test_what_is_not_a_number_of_items_is_refused(items, message):
    with pytest.raises(InputError, match=f"^expected {re.escape(message)}$"):
        gate_power(items=items, limit=0.02, true_rate=0.01)
