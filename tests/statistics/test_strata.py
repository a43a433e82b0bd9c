"""Bounds over strata: closed forms, Monte Carlo draws as an oracle, and exact error rates."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.statistics.bounded import bounded_mean_interval
from muscle_metrics.statistics.proportions import proportion_interval
from muscle_metrics.statistics.strata import (
    Stratum,
    allocate_labels,
    needed_spread,
    stratified_mean_interval,
)


def drawn_upper(strata: list[Stratum], confidence: float) -> float:
    """Quantile of random Dirichlet means, with one more lost label in every stratum."""
    random, draws = np.random.default_rng(7), 200_000
    shares = random.dirichlet([one.size for one in strata], draws)
    total = np.zeros(draws)
    for place, one in enumerate(strata):
        parts = random.dirichlet([one.lost + 1, one.gained + 1e-12, one.kept + 1e-12], draws)
        total += shares[:, place] * (parts[:, 0] - parts[:, 1])
    return float(np.quantile(total, confidence))


@pytest.mark.parametrize("side", ["lower", "upper", "two-sided"])
@pytest.mark.parametrize("lost", [0, 3, 97, 100])
def test_one_sample_of_a_huge_population_has_the_interval_of_clopper_and_pearson(lost, side):
    ours = stratified_mean_interval([Stratum(10**9, lost, kept=100 - lost)], side=side)
    theirs = proportion_interval(lost, 100, method="clopper-pearson", side=side)
    assert ours == pytest.approx(theirs, abs=2e-5)


def test_labels_of_every_item_have_the_interval_of_complete_references():
    strata = [Stratum(40, 5, kept=35), Stratum(7, 7), Stratum(60, kept=60)]
    expected = proportion_interval(12, 107, method="clopper-pearson")
    assert stratified_mean_interval(strata) == expected


def test_labels_of_every_item_have_gaffkes_interval_of_a_loss():
    strata = [Stratum(40, 5, 10, 25), Stratum(60, kept=60)]
    values = [1.0] * 5 + [-1.0] * 10 + [0.0] * 85
    expected = bounded_mean_interval(values, low=-1, high=1)
    assert stratified_mean_interval(strata, low=-1) == expected


@pytest.mark.parametrize(
    "strata",
    [
        [Stratum(1200, kept=1200), Stratum(500, 0, kept=50), Stratum(300, 30, kept=25)],
        [Stratum(9000, kept=9000), Stratum(3000, 4, 9, 187)],
        [Stratum(600, kept=600), Stratum(50, 45, 2, 0), Stratum(250, 2, 40, 10), Stratum(100, 5)],
    ],
)
def test_upper_bound_is_the_quantile_of_random_draws(strata):
    low = -1.0 if any(one.gained for one in strata) else 0.0
    ours = stratified_mean_interval(strata, low=low, side="upper").high
    # 200 000 draws: the standard error of the quantile is below 1 % of the distance to the mean.
    mean = sum(one.size * one.mean for one in strata) / sum(one.size for one in strata)
    assert ours - mean == pytest.approx(drawn_upper(strata, 0.95) - mean, rel=0.03)


def test_a_stratum_without_a_loss_adds_to_the_upper_bound():
    few = stratified_mean_interval([Stratum(900, kept=900), Stratum(100, kept=10)]).high
    many = stratified_mean_interval([Stratum(900, kept=900), Stratum(100, kept=90)]).high
    assert many < few
    assert few > 0.1 * (1 - 0.025 ** (1 / 10))


def test_a_stratum_without_labels_may_be_lost_as_a_whole():
    interval = stratified_mean_interval([Stratum(90, kept=90), Stratum(10)])
    assert interval.low == 0
    assert interval.high > 0.1


outcomes = st.tuples(
    st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 4000)
).map(lambda n: Stratum(n[0] + n[1] + n[2] + n[3], *n[:3]))


@settings(max_examples=10)
@given(st.lists(outcomes, min_size=1, max_size=3), st.data())
def test_no_bound_falls_where_one_more_label_is_lost(strata, data):
    places = [place for place, one in enumerate(strata) if one.kept]
    if not places:
        return
    place = data.draw(st.sampled_from(places))
    one = strata[place]
    worse = list(strata)
    worse[place] = one._replace(lost=one.lost + 1, kept=one.kept - 1)
    before = stratified_mean_interval(strata, low=-1)
    after = stratified_mean_interval(worse, low=-1)
    # Bounds are read from steps of a 4096th of their range.
    assert after.low >= before.low - 1e-4
    assert after.high >= before.high - 1e-4


def test_exact_chance_that_a_limit_that_is_reached_is_kept():
    """All outcomes of two samples: the upper bound misses the true rate in at most 5 %."""
    sizes, samples = (10**8, 3 * 10**8), (18, 12)
    worst = 0.0
    bounds = {}
    for found in product(range(samples[0] + 1), range(samples[1] + 1)):
        strata = [
            Stratum(size, lost, kept=drawn - lost)
            for size, lost, drawn in zip(sizes, found, samples, strict=True)
        ]
        if sum(found) <= 12:
            bounds[found] = stratified_mean_interval(strata, side="upper").high
    for rates in product((0.0, 0.01, 0.05, 0.1, 0.2), repeat=2):
        truth = 0.25 * rates[0] + 0.75 * rates[1]
        missed = sum(
            binom.pmf(found[0], samples[0], rates[0]) * binom.pmf(found[1], samples[1], rates[1])
            for found, bound in bounds.items()
            if bound < truth
        )
        worst = max(worst, missed)
    assert worst <= 0.05


# Strata as (items, lost), of 4000 items of which the others cannot be lost.
DESIGNS = {
    "a judge that is right": [(1200, 4), (700, 4), (100, 32)],
    "a judge that is wrong": [(1200, 36), (700, 4), (100, 0)],
}


@pytest.mark.slow
@pytest.mark.parametrize("design", DESIGNS)
def test_two_stages_keep_a_limit_that_is_reached_in_at_most_5_percent(design):
    """The second stage is drawn by the labels of the first, as a sheet is extended."""
    strata, budget, runs = DESIGNS[design], 200, 600
    random = np.random.default_rng(7)
    sizes, lost = (np.array(column) for column in zip(*strata, strict=True))
    limit, kept, seen = lost.sum() / 4000, 0, {}
    for _ in range(runs):
        first = np.array(allocate_labels(sizes, [1.0, 1.5, 2.0][: len(sizes)], budget // 2))
        found = random.hypergeometric(lost, sizes - lost, first)
        so_far = [
            Stratum(int(size), int(hits), 0, int(n - hits))
            for size, hits, n in zip(sizes, found, first, strict=True)
        ]
        wanted = np.array(allocate_labels(sizes, needed_spread(so_far), budget))
        lacking = np.maximum(wanted - first, 0)
        more = np.array(allocate_labels(lacking, [1.0] * len(sizes), budget // 2, least=0))
        rest = lost - found
        found = found + [
            random.hypergeometric(b, size - n - b, m) if m else 0
            for b, size, n, m in zip(rest, sizes, first, more, strict=True)
        ]
        key = (*found, *(first + more))
        if key not in seen:
            whole = [
                Stratum(int(size), int(hits), 0, int(n - hits))
                for size, hits, n in zip(sizes, found, first + more, strict=True)
            ]
            others = int(4000 - sizes.sum())
            whole.append(Stratum(others, kept=others))
            seen[key] = stratified_mean_interval(whole, side="upper").high <= limit
        kept += seen[key]
    # Two standard errors of 600 runs at 5 %.
    assert kept / runs <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)


def test_neyman_allocation_of_a_textbook():
    """Cochran (1977), table 5.1: 64 cities in strata of 16 and 48, 24 of them drawn."""
    assert allocate_labels([16, 48], [232.04, 74.70], 24) == [12, 12]


@given(
    st.lists(st.tuples(st.integers(0, 500), st.floats(0.01, 1)), min_size=1, max_size=5),
    st.integers(1, 800),
)
def test_an_allocation_spends_the_budget_within_the_strata(strata, budget):
    sizes, spreads = map(list, zip(*strata, strict=True))
    least = [min(size, 2) for size in sizes]
    if sum(least) > budget:
        with pytest.raises(UsageError, match="expected a budget of at least"):
            allocate_labels(sizes, spreads, budget)
        return
    drawn = allocate_labels(sizes, spreads, budget)
    assert sum(drawn) == min(budget, sum(sizes))
    assert all(low <= n <= size for low, n, size in zip(least, drawn, sizes, strict=True))


def test_a_second_stage_goes_to_the_stratum_whose_labels_vary():
    quiet, varied = needed_spread([Stratum(500, 0, kept=60), Stratum(500, 20, kept=40)])
    assert varied > 2 * quiet > 0


@pytest.mark.parametrize(
    "strata", [[Stratum(3, 2, kept=2)], [Stratum(3, 1, 1)], [Stratum(0)], [Stratum(5, -1)], []]
)
def test_impossible_strata_are_refused(strata):
    with pytest.raises(InputError):
        stratified_mean_interval(strata)


def test_a_range_that_no_rate_has_is_refused():
    with pytest.raises(UsageError, match="expected low to be 0 or -1"):
        stratified_mean_interval([Stratum(5, 1)], low=0.5)
