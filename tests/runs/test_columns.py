"""Records made a column at a time are those made row by row."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics.errors import InputError
from muscle_metrics.runs.columns import choose_columns
from muscle_metrics.runs.record import Record, make_records

IDS = st.text("ab", max_size=2) | st.integers() | st.booleans() | st.none()
ANSWERS = st.text("ab", max_size=2) | st.integers() | st.floats() | st.none() | st.just([1])
ROWS = st.fixed_dictionaries(
    {"id": IDS, "prediction": ANSWERS},
    optional={"reference": ANSWERS, "score": ANSWERS, "kind": ANSWERS, "deep": st.just({"a": "x"})},
)
ASKED = st.dictionaries(st.sampled_from(["score", "slice"]), st.sampled_from(["kind", "deep.a"]))


@given(st.lists(ROWS, min_size=1, max_size=4), ASKED)
def test_columns_as_rows(rows: list[dict[str, Any]], asked: Any) -> None:
    columns = choose_columns(rows[0], "id", asked)
    try:
        expected = [columns.record(row) for row in rows]
    except InputError:
        assert columns.records(rows) is None
    else:
        assert repr(columns.records(rows)) == repr(expected)


def test_an_id_of_several_fields() -> None:
    row = {"task": "sum", "n": 1, "prediction": "A"}
    columns = choose_columns(row, ("task", "n"), {})
    assert columns.records([row]) == [columns.record(row)]


def test_records_of_columns_are_records() -> None:
    (record,) = make_records(["1"], {"prediction": ["A"], "slice": ["x"]})
    assert type(record) is Record
    assert record == Record("1", "A", slice="x")
    with pytest.raises(FrozenInstanceError):
        record.id = "2"  # type: ignore[misc]
