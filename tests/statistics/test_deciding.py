from __future__ import annotations

import re
from math import ceil, exp, floor, log, sqrt
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.special import betaln
from scipy.stats import betabinom

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.statistics.deciding import (
    chance_of_items,
    chance_of_units,
    items_to_decide,
    required_repeats,
)
from muscle_metrics.statistics.noise import estimate_noise
from muscle_metrics.statistics.power import minimum_items
from muscle_metrics.statistics.proportions import proportion_interval


def bound(count, items, side):
    low, high = proportion_interval(count, items, method="clopper-pearson", side=side)
    return high if side == "upper" else low


@given(st.integers(0, 40), st.integers(41, 2000), st.floats(0.005, 0.3))
def test_the_added_items_decide_and_fewer_do_not(count, total, limit):
    assume(abs(count / total / limit - 1) > 0.1)
    more = items_to_decide(count, total, limit=limit)
    rate, side = count / total, "upper" if count / total < limit else "lower"
    # Flips are whole: rounded against the decision it may miss, for the decision it must not.
    helpful = floor if side == "upper" else ceil
    flips = helpful(round(rate * (total + more), 9))
    decided = bound(flips, total + more, side)
    assert decided <= limit + 1e-12 if side == "upper" else decided >= limit - 1e-12
    if more:
        flips = (ceil if side == "upper" else floor)(round(rate * (total + more - 1), 9))
        undecided = bound(flips, total + more - 1, side)
        assert undecided > limit - 1e-12 if side == "upper" else undecided < limit + 1e-12


@pytest.mark.parametrize("limit", [0.01, 0.05])
def test_without_flips_the_minimum_is_missing(limit):
    assert items_to_decide(0, 20, limit=limit) == minimum_items(limit) - 20


def test_a_decided_gate_needs_nothing():
    assert items_to_decide(0, 1000, limit=0.02) == 0
    assert items_to_decide(100, 1000, limit=0.02) == 0
    assert items_to_decide(5, 5, limit=0.02) == 0


def test_a_rate_at_the_limit_never_decides():
    assert items_to_decide(1, 50, limit=0.02) is None


# Where every item flips, the lower bound after n of them is alpha**(1 / n).
@pytest.mark.parametrize("limit", [0.04, 0.3, 0.9])
def test_where_every_item_flips_the_number_has_a_formula(limit):
    assert items_to_decide(1, 1, limit=limit) == floor(log(0.05) / log(limit) + 1) - 1


# Binary fractions: both bounds meet the limit exactly after 2 items, at an error of 1/4.
def test_a_bound_that_meets_the_limit_passes_and_does_not_fail():
    assert bound_at_half("upper") == bound_at_half("lower") == 0.5
    assert items_to_decide(0, 1, limit=0.5, confidence=0.75) == 1
    assert items_to_decide(1, 1, limit=0.5, confidence=0.75) == 2


def bound_at_half(side):
    low, high = proportion_interval(
        0 if side == "upper" else 2, 2, method="clopper-pearson", side=side, confidence=0.75
    )
    return high if side == "upper" else low


# The reach of a normal bound, 1.6448536 * sqrt(.02 * .98 / items), is 2.3e-7 after 10**12 items.
def test_next_to_the_limit_no_affordable_number_decides():
    more = items_to_decide(1_999_975, 10**8, limit=0.02)
    assert 10**8 + more == pytest.approx((1.6448536 / 2.5e-7) ** 2 * 0.02 * 0.98, rel=1e-4)
    assert items_to_decide(1_999_980, 10**8, limit=0.02) is None


