from __future__ import annotations

import re
from functools import cache
from math import comb, log
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta, binom, hypergeom

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.statistics.sequential import decide_stream, finite_rate_interval, log_e_values

LIMIT, MOST = 0.05, 1000
NEEDED = log(1 / 0.05)


class Rule(NamedTuple):
    """Where to stop: items in rows, flips in columns."""

    passes: np.ndarray
    fails: np.ndarray


@cache
def e_process() -> Rule:
    items, flips = np.mgrid[: MOST + 1, : MOST + 1]
    possible = flips <= items
    for_pass, for_fail = log_e_values(np.minimum(flips, items), items, limit=LIMIT)
    return Rule(possible & (for_pass >= NEEDED), possible & (for_fail >= NEEDED))


@cache
def naive_peeking() -> Rule:
    items, flips = np.mgrid[: MOST + 1, : MOST + 1]
    possible = (flips <= items) & (items > 0)
    passes = binom.cdf(flips, items, LIMIT) <= 0.05
    fails = binom.sf(flips - 1, items, LIMIT) < 0.05
    return Rule(possible & passes, possible & fails)


class Outcome(NamedTuple):
    passes: float
    fails: float
    mean_items: float


def exact_outcome(rule: Rule, rate: float) -> Outcome:
    """Chances of both verdicts within MOST items, from the law of the number of flips."""
    alive, passes, fails, mean_items = np.zeros(MOST + 1), 0.0, 0.0, 0.0
    alive[0] = 1
    for items in range(1, MOST + 1):
        alive[1:] = alive[1:] * (1 - rate) + alive[:-1] * rate
        alive[0] *= 1 - rate
        now_passes, now_fails = alive[rule.passes[items]].sum(), alive[rule.fails[items]].sum()
        passes, fails = passes + now_passes, fails + now_fails
        mean_items += items * (now_passes + now_fails)
        alive[rule.passes[items] | rule.fails[items]] = 0
    return Outcome(passes, fails, mean_items + MOST * alive.sum())


# Golden values and oracles


# Exact where .928 at 426 was simulated; the others agree with their simulation.
@pytest.mark.parametrize(
    ("rate", "passes", "fails", "mean_items"),
    [
        (0, 1, 0, 74),
        (0.025, 0.9216, 0.0024, 430.8),
        (0.05, 0.0404, 0.0178, 950.3),
        (0.10, 0.0004, 0.9968, 253.8),
        (0.25, 0, 1, 20.3),
    ],
)
def test_power_of_the_e_process(rate, passes, fails, mean_items):
    outcome = exact_outcome(e_process(), rate)
    assert outcome.passes == pytest.approx(passes, abs=5e-5)
    assert outcome.fails == pytest.approx(fails, abs=5e-5)
    assert outcome.mean_items == pytest.approx(mean_items, abs=0.05)


def test_naive_peeking_is_wrong_half_of_the_time():
    outcome = exact_outcome(naive_peeking(), LIMIT)
    assert outcome.passes == pytest.approx(0.2225, abs=5e-5)
    assert outcome.fails == pytest.approx(0.2742, abs=5e-5)


@pytest.mark.parametrize("limit", [0.02, 0.3])
@pytest.mark.parametrize(("flips", "items"), [(0, 0), (0, 30), (3, 20), (20, 20), (2, 200)])
def test_e_values_are_mixtures_of_likelihood_ratios(flips, items, limit):
    law = beta(0.5, 0.5)

    def ratio(rate: float) -> float:
        likelihood = rate**flips * (1 - rate) ** (items - flips)
        return likelihood / (limit**flips * (1 - limit) ** (items - flips)) * law.pdf(rate)

    below = quad(ratio, 0, limit, limit=200)[0] / law.cdf(limit)
    above = quad(ratio, limit, 1, limit=200)[0] / law.sf(limit)
    for_pass, for_fail = log_e_values(flips, items, limit=limit)
    assert np.exp(for_pass) == pytest.approx(below, rel=1e-6)
    assert np.exp(for_fail) == pytest.approx(above, rel=1e-6)


