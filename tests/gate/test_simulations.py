"""How often the gate errs, by simulation; rates over independent items are exact in test_gate."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest
from scipy.stats import binom

from muscle_metrics import Policy, check_gate
from muscle_metrics.answers.correctness import Correctness
from muscle_metrics.comparison.comparison import Comparison
from muscle_metrics.comparison.items import ItemTable

pytestmark = pytest.mark.slow


def compared(old, new, groups=None):
    """A comparison of verdicts, shape (prompts,) or (prompts, generations)."""
    prompts, generations = old.shape if old.ndim == 2 else (len(old), 1)
    nothing = (None,) * old.size
    table = ItemTable(
        ids=tuple(str(i) for i in range(prompts) for _ in range(generations)),
        tasks=nothing,
        repeats=tuple(str(k) for _ in range(prompts) for k in range(generations)),
        slices=nothing,
        groups=nothing if groups is None else tuple(map(str, groups)),
        old=nothing,
        new=nothing,
        references=nothing,
    )
    return Comparison(
        names=("old", "new"),
        table=table,
        correctness=Correctness(old.ravel(), new.ravel(), None),
        changes={},
        dropped={},
        fingerprints=({}, {}),
        recipe={},
    )


def shares(make, limit, runs):
    """Share of each outcome over seeded runs."""
    policy = Policy(max_nfr=limit)
    outcomes = (check_gate(make(seed), policy).outcome for seed in range(runs))
    counts = Counter(outcomes)
    return {name: counts[name] / runs for name in ("PASS", "FAIL", "INCONCLUSIVE")}


def generate(rng, chances, generations):
    return rng.random((len(chances), generations)) < chances[:, None]


# Stochastic decoding


def unchanged(seed):
    """Answers of one model, twice: prompts of any difficulty, 3, 5 or 10 generations."""
    rng = np.random.default_rng(seed)
    difficulty = [(0.5, 0.5), (2, 1), (5, 1), (1, 3)][seed % 4]
    chances, generations = rng.beta(*difficulty, 600), (3, 5, 10)[seed % 3]
    return compared(generate(rng, chances, generations), generate(rng, chances, generations))


def test_an_unchanged_stochastic_model_never_fails():
    found = shares(unchanged, "0.02", runs=400)
    assert found["FAIL"] == 0


def masked(seed):
    """One prompt in ten collapses while the others improve by more than that in sum."""
    rng = np.random.default_rng(seed)
    old = rng.beta(2, 1, 600)
    new = (old + 1) / 2
    new[:60] = old[:60] / 10
    assert new.mean() > old.mean()
    return compared(generate(rng, old, 10), generate(rng, new, 10))


def test_a_masked_regression_fails():
    assert shares(masked, "0.02", runs=50)["FAIL"] >= 0.9


def noisy(rate):
    """Unchanged prompts; enough of them are stochastic to give this flip rate."""

    def make(seed):
        rng = np.random.default_rng(seed)
        # The mean of p (1 - p) over Beta(2, 2) is 1 / 5.
        chances = np.where(rng.random(800) < 5 * rate, rng.beta(2, 2, 800), 1.0)
        return compared(generate(rng, chances, 5), generate(rng, chances, 5))

    return make


def regressed(mass):
    """Prompts that collapse with the chance given, among others that are noisy or improve."""

    def make(seed):
        rng = np.random.default_rng(seed)
        kind = rng.random(800)
        old = np.where(kind < 0.1, rng.beta(2, 2, 800), 1.0)
        new = old.copy()
        old[kind > 0.9], new[kind > 0.9] = 0.5, 0.9
        collapsed = rng.random(800) < mass
        old[collapsed], new[collapsed] = 1.0, 0.0
        return compared(generate(rng, old, 5), generate(rng, new, 5))

    return make


def test_stochastic_models_at_the_limit_are_decided_wrongly_in_5_percent_at_most():
    assert shares(noisy(0.02), "0.02", runs=200)["PASS"] <= 0.05
    assert shares(regressed(0.02), "0.02", runs=200)["FAIL"] <= 0.05


def test_stochastic_models_far_from_the_limit_are_decided():
    assert shares(noisy(0.01), "0.02", runs=100)["PASS"] > 0.8
    assert shares(regressed(0.04), "0.02", runs=100)["FAIL"] > 0.7


# Items in groups


def grouped(rate, correlation, *, groups=100, size=10, known=True):
    """Items of passages that flip together: a beta-binomial with this intraclass correlation."""

    def make(seed):
        rng = np.random.default_rng(seed)
        spread = 1 / correlation - 1
        flips = generate(rng, rng.beta(rate * spread, (1 - rate) * spread, groups), size).ravel()
        labels = np.repeat(np.arange(groups), size) if known else None
        return compared(np.ones(flips.size, dtype=bool), ~flips, labels)

    return make


@pytest.mark.parametrize("correlation", [0.1, 0.3])
def test_groups_at_the_limit_are_decided_wrongly_in_5_percent_at_most(correlation):
    found = shares(grouped(0.05, correlation), "0.05", runs=1000)
    assert found["PASS"] <= 0.05
    assert found["FAIL"] <= 0.05
    pooled = shares(grouped(0.05, correlation, known=False), "0.05", 500)
    assert pooled["PASS"] > 2 * found["PASS"]
    assert pooled["FAIL"] > 2 * found["FAIL"]


@pytest.mark.parametrize("correlation", [0.1, 0.3])
def test_groups_far_from_the_limit_are_decided(correlation):
    # The finite-sample bound costs power where errors of a group agree much.
    least = 0.8 if correlation == 0.1 else 0.65
    assert shares(grouped(0.025, correlation, groups=200), "0.05", 300)["PASS"] > least
    assert shares(grouped(0.1, correlation, groups=200), "0.05", 300)["FAIL"] > 0.8


# Independent items: exact


def outcomes_by_count(total, limit):
    """Outcome for every number of flips up to the first that fails, as all later ones do."""
    policy = Policy(max_nfr=limit)
    found = []
    while "FAIL" not in found:
        flags = np.arange(total) < len(found)
        found.append(check_gate(compared(np.ones(total, dtype=bool), ~flags), policy).outcome)
    return np.array(found)


@pytest.mark.parametrize(
    ("limit", "items", "ratio", "outcome"),
    [
        ("0.01", 1941, 0.5, "PASS"),
        ("0.01", 905, 2, "FAIL"),
        ("0.02", 386, 0.25, "PASS"),
        ("0.02", 969, 0.5, "PASS"),
        ("0.02", 452, 2, "FAIL"),
        ("0.05", 386, 0.5, "PASS"),
        ("0.05", 191, 2, "FAIL"),
        ("0.10", 203, 0.5, "PASS"),
        ("0.10", 89, 2, "FAIL"),
    ],
)
def test_independent_items_are_decided_with_the_power_that_was_planned(
    limit, items, ratio, outcome
):
    found = outcomes_by_count(items, limit)

    def chance(outcome, rate):
        if outcome == "FAIL":
            return binom.sf(len(found) - 2, items, rate)
        return binom.pmf(np.flatnonzero(found == outcome), items, rate).sum()

    assert chance("PASS", float(limit)) <= 0.05
    assert chance("FAIL", float(limit)) <= 0.05
    assert chance(outcome, ratio * float(limit)) >= 0.8


# Two looks: the number of the advice is added to an undecided gate, and the gate is asked again


def followed(make, limit, runs, **policy):
    """Share of each outcome after the advice was followed once."""
    counts = Counter()
    for seed in range(runs):
        verdict = check_gate(make(seed, 0), Policy(max_nfr=limit, **policy))
        proposal = re.search(r"(\d+) more", verdict.checks[0].advice)
        if verdict.outcome == "INCONCLUSIVE" and proposal and int(proposal[1]) < MOST_ADDED:
            second = Policy(max_nfr=limit, **policy, look=policy.get("looks", 1))
            verdict = check_gate(make(seed, int(proposal[1])), second)
        counts[verdict.outcome] += 1
    return {name: counts[name] / runs for name in ("PASS", "FAIL")}


MOST_ADDED = 20_000


def growing_items(seed, more):
    """300 items at the limit, or these and more."""
    flips = np.random.default_rng(seed).random(300 + more) < 0.05
    return compared(np.ones(flips.size, dtype=bool), ~flips)


def growing_groups(seed, more):
    """100 passages of 10 items at the limit, or these and more."""
    # One stream for rates and one for items: the same passages come first, whatever is added.
    of_rates, of_items = np.random.default_rng((seed, 0)), np.random.default_rng((seed, 1))
    spread = 1 / 0.1 - 1
    rates = of_rates.beta(0.05 * spread, 0.95 * spread, 100 + more)
    flips = generate(of_items, rates, 10).ravel()
    return compared(np.ones(flips.size, dtype=bool), ~flips, np.repeat(np.arange(len(rates)), 10))


# A share of 5 % of 1000 runs has a standard error of .7 points.
def test_advice_that_is_followed_errs_as_rarely_as_one_look_if_it_was_planned():
    planned = followed(growing_items, "0.05", 1000, looks=2)
    assert max(planned.values()) <= 0.05
    assert max(followed(growing_items, "0.05", 1000).values()) > 0.07


def test_advice_over_groups_that_is_followed_errs_as_rarely_as_one_look_if_it_was_planned():
    assert max(followed(growing_groups, "0.05", 400, looks=2).values()) <= 0.05
