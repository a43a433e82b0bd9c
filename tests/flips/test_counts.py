"""Counts of flips: every rate of the definitions on the worked example, and where it is none."""

from __future__ import annotations

import copy
import dataclasses
import math
import pickle

import numpy as np
import pytest

from muscle_metrics.errors import InputError
from muscle_metrics.flips.counts import FlipCounts, Quadrant
from muscle_metrics.flips.rate_table import RATES
from muscle_metrics.flips.rates import Rate

CELLS = ("both_right", "negative", "positive", "both_wrong")

# old = AABBCCDDAB, new = ABBACDDDCC, reference = AABBDDDDBB
WORKED = FlipCounts(
    both_right=4, negative=3, positive=1, both_wrong=2, both_right_changed=0, wrong_changed=1
)
WORKED_RATES = {
    "old_accuracy": (7, 10),
    "new_accuracy": (5, 10),
    "negative_flip_rate": (3, 10),
    "positive_flip_rate": (1, 10),
    "flip_rate": (4, 10),
    "inconsistency_flip_rate": (4, 10),
    "wrong_to_different_wrong_rate": (1, 10),
    "right_to_different_right_rate": (0, 10),
    "churn": (5, 10),
    "conditional_negative_flip_rate": (3, 7),
    "fix_rate": (1, 3),
    "negative_flip_impact": (3, 5),
    "positive_flip_impact": (1, 5),
    "backward_trust_compatibility": (4, 7),
    "backward_error_compatibility": (2, 5),
    "backward_error_compatibility_of_old_errors": (2, 3),
    "avoidable_negative_flip_rate": (1, 10),
}

NEED_ANSWERS = {
    "churn",
    "inconsistency_flip_rate",
    "right_to_different_right_rate",
    "wrong_to_different_wrong_rate",
}


# The worked example


@pytest.mark.parametrize(("name", "parts"), WORKED_RATES.items(), ids=WORKED_RATES)
def test_worked_example(name, parts):
    rate = getattr(WORKED, name)
    assert (type(rate), rate.count, rate.total) == (Rate, *parts)
    assert rate == parts[0] / parts[1]


def test_worked_example_where_no_rate_has_a_count():
    assert WORKED.accuracy_change == -0.2
    assert WORKED.relative_negative_flip_rate == 6 / 7
    assert f"{WORKED.relative_negative_flip_rate:.9f}" == "0.857142857"
    assert type(WORKED.relative_negative_flip_rate) is float
    assert (WORKED.old_right, WORKED.new_right, WORKED.old_wrong, WORKED.new_wrong) == (7, 5, 3, 5)
    # Frechet bounds [.2, .5]
    assert max(0, WORKED.old_right - WORKED.new_right) == 2
    assert min(WORKED.old_right, WORKED.new_wrong) == 5


def test_rates_holds_every_rate_and_only_rates():
    rates = WORKED.rates()
    assert tuple(rates) == tuple(RATES)
    assert set(rates) == {*WORKED_RATES, "accuracy_change", "relative_negative_flip_rate"}
    assert all(isinstance(rate, float) for rate in rates.values())
    whole_numbers = {"total", "old_right", "new_right", "old_wrong", "new_wrong"}
    properties = {name for name, value in vars(FlipCounts).items() if isinstance(value, property)}
    assert properties - whole_numbers == set(rates)


# Unknown and undefined


@pytest.mark.parametrize("name", sorted(NEED_ANSWERS))
def test_what_needs_unrecorded_answers_is_unknown_and_never_zero(name):
    verdicts_only = FlipCounts(both_right=4, negative=3, positive=1, both_wrong=2)
    rate = getattr(verdicts_only, name)
    assert math.isnan(rate)
    assert (rate.count, rate.total) == (None, 10)
    assert rate.interval() == (0.0, 1.0)


def test_what_needs_no_answers_is_known_without_them():
    verdicts_only = FlipCounts(both_right=4, negative=3, positive=1, both_wrong=2)
    unknown = {name for name, rate in verdicts_only.rates().items() if math.isnan(rate)}
    assert unknown == NEED_ANSWERS


def test_half_known_changes_are_used_where_they_suffice():
    half = FlipCounts(both_right=4, negative=3, positive=1, both_wrong=2, wrong_changed=1)
    assert half.inconsistency_flip_rate == 0.4
    assert math.isnan(half.churn)
    assert math.isnan(half.right_to_different_right_rate)


def test_no_items_make_every_rate_undefined():
    rates = FlipCounts(both_right=0, negative=0, positive=0, both_wrong=0).rates()
    assert all(math.isnan(rate) for rate in rates.values())
    assert all(rate.interval() == (0, 1) for rate in rates.values() if isinstance(rate, Rate))
    assert rates["accuracy_change"].interval() == (-1, 1)


@pytest.mark.parametrize(
    ("cells", "undefined"),
    [
        # A perfect old model has no errors to fix; its compatibility is not 0.
        ((8, 2, 0, 0), {"fix_rate", "backward_error_compatibility_of_old_errors"}),
        (
            (8, 0, 2, 0),
            {
                "negative_flip_impact",
                "backward_error_compatibility",
                "relative_negative_flip_rate",
            },
        ),
        (
            (0, 0, 2, 8),
            {
                "conditional_negative_flip_rate",
                "backward_trust_compatibility",
                "relative_negative_flip_rate",
            },
        ),
        ((0, 2, 0, 8), {"positive_flip_impact"}),
        ((4, 3, 1, 2), set()),
    ],
)
def test_a_share_of_nothing_is_undefined(cells, undefined):
    counts = FlipCounts(
        **dict(zip(CELLS, cells, strict=True)), both_right_changed=0, wrong_changed=0
    )
    assert {name for name, rate in counts.rates().items() if math.isnan(rate)} == undefined


# What may be counted


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("count", [-1, 1.0, 0.5, math.nan, "1", None])
def test_what_is_no_count_is_refused(cell, count):
    with pytest.raises(InputError, match=cell):
        FlipCounts(**(dict.fromkeys(CELLS, 3) | {cell: count}))


@pytest.mark.parametrize("changed", ["both_right_changed", "wrong_changed"])
@pytest.mark.parametrize("count", [-1, 4, 1.0])
def test_no_more_items_change_than_there_are(changed, count):
    with pytest.raises(InputError, match=changed):
        FlipCounts(**dict.fromkeys(CELLS, 3), **{changed: count})


def test_numpy_counts_do_not_overflow():
    cells = dict(zip(CELLS, np.full(4, 2**62, dtype=np.int64), strict=True))
    counts = FlipCounts(**cells)
    assert counts.total == 2**64
    assert counts.relative_negative_flip_rate == 1
    assert {type(getattr(counts, cell)) for cell in CELLS} == {int}


def test_counts_are_frozen_values():
    assert WORKED == copy.deepcopy(WORKED) == pickle.loads(pickle.dumps(WORKED))
    assert hash(WORKED) == hash(copy.copy(WORKED))
    assert eval(repr(WORKED)) == WORKED
    with pytest.raises(dataclasses.FrozenInstanceError):
        WORKED.negative = 0
    with pytest.raises(TypeError):
        FlipCounts(4, 3, 1, 2)


def test_quadrants_are_named_as_the_cells():
    assert sorted(Quadrant) == sorted(CELLS)
    assert all(getattr(WORKED, quadrant) is not None for quadrant in Quadrant)
