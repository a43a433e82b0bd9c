from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from muscle_metrics import FlipCounts, measure_changes
from muscle_metrics.answers.correctness import Correctness
from muscle_metrics.evidence.evidence import Evidence, with_decoding_noise
from muscle_metrics.evidence.rates import accuracy_loss, clustered_loss, independent_rate, rate
from muscle_metrics.evidence.repeats import repeated_rate
from muscle_metrics.evidence.scores import mean_regression, weighted_rate
from muscle_metrics.evidence.units import Units
from muscle_metrics.statistics.clusters import (
    clustered_mean_interval,
    clustered_proportion_interval,
)
from muscle_metrics.statistics.deciding import required_repeats
from muscle_metrics.statistics.interval import Interval
from muscle_metrics.statistics.noise import estimate_noise
from muscle_metrics.statistics.weighted import weighted_proportion_interval

LEVELS = [0.6, 0.9, 0.95, 0.999]


def clopper_pearson(count, total, confidence):
    low = beta.ppf(1 - confidence, count, total - count + 1) if count else 0.0
    high = beta.ppf(confidence, count + 1, total - count) if count < total else 1.0
    return pytest.approx((low, high), abs=1e-12)


def bounds(evidence, confidence=0.95):
    return evidence.lower(confidence), evidence.upper(confidence)


def test_independent_units_are_judged_by_their_totals():
    found = rate(Units(np.array([2.0, 1.0]), np.array([60, 40])))
    assert bounds(found) == clopper_pearson(3, 100, 0.95)
    assert (found.sample, found.units, found.unit) == ("3 of 100 items", 100, "items")


def generations(old, new, repeats):
    """Verdicts of prompts that get so many of their generations right, and the prompts."""
    columns = [
        np.concatenate([np.arange(repeats) < right for right in side]) for side in (old, new)
    ]
    return Correctness(*columns, None), list(np.repeat(np.arange(len(old)), repeats))


def rate_over(flags, labels, unit):
    return rate(Units.of(flags, labels, unit))


def loss_over(correctness, labels, unit):
    losses = correctness.old_right.astype(int) - correctness.new_right
    return clustered_loss(Units.of(losses, labels, unit))


# What would decide


def observed(low=0.125, high=0.5, units=100, **fields):
    """Evidence with the same bounds at any level."""
    return Evidence(
        estimate=0.25,
        sample="",
        interval=lambda confidence, side: Interval(low, high),
        best=lambda confidence: 0.0,
        units=units,
        **fields,
    )


@pytest.mark.parametrize(
    ("evidence", "limit", "more"),
    [
        # A bound four times as far away as the limit needs 16 times as many.
        (observed(), 0.3125, 1500),
        (observed(), 0.1875, 300),
        (observed(units=10**6), 0.3125, 15 * 10**6),
        (observed(0.2499, 0.2501), 0.2502, 1),
        (observed(0.2499, 0.2501), 0.2498, 1),
        (observed(), 0.46, 42),
    ],
)
def test_bounds_close_in_with_the_root_of_the_number_of_units(evidence, limit, more):
    assert evidence.advice(limit, 0.95) == f"about {more} more items at this rate would decide"


@pytest.mark.parametrize(
    ("evidence", "limit"),
    [
        (observed(), 0.25),
        (observed(0.25, 0.25), 0.25),
        (observed(), 0.25 + 1e-6),
        (observed(units=10**9), 0.3125),
    ],
)
def test_no_affordable_number_decides_near_the_limit(evidence, limit):
    expected = "the observed value is too near the limit for more items to decide"
    assert evidence.advice(limit, 0.95) == expected


def test_advice_may_be_special_and_names_its_units():
    evidence = observed(unit="prompts", special=lambda limit, confidence: None)
    assert evidence.advice(0.3125, 0.95) == "about 1500 more prompts at this rate would decide"
    special = observed(special=lambda limit, confidence: f"{limit} {confidence}")
    assert special.advice(0.3125, 0.9) == "0.3125 0.9"


# Independent items


