"""Suites: one score for each task, chosen by the user or listed first by the harness."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics import Policy, Record, Run, UsageError, check_gate, compare_runs
from muscle_metrics.comparison.chains import compare_chain
from muscle_metrics.comparison.per_task import settle_scores


def item(task: str, id_: str, **scores: float) -> Record:
    return Record(id_, scores=scores, task=task)


def suite(arc: float, norm: float, law: float, maths: float, *, main_first: bool = True) -> Run:
    records = (
        item("arc", "1", acc=arc, acc_norm=norm),
        item("mmlu_law", "1", acc=law, loose=1.0),
        item("gsm8k", "数1", exact_match=maths),
    )
    return Run(records, "v1" if maths else "v2", is_log=True, main_first=main_first)


OLD, NEW = suite(1, 1, 1, 1), suite(1, 0, 0, 0)


class TestFirstScores:
    def test_each_task_is_compared_by_its_first_score(self) -> None:
        comparison = compare_runs(OLD, NEW)
        assert {task: part.negative for task, part in comparison.tasks.items()} == {
            "arc": 0,
            "gsm8k": 1,
            "mmlu_law": 1,
        }

    def test_the_choice_is_said_where_people_and_programs_look(self) -> None:
        comparison = compare_runs(OLD, NEW)
        said = "arc by acc (also acc_norm), mmlu_law by acc (also loose)"
        assert said in str(comparison)
        assert any(said in note for note in comparison.to_dict()["notes"])
        verdict = check_gate(comparison, Policy(max_nfr="0.9"))
        assert any(said in note for note in verdict.notes)

    def test_nothing_is_said_where_no_task_has_two(self) -> None:
        runs = [Run((item("a", "1", acc=1.0), item("b", "1", em=1.0)), n) for n in ("v1", "v2")]
        assert "lists first" not in str(compare_runs(*runs))

    def test_old_decides_and_not_the_order_of_new(self) -> None:
        turned = Run((item("arc", "1", acc_norm=0.0, acc=1.0),), "v2", main_first=True)
        comparison = compare_runs(Run(OLD.records[:1], "v1", main_first=True), turned)
        assert comparison.counts.negative == 0

    def test_a_first_item_without_its_first_score_decides_nothing(self) -> None:
        rest = [item("arc", str(i), acc=1.0, acc_norm=1.0) for i in range(2, 5)]
        old = Run((item("arc", "1", acc_norm=1.0), *rest), "v1", main_first=True)
        comparison = compare_runs(old, old, unanswered="wrong")
        assert comparison.counts.old_right == 3

    def test_without_an_order_of_the_harness_scores_are_refused(self) -> None:
        old, new = suite(1, 1, 1, 1, main_first=False), suite(1, 0, 0, 0, main_first=False)
        with pytest.raises(UsageError, match="expected one score to compare by"):
            compare_runs(old, new)

    def test_another_score_of_new_alone_is_refused(self) -> None:
        new = Run((item("arc", "1", acc_norm=1.0), *NEW.records[1:]), "v2", main_first=True)
        with pytest.raises(UsageError, match="of the task 'arc' of 'v2', which are 'acc_norm'"):
            compare_runs(OLD, new)
        with pytest.raises(UsageError, match="of the task 'arc' of 'v2', which are 'acc_norm'"):
            compare_runs(Run(OLD.records[:1], "v1", main_first=True), Run(new.records[:1], "v2"))

    def test_only_scores_of_old_decide_where_new_has_more(self) -> None:
        old = Run((item("arc", "1", acc_norm=1.0),), "v1")
        new = Run((item("arc", "1", acc=1.0, acc_norm=0.0),), "v2")
        assert compare_runs(old, new).counts.negative == 1


class TestChosenScores:
    @pytest.mark.parametrize(
        "metric",
        [
            {"arc": "acc_norm", "mmlu_*": "loose"},
            ["arc=acc_norm", "mmlu_*=loose"],
        ],
    )
    def test_a_score_for_each_task_or_pattern(self, metric: object) -> None:
        comparison = compare_runs(OLD, NEW, metric=metric)
        assert {task: part.negative for task, part in comparison.tasks.items()} == {
            "arc": 1,
            "gsm8k": 1,
            "mmlu_law": 0,
        }
        assert "lists first" not in str(comparison)

    def test_a_task_without_a_choice_has_its_first_score_and_says_so(self) -> None:
        comparison = compare_runs(OLD, NEW, metric={"arc": "acc_norm"})
        assert "first: mmlu_law by acc (also loose)" in str(comparison)
        assert comparison.counts.negative == 3

    def test_a_name_is_no_pattern(self) -> None:
        runs = [
            Run((item("a[b]", "1", x=1.0, y=y), item("ab", "1", x=1.0)), name)
            for name, y in (("v1", 1.0), ("v2", 0.0))
        ]
        assert compare_runs(*runs, metric={"a[b]": "y"}).counts.negative == 1

    @pytest.mark.parametrize(
        ("metric", "message"),
        [
            ({"arcs": "acc"}, "to name tasks of 'v1', which are 'arc', 'gsm8k', 'mmlu_law', got"),
            ({"arc": "bleu"}, "of the task 'arc' of 'v1', which are 'acc', 'acc_norm', got 'bleu'"),
            (["arc=acc", "acc"], "expected TASK=NAME once for each task"),
            (["arc=acc", "arc=acc_norm"], "expected TASK=NAME once for each task"),
            (["=acc"], "expected TASK=NAME once for each task"),
        ],
    )
    def test_choices_that_a_run_does_not_hold(self, metric: object, message: str) -> None:
        with pytest.raises(UsageError, match=message):
            compare_runs(OLD, NEW, metric=metric)

    def test_a_recorded_score_with_the_sign_in_its_name(self) -> None:
        name = "pass@k:k=1"
        runs = [Run((item("code", "1", **{name: x, "other": 1.0}),), "v") for x in (1.0, 0.0)]
        assert compare_runs(*runs, metric=name).counts.negative == 1

    def test_a_score_that_new_lacks_is_refused(self) -> None:
        new = Run((item("arc", "1", acc=1.0), *NEW.records[1:]), "v2", main_first=True)
        with pytest.raises(UsageError, match="of the task 'arc' of 'v2'"):
            compare_runs(OLD, new, metric={"arc": "acc_norm"})

    def test_a_chain(self) -> None:
        chain = compare_chain([OLD, NEW, OLD], metric={"arc": "acc_norm"})
        assert [step.negative for step in chain.steps] == [3, 0]


def test_macro_averages_count_each_task_once() -> None:
    """By hand: 1 of 4 items broke in one task, 1 of 1 in the other; micro 2 of 5."""
    rows = [*((("a", str(n), n > 0)) for n in range(4)), ("b", "0", False)]
    old = Run(tuple(item(task, id_, em=1.0) for task, id_, _ in rows), "v1")
    new = Run(tuple(item(task, id_, em=right) for task, id_, right in rows), "v2")
    comparison = compare_runs(old, new)
    assert comparison.counts.negative_flip_rate == 0.4
    assert comparison.to_dict()["macro"] == {
        "old_accuracy": 1.0,
        "new_accuracy": 0.375,
        "negative_flip_rate": 0.625,
        "positive_flip_rate": 0.0,
    }
    assert "2 tasks, each counted once: accuracy 100.00% to 37.50%, NFR 62.50%" in str(comparison)


def test_one_task_has_no_macro_average() -> None:
    runs = [Run((item("a", "1", em=1.0),), name) for name in ("v1", "v2")]
    assert compare_runs(*runs).to_dict()["macro"] is None


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b_1", "b_2"]), st.booleans(), st.booleans(), st.booleans()
        ),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from(["x", "y"]),
)
def test_a_suite_counts_what_its_tasks_count_alone(
    rows: list[tuple[str, bool, bool, bool]], score: str
) -> None:
    """The whole is the sum of its tasks, each compared alone by the same score."""
    old = Run(tuple(item(t, str(i), x=x, y=y) for i, (t, x, y, _) in enumerate(rows)), "v1")
    new = Run(tuple(item(t, str(i), x=z, y=not z) for i, (t, _, _, z) in enumerate(rows)), "v2")
    choices = {task: score if task == "a" else "x" for task in {row[0] for row in rows}}
    whole = compare_runs(old, new, metric=choices)
    for task, counts in whole.tasks.items():
        one = [Run(tuple(r for r in run if r.task == task), run.name) for run in (old, new)]
        assert compare_runs(*one, metric=choices[task]).counts == counts
    assert sum(counts.negative for counts in whole.tasks.values()) == whole.counts.negative


def test_other_metrics_are_left_alone() -> None:
    runs, metric = settle_scores([OLD, NEW], ["acc", "token_f1"])
    assert (runs, metric) == ([OLD, NEW], ["acc", "token_f1"])
