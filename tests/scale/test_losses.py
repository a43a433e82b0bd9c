"""Lost items: an engine counts each as wrong in the worst case, as a loop over rows does."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muscle_metrics.scale import CountedComparison, compare_files

if TYPE_CHECKING:
    from collections.abc import Callable

pytest.importorskip("duckdb", reason="the engine is behind an extra")

Row = dict[str, Any]
Cells = dict[tuple[Any, Any], Counter[str]]

READING = {"slice_field": "topic", "group_field": "passage"}


def write(path: Path, rows: list[Row]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def compared(old: list[Row], new: list[Row], reading: Row, **options: Any) -> CountedComparison:
    with TemporaryDirectory() as folder:
        paths = [write(Path(folder, f"v{n}.jsonl"), part) for n, part in enumerate((old, new), 1)]
        return compare_files(*paths, old_options=reading, new_options=reading, threads=1, **options)


# The oracle


def is_right(answer: Any, reference: Any) -> bool:
    accepted = reference if isinstance(reference, list) else [reference]
    return answer is not None and answer in accepted


def same(first: Any, second: Any) -> bool:
    lists = isinstance(first, list), isinstance(second, list)
    return sorted(first) == sorted(second) if all(lists) else first == second


def lose(
    old: list[Row], new: list[Row], *, missing: str, conflict: str, unanswered: str
) -> tuple[Counter[str], Cells]:
    """Reasons of losses, and the worst case by slice and group, from rows one by one."""
    after = {row["id"]: row for row in new}
    reasons, cells = Counter[str](), dict[tuple[Any, Any], Counter[str]]()
    for row in old:
        reason, other = "", after.get(row["id"])
        is_silent = row["prediction"] is None
        if other is None:
            reason = "only in old"
        elif conflict != "first" and not same(row["reference"], other["reference"]):
            dropped = conflict == "drop"
            reason = "conflicting references" if dropped else "judged by another reference"
        if other is not None and unanswered == "drop" and reason != "conflicting references":
            if is_silent:
                continue
            reason = "unanswered by new" if other["prediction"] is None else reason
        if reason and is_silent and unanswered == "drop":
            continue
        before = is_right(row["prediction"], row["reference"])
        right = not reason and other is not None and is_right(other["prediction"], row["reference"])
        reasons[reason] += 1
        quadrant = {(1, 1): "both_right", (1, 0): "negative", (0, 1): "positive"}
        cell = cells.setdefault((row["topic"], row["passage"]), Counter())
        cell[quadrant.get((before, right), "both_wrong")] += 1
    del reasons[""]
    return reasons, cells


# Laws

TEXTS = st.sampled_from(["A", "b", "да", "水", ""])
REFERENCES = st.one_of(TEXTS, st.lists(TEXTS, min_size=1, max_size=2, unique=True))
LABELS = st.sampled_from(["x", "y", None])
DAMAGES: dict[str, Callable[[Row], Row | None]] = {
    "drop": lambda row: None,
    "null": lambda row: {**row, "prediction": None},
    "garble": lambda row: {**row, "prediction": f"{row['prediction']} ж"},
    "refer": lambda row: {**row, "reference": row["prediction"] or "A"},
    "list": lambda row: {**row, "reference": ["A", "b", "水"]},
    "relabel": lambda row: {**row, "topic": "x", "passage": "p"},
    "keep": lambda row: row,
}


@st.composite
def damaged_runs(draw: Any) -> tuple[list[Row], list[Row]]:
    """OLD, and a NEW that was like it before some of its rows were damaged."""
    answer = st.fixed_dictionaries(
        {"prediction": st.one_of(TEXTS, st.none()), "reference": REFERENCES, "topic": LABELS,
         "passage": LABELS, "answer": TEXTS, "damage": st.sampled_from(sorted(DAMAGES))}
    )  # fmt: skip
    old, new = [], []
    for number, row in enumerate(draw(st.lists(answer, min_size=2, max_size=8))):
        damage, after = DAMAGES[row.pop("damage")], row.pop("answer")
        # The first item is sound, so that no damage is seen from the first row.
        damage = damage if number else DAMAGES["keep"]
        row = {"id": f"q{number}", **row}
        if not number:
            row |= {"prediction": "A", "reference": "A", "topic": "y", "passage": "g"}
        old.append(row)
        new.append(damage({**row, "prediction": after}))
    kept = [row for row in new if row is not None]
    return draw(st.permutations(old)), [*kept[:1], *draw(st.permutations(kept[1:]))]


@pytest.mark.slow
@given(
    damaged_runs(),
    st.sampled_from(["own", "first", "last", "drop"]),
    st.sampled_from(["wrong", "drop"]),
)
@settings(max_examples=25, deadline=None)
def test_worst_case_is_that_of_a_loop_over_rows(runs, conflict, unanswered):
    old, new = runs
    options = {"missing": "drop", "conflict": conflict, "unanswered": unanswered}
    reasons, cells = lose(old, new, **options)
    found = compared(old, new, READING, **options)
    assert dict(found.lost) == dict(sorted(reasons.items()))
    assert (found.worst is None) == (not reasons)
    if not reasons:
        assert found.worst_case is found
    # Without losses, NEW's own or last references judge no item.
    counted = {
        (cell.slice, cell.group): Counter(
            {name: getattr(counts, name) for name in ("both_right", "negative", "positive",
             "both_wrong") if getattr(counts, name)}
        )
        for cell, counts in found.worst_case.totals.cells.items()
    }  # fmt: skip
    assert counted == cells


# Scores: a lost item falls from its old score to the worst

SCORED = [
    {"id": name, "prediction": text, "reference": reference, "judge": judge, "topic": topic}
    for name, text, reference, judge, topic in (
        ("q1", "кошка спит", "кошка спит", 0.5, "y"),
        ("q2", "the cat", "the cat sat", 0.25, "y"),
        ("вопрос", "猫 在 睡", "猫 在 睡", 0.75, "x"),
        ("q4", "nothing", "alike", 0.0, "x"),
    )
]


@pytest.mark.parametrize("metric", ["token_f1", "chrf", "ter", "judge", "tests_lost:nowhere"])
@pytest.mark.parametrize("new", [SCORED[:2], [*SCORED[:2], {**SCORED[2], "reference": "собака"}]])
def test_a_lost_score_regresses_whatever_its_metric(metric, new):
    if metric.startswith("tests"):
        metric = length_of_answer
    reading = {"score_field": "judge"} if metric == "judge" else {}
    better = {**SCORED[3], "prediction": "alike one", "reference": "alike two", "judge": 0.25}
    old = [*SCORED[:3], better]
    found = compared(old, new, reading, metric=metric, missing="drop", conflict="last")
    before, after = ({**c.changes}.popitem()[1] for c in (found, found.worst_case))
    assert (before.total, after.total) == (len(new), 4)
    assert (before.negative, after.negative) == (0, 2)
    assert sum(found.lost.values()) == 2


def length_of_answer(predictions: list[str], references: list[str]) -> list[float]:
    return [float(len(text)) for text in predictions]


@pytest.mark.parametrize("metric", ["token_f1", "judge"])
def test_a_threshold_says_which_lost_items_were_right(metric):
    reading = {"slice_field": "topic", **({"score_field": "judge"} if metric == "judge" else {})}
    found = compared(SCORED, SCORED[:2], reading, metric=metric, threshold=0.4, missing="drop")
    worst = found.worst_case
    assert (found.counts.negative, worst.counts.negative, worst.counts.both_wrong) == (
        (0, 1, 1) if metric == "token_f1" else (0, 1, 2)
    )
    assert (worst.total, worst.slices["x"].negative) == (4, 1)


def test_true_and_false_scores_need_no_answers():
    old = [{"id": n, "ok": n % 2 == 0} for n in range(6)]
    found = compared(old, old[:3], {"score_field": "ok"}, missing="drop")
    assert found.lost == {"only in old": 3}
    assert (found.worst_case.counts.negative, found.worst_case.counts.both_wrong) == (1, 3)
    assert found.worst_case.counts.wrong_changed is None


def test_a_lost_answer_counts_as_another_wrong_one():
    old = [{"id": n, "prediction": "A", "reference": "Б"} for n in range(4)]
    found = compared(old, old[:3], {}, missing="drop")
    assert (found.counts.wrong_changed, found.worst_case.counts.wrong_changed) == (0, 1)


# Facts of the old run

LABELLED = [{**row, "topic": "права", "passage": "p1"} for row in SCORED]
BLANK = [{**row, "topic": None, "passage": None} for row in SCORED]


def test_slices_of_new_count_where_old_has_none():
    for old in (BLANK, [{k: v for k, v in row.items() if k != "topic"} for row in SCORED]):
        with TemporaryDirectory() as folder:
            paths = [
                write(Path(folder, f"v{n}.jsonl"), part) for n, part in enumerate((old, LABELLED))
            ]
            reads = [
                {"slice_field": "topic"} if "topic" in part[0] else {} for part in (old, LABELLED)
            ]
            found = compare_files(*paths, old_options=reads[0], new_options=reads[1])
        assert found.labels_from_new == {"slices"}
        assert [*found.slices] == ["права"]


def test_a_slice_that_old_lacks_is_not_filled_in():
    old = [*SCORED[:2], {**SCORED[2], "topic": None}, SCORED[3]]
    found = compared(old, LABELLED, {"slice_field": "topic"})
    assert {name: counts.total for name, counts in found.slices.items()} == {"y": 2, "x": 1}
    assert not found.labels_from_new


@pytest.mark.parametrize("absent", [{"reference": None}, {}])
def test_references_of_new_alone_are_named(absent):
    old = [{k: v for k, v in row.items() if k != "reference"} | absent for row in SCORED]
    found = compared(old, SCORED[1:], {}, missing="drop")
    assert found.labels_from_new == {"references"}
    assert found.worst_case.counts.negative == 1
    # The other way round, nothing is missing: OLD's references judge both.
    assert not compared(SCORED, old, {}).labels_from_new


def test_recorded_scores_need_no_references():
    old = [{**row, "reference": None} for row in SCORED]
    found = compared(old, SCORED, {"score_field": "judge", "group_field": "topic"})
    assert not found.labels_from_new
    assert found.is_grouped


def test_columns_without_any_value_group_nothing():
    found = compared(BLANK, BLANK, {"slice_field": "topic", "group_field": "passage"})
    assert not found.is_grouped
    assert not found.labels_from_new
