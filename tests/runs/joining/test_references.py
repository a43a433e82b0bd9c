"""References from a file of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics.errors import FileError, PairingError
from muscle_metrics.runs.joining.references import (
    differing_references,
    read_references,
    same_reference,
    with_references,
)
from muscle_metrics.runs.record import Record, Run

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
