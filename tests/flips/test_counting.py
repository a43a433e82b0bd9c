"""Counting flips: the worked example by every road, and the laws that any count must obey."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics.answers.correctness import judge_answers
from muscle_metrics.errors import InputError
from muscle_metrics.flips.counting import (
    count_flips,
    inconsistency_flip_rate,
    label_correctness,
    label_flips,
    negative_flip_rate,
    positive_flip_rate,
    tally_correctness,
    tally_flips,
)
from muscle_metrics.flips.counts import FlipCounts, Quadrant
from muscle_metrics.flips.rates import Rate

WORKED = {
    name: list(text)
    for name, text in zip(
        ("old", "new", "references"), ("AABBCCDDAB", "ABBACDDDCC", "AABBDDDDBB"), strict=True
    )
}
WORKED_COUNTS = FlipCounts(
    both_right=4, negative=3, positive=1, both_wrong=2, both_right_changed=0, wrong_changed=1
)
WORKED_QUADRANTS = [
    "both_right",
    "negative",
    "both_right",
    "negative",
    "both_wrong",
    "positive",
    "both_right",
    "both_right",
    "both_wrong",
    "negative",
]
WORKED_CHANGED = [False, True, False, True, False, True, False, False, True, True]

letters = st.sampled_from("ABCD")
rows = st.lists(
    st.tuples(letters, letters, st.one_of(letters, st.lists(letters, min_size=1, max_size=2))),
    min_size=1,
    max_size=12,
)


def columns(items):
    return dict(zip(("old", "new", "references"), map(list, zip(*items, strict=True)), strict=True))


def count(items):
    return count_flips(**columns(items))


# The worked example


def test_worked_example_is_counted():
    assert count_flips(**WORKED) == WORKED_COUNTS
    assert sum(dataclasses.astuple(WORKED_COUNTS)[:4]) == WORKED_COUNTS.total == 10


@pytest.mark.parametrize(
    "make",
    [
        tuple,
        np.array,
        lambda values: pd.Series(values, [f"q{i}" for i in range(len(values))]),
        lambda values: [ord(letter) for letter in values],
        lambda values: np.array([ord(letter) for letter in values], dtype=np.int8),
        lambda values: [ord(letter) / 7 for letter in values],
    ],
)
def test_worked_example_in_other_containers(make):
    assert count_flips(**{name: make(column) for name, column in WORKED.items()}) == WORKED_COUNTS


def test_worked_example_is_labelled():
    quadrants, changed = label_flips(**WORKED)
    assert quadrants.tolist() == WORKED_QUADRANTS
    assert changed.tolist() == WORKED_CHANGED
    assert np.count_nonzero(quadrants == Quadrant.NEGATIVE) == 3
    assert {Quadrant(quadrant) for quadrant in quadrants.tolist()} == set(Quadrant)


def test_worked_example_by_its_own_rates():
    nfr, pfr, nfr_mc = (
        rate(**WORKED) for rate in (negative_flip_rate, positive_flip_rate, inconsistency_flip_rate)
    )
    assert [(rate.count, rate.total) for rate in (nfr, pfr, nfr_mc)] == [(3, 10), (1, 10), (4, 10)]
    assert {type(rate) for rate in (nfr, pfr, nfr_mc)} == {Rate}


def test_worked_example_from_verdicts():
    judged = judge_answers(**WORKED)._asdict()
    assert tally_flips(**judged) == WORKED_COUNTS
    del judged["changed"]
    assert tally_flips(**judged) == dataclasses.replace(
        WORKED_COUNTS, both_right_changed=None, wrong_changed=None
    )
    assert label_correctness(judge_answers(**WORKED)).quadrants.tolist() == WORKED_QUADRANTS
    assert tally_correctness(judge_answers(**WORKED)) == WORKED_COUNTS


def test_a_changed_right_answer_is_counted_apart():
    counts = count_flips(old=["2", "a"], new=["two", "a"], references=[["2", "two"], "a"])
    assert counts == FlipCounts(
        both_right=2, negative=0, positive=0, both_wrong=0, both_right_changed=1, wrong_changed=0
    )


@pytest.mark.parametrize(
    "function",
    [count_flips, label_flips, negative_flip_rate, positive_flip_rate, inconsistency_flip_rate],
)
def test_columns_are_named_never_placed(function):
    with pytest.raises(TypeError):
        function(*WORKED.values())


@pytest.mark.parametrize(
    "rate",
    [negative_flip_rate, positive_flip_rate, inconsistency_flip_rate],
    ids=lambda f: f.__name__,
)
@given(items=rows)
def test_each_rate_is_the_one_of_the_counts(rate, items):
    options = {"key": str.lower, "missing": "wrong"}
    counts = count_flips(**columns(items), **options)
    assert repr(rate(**columns(items), **options)) == repr(getattr(counts, rate.__name__))


# Verdicts

correctness = st.lists(
    st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=12
)


@given(correctness)
def test_verdicts_are_tallied_as_they_stand(items):
    old_right, new_right, changed = map(list, zip(*items, strict=True))
    counts = tally_flips(old_right=old_right, new_right=new_right, changed=changed)
    assert counts.both_right == sum(old and new for old, new, _ in items)
    assert counts.negative == sum(old and not new for old, new, _ in items)
    assert counts.positive == sum(new and not old for old, new, _ in items)
    assert counts.both_wrong == sum(not old and not new for old, new, _ in items)
    assert counts.both_right_changed == sum(old and new and moved for old, new, moved in items)
    assert counts.wrong_changed == sum(not (old or new) and moved for old, new, moved in items)
    unknown = tally_flips(old_right=old_right, new_right=new_right)
    assert (unknown.both_right_changed, unknown.wrong_changed) == (None, None)


@pytest.mark.parametrize("changed", [[True], [True, False, True], ["yes", "no"], [None, True]])
def test_changes_that_fit_no_item_are_refused(changed):
    with pytest.raises(InputError, match="changed"):
        tally_flips(old_right=[1, 0], new_right=[0, 0], changed=changed)


@pytest.mark.parametrize("which", ["old_right", "new_right", "changed"])
def test_verdicts_of_misaligned_pandas_columns_are_refused(which):
    columns = {
        name: pd.Series([True, False], ["x", "y"]) for name in ("old_right", "new_right", "changed")
    }
    assert tally_flips(**columns).both_right_changed == 1
    columns[which] = pd.Series([False, True], ["y", "x"])
    with pytest.raises(InputError, match="index"):
        tally_flips(**columns)


# Weights

# TensorFlow Model Analysis, the data of its flip_metrics tests; right is score > 0.5 as label.
TFMA_WEIGHTS = [1, 2, 3, 4]


def tfma(weights):
    labels = np.array([0, 0, 1, 1])
    baseline, candidate = np.array([0.1, 0.9, 0.1, 0.9]), np.array([0.9, 0.1, 0.2, 0.8])
    return tally_flips(
        old_right=(baseline > 0.5) == labels,
        new_right=(candidate > 0.5) == labels,
        changed=(baseline > 0.5) != (candidate > 0.5),
        weights=weights,
    )


def test_published_weights():
    assert tfma(TFMA_WEIGHTS).negative_flip_rate == 0.1
    assert tfma(TFMA_WEIGHTS).positive_flip_rate == 0.2
    assert tfma(None).negative_flip_rate == tfma(None).positive_flip_rate == 0.25
    assert repr(tfma(TFMA_WEIGHTS).positive_flip_rate) == "Rate(2, 10)"


@given(rows, st.data())
def test_a_weight_says_how_often_an_item_stands_there(items, data):
    weights = data.draw(st.lists(st.integers(0, 3), min_size=len(items), max_size=len(items)))
    weighted = count_flips(**columns(items), weights=weights)
    repeated = [item for item, weight in zip(items, weights, strict=True) for _ in range(weight)]
    if repeated:
        assert weighted == count(repeated)
    else:
        assert weighted.total == 0
    assert count_flips(**columns(items), weights=[1] * len(items)) == count(items)


@pytest.mark.parametrize(
    "weights",
    [
        (1, 2),
        np.array([1, 2], dtype=np.uint8),
        pd.Series([1, 2]),
        pd.Series([1, 2], dtype="Int64"),
        [np.int64(1), np.int64(2)],
    ],
    ids=repr,
)
def test_weights_come_in_any_column_of_integers(weights):
    counts = tally_flips(old_right=[1, 1], new_right=[0, 1], weights=weights)
    assert (counts.negative, counts.both_right) == (1, 2)


def test_weights_do_not_overflow():
    big = np.array([2**62, 2**62, 2**62], dtype=np.int64)
    assert tally_flips(old_right=[1, 1, 1], new_right=[0, 0, 0], weights=big).negative == 3 * 2**62
    small = np.array([200, 200], dtype=np.uint8)
    assert tally_flips(old_right=[1, 1], new_right=[0, 0], weights=small).negative == 400


@pytest.mark.parametrize(
    "weights",
    [
        [1],
        [1, 2, 3],
        [-1, 2],
        [0.5, 1.5],
        [1.0, 2.0],
        [True, False],
        ["1", "2"],
        [None, 1],
        3,
        "12",
        [[1], [2]],
        [[1, 2], [3, 4]],
        [1, float("nan")],
        {"x": 1, "y": 2},
    ],
    ids=repr,
)
def test_what_is_no_weight_per_item_is_refused(weights):
    with pytest.raises(InputError, match="weights"):
        tally_flips(old_right=[1, 1], new_right=[0, 1], weights=weights)