@pytest.mark.parametrize("confidence", LEVELS)
@pytest.mark.parametrize(("count", "total"), [(0, 20), (7, 50), (15, 148), (20, 20)])
def test_independent_items_have_clopper_pearson_bounds(count, total, confidence):
    evidence = independent_rate(count, total)
    assert evidence.estimate == count / total
    assert bounds(evidence, confidence) == clopper_pearson(count, total, confidence)
    assert evidence.best(confidence) == -math.expm1(math.log(1 - confidence) / total)
    assert evidence.sample == f"{count} of {total} items"


def test_advice_says_how_many_more_items_without_a_flip_would_pass():
    assert independent_rate(0, 100).advice(0.02, 0.95) == "49 more items at this rate would decide"
    assert independent_rate(0, 148).upper(0.95) > 0.02 > independent_rate(0, 149).upper(0.95)
    # ceil(log(.1) / log(.98)) = 114
    assert independent_rate(0, 100).advice(0.02, 0.9) == "14 more items at this rate would decide"


@pytest.mark.parametrize(("count", "total", "limit"), [(13, 805, 0.02), (9, 100, 0.06)])
def test_so_many_more_items_at_this_rate_decide_and_no_fewer(count, total, limit):
    words = independent_rate(count, total).advice(limit, 0.95).split()
    assert words[1:] == ["more", "items", "at", "this", "rate", "would", "decide"]

    def decides(items):
        low, high = (
            beta.ppf(0.05, count * items / total, items - count * items / total + 1),
            beta.ppf(0.95, count * items / total + 1, items - count * items / total),
        )
        return high <= limit or low > limit

    assert decides(total + int(words[0]))
    assert not decides(total + int(words[0]) - 1)


def test_no_number_of_items_decides_at_the_limit():
    expected = "the observed value is too near the limit for more items to decide"
    assert independent_rate(2, 100).advice(0.02, 0.95) == expected


# Items in groups


groups_of_flips = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=9)


@settings(max_examples=8)
@given(groups_of_flips.filter(lambda groups: sum(map(sum, groups)) > 0))
def test_groups_are_counted_as_groups(groups):
    groups = [group for group in groups if sum(group)]
    flags = np.concatenate([np.repeat([True, False], group) for group in groups])
    labels = np.concatenate([[name] * sum(group) for name, group in enumerate(groups)]).tolist()
    order = np.random.default_rng(0).permutation(len(flags))
    evidence = rate_over(flags[order], [labels[i] for i in order], "groups")
    options = {"sizes": [sum(group) for group in groups]}
    for confidence in LEVELS:
        low, high = (
            clustered_proportion_interval(
                successes=[group[0] for group in groups],
                confidence=confidence,
                side=side,
                **options,
            ).interval
            for side in ("lower", "upper")
        )
        assert bounds(evidence, confidence) == pytest.approx((low.low, high.high), abs=1e-12)
    assert evidence.estimate == pytest.approx(flags.mean())
    # Too few groups for a PASS must not silence a FAIL.
    assert evidence.best(0.95) == 0


@pytest.mark.parametrize("flips", [0, 3, 40])
def test_groups_of_one_item_are_independent(flips):
    flags = np.arange(40) < flips
    evidence = rate_over(flags, range(40), "groups")
    assert bounds(evidence) == clopper_pearson(flips, 40, 0.95)


def test_groups_are_wider_than_their_items():
    flags = np.repeat(np.arange(60) % 20 == 0, 10)
    grouped = rate_over(flags, list(np.repeat(np.arange(60), 10)), "groups")
    low, high = bounds(independent_rate(30, 600))
    assert grouped.lower(0.95) < low
    assert high < grouped.upper(0.95)
    assert grouped.sample == "30 of 600 items in 60 groups, 3 of them with any, design effect 10.2"
    strict = rate(Units.of(flags, np.repeat(np.arange(60), 10), "groups"), strict=True)
    assert strict.upper(0.95) >= grouped.upper(0.95)
    # 60 groups allow ten of them to break from a limit of 16.7 % on.
    assert [grouped.at(limit).basis.is_settled for limit in (0.16, 0.17)] == [False, True]
    assert grouped.at(0.17).upper(0.95) == strict.upper(0.95)
    assert grouped.at(0.16).upper(0.95) == grouped.upper(0.95)
    assert strict.at(0.16).basis.is_settled


