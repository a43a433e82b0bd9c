from __future__ import annotations

from math import exp, log, sqrt

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, norm
from scipy.stats import t as student

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.statistics.bounded import bounded_mean_interval
from muscle_metrics.statistics.clusters import (
    clustered_mean_interval,
    clustered_proportion_interval,
)
from muscle_metrics.statistics.proportions import proportion_interval

clusters = st.lists(
    st.integers(1, 8).flatmap(lambda size: st.tuples(st.integers(0, size), st.just(size))),
    min_size=2,
    max_size=20,
)


def bounds(hits, sizes, **options):
    return clustered_proportion_interval(successes=hits, sizes=sizes, **options).interval


# Oracles


# Of the two bounds the one of the effective size is the larger, or the one on the logit scale.
@pytest.mark.parametrize(
    ("hits", "sizes", "confidence", "larger"),
    [
        ([3, 0, 1, 0, 2, 0, 0, 4, 1, 0], [5, 5, 4, 6, 5, 5, 3, 5, 6, 5], 0.9, "effective"),
        ([1, 0, 0, 0, 1, 0, 2, 2, 0, 0, 1], [4, 3, 7, 2, 3, 3, 6, 8, 5, 8, 4], 0.99, "logit"),
        # One cluster holds most flips: t has 2.8 degrees of freedom in place of 11.
        ([9, 1, 0, 0, 1, 0, 1, 1, 0, 0, 0, 0], [9] * 12, 0.8, "effective"),
    ],
)
def test_bounds_follow_the_formulas(hits, sizes, confidence, larger):
    hits, sizes, alpha = np.array(hits), np.array(sizes), (1 - confidence) / 2
    count, p, total = hits.size, hits.sum() / sizes.sum(), sizes.sum()
    variance = count / (count - 1) * ((hits - p * sizes) ** 2).sum() / total**2
    effect = max(1, variance / (p * (1 - p) / total))
    residuals = hits - p * sizes
    tails = (residuals**4).mean() / (residuals**2).mean() ** 2
    freedom = min(count - 1, 2 / (2 / (count - 1) + (tails - 3) / count))
    reach = student.isf(alpha, freedom)
    worth = total / effect * (norm.isf(alpha) / reach) ** 2
    effective = beta.ppf(1 - alpha, p * worth + 1, (1 - p) * worth)
    odds = log(p / (1 - p)) + reach * sqrt(variance) / (p * (1 - p))
    on_logit = 1 / (1 + exp(-odds))
    result = clustered_proportion_interval(successes=hits, sizes=sizes, confidence=confidence)
    assert result.design_effect == pytest.approx(effect)
    assert result.interval.high == pytest.approx(max(effective, on_logit))
    assert (on_logit > effective) == (larger == "logit")
    assert (result.clusters, result.flipped_clusters) == (count, 5)
    lower_effective = beta.ppf(alpha, p * worth, (1 - p) * worth + 1)
    lower_odds = log(p / (1 - p)) - reach * sqrt(variance) / (p * (1 - p))
    assert result.interval.low == pytest.approx(min(lower_effective, 1 / (1 + exp(-lower_odds))))


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


def test_few_flipped_clusters_are_judged_as_clusters():
    expected = proportion_interval(4, 60, method="clopper-pearson", side="upper")
    assert bounds([1] * 4 + [0] * 56, [10] * 60, side="upper") == expected
    assert bounds([1] * 5 + [0] * 55, [10] * 60, side="upper").high < expected.high


@pytest.mark.parametrize("side", ["two-sided", "lower", "upper"])
def test_mean_interval_is_the_cluster_robust_regression(side):
    generator = np.random.default_rng(3)
    groups = generator.integers(0, 12, 100)
    values = generator.choice([-1.0, 0.0, 1.0], 100, p=[0.1, 0.7, 0.2])
    result = clustered_mean_interval(
        totals=np.bincount(groups, weights=values), sizes=np.bincount(groups), side=side
    )
    fit = sm.OLS(values, np.ones(100)).fit(
        cov_type="cluster", cov_kwds={"groups": groups}, use_t=True
    )
    low, high = fit.conf_int(0.05 if side == "two-sided" else 0.1)[0]
    assert result.low == pytest.approx(-1 if side == "upper" else low)
    assert result.high == pytest.approx(1 if side == "lower" else high)


# Laws


@given(clusters)
def test_contains_the_rate_and_is_no_narrower_than_independent_items(pairs):
    hits, sizes = zip(*pairs, strict=True)
    result = clustered_proportion_interval(successes=hits, sizes=sizes)
    naive = proportion_interval(sum(hits), sum(sizes), method="clopper-pearson")
    assert result.interval.low <= result.rate <= result.interval.high
    assert result.interval.low <= naive.low + 1e-12
    assert result.interval.high >= naive.high - 1e-12
    assert result.design_effect >= 1


