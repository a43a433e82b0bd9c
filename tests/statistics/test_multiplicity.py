from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.multitest import multipletests

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.statistics.multiplicity import (
    benjamini_hochberg_adjusted,
    holm_adjusted,
    holm_rejections,
    indistinct_groups,
    shrunken_rates,
)

p_values = st.lists(st.floats(0, 1), min_size=1, max_size=30)
slices = st.lists(
    st.integers(0, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    min_size=1,
    max_size=20,
)


# Oracles


def step_down(values):
    """Holm (1979): the largest ``(m - k) p`` over the p-values up to each one, k = 0 first."""
    ranks = sorted(range(len(values)), key=values.__getitem__)
    largest = {}
    for k, index in enumerate(ranks):
        largest[index] = max((len(values) - k) * values[index], *largest.values(), 0)
    return [min(largest[index], 1) for index in range(len(values))]


def step_up(values):
    """Benjamini and Hochberg (1995): the smallest ``m p / rank`` over the p-values from each on."""
    ranks = sorted(values)
    scaled = [len(values) * value / rank for rank, value in enumerate(ranks, 1)]
    return [min(scaled[ranks.index(value) :]) for value in values]


@given(p_values)
def test_adjusted_p_values_follow_the_textbook(values):
    assert holm_adjusted(values) == pytest.approx(step_down(values))
    assert benjamini_hochberg_adjusted(values) == pytest.approx(step_up(values))


def test_adjusted_p_values_are_those_of_statsmodels():
    # Ties, an unsorted order, and products above 1; each call of Holm takes a tenth of a second.
    values = [0.04, 0.01, 0.04, 0.3, 0.9, 0.002, 0.8, 0.0, 1.0]
    for adjust, method in ((holm_adjusted, "holm"), (benjamini_hochberg_adjusted, "fdr_bh")):
        assert adjust(values) == pytest.approx(multipletests(values, method=method)[1])


pairs_of_names = st.integers(1, 6).flatmap(
    lambda size: st.tuples(
        st.just("abcdef"[:size]),
        st.sets(st.sampled_from([*combinations("abcdef"[:size], 2)] or [("a", "a")])),
    )
)


@given(pairs_of_names)
def test_groups_are_the_largest_without_a_distinct_pair(case):
    names, distinct = case
    distinct = {pair for pair in distinct if pair[0] != pair[1]}

    def is_alike(members):
        return not any({*pair} <= {*members} for pair in distinct)

    alike = [
        {*members}
        for size in range(1, len(names) + 1)
        for members in combinations(names, size)
        if is_alike(members)
    ]
    largest = [members for members in alike if not any(members < other for other in alike)]
    found = indistinct_groups(list(names), distinct)
    assert sorted(map(sorted, largest)) == sorted(map(sorted, found))
    assert [group[0] for group in found] == sorted(group[0] for group in found)


def kleinman_rates(counts, totals):
    """Section 2 of Kleinman (1973) with weights w: sums over slices, in fractions."""
    n, w = ([Fraction(total) for total in totals] for _ in range(2))
    own = [Fraction(count, total) for count, total in zip(counts, totals, strict=True)]
    pooled = sum(a * b for a, b in zip(w, own, strict=True)) / sum(w)
    spread = sum(a * (b - pooled) ** 2 for a, b in zip(w, own, strict=True))
    chance = sum(a / b * (1 - a / sum(w)) for a, b in zip(w, n, strict=True))
    between = sum(a * (1 - a / sum(w)) for a in w)
    noise = pooled * (1 - pooled)
    alike = (spread - noise * chance) / (noise * (between - chance))
    alike = min(max(alike, 0), 1)
    trust = [alike * total / (1 + alike * (total - 1)) for total in totals]
    return [float(pooled + part * (rate - pooled)) for part, rate in zip(trust, own, strict=True)]


@pytest.mark.parametrize(
    ("counts", "totals"),
    [
        ([1, 30, 5], [5, 100, 100]),
        ([0, 1, 3, 9], [10, 10, 10, 10]),
        ([4, 4, 5, 5], [40, 41, 50, 49]),
        ([2, 9], [30, 40]),
        # Differences as large as they can be, in slices as small as they can be.
        ([2, 0], [2, 1]),
        ([0, 7, 0], [7, 7, 3]),
    ],
)
def test_shrunken_rates_are_those_of_kleinman(counts, totals):
    assert shrunken_rates(counts, totals) == pytest.approx(kleinman_rates(counts, totals), abs=1e-8)


# Laws


@given(p_values, st.floats(0.001, 0.5))
def test_bounds_are_rejected_like_their_p_values(values, alpha):
    rejections = holm_rejections(
        [lambda rate, value=value: value <= rate for value in values], alpha=alpha
    )
    # Dividing alpha and multiplying p round differently when they meet exactly.
    adjusted = holm_adjusted(values)
    clear = abs(adjusted - alpha) > 1e-9
    assert (np.array(rejections) == (adjusted <= alpha))[clear].all()


@given(slices)
def test_shrunken_rates_lie_between_their_own_and_the_pooled_rate(pairs):
    counts, totals = (np.array(column) for column in zip(*pairs, strict=True))
    rates = shrunken_rates(counts, totals)
    if not totals.sum():
        assert np.isnan(rates).all()
        return
    pooled = counts.sum() / totals.sum()
    own = np.where(totals > 0, counts / np.maximum(totals, 1), pooled)
    assert (rates >= np.minimum(own, pooled) - 1e-9).all()
    assert (rates <= np.maximum(own, pooled) + 1e-9).all()
    for total in set(totals.tolist()):
        alike = totals == total
        order = np.argsort(counts[alike], kind="stable")
        assert (np.diff(rates[alike][order]) >= -1e-12).all()


# Examples


def test_no_hypotheses():
    assert holm_adjusted([]).tolist() == []
    assert benjamini_hochberg_adjusted([]).tolist() == []
    assert holm_rejections([], alpha=0.05) == []


def test_holm_goes_on_after_the_first_rejection():
    tests = [lambda rate: rate >= 0.02, lambda rate: rate >= 0.04, lambda rate: rate >= 0.9]
    assert holm_rejections(tests, alpha=0.06) == [True, False, False]
    assert holm_rejections(tests, alpha=0.08) == [True, True, False]


def test_slices_that_differ_by_chance_alone_share_one_rate():
    assert shrunken_rates([2, 3, 2, 3], [50, 50, 50, 50]) == pytest.approx([0.05] * 4)


def test_slices_that_all_flip_or_never_do_keep_their_rates():
    assert shrunken_rates([0, 1000, 0, 1000], [1000] * 4) == pytest.approx([0, 1, 0, 1], abs=1e-6)


@pytest.mark.parametrize(("counts", "rate"), [([0, 0, 0], 0), ([10, 20, 30], 1)])
def test_rates_without_any_difference_are_left_alone(counts, rate):
    assert shrunken_rates(counts, [10, 20, 30]).tolist() == [rate] * 3


def test_single_items_tell_nothing_of_their_slices():
    assert shrunken_rates([1, 0, 0, 1], [1, 1, 1, 1]).tolist() == [0.5] * 4


def test_answers_are_doubles_whatever_the_type():
    small = shrunken_rates(np.array([10, 30, 5], np.uint8), np.array([50, 200, 100], np.uint8))
    assert small.tolist() == shrunken_rates([10, 30, 5], [50, 200, 100]).tolist()
    # Multiples of 2**-10, exact in half precision as well.
    values = np.array([0.03125, 0.0078125, 0.25])
    for adjust in (holm_adjusted, benjamini_hochberg_adjusted):
        adjusted = adjust(values.astype(np.float16))
        assert adjusted.dtype == np.float64
        assert adjusted.tolist() == adjust(values).tolist()


def test_a_slice_without_items_gets_the_pooled_rate():
    assert shrunken_rates([30, 5, 0], [100, 100, 0])[2] == pytest.approx(0.175)


@pytest.mark.parametrize("values", [[0.1, 1.2], [-0.1], [float("nan")]])
def test_what_is_not_a_p_value_is_refused(values):
    for adjust in (holm_adjusted, benjamini_hochberg_adjusted):
        with pytest.raises(InputError, match="p-values between 0 and 1"):
            adjust(values)


def test_a_table_of_p_values_is_refused():
    for adjust in (holm_adjusted, benjamini_hochberg_adjusted):
        with pytest.raises(
            InputError, match=r"one p-value per test, got an array of shape \(1, 2\)"
        ):
            adjust([[0.1, 0.2]])


@pytest.mark.parametrize("alpha", [0, 1, 5])
def test_what_is_not_an_error_rate_is_refused(alpha):
    with pytest.raises(UsageError, match="alpha strictly between 0 and 1"):
        holm_rejections([], alpha=alpha)


@pytest.mark.parametrize(
    ("counts", "totals", "message"),
    [
        ([1, 2], [3], r"got arrays of shape \(2,\) and \(1,\)"),
        ([4], [3], "between 0 and its total"),
        ([-1], [3], "between 0 and its total"),
        ([float("nan")], [3], "between 0 and its total"),
    ],
)
def test_impossible_slices_are_refused(counts, totals, message):
    with pytest.raises(InputError, match=message):
        shrunken_rates(counts, totals)


# Error rates


def test_holm_keeps_the_error_rate_of_57_slices():
    generator = np.random.default_rng(0)
    flips = generator.binomial(100, 0.05, (4000, 57))
    values = binom.sf(flips - 1, 100, 0.05)
    uncorrected = (values <= 0.05).any(axis=1).mean()
    corrected = np.mean([holm_adjusted(row).min() <= 0.05 for row in values])
    assert uncorrected == pytest.approx(0.81, abs=0.02)
    assert corrected == pytest.approx(0.024, abs=0.008)


def test_shrunken_rates_are_nearer_to_the_truth():
    generator = np.random.default_rng(1)
    own_error = shrunken_error = 0.0
    for _ in range(200):
        totals = generator.integers(5, 200, 40)
        truth = generator.beta(2, 38, 40)
        counts = generator.binomial(totals, truth)
        own_error += ((counts / totals - truth) ** 2).sum()
        shrunken_error += ((shrunken_rates(counts, totals) - truth) ** 2).sum()
    assert shrunken_error < 0.5 * own_error
