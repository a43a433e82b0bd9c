"""Runs that are equal on every item are called so, and no others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics import Record, Run, compare, compare_runs
from muscle_metrics.comparison.counted import CountedComparison
from muscle_metrics.comparison.sameness import EQUAL_RUNS, runs_are_equal
from muscle_metrics.comparison.totals import Totals

texts = st.lists(st.sampled_from(["A", "Б", "上海", ""]), min_size=1, max_size=8)


def counted(comparison) -> CountedComparison:
    totals = Totals.of(comparison)
    return CountedComparison(names=("v1", "v2"), totals=totals, dropped={}, recipe={})


@given(old=texts, data=st.data())
def test_equal_is_equal_answer_by_answer(old: list[str], data) -> None:
    new = data.draw(st.lists(st.sampled_from(["A", "上海"]), min_size=len(old), max_size=len(old)))
    new = data.draw(st.sampled_from([new, old]))
    comparison = compare(old=old, new=new, references=["A"] * len(old))
    assert runs_are_equal(comparison) == (old == new)
    assert runs_are_equal(counted(comparison)) == (old == new)
    assert (EQUAL_RUNS in str(comparison).splitlines()[0]) == (old == new)
    assert (EQUAL_RUNS in str(counted(comparison)).splitlines()[0]) == (old == new)


def test_a_key_that_makes_answers_the_same_makes_no_runs_equal() -> None:
    comparison = compare(old=["A", "b"], new=["A", "B"], references=["A", "b"], key=str.lower)
    assert comparison.counts.negative == 0
    assert not runs_are_equal(comparison)


@pytest.mark.parametrize(
    ("new", "is_equal"), [([0.5, 0.25], True), ([0.5, 0.25 + 1e-12], False), ([0.25, 0.5], False)]
)
def test_scores_that_differ_by_less_than_a_tie_are_not_equal(new, is_equal: bool) -> None:
    def run(name: str, scores: list[float]) -> Run:
        return Run(
            tuple(Record(id=f"q{i}", scores={"judge": score}) for i, score in enumerate(scores)),
            name,
        )

    comparison = compare_runs(run("v1", [0.5, 0.25]), run("v2", new))
    assert runs_are_equal(comparison) == is_equal
    assert runs_are_equal(counted(comparison)) == is_equal