@given(clusters)
def test_items_that_did_not_flip_give_the_mirror_image(pairs):
    hits, sizes = (np.array(column) for column in zip(*pairs, strict=True))
    low, high = bounds(hits, sizes)
    assert bounds(sizes - hits, sizes) == pytest.approx((1 - high, 1 - low), abs=1e-12)


@given(clusters, st.floats(0.5, 0.98))
def test_nested_in_confidence(pairs, confidence):
    hits, sizes = zip(*pairs, strict=True)
    inner = bounds(hits, sizes, confidence=confidence)
    outer = bounds(hits, sizes, confidence=confidence + 0.01)
    assert outer.low <= inner.low + 1e-12
    assert outer.high >= inner.high - 1e-12


@given(clusters)
def test_mean_interval_is_centred_on_the_mean_within_its_range(pairs):
    totals, sizes = zip(*pairs, strict=True)
    low, high = clustered_mean_interval(totals=totals, sizes=sizes)
    assert -1 <= low <= sum(totals) / sum(sizes) + 1e-12
    assert sum(totals) / sum(sizes) - 1e-12 <= high <= 1


# Examples


def test_one_cluster_says_nothing():
    result = clustered_proportion_interval(successes=[3], sizes=[10])
    assert result.interval == (0, 1)
    assert np.isnan(result.design_effect)
    assert clustered_mean_interval(totals=[3], sizes=[10]) == (-1, 1)


def test_clusters_without_change_do_not_show_that_nothing_changed():
    # As many clusters as would show a rate of 0 by Clopper-Pearson, in either direction.
    reach = proportion_interval(0, 40, method="clopper-pearson").high
    result = clustered_mean_interval(totals=[0] * 40, sizes=[5] * 40)
    assert result == pytest.approx((-reach, reach))
    few = clustered_mean_interval(totals=[-5] + [0] * 39, sizes=[5] * 40)
    assert few.low == pytest.approx(
        -proportion_interval(1, 40, method="clopper-pearson").high, rel=1e-6
    )


@pytest.mark.parametrize("side", ["two-sided", "lower", "upper"])
@pytest.mark.parametrize("confidence", [0.8, 0.99])
@pytest.mark.parametrize("changed", [4, 5])
def test_up_to_four_clusters_that_change_are_not_enough_for_t(changed, confidence, side):
    means, level = np.zeros(40), {"confidence": confidence, "side": side}
    means[:changed] = [1, 0.5, 0.5, -0.25, 1][:changed]
    result = clustered_mean_interval(totals=4 * means, sizes=[4] * 40, **level)
    tail = (1 - confidence) / (2 if side == "two-sided" else 1)
    reach = student.isf(tail, 39) * means.std(ddof=1) / sqrt(40)
    low = -1 if side == "upper" else means.mean() - reach
    high = 1 if side == "lower" else means.mean() + reach
    rare = bounded_mean_interval(means, low=-1, high=1, **level)
    expected = (min(low, rare.low), max(high, rare.high)) if changed < 5 else (low, high)
    assert result == pytest.approx(expected)
    assert changed == 5 or result != pytest.approx((low, high))


def test_two_clusters_say_something():
    reach = proportion_interval(0, 2, method="clopper-pearson").high
    result = clustered_mean_interval(totals=[0, 0], sizes=[5, 5])
    assert result == pytest.approx((-reach, reach))


def test_items_spread_evenly_over_clusters_are_worth_no_more_than_independent_ones():
    result = clustered_proportion_interval(successes=[1] * 8, sizes=[4] * 8, side="upper")
    assert result.design_effect == 1
    worth = 32 * (norm.isf(0.05) / student.isf(0.05, 7)) ** 2
    assert result.interval.high == pytest.approx(beta.ppf(0.95, worth / 4 + 1, worth * 3 / 4))


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
    ],
)
def test_impossible_clusters_are_refused(hits, sizes, message):
    with pytest.raises(InputError, match=message):
        clustered_proportion_interval(successes=hits, sizes=sizes)


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
        totals = -5 * (generator.random(40) < rate) + generator.binomial(1, 0.05, 40)
        totals.sort()
        if (key := totals.tobytes()) not in bounds:
            result = clustered_mean_interval(totals=totals, sizes=sizes, side="lower")
            bounds[key] = result.low
        truth = 0.01 - rate
        held.append(bounds[key] <= truth)
        error = np.std(totals / 5, ddof=1) / sqrt(40)
        unguarded.append(totals.mean() / 5 - student.isf(0.05, 39) * error <= truth)
    assert np.mean(held) >= 0.939
    assert np.mean(unguarded) < 0.9
