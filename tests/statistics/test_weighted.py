from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from muscle_metrics.errors import InputError
from muscle_metrics.statistics.proportions import proportion_interval
from muscle_metrics.statistics.weighted import weighted_proportion_interval

items = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.1, 0.5, 1, 5])), min_size=1, max_size=20
)


@pytest.mark.parametrize("side", ["two-sided", "lower", "upper"])
def test_equal_weights_give_clopper_pearson(side):
    expected = proportion_interval(4, 60, method="clopper-pearson", side=side)
    found = weighted_proportion_interval(
        successes=[2.5] * 4 + [0] * 56, weights=[2.5] * 60, largest=2.5, side=side
    )
    assert found == pytest.approx(expected, rel=1e-12)


# The definition, by simulation: exponential weights, and one more item of the largest weight.
def test_bounds_are_quantiles_of_weighted_ratios():
    weights = np.array([1.0, 2, 5, 1, 1, 2, 1, 1, 5, 2] * 3)
    hits = np.where(np.arange(30) % 4 == 0, weights, 0)
    draws = np.random.default_rng(0).exponential(size=(200_000, 31))
    low, high = weighted_proportion_interval(
        successes=hits, weights=weights, largest=10, confidence=0.9
    )
    body, all_of_it, extra = draws[:, 1:] @ hits, draws[:, 1:] @ weights, 10 * draws[:, 0]
    # Four standard errors of a simulated tail of 5 %.
    assert np.mean((body + extra) / (all_of_it + extra) > high) == pytest.approx(0.05, abs=0.002)
    assert np.mean(body / (all_of_it + extra) < low) == pytest.approx(0.05, abs=0.002)


@settings(max_examples=25)
@given(items, st.data())
def test_no_bound_falls_when_one_more_item_breaks(pairs, data):
    broken, weights = (np.array(column) for column in zip(*pairs, strict=True))
    assume(not broken.all())
    place = data.draw(st.sampled_from(np.flatnonzero(~broken).tolist()))
    more = broken.copy()
    more[place] = True
    before, after = (
        weighted_proportion_interval(successes=flags * weights, weights=weights, largest=5)
        for flags in (broken, more)
    )
    assert after.low >= before.low - 1e-9
    assert after.high >= before.high - 1e-9


@pytest.mark.parametrize(
    ("successes", "weights", "message"),
    [
        ([0, 0], [1, 3], "largest cluster that can occur, got 2 where cluster 1 has 3"),
        ([0, 0], [1, 0], "in 0 items of cluster 1: leave it out"),
    ],
)
def test_impossible_weights_are_refused(successes, weights, message):
    with pytest.raises(InputError, match=message):
        weighted_proportion_interval(successes=successes, weights=weights, largest=2)
