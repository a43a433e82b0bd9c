from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.statistics.clusters import (
    allowed_clusters,
    clustered_mean_interval,
    clustered_proportion_interval,
    clusters_keep_limit,
    unseen_share,
)
from muscle_metrics.statistics.proportions import proportion_interval

few = settings(max_examples=25)
losses = st.lists(
    st.integers(1, 8).flatmap(lambda size: st.tuples(st.integers(-size, size), st.just(size))),
    min_size=1,
    max_size=20,
)
clusters = st.lists(
    st.integers(1, 8).flatmap(lambda size: st.tuples(st.integers(0, size), st.just(size))),
    min_size=1,
    max_size=20,
)


def bounds(hits, sizes, **options):
    return clustered_proportion_interval(successes=hits, sizes=sizes, **options).interval


# Oracles


# The definition, by simulation: exponential weights, and one more cluster at the worst end.
@pytest.mark.parametrize("strict", [True, False])
def test_bounds_are_quantiles_of_weighted_ratios(strict):
    hits = np.array([3, 0, 1, 0, 2, 0, 0, 4, 1, 0] * 3)
    sizes = np.array([5, 5, 4, 9, 5, 5, 3, 5, 6, 5] * 3)
    weights = np.random.default_rng(0).exponential(size=(200_000, 31))
    low, high = bounds(hits, sizes, confidence=0.9, largest=12, strict=strict)
    # Worst seen: 4 of 5, by the root of the sizes. Of 30 clusters, 24.333 are left whole.
    worst = 4 * sqrt(12 / 5) * (1.1 + 200 / (30 - (hits / sizes).sum()) ** 2)
    extra = 12 if strict else worst
    body, all_of_it = weights[:, 1:] @ hits, weights[:, 1:] @ sizes
    upper = (body + extra * weights[:, 0]) / (all_of_it + extra * weights[:, 0])
    # Four standard errors of a simulated tail of 5 %.
    assert worst < 12
    assert np.mean(upper > high) == pytest.approx(0.05, abs=0.002)
    assert np.mean(body / (all_of_it + 12 * weights[:, 0]) < low) == pytest.approx(0.05, abs=0.002)


def test_mean_bounds_are_quantiles_of_weighted_ratios():
    totals = np.array([3, -1, 1, 0, 2, -2, 0, 4, 1, 0] * 3)
    sizes = np.array([5, 5, 4, 9, 5, 5, 3, 5, 6, 5] * 3)
    weights = np.random.default_rng(1).exponential(size=(200_000, 31))
    low, high = clustered_mean_interval(totals=totals, sizes=sizes, confidence=0.9)
    lost = np.maximum(totals, 0)
    worst = 4 * sqrt(9 / 5) * (1.1 + 200 / (30 - (lost / sizes).sum()) ** 2)
    body, all_of_it, one = weights[:, 1:] @ totals, weights[:, 1:] @ sizes, weights[:, 0]
    upper = (body + worst * one) / (all_of_it + worst * one)
    lower = (body - 2 * one) / (all_of_it + 9 * one)
    assert np.mean(upper > high) == pytest.approx(0.05, abs=0.002)
    assert np.mean(lower < low) == pytest.approx(0.05, abs=0.002)


@pytest.mark.parametrize("side", ["two-sided", "lower", "upper"])
@pytest.mark.parametrize("broken", [0, 1, 7, 49, 50])
def test_clusters_that_break_as_a_whole_are_single_items(broken, side):
    expected = proportion_interval(broken, 50, method="clopper-pearson", side=side)
    hits = [6] * broken + [0] * (50 - broken)
    assert bounds(hits, [6] * 50, side=side, strict=True) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("side", ["two-sided", "lower", "upper"])
@pytest.mark.parametrize("count", [0, 1, 7, 50])
def test_clusters_of_one_item_give_clopper_pearson(count, side):
    result = clustered_proportion_interval(
        successes=[1] * count + [0] * (50 - count), sizes=[1] * 50, side=side
    )
    expected = proportion_interval(count, 50, method="clopper-pearson", side=side)
    assert result.interval == pytest.approx(expected, rel=1e-12)
    assert result.design_effect == 1


