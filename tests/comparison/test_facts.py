"""Whether items are in memory or were counted, a comparison tells the same facts."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muscle_metrics import UsageError, compare
from muscle_metrics.evidence.units import Part, Regression, Units
from muscle_metrics.scale import CountedComparison, Totals

answers = st.sampled_from("AB")
labels = st.sampled_from(["x", "y", None])
rows = st.lists(st.tuples(answers, answers, labels, labels), min_size=1, max_size=30)
EVENTS = ("negative", "inconsistent", "loss")


def both_kinds(items: list[tuple[Any, ...]]) -> tuple[Any, CountedComparison]:
    old, new, slices, groups = (list(column) for column in zip(*items, strict=True))
    references = ["A"] * len(items)
    known = compare(old=old, new=new, references=references, slices=slices, groups=groups)
    totals = Totals.of(known)
    return known, CountedComparison(names=known.names, totals=totals, dropped={}, recipe={})


# Bounds over groups take time.
@settings(max_examples=15)
@given(rows)
def test_both_kinds_tell_the_same_facts(items: list[tuple[Any, ...]]) -> None:
    known, counted = both_kinds(items)
    left, right = known.to_dict(), counted.to_dict()
    assert left.keys() == right.keys()
    for name in left.keys() - {"signature", "flips", "answer_forms"}:
        assert left[name] == right[name]
    # An engine keeps no answers, and so not their forms.
    assert right["answer_forms"] is None
    assert repr(counted) == repr(known).replace(" items", " items, counted")
    assert counted.part_names("slice") == known.part_names("slice") == sorted(known.slices)
    assert (counted.part_names("task"), known.part_names("task")) == ([], [])


@given(rows)
def test_units_add_up_to_the_counts(items: list[tuple[Any, ...]]) -> None:
    known, counted = both_kinds(items)
    parts = [None, *(Part("slice", name) for name in known.part_names("slice"))]
    for part in parts:
        counts = known.counts if part is None else known.slices[part.name]
        expected = {
            "negative": counts.negative,
            "inconsistent": counts.negative + (counts.wrong_changed or 0),
            "loss": counts.negative - counts.positive,
        }
        for event in EVENTS:
            for units in (known.units(event, part), counted.units(event, part)):
                assert units.sums.sum() == expected[event]
                assert units.sizes.sum() == counts.total
            if part is None:
                assert as_pairs(known.units(event)) == as_pairs(counted.units(event))


def as_pairs(units: Units) -> tuple[str, list[tuple[float, int]]]:
    return units.unit, sorted(zip(units.sums.tolist(), units.sizes.tolist(), strict=True))


def test_units_of_scores_use_the_larger_effect() -> None:
    texts = {"old": ["a b", "a b"], "new": ["a c", "x y"], "references": ["a b", "a b"]}
    graded = compare(**texts, metric="rouge1", minimum_effect=0.6)
    assert graded.units(Regression("rouge1")).sums.sum() == 1
    assert graded.units(Regression("rouge1", 0.9)).sums.sum() == 1
    assert graded.units(Regression("rouge1", 1.0)).sums.sum() == 0
    with pytest.raises(UsageError, match="threshold"):
        graded.units("negative")


def test_copies_and_pickles_leave_behind_what_was_cached() -> None:
    known, counted = both_kinds([("A", "B", "x", None), ("A", "A", "y", None)])
    for comparison in (known, counted):
        counts = comparison.counts
        assert comparison.slices is comparison.slices
        for twin in (copy.copy(comparison), pickle.loads(pickle.dumps(comparison))):
            assert not twin.__dict__
            assert twin.counts == counts


def test_a_unit_is_one_row_for_independent_items() -> None:
    flags = np.array([True, False, True])
    assert as_pairs(Units.of(flags, (), "items")) == ("items", [(2.0, 3)])
    assert as_pairs(Units.of(flags, ["b", "a", "b"], "groups")) == ("groups", [(0.0, 1), (2.0, 2)])
