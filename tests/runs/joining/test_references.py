"""References from a file of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics.comparison.chains import compare_chain
from muscle_metrics.comparison.compare import compare_runs
from muscle_metrics.errors import FileError, PairingError, UsageError
from muscle_metrics.gate.check import check_gate
from muscle_metrics.gate.policy import Policy
from muscle_metrics.runs.joining.references import (
    differing_references,
    read_references,
    same_reference,
    with_references,
)
from muscle_metrics.runs.read import read_run
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.scale import compare_files

Write = Callable[..., Path]

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
NAN = float("nan")
REFERENCES = SCALARS | st.lists(SCALARS)


class TestReading:
    def test_references_by_id(self, write: Write) -> None:
        content = '{"id": 1, "reference": ["a", "b"]}\n{"id": "x", "reference": 0.5}'
        assert read_references(write(content)) == {"1": ["a", "b"], "x": 0.5}
        content = "task,n,answer\nsum,1,3\n"
        path = write(content, "test.csv")
        references = read_references(path, id_field=("task", "n"), reference_field="answer")
        assert references == {'["sum","1"]': "3"}

    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            ('{"id": "1", "reference": "B"}', ":2: expected each id once, got '1' again"),
            ('{"id": 2, "reference": null}', ":2: expected a reference for '2', got null"),
            ('{"id": 2, "answer": "B"}', ":2: expected the field 'reference', got 'id', 'answer'"),
            ('{"reference": "B"}', ":2: expected the field 'id', got 'reference'"),
            (
                '{"id": 2, "reference": {}}',
                ":2: .* in the field 'reference', got a value of type d",
            ),
        ],
    )
    def test_a_bad_row_is_named(self, write: Write, row: str, reason: str) -> None:
        with pytest.raises(FileError, match=rf"run\.jsonl{reason}"):
            read_references(write('{"id": 1, "reference": "A"}\n' + row))


class TestFillingIn:
    RUN = Run((Record("1", "A"), Record("2", "B", reference=1)), "old", {"format": "jsonl"})

    def test_the_rest_stays(self) -> None:
        filled = with_references(self.RUN, {"1": "A", "2": 1.0, "3": "unused"})
        assert filled.records == (Record("1", "A", "A"), Record("2", "B", 1.0))
        assert (filled.name, filled.fingerprint) == ("old", {"format": "jsonl"})
        assert self.RUN.records[0].reference is None

    def test_every_reason_is_in_one_message(self) -> None:
        with pytest.raises(PairingError) as caught:
            with_references(self.RUN, {"2": "1"})
        assert str(caught.value) == (
            "expected one reference for every item of 'old', got none for 1 of 2 items (id '1') "
            "and a second one for 1 of 2 items (id '2'): check --id-field (id_field) and the "
            "references"
        )


@given(REFERENCES, REFERENCES)
def test_sameness_is_reflexive_and_symmetric(first: Any, second: Any) -> None:
    assert same_reference(first, first)
    assert same_reference(first, second) == same_reference(second, first)


@given(st.lists(SCALARS), st.randoms(use_true_random=False))
def test_order_of_accepted_answers_does_not_matter(answers: list[Any], source: Any) -> None:
    assert same_reference(answers, source.sample(answers, len(answers)))


@given(SCALARS, SCALARS)
def test_same_references_are_equal_and_of_one_kind(first: Any, second: Any) -> None:
    kinds = [float if type(value) is int else type(value) for value in (first, second)]
    assert same_reference(first, second) == (first == second and kinds[0] is kinds[1])


NAN = float("nan")
REFERENCES = st.sampled_from([None, "1", "a", 1, 1.0, True, False, 0, NAN, ["a"], [1], ["a", "b"]])


@given(st.lists(st.tuples(REFERENCES, REFERENCES)))
def test_columns_differ_where_their_references_do(pairs: list[tuple[object, object]]) -> None:
    first, second = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    assert differing_references(first, second) == [
        position for position, pair in enumerate(pairs) if not same_reference(*pair)
    ]
    texts = [repr(reference) for reference in first]
    assert differing_references(texts, texts) == []


ROWS = [{"id": str(n), "alt": "да", "neu": "да" if n < 30 else "нет"} for n in range(60)]
OWN: dict[str, Any] = {"prediction_field": "neu", "reference_field": "neu"}
OF_OLD: dict[str, Any] = {"prediction_field": "alt", "reference_field": "alt"}


class TestAnswersAsTheirOwnReferences:
    """All of them would be right: a new model cannot be judged so, and an old one can."""

    @pytest.mark.parametrize("conflict", ["error", "own", "first", "last", "drop"])
    @pytest.mark.parametrize("is_read", [True, False])
    def test_of_a_new_run(self, conflict: Any, is_read: bool) -> None:
        new: Any = read_run(ROWS, **OWN) if is_read else ROWS
        reading = {} if is_read else OWN
        with pytest.raises(UsageError, match="right by itself"):
            compare_runs(read_run(ROWS, **OF_OLD), new, conflict=conflict, **reading)

    def test_in_the_field_that_is_read_by_itself(self) -> None:
        rows = [{"id": row["id"], "reference": row["alt"], "neu": row["neu"]} for row in ROWS]
        old = read_run(rows, prediction_field="neu")
        with pytest.raises(UsageError, match="right by itself"):
            compare_runs(old, rows, prediction_field="reference")

    def test_of_a_later_version(self) -> None:
        runs = [read_run(ROWS, name=str(n), **OF_OLD) for n in range(2)]
        with pytest.raises(UsageError, match="right by itself"):
            compare_chain(runs)

    def test_on_an_engine(self, write: Write) -> None:
        pytest.importorskip("duckdb", reason="the engine is behind an extra")
        path = write("".join(f"{json.dumps(row)}\n" for row in ROWS))
        options: dict[str, Any] = {"old_options": OF_OLD, "conflict": "own"}
        with pytest.raises(UsageError, match="right by itself"):
            compare_files(path, path, new_options=OWN, **options)
        judged = {"prediction_field": "neu", "reference_field": "alt"}
        assert compare_files(path, path, new_options=judged, **options).counts.negative == 30

    def test_of_an_old_run(self) -> None:
        old = read_run(ROWS, **OF_OLD)
        new = read_run(ROWS[:-1], prediction_field="neu", reference_field="alt")
        # What the old run got right of an item that is lost is judged by itself, too.
        compared = compare_runs(old, new, missing="drop")
        assert compared.counts.negative == 29
        assert check_gate(compared, Policy(max_nfr=0.1)).outcome == "FAIL"
        assert compare_runs(old, read_run(ROWS, prediction_field="neu")).counts.negative == 30

    def test_a_file_of_references_is_beside_them(self) -> None:
        filled = with_references(read_run(ROWS[:5], **OWN), {str(n): "да" for n in range(60)})
        assert compare_runs(read_run(ROWS[:5], **OF_OLD), filled).counts.negative == 0

    def test_a_file_that_is_a_copy_of_the_run(self, write: Write) -> None:
        path = write("".join(f"{json.dumps(row)}\n" for row in ROWS))
        runs = [read_run(path, name=name, prediction_field=name) for name in ("alt", "neu")]
        references = read_references(path, reference_field="neu")
        old, new = (with_references(run, references, answer_field=run.name) for run in runs)
        with pytest.raises(UsageError, match="right by itself"):
            compare_runs(old, new)
        # Answers of the old run may be the references, and another field is no copy.
        assert compare_runs(new, old).counts.negative == 30
        right = write("".join(f'{{"id": "{n}", "right": "{ROWS[n]["neu"]}"}}\n' for n in range(60)))
        others = read_references(right, reference_field="right")
        assert compare_runs(with_references(old, others), with_references(new, others))