@pytest.mark.parametrize("limit", [0.02, 0.3])
def test_bets_are_fair_at_the_limit_and_lose_beyond_it(limit):
    flips = np.arange(61)
    for_pass, for_fail = log_e_values(flips, 60, limit=limit)
    assert binom.pmf(flips, 60, limit) @ np.exp(for_pass) == pytest.approx(1)
    assert binom.pmf(flips, 60, limit) @ np.exp(for_fail) == pytest.approx(1)
    assert binom.pmf(flips, 60, limit * 1.2) @ np.exp(for_pass) < 1
    assert binom.pmf(flips, 60, limit * 0.8) @ np.exp(for_fail) < 1


@given(
    st.integers(1, 60).flatmap(
        lambda population: st.integers(0, population).flatmap(
            lambda items: st.tuples(st.integers(0, items), st.just(items), st.just(population))
        )
    ),
    st.sampled_from([0.5, 0.9, 0.99]),
)
def test_finite_interval_spans_every_total_that_is_not_refuted(counts, confidence):
    flips, items, population = counts
    # Prior over posterior is the marginal likelihood over the likelihood of the total.
    marginal = np.prod([(i + 0.5) for i in range(flips)] or [1.0])
    marginal *= np.prod([(i + 0.5) for i in range(items - flips)] or [1.0])
    marginal /= np.prod([i + 1.0 for i in range(items)] or [1.0])
    kept = [
        total
        for total in range(flips, population - items + flips + 1)
        if comb(population - items, total - flips) / comb(population, total)
        >= marginal * (1 - confidence) * (1 - 1e-9)
    ]
    result = finite_rate_interval(flips, items, population=population, confidence=confidence)
    assert result == pytest.approx((min(kept) / population, max(kept) / population))


# The chance that the interval ever leaves the true total out, from the law of the draws.
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_finite_interval_holds_at_every_moment(confidence):
    population = 40
    intervals = {
        (flips, items): finite_rate_interval(
            flips, items, population=population, confidence=confidence
        )
        for items in range(population + 1)
        for flips in range(items + 1)
    }
    for total in range(population + 1):
        alive = {0: 1.0}
        for items in range(1, population + 1):
            after: dict[int, float] = {}
            for flips, chance in alive.items():
                left = population - items + 1
                for flip, share in ((1, (total - flips) / left), (0, 1 - (total - flips) / left)):
                    low, high = intervals[flips + flip, items] if share > 1e-12 else (1, 0)
                    if low <= total / population <= high:
                        after[flips + flip] = after.get(flips + flip, 0.0) + chance * share
            alive = after
        assert sum(alive.values()) >= confidence


# Laws