def test_no_flip_is_judged_by_the_number_of_clusters():
    expected = proportion_interval(0, 40, method="clopper-pearson", side="upper")
    assert bounds([0] * 40, [10] * 40, side="upper") == expected


# With the old bound, 5 broken items in 60 groups of 50 looked better than 4, and than none.
def test_bounds_rise_with_every_broken_item():
    def upper(broken):
        return bounds([1] * broken + [0] * (60 - broken), [50] * 60, side="upper").high

    highs = [upper(broken) for broken in (0, 1, 4, 5, 6, 30)]
    assert highs == sorted(set(highs))
    assert highs[0] == pytest.approx(unseen_share(60))


def test_a_range_from_0_to_1_makes_a_mean_a_rate():
    columns = {"sizes": [5, 4, 9, 3, 8, 2] * 4, "largest": 12}
    hits = [3, 0, 1, 0, 2, 2] * 4
    expected = clustered_proportion_interval(successes=hits, **columns).interval
    found = clustered_mean_interval(totals=hits, low=0, high=1, **columns)
    assert found == pytest.approx(expected, rel=1e-9)


# Laws


@few
@given(clusters)
def test_contains_the_rate(pairs):
    hits, sizes = zip(*pairs, strict=True)
    result = clustered_proportion_interval(successes=hits, sizes=sizes)
    assert result.interval.low <= result.rate + 1e-9
    assert result.rate - 1e-9 <= result.interval.high
    assert np.isnan(result.design_effect) or result.design_effect >= 1


@few
@given(clusters, st.floats(0.5, 0.98))
def test_nested_in_confidence(pairs, confidence):
    hits, sizes = zip(*pairs, strict=True)
    inner = bounds(hits, sizes, confidence=confidence)
    outer = bounds(hits, sizes, confidence=confidence + 0.01)
    assert outer.low <= inner.low + 1e-9
    assert outer.high >= inner.high - 1e-9


# Another broken item: one that was right, one that is new in its group, or one in a new group.
@few
@given(clusters, st.data(), st.booleans())
def test_no_bound_falls_when_one_more_item_breaks(pairs, data, strict):
    hits, sizes = (list(column) for column in zip(*pairs, strict=True))
    before = bounds(hits, sizes, largest=9, strict=strict)
    place = data.draw(st.integers(0, len(hits)))
    if place == len(hits):
        hits.append(1)
        sizes.append(1)
    else:
        new = hits[place] == sizes[place] or data.draw(st.booleans())
        hits[place] += 1
        sizes[place] += new
    after = bounds(hits, sizes, largest=9, strict=strict)
    assert after.low >= before.low - 1e-9
    assert after.high >= before.high - 1e-9


@few
@given(losses, st.data(), st.booleans())
def test_no_bound_of_a_loss_falls_when_one_more_item_is_lost(pairs, data, strict):
    totals, sizes = (list(column) for column in zip(*pairs, strict=True))
    before = clustered_mean_interval(totals=totals, sizes=sizes, largest=9, strict=strict)
    place = data.draw(st.integers(0, len(totals) - 1))
    sizes[place] += totals[place] == sizes[place]
    totals[place] += 1
    after = clustered_mean_interval(totals=totals, sizes=sizes, largest=9, strict=strict)
    assert after.low >= before.low - 1e-9
    assert after.high >= before.high - 1e-9


@few
@given(clusters, st.floats(0.02, 0.98), st.booleans())
def test_a_limit_is_kept_exactly_if_the_bound_keeps_it(pairs, limit, strict):
    hits, sizes = zip(*pairs, strict=True)
    upper = bounds(hits, sizes, side="upper", strict=strict).high
    assume(abs(upper - limit) > 1e-6)
    kept = clusters_keep_limit(limit, successes=hits, sizes=sizes, strict=strict)
    assert kept == (upper <= limit)


