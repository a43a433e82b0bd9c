"""Coded values are equal exactly where Python's are, and read back as they were."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from muscle_metrics.runs.record import Record
from muscle_metrics.scale.encoding import (
    code_row,
    decode_label,
    decode_reference,
    decode_value,
    split_key,
)
from muscle_metrics.words.coded import ESCAPE

# Lone surrogates, and the characters that the code itself uses.
CHARACTERS = st.one_of(
    st.characters(codec=None), st.sampled_from(["\x1f", ESCAPE, "e", "s", "\ud800", "\udfff", '"'])
)
TEXTS = st.text(CHARACTERS, max_size=5)
NUMBERS = st.one_of(
    st.integers(-(2**54), 2**54),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([2**53 - 1, 2**53, 2**53 + 1, 2.0**53, -0.0, 0, 1e22, 10**22]),
)
VALUES = st.one_of(TEXTS, NUMBERS, st.booleans())


def kind(value: object) -> type:
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)


@given(VALUES, VALUES)
@example(2**53 + 1, 2.0**53)
@example(1, 1.0)
@example(True, 1)
@example("1", 1)
def test_codes_are_equal_where_values_are(first, second):
    codes = [code_row(Record("1", prediction=value))["prediction"] for value in (first, second)]
    assert (codes[0] == codes[1]) == (kind(first) is kind(second) and first == second)
    decoded = decode_value(codes[0])
    assert decoded == first
    assert kind(decoded) is kind(first)


@given(TEXTS.filter(bool), st.one_of(st.none(), TEXTS), st.lists(VALUES, max_size=3), TEXTS)
def test_rows_are_read_back(name, repeat, accepted, label):
    record = Record(name, reference=accepted, repeat=repeat, slice=label, prompt=label)
    row = code_row(record)
    row["key"].encode()
    row["slice"].encode()
    assert split_key(row["key"]) == (name, repeat)
    assert decode_label(row["slice"]) == decode_label(row["prompt"]) == label
    assert decode_reference(row["reference"], row["accepted"]) == accepted