def test_ten_groups_settle_no_limit():
    basis = rate_over(np.arange(20) < 1, np.arange(20) % 10, "groups").at(0.999).basis
    assert basis.text(0.95) == (
        "the limit allows 10.0 of the largest groups to break, and below 10 an approximate bound "
        "decides: 25.9% of the groups could break unseen"
    )


def test_too_few_groups_to_pass_are_told_how_many_are_needed():
    evidence = rate_over(np.zeros(120, bool), np.arange(120) % 40, "groups")
    # 1 - .05 ** (1 / 59) is the first share below 5 %.
    assert evidence.advice(0.05, 0.95) == (
        "at least 19 more groups are needed: even with nothing broken 40 are too few to pass"
    )
    assert "needed" not in evidence.advice(0.08, 0.95)


@pytest.mark.parametrize(("number", "warned"), [(29, True), (30, False)])
def test_few_groups_are_called_few(number, warned):
    labels = list(range(number)) * 2
    flags = np.arange(2 * number) < 3
    correctness = Correctness(flags, ~flags, None)
    for sample in (
        rate_over(flags, labels, "groups").sample,
        loss_over(correctness, labels, "groups").sample,
        weighted_rate(flags, np.ones(2 * number), labels, "groups").sample,
    ):
        assert f" in {number} groups" in sample
        assert ("(few: bounds are rough)" in sample) == warned


def test_advice_on_groups_is_near_the_truth():
    flags = np.repeat(np.arange(100) % 25 == 0, 5)
    evidence = rate_over(flags, list(np.repeat(np.arange(100), 5)), "groups")
    words = evidence.advice(0.06, 0.95).split()
    assert (words[0], words[2:4]) == ("about", ["more", "groups"])
    # Repeat the groups until there are as many as advised.
    times = math.ceil((100 + int(words[1])) / 100)
    assert 1 < times < 20
    many = rate_over(np.tile(flags, times), list(np.repeat(np.arange(100 * times), 5)), "groups")
    assert many.upper(0.95) <= 0.06 < evidence.upper(0.95)


# Loss of accuracy


def test_loss_has_the_bounds_of_tango():
    # PropCIs 0.3-0 in R: scoreci.mp(40, 20, 160, 0.95) gives the change -.2180642, -.0308645.
    counts = FlipCounts(both_right=80, negative=40, positive=20, both_wrong=20)
    evidence = accuracy_loss(counts)
    assert evidence.estimate == 0.125
    assert bounds(evidence, 0.975) == pytest.approx((0.0308645, 0.2180642), abs=5e-8)
    assert evidence.sample == "40 broken, 20 fixed, of 160 items"


def test_the_best_that_can_happen_to_accuracy_is_that_everything_gets_fixed():
    evidence = accuracy_loss(FlipCounts(both_right=20, negative=5, positive=1, both_wrong=24))
    fixed = accuracy_loss(FlipCounts(both_right=25, negative=0, positive=25, both_wrong=0))
    assert evidence.best(0.95) == fixed.upper(0.95) < 0


def test_advice_on_accuracy_is_near_the_truth():
    def sample(times):
        cells = {"both_right": 80, "negative": 6, "positive": 5, "both_wrong": 9}
        return accuracy_loss(FlipCounts(**{name: times * n for name, n in cells.items()}))

    words = sample(1).advice(0.02, 0.95).split()
    assert (words[0], words[2:4]) == ("about", ["more", "items"])
    times = 1 + int(words[1]) / 100
    assert sample(math.ceil(1.05 * times)).upper(0.95) <= 0.02
    assert sample(math.floor(0.75 * times)).upper(0.95) > 0.02


