"""What a baseline keeps, what it forgets, and when it refuses to be compared."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics import InputError, Record, Run, UsageError, compare_runs
from muscle_metrics.comparison.baseline import make_baseline, match_baseline

answers = st.sampled_from("ABC")


def run(name: str, rows: list[tuple[str, str]], **labels: str) -> Run:
    records = (Record(f"q{i}", p, r, prompt="what?", **labels) for i, (p, r) in enumerate(rows))
    return Run(tuple(records), name)


@given(st.lists(st.tuples(answers, answers, answers), min_size=1, max_size=30))
def test_flips_are_those_of_the_run(rows: list[tuple[str, str, str]]) -> None:
    old = run("v1", [(old, reference) for old, _, reference in rows])
    new = run("v2", [(new, reference) for _, new, reference in rows])
    whole = compare_runs(old, new).counts
    reduced = compare_runs(make_baseline(old), new).counts
    for cell in ("both_right", "negative", "positive", "both_wrong"):
        assert getattr(reduced, cell) == getattr(whole, cell)
    assert reduced.churn.count is None


def test_labels_stay_and_texts_go() -> None:
    old = run("v1", [("A", "A")], task="t", slice="s", group="g", repeat="2")
    (record,) = make_baseline(old).records
    assert (record.task, record.slice, record.group, record.repeat) == ("t", "s", "g", "2")
    assert (record.prediction, record.reference, record.prompt) == (None, None, None)


def test_scores_are_kept_as_they_are() -> None:
    records = tuple(Record(str(i), "A", "A", scores={"a": 0.1 * i, "b": 1.0}) for i in range(3))
    both = make_baseline(Run(records, "v1"))
    assert [dict(record.scores) for record in both] == [dict(r.scores) for r in records]
    assert both.fingerprint["judging"] == "score a, b"
    one = make_baseline(Run(records, "v1"), metric="b")
    assert [dict(record.scores) for record in one] == [{"b": 1.0}] * 3
    correctness = make_baseline(Run(records, "v1"), metric="exact_match")
    assert [dict(record.scores) for record in correctness] == [{"exact_match": True}] * 3
    with pytest.raises(UsageError, match="'c'"):
        make_baseline(Run(records, "v1"), metric="c")


def test_what_cannot_be_judged_is_no_baseline() -> None:
    with pytest.raises(InputError, match="reference"):
        make_baseline(Run((Record("1", "A"),), "v1"))
    with pytest.raises(InputError, match="null"):
        make_baseline(Run((Record("1", None, "A"),), "v1"))
    with pytest.raises(InputError, match="2 times"):
        make_baseline(Run((Record("1", "A", "A"),) * 2, "v1"))


@pytest.mark.parametrize(
    ("reference", "same"),
    [(1, True), (1.0, True), ("1", False), (True, False), (2, False), ([1], False)],
)
def test_references_are_hashed_as_answers_are_compared(reference: object, same: bool) -> None:
    old = make_baseline(Run((Record("q", 1, 1),), "v1"))
    new = Run((Record("q", 1, reference),), "v2")
    before, now = (run.fingerprint["references"] for run in match_baseline(old, new))
    assert (before == now) is same


def test_runs_that_are_no_baselines_stay_as_they_are() -> None:
    old, new = run("v1", [("A", "A")]), run("v2", [("B", "A")])
    assert match_baseline(old, new) == (old, new)


def test_a_baseline_does_not_vouch_for_itself() -> None:
    old = run("v1", [("A", "A"), ("B", "A")])
    baseline = make_baseline(old)
    for before in (old, baseline):
        with pytest.raises(InputError, match="got the baseline 'v1': gate the run from which"):
            match_baseline(before, baseline)


def test_references_of_a_growing_run_are_compared_at_the_end() -> None:
    old = make_baseline(run("v1", [("A", "A"), ("A", "A")]))
    changed = run("v2", [("A", "A"), ("A", "B")])
    first = replace(changed, records=changed.records[:1])
    before, now = match_baseline(old, first, growing=True)
    assert ("references" in before.fingerprint, "references" in now.fingerprint) == (False, False)
    before, now = match_baseline(old, changed, growing=True)
    assert before.fingerprint["references"] != now.fingerprint["references"]


def test_verdicts_of_a_harness_need_no_references() -> None:
    old = make_baseline(Run((Record("q", "A", "A", scores={"acc": True}),), "v1"))
    new = Run((Record("q", "A", scores={"acc": True}),), "v2")
    before, now = match_baseline(old, new)
    assert before.fingerprint == now.fingerprint