@given(st.integers(0, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_two_bets_swap_when_flips_and_the_rest_do(counts):
    flips, items = counts
    for_pass, for_fail = log_e_values(flips, items, limit=0.2)
    swapped = log_e_values(items - flips, items, limit=0.8)
    assert swapped.for_pass == pytest.approx(for_fail, rel=1e-7, abs=1e-7)
    if np.isfinite(for_pass):
        assert swapped.for_fail == pytest.approx(for_pass, rel=1e-7, abs=1e-7)
    else:
        assert swapped.for_fail < 0
    more = log_e_values(flips + 1, items + 1, limit=0.2)
    assert more.for_pass <= for_pass + 1e-9


@given(st.lists(st.booleans(), max_size=300), st.lists(st.booleans(), max_size=50))
def test_a_decision_stands_whatever_follows(flipped, later):
    decision = decide_stream(flipped, limit=0.2)
    if decision.verdict == "continue":
        assert decision == ("continue", len(flipped), sum(flipped))
    else:
        assert decide_stream([*flipped, *later], limit=0.2) == decision
        assert decision.flips == sum(flipped[: decision.items])


# Examples


def test_streams_are_decided_at_the_first_sufficient_item():
    assert decide_stream([0] * 73, limit=0.05) == ("continue", 73, 0)
    assert decide_stream([0] * 74, limit=0.05) == ("pass", 74, 0)
    assert decide_stream([1] * 10, limit=0.05).verdict == "fail"
    assert decide_stream([], limit=0.05) == ("continue", 0, 0)


def test_hopeless_evidence_is_minus_infinity():
    assert log_e_values(50_000, 100_000, limit=0.01).for_pass == -np.inf
    assert np.isfinite(log_e_values(50_000, 100_000, limit=0.01).for_fail)


def test_finite_interval_opens_wide_and_closes_on_the_truth():
    assert finite_rate_interval(0, 0, population=100) == (0, 1)
    assert finite_rate_interval(7, 100, population=100) == (0.07, 0.07)
    low, high = finite_rate_interval(3, 200, population=10**9)
    assert 0 < low < 3 / 200 < high < 0.1


@pytest.mark.parametrize(
    ("flips", "items", "population", "message"),
    [
        (3, 2, 10, "flips <= items <= population, got 3, 2 and 10"),
        (2, 11, 10, "flips <= items <= population, got 2, 11 and 10"),
        (0, 0, 0, "flips <= items <= population, got 0, 0 and 0"),
        (-1, 2, 10, "flips to be a count, an integer of at least 0, got -1"),
        (1, 2.5, 10, "items to be a count, an integer of at least 0, got 2.5"),
        (1, 2, None, "population to be a count, an integer of at least 0, got None"),
    ],
)
def test_impossible_counts_are_refused(flips, items, population, message):
    with pytest.raises(InputError, match=f"^expected {re.escape(message)}$"):
        finite_rate_interval(flips, items, population=population)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: log_e_values([1, 3], [2, 2], limit=0.05),
            "flips between 0 and the number of items, got 3 of 2",
        ),
        (
            lambda: decide_stream([0, 1, 2], limit=0.05),
            "a row of True (a flip) and False (no flip), got 2 at item 2: pass one of them "
            "per item",
        ),
        (
            lambda: decide_stream([[0, 1]], limit=0.05),
            "a row of True (a flip) and False (no flip), got an array of shape (1, 2): pass one "
            "per item",
        ),
    ],
)
def test_impossible_streams_are_refused(call, message):
    with pytest.raises(InputError, match=f"^expected {re.escape(message)}$"):
        call()


def test_percentages_are_refused():
    with pytest.raises(UsageError, match="limit strictly between 0 and 1"):
        decide_stream([0, 1], limit=5)
    with pytest.raises(UsageError, match="confidence level"):
        decide_stream([0, 1], limit=0.05, confidence=95)
    with pytest.raises(UsageError, match="confidence level"):
        finite_rate_interval(0, 1, population=2, confidence=95)


# Error rates


@pytest.mark.slow
def test_false_decisions_of_6000_streams():
    generator = np.random.default_rng(0)
    flips = np.cumsum(generator.random((6000, MOST)) < LIMIT, axis=1)
    items = np.arange(1, MOST + 1)
    wrong = {}
    for name, rule in (("e-process", e_process()), ("peeking", naive_peeking())):
        passes, fails = rule.passes[items, flips], rule.fails[items, flips]
        first = np.argmax(passes | fails, axis=1)
        rows = np.arange(6000)
        wrong[name] = passes[rows, first].mean(), fails[rows, first].mean()
    assert max(wrong["e-process"]) <= 0.05
    assert wrong["e-process"] == pytest.approx((0.0404, 0.0178), abs=0.01)
    assert wrong["peeking"] == pytest.approx((0.2225, 0.2742), abs=0.02)


# Drawn without replacement from a benchmark whose rate is known.
@pytest.mark.slow
def test_finite_interval_of_streams_without_replacement():
    population, total = 400, 20
    generator = np.random.default_rng(1)
    table = np.array(
        [
            [
                finite_rate_interval(flips, items, population=population)
                if flips <= items and hypergeom.pmf(flips, population, total, items) > 0
                else (0.0, 1.0)
                for flips in range(total + 1)
            ]
            for items in range(population + 1)
        ]
    )
    order = generator.permuted(np.tile(np.arange(population) < total, (3000, 1)), axis=1)
    flips = np.cumsum(order, axis=1)
    bounds = table[np.arange(1, population + 1), flips]
    truth = total / population
    held = ((bounds[..., 0] <= truth) & (truth <= bounds[..., 1])).all(axis=1)
    assert held.mean() >= 0.95
