from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.statistics.bounded import bounded_mean_interval
from muscle_metrics.statistics.clusters import clustered_proportion_interval
from muscle_metrics.statistics.mean_loss import mean_loss
from muscle_metrics.statistics.proportions import proportion_interval

changes = st.lists(st.floats(-2, 2), min_size=1, max_size=15)


@pytest.mark.parametrize("side", ["two-sided", "lower", "upper"])
def test_losses_of_the_whole_range_are_flips(side):
    found = mean_loss([-2.0] * 3 + [0.0] * 40 + [2.0] * 7, span=2, side=side)
    expected = proportion_interval(3, 50, method="clopper-pearson", side=side)
    assert found.interval == pytest.approx([2 * bound for bound in expected], rel=1e-12)
    assert (found.loss, found.items, found.worse, found.units) == (0.12, 50, 3, 50)


def test_gains_do_not_balance_losses():
    losses = np.random.default_rng(0).uniform(0, 1, 30)
    some, more = np.concatenate([-losses, np.zeros(30)]), np.concatenate([-losses, np.ones(30)])
    assert mean_loss(some, span=1) == mean_loss(more, span=1)
    expected = bounded_mean_interval(np.maximum(-some, 0), low=0, high=1)
    assert mean_loss(some, span=1).interval == expected


# 40 of 400 fall by a half; and then the rest by a little: a mean over those that fell would fall.
def test_a_little_more_loss_is_worse():
    few, all_of_them = [-0.5] * 40 + [0.0] * 360, [-0.5] * 40 + [-0.08] * 360
    before, after = mean_loss(few, span=1), mean_loss(all_of_them, span=1)
    assert np.mean(all_of_them) < np.mean([-0.5] * 40) * 0.1
    assert after.loss > before.loss
    assert after.interval.low > before.interval.low
    assert after.interval.high > before.interval.high


def test_items_of_a_group_are_one_unit():
    drops = [-0.5, 0.0, -1.0, 0.3, 0.0, 0.0, -0.2, 0.0] * 5
    labels = [f"passage {index // 3}" for index in range(40)]
    found = mean_loss(drops, span=2, groups=labels, largest=4)
    totals = [sum(max(-drop, 0) / 2 for drop in drops[at : at + 3]) for at in range(0, 40, 3)]
    expected = clustered_proportion_interval(successes=totals, sizes=[3] * 13 + [1], largest=4)
    assert found.interval == pytest.approx([2 * bound for bound in expected.interval], rel=1e-9)
    assert (found.units, found.items) == (14, 40)
    alone = mean_loss(drops, span=2, groups=range(40))
    assert alone.interval == pytest.approx(mean_loss(drops, span=2).interval, rel=1e-9)


@settings(max_examples=25)
@given(changes, st.data(), st.booleans())
def test_no_bound_falls_when_one_item_loses_more(drops, data, grouped):
    options = {"span": 4, "groups": [index // 3 for index in range(len(drops))]}
    if not grouped:
        options.pop("groups")
    place = data.draw(st.integers(0, len(drops) - 1))
    worse = [*drops]
    worse[place] -= 0.5
    before, after = mean_loss(drops, **options), mean_loss(worse, **options)
    assert after.loss >= before.loss
    assert after.interval.low >= before.interval.low - 1e-8
    assert after.interval.high >= before.interval.high - 1e-8


# .3 - 1.3 is a little more than 1.
def test_changes_may_be_off_the_range_by_rounding():
    assert mean_loss([0.1 - 0.4], span=0.3).loss == 0.3
    assert 0.1 - 0.4 < -0.3


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ([], {"span": 1}, r"one row of changes, got an array of shape \(0,\)"),
        ([0.0, -1.5], {"span": 1}, "at most 1, got -1.5 at position 1 .1 of 2 lie outside"),
        ([0.0, float("nan")], {"span": 1}, "at most 1, got nan at position 1"),
        ([0.0, 0.1], {"span": 1, "groups": ["a"]}, r"one group for each of 2 items, got .* \(1,\)"),
    ],
)
def test_impossible_changes_are_refused(values, options, message):
    with pytest.raises(InputError, match=message):
        mean_loss(values, **options)


@pytest.mark.parametrize("span", [0, -1, float("inf"), float("nan")])
def test_a_range_has_a_length(span):
    with pytest.raises(UsageError, match="a finite range of scores"):
        mean_loss([0.0], span=span)