@settings(max_examples=10)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 4)), min_size=2))
def test_loss_over_groups_has_their_bounds(items):
    old, new, labels = (np.array(column) for column in zip(*items, strict=True))
    evidence = loss_over(Correctness(old, new, None), labels.tolist(), "groups")
    names = np.unique(labels)
    totals = [int(old[labels == name].sum()) - int(new[labels == name].sum()) for name in names]
    sizes = [int((labels == name).sum()) for name in names]
    low, high = (
        clustered_mean_interval(totals=totals, sizes=sizes, confidence=0.9, side=side)
        for side in ("lower", "upper")
    )
    assert evidence.estimate == pytest.approx(old.mean() - new.mean())
    assert bounds(evidence, 0.9) == pytest.approx((low.low, high.high), abs=1e-12)
    assert evidence.best(0.95) == -1
    assert (evidence.units, evidence.unit) == (len(names), "groups")


# Repeats


@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_repeats_are_judged_over_prompts(confidence):
    old, new, repeats = [4, 3, 4, 0, 1, 4], [4, 3, 0, 0, 2, 1], 4
    evidence = repeated_rate(*generations(old, new, repeats))
    noise = estimate_noise(old_right=old, old_repeats=4, new_right=new, new_repeats=4)
    assert evidence.estimate == noise.flip_rate.mean
    assert evidence.lower(confidence) == noise.regression_lower_bound(confidence=confidence)
    high = noise.flip_rate.interval(confidence=confidence, side="upper").high
    assert evidence.upper(confidence) == high
    assert evidence.best(confidence) == independent_rate(0, 6).upper(confidence)
    assert evidence.sample == (
        "24 generations of 6 prompts, noise floor 11.11%, excess +23.26%, net loss +25.00%, clear "
        "loss +16.54%"
    )
    assert (evidence.units, evidence.unit) == (6, "prompts")
    # The other side is open.
    assert evidence.interval(confidence, "lower").high == 1
    assert evidence.interval(confidence, "upper").low == 0


def test_repeats_in_any_order_and_number_belong_to_their_prompt():
    old, new, repeats = np.array([2, 3, 0, 1]), np.array([0, 3, 1, 0]), [2, 3, 3, 2]
    columns = [
        np.concatenate([np.arange(k) < right for right, k in zip(side, repeats, strict=True)])
        for side in (old, new)
    ]
    order = np.random.default_rng(1).permutation(10)
    prompts = np.repeat(list("abcd"), repeats)[order].tolist()
    evidence = repeated_rate(Correctness(*(column[order] for column in columns), None), prompts)
    noise = estimate_noise(old_right=old, old_repeats=repeats, new_right=new, new_repeats=repeats)
    assert evidence.estimate == pytest.approx(noise.flip_rate.mean, abs=1e-15)
    assert evidence.lower(0.95) == pytest.approx(noise.regression_lower_bound(), abs=1e-12)


def test_repeats_of_grouped_prompts_are_judged_over_groups():
    old, new = [4, 3, 4, 0, 4, 4], [4, 3, 0, 0, 2, 1]
    correctness, prompts = generations(old, new, 4)
    labels = ["first" if prompt < 3 else ("alone", prompt) for prompt in prompts]
    evidence = repeated_rate(correctness, prompts, labels)
    noise = estimate_noise(
        old_right=old, old_repeats=4, new_right=new, new_repeats=4, groups=[0, 0, 0, 1, 2, 3]
    )
    assert evidence.lower(0.95) == noise.regression_lower_bound()
    assert evidence.upper(0.95) == noise.flip_rate.interval(side="upper").high
    assert evidence.best(0.95) == 0
    assert "24 generations of 6 prompts in 4 groups (few: bounds are rough), " in evidence.sample