@few
@given(clusters)
def test_the_finite_sample_bound_is_the_wider_one(pairs):
    hits, sizes = zip(*pairs, strict=True)
    assert bounds(hits, sizes, strict=True).high >= bounds(hits, sizes).high - 1e-9


@few
@given(losses)
def test_mean_interval_contains_the_mean_within_its_range(pairs):
    totals, sizes = zip(*pairs, strict=True)
    low, high = clustered_mean_interval(totals=totals, sizes=sizes)
    assert -1 <= low <= sum(totals) / sum(sizes) + 1e-9
    assert sum(totals) / sum(sizes) - 1e-9 <= high <= 1


# Examples


def test_one_cluster_says_next_to_nothing():
    result = clustered_proportion_interval(successes=[3], sizes=[10])
    assert result.interval.low < 0.02
    assert result.interval.high > 0.95
    assert np.isnan(result.design_effect)


# Half of all items in half of all groups: certain, though few groups could show that none broke.
def test_a_certain_regression_is_heard_in_few_clusters():
    found = clustered_proportion_interval(
        successes=[50] * 20 + [0] * 20, sizes=[50] * 40, side="lower"
    )
    assert found.interval.low > 0.3
    assert clustered_mean_interval(totals=[25] * 8, sizes=[50] * 8, side="lower").low > 0.3


def test_ten_of_the_largest_clusters_settle_a_limit():
    columns = {"successes": [1] * 30 + [0] * 70, "sizes": [20] * 50 + [10] * 50}
    found = clustered_proportion_interval(**columns)
    assert (found.largest, found.largest_clusters) == (20, 75)
    assert found.allowed_clusters(0.12) == allowed_clusters(0.12, sizes=columns["sizes"]) == 9
    assert found.method(0.13) == "approximate"
    assert found.method(0.14) == "finite-sample"
    strict = clustered_proportion_interval(**columns, strict=True)
    assert strict.method(0.01) == "finite-sample"
    larger = clustered_proportion_interval(**columns, largest=50)
    assert larger.method(0.14) == "approximate"
    assert allowed_clusters(0.12, sizes=columns["sizes"], largest=50) == pytest.approx(3.6)
    assert larger.interval.low < found.interval.low
    widest = clustered_proportion_interval(**columns, largest=50, strict=True)
    assert widest.interval.high > strict.interval.high


# 300 groups, 3 of them broken as a whole: limits from 3.33 % on are settled.
def test_a_bound_beyond_the_settled_limits_is_the_finite_sample_one():
    few, many = ([10] * broken + [0] * (300 - broken) for broken in (3, 8))
    assert bounds(many, [10] * 300) == bounds(many, [10] * 300, strict=True)
    assert bounds(few, [10] * 300).high <= bounds(few, [10] * 300, strict=True).high < 10 / 300


def test_clusters_without_change_do_not_show_that_nothing_changed():
    # As many clusters as would show a rate of 0 by Clopper-Pearson, in either direction.
    reach = proportion_interval(0, 40, method="clopper-pearson").high
    result = clustered_mean_interval(totals=[0] * 40, sizes=[5] * 40)
    assert result == pytest.approx((-reach, reach))
    # Nine in ten of the groups gained a fifth; what is unseen could still have broken.
    gained = clustered_mean_interval(totals=[-1] * 40, sizes=[5] * 40)
    assert gained.high == pytest.approx(reach - 0.2 * (1 - reach))


# Three times .1 is more than .3 in binary.
@pytest.mark.parametrize("sign", [1, -1])
def test_sums_may_be_off_the_range_by_rounding(sign):
    total = sign * (0.1 + 0.1 + 0.1)
    assert abs(total) / 3 > 0.1
    result = clustered_mean_interval(totals=[total, total], sizes=[3, 3], low=-0.1, high=0.1)
    assert -0.1 <= result.low < result.high <= 0.1


