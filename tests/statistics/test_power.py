from __future__ import annotations

from math import ceil, floor, log

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.statistics.power import gate_power, minimum_items, required_items
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
        power = gate_power(items=number, limit=limit, true_rate=rate)
        return power.passes if goal == "pass" else power.fails

    stretch = max(10, items // 50)
    assert all(chance(number) >= 0.8 for number in range(items, items + stretch))
    for start in range(max(items - 60, 1), items):
        stretch = max(10, start // 50)
        assert any(chance(number) < 0.8 for number in range(start, start + stretch))


@given(
    st.integers(1, 120),
    st.floats(0.005, 0.6),
    st.floats(0, 1),
    st.sampled_from([0.8, 0.9, 0.95, 0.99]),
)
def test_power_adds_up_the_verdicts_of_the_bounds(items, limit, rate, confidence):
    expected = dict.fromkeys(("pass", "fail", "inconclusive"), 0.0)
    for count in range(items + 1):
        expected[verdict(count, items, limit, confidence)] += binom.pmf(count, items, rate)
    power = gate_power(items=items, limit=limit, true_rate=rate, confidence=confidence)
    assert power.passes == pytest.approx(expected["pass"], abs=1e-9)
    assert power.fails == pytest.approx(expected["fail"], abs=1e-9)
    assert power.inconclusive == pytest.approx(expected["inconclusive"], abs=1e-9)


@pytest.mark.parametrize("limit", [0.01, 0.02, 0.05, 0.1, 0.3])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_no_wrong_verdict_at_the_limit_beyond_alpha(limit, confidence):
    for items in (*range(1, 200), 1000, 12_000):
        power = gate_power(items=items, limit=limit, true_rate=limit, confidence=confidence)
        assert power.passes <= 1 - confidence + 1e-12
        assert power.fails <= 1 - confidence + 1e-12


@pytest.mark.parametrize("limit", [0.001, 0.01, 0.02, 0.05, 0.1, 0.3, 0.5])
@pytest.mark.parametrize("confidence", [0.8, 0.9, 0.95, 0.99])
def test_minimum_items_is_where_no_flip_first_passes(limit, confidence):
    items = minimum_items(limit, confidence)
    assert items == ceil(log(1 - confidence) / log(1 - limit))
    assert verdict(0, items, limit, confidence) == "pass"
    assert items == 1 or verdict(0, items - 1, limit, confidence) == "inconclusive"
    assert gate_power(items=items, limit=limit, true_rate=0, confidence=confidence).passes == 1


def test_power_of_a_million_items():
    power = gate_power(items=10**6, limit=0.02, true_rate=0.0195)
    assert power.passes == pytest.approx(binom.cdf(19_769, 10**6, 0.0195))
    assert floor(10**6 * proportion_interval(19_769, 10**6, confidence=0.9).high) <= 20_000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"limit": 2}, r"limit strictly between 0 and 1, got 2: write 2 % as 0\.02"),
        ({"limit": 0}, "limit strictly between 0 and 1, got 0"),
        ({"true_rate": 1.5}, r"true rate between 0 and 1, got 1\.5"),
        ({"true_rate": 0.02}, "true rate below the limit to plan for 'pass'"),
        ({"true_rate": 0.01, "verdict": "fail"}, "true rate above the limit to plan for 'fail'"),
        ({"true_rate": 0.0199999}, "plan for a rate further from the limit"),
        ({"power": 80}, "power strictly between 0 and 1, got 80"),
        ({"confidence": 95}, "confidence level between 0 and 1"),
        ({"verdict": "PASS"}, "verdict to be one of .*'pass', 'fail'.*, got 'PASS'"),
    ],
)
def test_impossible_plans_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        required_items(**{"limit": 0.02, "true_rate": 0.01, **options})


@pytest.mark.parametrize("items", [0, -3, 1.5])
def test_what_is_not_a_number_of_items_is_refused(items):
    with pytest.raises(InputError, match="item"):
        gate_power(items=items, limit=0.02, true_rate=0.01)