def test_a_pass_on_what_exceeds_noise_has_no_guarantee_and_says_so():
    old, new = [5] * 300, [5] * 300
    arguments = generations(old, new, 10)
    plain = repeated_rate(*arguments)
    adjusted = repeated_rate(*arguments, noise_adjusted_pass=True)
    assert adjusted.sample == (
        f"{plain.sample}, PASS by what exceeds noise has no guarantee: losses that equal gains "
        f"balance may pass"
    )
    assert plain.upper(0.95) > 0.24
    noise = estimate_noise(old_right=old, old_repeats=10, new_right=new, new_repeats=10)
    assert adjusted.upper(0.9) == noise.regression_upper_bound(confidence=0.9)
    assert adjusted.upper(0.95) == noise.regression_upper_bound() < 0.03
    assert adjusted.lower(0.95) == plain.lower(0.95)


def test_bounds_of_repeats_say_which_flips_they_bound():
    arguments = generations([5] * 300, [5] * 300, 10)
    plain = repeated_rate(*arguments)
    assert plain.interval(0.95, "upper").method == "Gaffke"
    assert plain.bounded == ("beyond noise", "with noise")
    adjusted = repeated_rate(*arguments, noise_adjusted_pass=True)
    assert adjusted.bounded == ("beyond noise", "beyond noise")
    # 20 groups of 15 prompts: half of them fit into a limit of 50 %.
    grouped = repeated_rate(*arguments, [i // 150 for i in range(3000)])
    assert [grouped.at(limit).basis.is_settled for limit in (0.5, 0.49)] == [True, False]
    assert "13.9% of the groups could break unseen" in grouped.at(0.49).basis.text(0.95)
    assert independent_rate(3, 100).bounded == ("", "")


def test_advice_on_a_noise_floor_above_the_limit():
    evidence = repeated_rate(*generations([5] * 60, [5] * 60, 10))
    assert evidence.advice(0.02, 0.95) == (
        "noise floor 27.8% exceeds the limit 2%, and more prompts or repeats do not lower it: use "
        "a lower temperature, or greedy decoding"
    )


def test_advice_on_flips_that_may_be_noise():
    evidence = repeated_rate(*generations([10] * 98 + [5] * 2, [10] * 96 + [5] * 4, 10))
    assert evidence.estimate == pytest.approx(0.015)
    assert evidence.advice(0.014999, 0.95) == (
        "decoding noise may be what exceeds the limit: use a lower temperature, or greedy decoding"
    )
    assert evidence.advice(evidence.estimate, 0.95) == evidence.advice(0.014999, 0.95)
    assert "too near the limit" in evidence.advice(0.0150001, 0.95)


def test_more_prompts_are_advised_where_they_can_help():
    broken = generations([10] * 100, [10] * 96 + [0] * 4, 10)
    assert repeated_rate(*broken).advice(0.03, 0.95) == (
        "what exceeds noise is above the limit, but not for sure: more prompts would decide"
    )
    adjusted = repeated_rate(*broken, noise_adjusted_pass=True)
    assert adjusted.advice(0.05, 0.95) == (
        "what exceeds noise is too near the limit: more prompts may decide"
    )


def test_more_repeats_are_advised_where_so_few_cannot_tell_noise():
    # Two generations of a prompt that is right half of the time, each outcome as often as expected.
    of_each = {0: 1, 1: 2, 2: 1}
    pairs = [(a, b) for a in of_each for b in of_each for _ in range(20 * of_each[a] * of_each[b])]
    old, new = map(list, zip(*pairs, strict=True))
    adjusted = repeated_rate(*generations(old, new, 2), noise_adjusted_pass=True)
    assert adjusted.advice(0.02, 0.95) == (
        "so few repeats hardly tell the excess from noise: more repeats of every prompt may decide"
    )


def test_more_repeats_are_not_advised_where_groups_are_too_few():
    arguments = generations([4] * 60, [4, 4, 3] * 20, 4)
    alone = repeated_rate(*arguments)
    assert alone.advice(0.1, 0.95) == "10 more repeats of every prompt would decide"
    grouped = repeated_rate(*arguments, [i // 12 for i in range(240)])
    assert grouped.advice(0.1, 0.95) == (
        "at least 9 more groups are needed: even with nothing broken 20 are too few to pass"
    )
    # Enough groups: more prompts, which come in groups, and not more repeats.
    assert "more prompts at this rate" in grouped.advice(0.15, 0.95)


def test_a_noise_floor_on_the_limit_does_not_exceed_it():
    evidence = repeated_rate(*generations([2] * 60, [2] * 60, 4))
    # 1/2 (1 - 1/2) 4/3, for every prompt.
    floor = 1 / 3
    assert "noise floor" in evidence.advice(floor - 1e-9, 0.95)
    assert "noise floor" not in evidence.advice(floor + 1e-9, 0.95)


def test_advice_on_repeats_says_how_many():
    rng = np.random.default_rng(4)
    rights_of_both = rng.binomial(4, 0.9, (2, 400))
    evidence = repeated_rate(*generations(*rights_of_both.tolist(), 4))
    old, new = (rights.tolist() for rights in rights_of_both)
    noise = estimate_noise(old_right=old, old_repeats=4, new_right=new, new_repeats=4)
    assert noise.floor.mean < 0.1
    for confidence in (0.95, 0.99):
        needed = required_repeats(
            prompts=400,
            repeats=4,
            repeat_variance=noise.repeat_variance,
            prompt_variance=noise.prompt_variance,
            margin=0.1 - noise.flip_rate.mean,
            confidence=confidence,
        )
        expected = f"{needed - 4} more repeats of every prompt would decide"
        assert evidence.advice(0.1, confidence) == expected
        assert needed > 4


def test_advice_on_prompts_where_repeats_would_not_help():
    # Every prompt is always right or always wrong: all variance is between prompts.
    evidence = repeated_rate(*generations([4] * 100, [4] * 97 + [0] * 3, 4))
    words = evidence.advice(0.05, 0.95).split()
    assert (words[0], words[2:4]) == ("about", ["more", "prompts"])


# Graded scores


def test_a_mean_regression_has_the_bounds_of_its_range():
    changes = measure_changes(old=[0.9] * 20, new=np.linspace(0.1, 0.8, 20))
    size = changes.mean_regression
    evidence = mean_regression(size)
    assert evidence.estimate == float(size)
    for confidence in LEVELS:
        low = size.interval(confidence, "lower").low
        high = size.interval(confidence, "upper").high
        assert bounds(evidence, confidence) == pytest.approx((low, high), rel=1e-12)
    assert evidence.sample == "20 items regressed"
    assert evidence.best(0.95) == 0
    assert evidence.advice(0.5, 0.95).endswith(" more items that regress at this rate would decide")


@pytest.mark.parametrize("count", [0, 1, 9])
def test_fewer_than_ten_regressions_are_too_few(count):
    changes = measure_changes(old=[0.9] * 30, new=[0.1] * count + [0.9] * (30 - count))
    evidence = mean_regression(changes.mean_regression)
    assert bounds(evidence) == (0, 1)
    assert evidence.advice(0.1, 0.95) == "too few items regressed to judge by how much"
    assert math.isnan(evidence.estimate) == (count == 0)
    assert evidence.sample == f"{count} items regressed"


def test_ten_regressions_are_enough():
    changes = measure_changes(old=[0.9] * 30, new=[0.1] * 10 + [0.9] * 20)
    low, high = bounds(mean_regression(changes.mean_regression))
    assert 0 < low < 0.8 < high < 1


def test_regressions_of_a_few_prompts_are_too_few_however_often_they_were_repeated():
    changes = measure_changes(old=[0.9] * 90, new=[0.1] * 90)
    labels = [i % 9 for i in range(90)]
    evidence = mean_regression(changes.mean_regression, labels, "prompts")
    assert bounds(evidence) == (0, 1)
    assert evidence.advice(0.1, 0.95) == "too few prompts regressed to judge by how much"


def test_regressions_of_a_prompt_count_as_one_value():
    losses = np.linspace(0.1, 0.8, 20)
    once = measure_changes(old=[0.9] * 20, new=0.9 - losses)
    fifty = measure_changes(old=[0.9] * 1000, new=np.tile(0.9 - losses, 50))
    labels = [i % 20 for i in range(1000)]
    repeated = mean_regression(fifty.mean_regression, labels, "prompts")
    expected = bounds(mean_regression(once.mean_regression))
    assert bounds(repeated) == pytest.approx(expected, rel=1e-9)
    assert repeated.sample == "1000 items regressed in 20 prompts (few: bounds are rough)"
    pooled = mean_regression(fifty.mean_regression)
    assert expected[0] < pooled.lower(0.95)
    assert pooled.upper(0.95) < expected[1]


# Severity


@pytest.mark.parametrize("flips", [0, 1, 7, 50])
def test_equal_weights_give_the_flip_rate(flips):
    flags = np.arange(50) < flips
    evidence = weighted_rate(flags, np.full(50, 3.0))
    assert evidence.estimate == flips / 50
    assert bounds(evidence) == clopper_pearson(flips, 50, 0.95)
    assert evidence.best(0.95) == independent_rate(0, 50).upper(0.95)
    assert evidence.sample == f"{flips} of 50 items, weighted"


def test_a_weight_is_how_much_an_item_counts():
    flags, weights = np.array([True, False, False, True]), np.array([5.0, 1.0, 2.0, 2.0])
    evidence = weighted_rate(flags, weights)
    assert evidence.estimate == 0.7
    expected = weighted_proportion_interval(
        successes=[5, 0, 0, 2], weights=[5, 1, 2, 2], largest=5, confidence=0.9
    )
    assert bounds(evidence) == pytest.approx(expected, rel=1e-12)


# 1 % of all items weigh 50; a sample without one must not pass as if there were none.
def test_the_largest_weight_that_can_occur_widens_the_bounds():
    flags, weights = np.arange(300) < 6, np.ones(300)
    known, seen = weighted_rate(flags, weights, largest=50), weighted_rate(flags, weights)
    assert seen.upper(0.95) < 0.05 < 0.3 < known.upper(0.95)
    assert known.lower(0.95) < seen.lower(0.95)
    pairs = np.arange(300) // 2
    grouped = weighted_rate(flags, weights, pairs.tolist(), "groups", largest=50)
    assert grouped.upper(0.95) > known.upper(0.95)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 5)), min_size=1, max_size=30))
