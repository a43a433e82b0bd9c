"""Comparisons: what they show, and that nothing about a file's shape changes a byte of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics import (
    Comparison,
    InputError,
    Record,
    Run,
    UsageError,
    compare,
    compare_runs,
    count_flips,
)

if TYPE_CHECKING:
    import random

OLD, NEW, REFERENCES = list("AABBCCDDAB"), list("ABBACDDDCC"), list("AABBDDDDBB")
TOPICS = list("xxxxxyyyyy")


@pytest.fixture
def worked_example() -> Comparison:
    return compare(old=OLD, new=NEW, references=REFERENCES, slices=TOPICS)


def test_counts_and_slices_add_up(worked_example: Comparison) -> None:
    assert worked_example.counts == count_flips(old=OLD, new=NEW, references=REFERENCES)
    assert sum(worked_example.slices.values()) == worked_example.counts
    # x lost 2 of 5, y did not change: the slice that lost most comes first.
    changes = [float(counts.accuracy_change) for counts in worked_example.slices.values()]
    assert changes == sorted(changes)


def test_flips_by_quadrant(worked_example: Comparison) -> None:
    assert [item.id for item in worked_example.flips("negative")] == ["1", "3", "9"]
    assert [item.id for item in worked_example.flips()] == ["1", "3", "9", "5"]
    item = next(worked_example.flips("negative"))
    assert (item.slice, item.old, item.new, item.reference) == ("x", "A", "B", "A")
    assert item.changed is True
    with pytest.raises(UsageError, match="'worse'"):
        worked_example.flips("worse")


def test_frame_has_one_row_per_item(worked_example: Comparison) -> None:
    frame = worked_example.to_frame()
    assert list(frame.columns) == [
        "id", "task", "repeat", "slice", "old", "new", "reference", "quadrant", "changed",
    ]  # fmt: skip
    assert frame["quadrant"].value_counts().to_dict() == {
        "both_right": 4,
        "negative": 3,
        "both_wrong": 2,
        "positive": 1,
    }


def test_json_is_plain_sorted_and_without_nan() -> None:
    comparison = compare(old=["A"], new=["A"], references=["A"])

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    content = json.loads(comparison.to_json(), parse_constant=refuse)
    assert content["schema_version"] == 1
    assert content["rates"]["fix_rate"] == {"value": None, "count": 0, "total": 0}
    assert list(content) == sorted(content)
    low = content["rates"]["negative_flip_rate"]["high"]
    assert low == comparison.counts.negative_flip_rate.interval().high


def test_json_takes_missing_answers_and_numpy_scalars() -> None:
    comparison = compare(
        old=np.array([1.0, 2.0]),
        new=np.array([np.nan, 2.0]),
        references=[1.0, 2.0],
        missing="wrong",
    )
    flips = json.loads(comparison.to_json())["flips"]
    assert [(flip["old"], flip["new"]) for flip in flips] == [(1.0, None)]


def test_ids_name_items_and_must_not_repeat() -> None:
    comparison = compare(old=[1, 2], new=[1, 3], references=[1, 2], ids=["q10", "q9"])
    assert comparison.table.ids == ("q9", "q10")
    assert [item.id for item in comparison.flips()] == ["q9"]
    with pytest.raises(InputError, match="'q1' 2 times"):
        compare(old=[1, 2], new=[1, 3], references=[1, 2], ids=["q1", "q1"])


def test_pandas_columns_and_missing_slices() -> None:
    frame = pd.DataFrame({"old": ["a", "b"], "new": ["a", None], "topic": ["t", None]})
    comparison = compare(
        old=frame["old"],
        new=frame["new"],
        references=["a", "b"],
        slices=frame["topic"],
        missing="wrong",
    )
    assert list(comparison.slices) == ["t"]
    assert [item.new for item in comparison.items()] == ["a", None]


answers = st.sampled_from("ABC")


@given(st.lists(st.tuples(answers, answers, answers), min_size=1, max_size=30), st.randoms())
def test_order_of_rows_changes_no_byte(
    rows: list[tuple[str, str, str]], chance: random.Random
) -> None:
    items = [(f"q{i}", *row) for i, row in enumerate(rows)]
    shuffled = chance.sample(items, len(items))
    assert printed(items) == printed(shuffled)


def printed(items: list[tuple[str, str, str, str]]) -> tuple[str, str]:
    old = run("old", [(i, old, reference) for i, old, _, reference in items])
    new = run("new", [(i, new, reference) for i, _, new, reference in items])
    comparison = compare_runs(old, new)
    return comparison.to_json(), str(comparison)


def run(name: str, rows: list[tuple[str, Any, Any]]) -> Run:
    records = tuple(Record(id=i, prediction=p, reference=r, slice=r) for i, p, r in rows)
    return Run(records=records, name=name)


def test_runs_of_verdicts_need_no_threshold_and_leave_changes_unknown() -> None:
    old, new = (
        Run(
            records=tuple(Record(id=str(i), scores={"acc": s}) for i, s in enumerate(scores)),
            name=name,
        )
        for name, scores in (("old", [1.0, 0.0, 1.0]), ("new", [0.0, 1.0, 1.0]))
    )
    comparison = compare_runs(old, new)
    assert (comparison.counts.negative, comparison.counts.positive) == (1, 1)
    assert comparison.counts.churn.count is None
    assert "metric acc" in comparison.signature
    assert "unknown" in str(comparison)


def test_a_score_at_the_threshold_is_right_unless_strict() -> None:
    old, new = (
        Run(records=(Record(id="1", scores={"judge": score}),), name=name)
        for name, score in (("old", 0.7), ("new", 0.5))
    )
    assert compare_runs(old, new, threshold=0.5).counts.negative == 0
    assert compare_runs(old, new, threshold=0.5, strict_threshold=True).counts.negative == 1
    graded = compare_runs(old, new)
    assert graded.correctness is None
    assert graded.changes["judge"].negative_flip_rate == 1
    assert "mean regression" in str(graded)
    assert json.loads(graded.to_json())["scores"]["judge"]["mean_gain"]["value"] is None
    with pytest.raises(UsageError, match="--threshold"):
        graded.counts  # noqa: B018


def test_several_scores_are_named_and_never_averaged() -> None:
    runs = [
        Run(records=(Record(id="1", scores={"strict": 1.0, "flexible": 0.0}),), name=name)
        for name in ("old", "new")
    ]
    with pytest.raises(UsageError, match=r"flexible.*strict.*--metric"):
        compare_runs(*runs)
    assert compare_runs(*runs, metric="strict").counts.both_right == 1
    with pytest.raises(UsageError, match="'f1'"):
        compare_runs(*runs, metric="f1")


def test_missing_references_say_where_to_give_them() -> None:
    runs = [run("old", [("1", "A", None)]), run("new", [("1", "A", None)])]
    with pytest.raises(InputError, match="--reference"):
        compare_runs(*runs)


def test_dropped_items_are_counted_in_every_view() -> None:
    old = run("old", [("1", "A", "A"), ("2", "B", "B")])
    new = run("new", [("1", "B", "A"), ("3", "B", "B")])
    with pytest.raises(InputError):
        compare_runs(old, new)
    comparison = compare_runs(old, new, missing="drop")
    assert sum(comparison.dropped.values()) == 2
    assert "left out: 1" in str(comparison)
    assert "dropped" in comparison.signature
    assert sum(json.loads(comparison.to_json())["dropped"].values()) == 2


def test_notebook_view_escapes_what_it_shows() -> None:
    comparison = compare(
        old=["A"], new=["B"], references=["A"], slices=["<script>alert(1)</script>"]
    )
    page = comparison._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_notebook_warns_as_the_text_does() -> None:
    answers = ["The answer is A.", "The answer is <b>."]
    comparison = compare(old=answers, new=answers, references=["A", "b"])
    page = comparison._repr_html_()
    assert "<strong>The two runs are equal on every item.</strong>" in page
    assert "<p>warning: old is right on 0 of 2 items" in page
    assert "<p>hint: old would be right on" in page
    assert "<b>" not in page
    run = Run(tuple(Record(str(n), "A", "A") for n in range(3)), "v1")
    lost = compare_runs(run, Run(run.records[:2], "v2"), missing="drop")._repr_html_()
    assert "<p>left out: 1 (only in old)</p>" in lost
    assert "<p>coverage: 66.67% (2 of 3) items of old; 1 only in old" in lost


def test_hostile_text_cannot_leave_its_cell(hostile: list[str]) -> None:
    for text in hostile:
        comparison = compare(
            old=["right"], new=["wrong"], references=["right"], ids=[text], slices=[text],
            names=(text, text),
        )  # fmt: skip
        shown = str(comparison)
        assert not any(character < " " for character in shown.replace("\n", ""))
        assert not any(line.lstrip().startswith("::") for line in shown.splitlines())
        assert "##[" not in shown
        assert json.loads(comparison.to_json())["flips"][0]["id"] == text


def test_rows_that_depend_on_each_other_are_said_so() -> None:
    records = tuple(
        Record(id="q1", prediction="A", reference="A", repeat=str(number)) for number in range(3)
    )
    run_of_repeats = Run(records=records, name="run")
    assert "3 rows in 1 prompt: intervals are over prompts" in str(
        compare_runs(run_of_repeats, run_of_repeats)
    )
    one = Run(records=records[:1], name="run")
    assert "intervals are over" not in str(compare_runs(one, one))
    grouped = compare(old=["A", "B"], new=["A", "B"], references=["A", "B"], groups=["p", "p"])
    assert "2 rows in 1 group: intervals are over groups" in str(grouped)