@pytest.mark.parametrize(
    ("mean", "high", "message"),
    [
        (-0.5, 1, "between 0 and 1, got -0.5 in cluster 0: give the scorer's true range"),
        (0.00100001, 0.001, "between 0 and 0.001, got 0.00100001 in cluster 0: give the scorer's "),
    ],
)
def test_means_off_the_range_are_refused(mean, high, message):
    with pytest.raises(InputError, match=f"^expected the mean of each cluster {message}"):
        clustered_mean_interval(totals=[2 * mean, 0], sizes=[2, 2], low=0, high=high)


def test_estimated_flips_need_not_be_whole():
    result = clustered_proportion_interval(successes=[0.25, 0.5, 0.0], sizes=[2, 2, 2])
    assert result.rate == 0.125
    assert result.flipped_clusters == 2


@pytest.mark.parametrize(
    ("hits", "sizes", "message"),
    [
        ([3], [2], "successes of each cluster between 0 and its size"),
        ([-1, 0], [2, 2], "successes of each cluster between 0 and its size"),
        ([1, 0], [2], r"one size for each cluster, got arrays of shape \(2,\) and \(1,\)"),
        ([], [], "one total and one size for each cluster"),
        ([0, 0], [2, 0], "at least 1 item in each cluster"),
        ([float("nan")], [2], "finite total"),
        ([1, 2], [2, 7], "largest cluster that can occur, got 6 where cluster 1 has 7: give at "),
    ],
)
def test_impossible_clusters_are_refused(hits, sizes, message):
    with pytest.raises(InputError, match=message):
        clustered_proportion_interval(successes=hits, sizes=sizes, largest=6)
    with pytest.raises(InputError, match=message):
        clusters_keep_limit(0.1, successes=hits, sizes=sizes, largest=6)


def test_unknown_sides_are_refused():
    with pytest.raises(UsageError, match="side"):
        clustered_proportion_interval(successes=[1, 0], sizes=[2, 2], side="both")


# Error rates


# Five items per passage, rates of passages from a Beta law with intraclass correlation icc.
@pytest.mark.slow
@pytest.mark.parametrize("icc", [0.1, 0.2, 0.3])
@pytest.mark.parametrize("rate", [0.02, 0.05, 0.1])
def test_bounds_hold_for_clustered_items(rate, icc):
    generator = np.random.default_rng(round(1000 * (rate + 10 * icc)))
    spread = 1 / icc - 1
    for count in (30, 100):
        sizes, upper, lower, naive = np.full(count, 5), [], [], []
        for _ in range(1000):
            rates = generator.beta(rate * spread, (1 - rate) * spread, count)
            hits = generator.binomial(5, rates)
            low, high = bounds(hits, sizes, confidence=0.9)
            upper.append(high >= rate)
            lower.append(low <= rate)
            total = int(hits.sum())
            naive.append(
                proportion_interval(total, 5 * count, method="clopper-pearson", side="upper").high
                >= rate
            )
        assert np.mean(upper) >= 0.939
        assert np.mean(lower) >= 0.939
        assert np.mean(naive) < np.mean(upper)


# Whole passages are lost, rarely: samples without one must not show that nothing is lost.
@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.02, 0.05, 0.1])
def test_mean_bounds_hold_where_few_clusters_change(rate):
    generator = np.random.default_rng(7)
    sizes, held, unguarded = np.full(40, 5), [], []
    bounds: dict[bytes, float] = {}
    for _ in range(1000):
        totals = 5 * (generator.random(40) < rate) - generator.binomial(1, 0.05, 40)
        totals.sort()
        if (key := totals.tobytes()) not in bounds:
            result = clustered_mean_interval(totals=totals, sizes=sizes, side="upper")
            bounds[key] = result.high
        truth = rate - 0.01
        held.append(bounds[key] >= truth)
        error = np.std(totals / 5, ddof=1) / sqrt(40)
        unguarded.append(totals.mean() / 5 + student.isf(0.05, 39) * error >= truth)
    assert np.mean(held) >= 0.939
    assert np.mean(unguarded) < 0.9