def test_weights_have_no_unit(items):
    flags, weights = (np.array(column) for column in zip(*items, strict=True))
    one, other = (weighted_rate(flags, factor * weights) for factor in (1.0, 7.0))
    assert bounds(one) == pytest.approx(bounds(other), rel=1e-9)
    low, high = bounds(one)
    assert low - 1e-9 <= one.estimate <= high + 1e-9
    assert one.best(0.95) <= high + 1e-9


def test_weighted_items_of_a_group_count_as_one():
    flags, weights = np.arange(40) % 10 == 0, np.arange(40) % 3 + 1.0
    alone = weighted_rate(flags, weights)
    grouped = weighted_rate(
        np.repeat(flags, 6), np.repeat(weights, 6), np.repeat(np.arange(40), 6).tolist(), "groups"
    )
    assert grouped.estimate == pytest.approx(alone.estimate)
    assert bounds(grouped) == pytest.approx(bounds(alone), rel=1e-9)
    assert alone.best(0.95) > 0 == grouped.best(0.95)
    assert grouped.sample == "24 of 240 items in 40 groups, weighted"
    assert (grouped.units, grouped.unit) == (40, "groups")


# Noise that cannot be separated


def test_noise_may_pass_and_never_fails():
    flips = independent_rate(300, 600)
    noisy = with_decoding_noise(flips)
    assert (noisy.estimate, noisy.sample, noisy.units) == (0.5, flips.sample, 600)
    for confidence in LEVELS:
        assert noisy.lower(confidence) == 0
        assert noisy.upper(confidence) == flips.upper(confidence)
    assert noisy.advice(0.02, 0.95) == (
        "decoding noise is part of it and not told apart: use greedy decoding"
    )
    assert noisy.advice(0.5, 0.95) == noisy.advice(0.02, 0.95)
    assert noisy.advice(0.51, 0.95) == flips.advice(0.51, 0.95)
