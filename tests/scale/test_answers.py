"""Readers of answers in an engine: what memory says, an engine says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import compare_runs, read_run
from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.scale import Totals, compare_files

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("duckdb", reason="the engine is behind an extra")

OLD = [
    {"id": 1, "prediction": "It is 1,234.", "reference": "1234", "topic": "x"},
    {"id": 2, "prediction": "<think>2</think> 3", "reference": ["2", "3.0"], "topic": "y"},
    {"id": 3, "prediction": "I do not know \ud800", "reference": "5", "topic": "x"},
    {"id": 4, "prediction": "٧", "reference": "7", "topic": "x"},
    {"id": 5, "prediction": 8, "reference": "8", "topic": "y"},
]
NEW = [
    {"id": 5, "prediction": "nine", "reference": "8", "topic": "y"},
    {"id": 4, "prediction": "−7", "reference": "7", "topic": "x"},
    {"id": 3, "prediction": "5 \u001f", "reference": "5", "topic": "x"},
    {"id": 2, "prediction": "2", "reference": ["2", "3.0"], "topic": "y"},
    {"id": 1, "prediction": "1234.0", "reference": "1234", "topic": "x"},
]


def both(folder: Path, old: Any, new: Any, **options: Any) -> tuple[Any, Any]:
    paths = []
    for name, rows in (("v1", old), ("v2", new)):
        path = folder / f"{name}.jsonl"
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        paths.append(path)
    reading = {"slice_field": "topic"}
    in_memory = compare_runs(*(read_run(path, **reading) for path in paths), **options)
    reads = {"old_options": reading, "new_options": reading, "threads": 1}
    return in_memory, compare_files(*paths, **reads, **options)


def assert_equal(in_memory: Any, counted: Any) -> None:
    totals = Totals.of(in_memory)
    assert counted.totals.cells == totals.cells
    assert counted.totals.scores == totals.scores
    assert counted.totals.sample == totals.sample
    assert counted.reading == in_memory.reading
    assert counted.lost == in_memory.lost
    assert counted.worst_case.counts == in_memory.worst_case.counts
    assert counted.recipe == in_memory.recipe
    assert counted.answers_changed == int(in_memory.correctness.changed.sum())


def test_answers_are_read_as_in_memory(tmp_path: Path) -> None:
    in_memory, counted = both(tmp_path, OLD, NEW, answer="no-think, last-number")
    assert_equal(in_memory, counted)
    counts = counted.counts
    # 1 and 2 stay right, though 2 is another accepted answer; 3 got fixed, 4 and 5 broke.
    assert (counts.both_right, counts.positive, counts.negative) == (2, 1, 2)
    assert counts.both_right_changed == 1
    assert counted.reading.unread == (1, 1)
    # Samples and tables show answers as they were recorded.
    assert {flip.old for flip in counted.flips()} == {"٧", 8}


@pytest.mark.parametrize("unanswered", ["wrong", "drop"])
def test_reasoning_alone_is_unanswered(tmp_path: Path, unanswered: str) -> None:
    new = [dict(row, prediction="<think>1234") if row["id"] == 1 else row for row in NEW]
    with pytest.raises(InputError, match="1 of 5 predictions null in new 'v2' \\(id '1'\\)"):
        compare_files(*_paths(tmp_path, OLD, new), answer="no-think, last-number")
    options = {"answer": "no-think, last-number", "unanswered": unanswered}
    in_memory, counted = both(tmp_path, OLD, new, **options)
    assert_equal(in_memory, counted)
    assert counted.counts.negative == (3 if unanswered == "wrong" else 2)
    assert counted.worst_case.counts.negative == 3


@pytest.mark.parametrize("conflict", ["own", "first", "last", "drop"])
def test_references_that_differ(tmp_path: Path, conflict: str) -> None:
    new = [dict(row, reference="7 apples") if row["id"] == 4 else row for row in NEW]
    new = [dict(row, reference="1/2 3") if row["id"] == 9 else row for row in new]
    in_memory, counted = both(tmp_path, OLD, new, answer="no-think, last-number", conflict=conflict)
    assert_equal(in_memory, counted)


def test_a_reference_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    old, new = ([dict(row, reference="3/2 and 4") if row["id"] == 4 else row for row in rows]
                for rows in (OLD, NEW))  # fmt: skip
    with pytest.raises(InputError, match=r"that number reads, got 1 of 5 .* at id '4'"):
        compare_files(*_paths(tmp_path, old, new), answer="number")
    # Of an item that is left out the reference is not read.
    less = [row for row in new if row["id"] != 4]
    in_memory, counted = both(tmp_path, old, less, answer="number", missing="drop")
    assert_equal(in_memory, counted)
    # What cannot be judged may have broken.
    assert counted.worst_case.counts.negative == counted.counts.negative + 1


def test_graded_metrics_see_what_was_read(tmp_path: Path) -> None:
    in_memory, counted = both(
        tmp_path, OLD, NEW, answer="no-think, last-number", metric=["exact_match", "chrf"]
    )
    assert counted.totals.scores == Totals.of(in_memory).scores
    assert in_memory.changes["chrf"].old[0] == 100


def test_recorded_scores_keep_their_values(tmp_path: Path) -> None:
    old, new = ([{**row, "judge": row["id"] % 2} for row in rows] for rows in (OLD, NEW))
    scored = {"score_field": "judge", "slice_field": "topic"}
    reads = {"old_options": scored, "new_options": scored}
    counted = compare_files(*_paths(tmp_path, old, new), **reads, answer="last-number")
    assert counted.counts.negative == 0
    assert counted.recipe["answer"] == "last-number (changed answers only)"
    for row in old:
        del row["prediction"]
    with pytest.raises(UsageError, match=r"expected answers for --answer \(answer=\)"):
        compare_files(*_paths(tmp_path, old, new), **reads, answer="last-number")


def _paths(folder: Path, old: Any, new: Any) -> list[Path]:
    paths = [folder / "v1.jsonl", folder / "v2.jsonl"]
    for path, rows in zip(paths, (old, new), strict=True):
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return paths


def test_a_constant_reading_is_refused(tmp_path: Path) -> None:
    def rows(shift: int) -> list[dict[str, Any]]:
        answers = [f"Ответ: {n + shift}" for n in range(150)]
        answers[70] = "?"
        references: list[Any] = [f"Ответ: {n}" for n in range(150)]
        references[90] = ["Ответ: 90", "Ответ: девяносто"]
        references[99] = "99"
        pairs = enumerate(zip(answers, references, strict=True))
        return [{"id": n, "prediction": a, "reference": r, "topic": "x"} for n, (a, r) in pairs]

    old, new = rows(0), rows(1)
    paths = _paths(tmp_path, old, new)
    with pytest.raises(InputError) as counted:
        compare_files(*paths, answer="regex:(Ответ)")
    with pytest.raises(InputError) as in_memory:
        compare_runs(*map(read_run, paths), answer="regex:(Ответ)")
    assert "got 'Ответ' for 149 of 150 references, which differ" in str(counted.value)
    assert str(counted.value) == str(in_memory.value)
    # Recorded scores judge without references.
    scored = [[{**row, "score": 1} for row in side] for side in (old, new)]
    reads = {"score_field": "score"}
    paths = _paths(tmp_path, *scored)
    compare_files(*paths, old_options=reads, new_options=reads, answer="regex:(Ответ)")


@pytest.mark.parametrize(
    ("answer", "right"), [("json", 3), ("json(list=one)", 4), ("strip, json(list=one)", 4)]
)
def test_values_are_read_as_in_memory(tmp_path: Path, answer: str, right: int) -> None:
    # 1 is not true, though Python finds both equal; a list is one answer where the reader says so.
    pairs = [(1, 1), (True, 1), ("1.0", True), ('{"a": 1}', '{"a": 1.0}'), ("[1, 2]", [1, 2]),
             ("true", True)]  # fmt: skip
    rows = [
        {"id": n, "prediction": answer, "reference": reference, "topic": "x"}
        for n, (answer, reference) in enumerate(pairs)
    ]
    in_memory, counted = both(tmp_path, rows, rows, answer=answer)
    assert_equal(in_memory, counted)
    assert counted.counts.both_right == right