@pytest.mark.parametrize(
    ("count", "total", "message"),
    [
        (3, 2, "expected count <= total and at least 1 item, got 3 of 2"),
        (0, 0, "expected count <= total and at least 1 item, got 0 of 0"),
        (-1, 2, "expected count to be a count, an integer of at least 0, got -1"),
        (1, 2.5, "expected total to be a count, an integer of at least 0, got 2.5"),
    ],
)
def test_what_is_not_a_count_is_refused(count, total, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        items_to_decide(count, total, limit=0.02)


def test_a_percentage_is_refused_as_a_limit():
    with pytest.raises(UsageError, match=r"^expected limit strictly between 0 and 1, got 2: write"):
        items_to_decide(0, 10, limit=2)


@pytest.mark.parametrize("confidence", [0.7, 0.95, 0.99])
def test_repeats_bring_the_bound_within_the_margin(confidence):
    options = {"prompts": 600, "repeat_variance": 0.25, "prompt_variance": 0.01, "margin": 0.01}
    repeats = required_repeats(repeats=4, confidence=confidence, **options)

    def reach(number: int) -> float:
        deviation = sqrt((0.01 + 0.25 * 4 / number) / 600)
        return NormalDist().inv_cdf(confidence) * deviation

    assert reach(repeats) <= 0.01 < reach(repeats - 1)


def test_repeats_cannot_replace_prompts():
    options = {"prompts": 100, "repeats": 4, "repeat_variance": 0.04, "margin": 0.01}
    assert required_repeats(prompt_variance=0.01, **options) is None
    assert required_repeats(prompt_variance=0.0, **{**options, "margin": 0.5}) == 4


@pytest.mark.parametrize("confidence", [0.2, 0.5])
def test_a_level_that_the_estimate_reaches_needs_no_repeats(confidence):
    options = {"prompts": 100, "repeat_variance": 0.04, "prompt_variance": 5, "margin": 0.01}
    assert required_repeats(repeats=4, confidence=confidence, **options) == 4


# Four prompts and a margin of a half leave exactly nothing to the noise of decoding.
def test_repeats_without_end_are_too_many():
    options = {"prompts": 4, "repeats": 2, "repeat_variance": 0.04, "margin": 0.5}
    between = 1 / NormalDist().inv_cdf(0.95) ** 2
    assert required_repeats(prompt_variance=between, **options) is None
    assert required_repeats(prompt_variance=between * 0.9999, **options) > 1000


# The variances estimated at three repeats foretell the spread of the flip rate at twelve.
def test_estimated_variances_foretell_more_repeats():
    generator = np.random.default_rng(0)
    p = generator.beta(2, 2, 400)

    def run(repeats: int):
        return estimate_noise(
            old_right=generator.binomial(repeats, p),
            old_repeats=repeats,
            new_right=generator.binomial(repeats, p),
            new_repeats=repeats,
        )

    few = [run(3) for _ in range(300)]
    within = np.mean([noise.repeat_variance for noise in few])
    spread = np.var([noise.flip_rate.mean for noise in few])
    assert within / 400 == pytest.approx(spread, rel=0.25)
    many = np.var([run(12).flip_rate.mean for _ in range(300)])
    # A little less than a quarter, because both models are averaged at once.
    assert 0.6 * spread / 4 < many < 1.2 * spread / 4


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"prompts": 0},
            InputError,
            "expected at least 1 prompt and 1 repeat, got 0 prompts and 4 repeats",
        ),
        ({"prompts": -1}, InputError, "expected prompts to be a count, an integer of at least 0"),
        (
            {"repeats": 1.5},
            InputError,
            "expected repeats to be a count, an integer of at least 0",
        ),
        ({"margin": 0}, UsageError, "expected margin, the distance to the limit, above 0, got 0: "),
        ({"confidence": 95}, UsageError, "expected a confidence level between 0 and 1, got 95: "),
    ],
)
def test_impossible_repeats_are_refused(change, error, message):
    options = {
        "prompts": 600,
        "repeats": 4,
        "repeat_variance": 0.04,
        "prompt_variance": 0.01,
        "margin": 0.01,
    }
    with pytest.raises(error, match=f"^{message}"):
        required_repeats(**{**options, **change})


# The chance of a decision


# Without prior knowledge the rates after 0 flips of n are Beta(1/2, n + 1/2), so that no flip in m
# more has probability B(1/2, n + m + 1/2) / B(1/2, n + 1/2).
def test_without_flips_the_chance_has_a_formula():
    more = items_to_decide(0, 100, limit=0.02)
    expected = exp(betaln(0.5, 100.5 + more) - betaln(0.5, 100.5))
    assert chance_of_items(0, 100, more=more, limit=0.02) == pytest.approx(expected, abs=0.002)


@pytest.mark.parametrize(
    ("count", "total", "more", "limit"),
    [(10, 500, 800, 0.03), (52, 500, 651, 0.12), (3, 50, 40, 0.2)],
)
def test_the_chance_adds_up_the_counts_that_decide(count, total, more, limit):
    chance = 0.0
    for flips in range(more + 1):
        found = [bound(count + flips, total + more, side) for side in ("lower", "upper")]
        if found[1] <= limit or found[0] > limit:
            chance += betabinom.pmf(flips, more, count + 0.5, total - count + 0.5)
    assert chance_of_items(count, total, more=more, limit=limit) == pytest.approx(chance, abs=0.002)


# True rates of any size, items that flip by them, and the advice followed: of all cases that are
# undecided after 200 items the advised number decides as many as it says.
def test_the_advised_number_decides_as_often_as_it_says():
    rng = np.random.default_rng(5)
    said, decided = [], []
    while len(said) < 400:
        rate = rng.beta(0.5, 0.5)
        count = int(rng.binomial(200, rate))
        more = items_to_decide(count, 200, limit=0.1)
        if not more or more > 10**7:
            continue
        said.append(chance_of_items(count, 200, more=more, limit=0.1))
        flips, items = count + int(rng.binomial(more, rate)), 200 + more
        decided.append(bound(flips, items, "upper") <= 0.1 or bound(flips, items, "lower") > 0.1)
    assert np.mean(said) == pytest.approx(np.mean(decided), abs=0.06)


# A normal estimate with a flat prior, simulated: old values are the share (distance / reach)^2.
@pytest.mark.parametrize("distance", [0.1, 0.5, 0.9])
def test_the_chance_of_units_is_that_of_a_normal_estimate(distance):
    rng = np.random.default_rng(6)
    z = NormalDist().inv_cdf(0.95)
    error, share = 1 / z, distance**2
    truth = rng.normal(0, error, 40_000)
    others = truth + rng.normal(0, error * sqrt(share / (1 - share)), 40_000)
    estimate = (1 - share) * others
    decided = np.abs(distance - estimate) >= distance
    found = chance_of_units(reach=1.0, distance=distance)
    assert found == pytest.approx(decided.mean(), abs=0.01)


def test_a_bound_at_the_limit_has_decided():
    assert chance_of_units(reach=0.1, distance=0.1) == 1


def test_added_items_are_a_count():
    with pytest.raises(InputError, match=r"^expected more to be a count"):
        chance_of_items(1, 2, more=-1, limit=0.1)
