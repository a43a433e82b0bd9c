"""Letters of the options of one item, from every form in which data hold them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics.answers.reading.options import option_letters

LATIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@pytest.mark.parametrize(
    ("value", "letters"),
    [
        (["x", "y", "y"], "ABC"),
        (("x",), "A"),
        ([1, 2.5, True, "four"], "ABCD"),
        (np.array(["x", "y"], dtype=object), "AB"),
        (["x"] * 26, LATIN),
        # Arrow gives every row all keys of the column.
        ({"A": "x", "B": "y", "C": None, "D": float("nan")}, "AB"),
        ({"b": "y", "a": "x"}, "AB"),
        ({"F": "x", "G": "y", "H": "z"}, "FGH"),
        ({"text": ["x", "y", "z"], "label": ["A", "B", "C"]}, "ABC"),
        ({"text": ["x", "y"], "label": np.array(["A", "B"], dtype=object)}, "AB"),
        (4, "ABCD"),
        (4.0, "ABCD"),
        ("4", "ABCD"),
        (np.int64(10), "ABCDEFGHIJ"),
        ("ABDE", "ABDE"),
        (" ABCD ", "ABCD"),
        ("ＡＢ", "AB"),
        ("АБВГД", "АБВГД"),
        ("أبجد", "أبجد"),
        ({"Б": "y", "А": "x"}, "АБ"),
    ],
)
def test_options_are_letters(value, letters):
    assert option_letters(value) == letters


@pytest.mark.parametrize(
    "value",
    [
        *(None, [], {}, "", 0, -1, 27, 4.5, "0", "27", "-4", "1e1", float("nan"), float("inf")),
        *(
            ["x", None],
            ["x", float("nan")],
            [["x"], "y"],
            ["x"] * 27,
            True,
            b"AB",
            pytest.param(object(), id="an object"),
        ),
        *("Paris", "PARIS", "ab", "AA", "BA", "A,B", "A B", "巴黎", "AБ", "БВ", "Ж", "٤"),
        *({"A": None}, {"A1": "x"}, {"": "x"}, {"text": ["x"], "label": ["1", "2"]}),
        *({"A": "x", "a": "y"}, {"label": "AB"}, {1: "x"}, {"A": "x", "Б": "y"}, '["x", "y"]'),
    ],
    ids=repr,
)
def test_anything_else_says_no_options(value):
    assert option_letters(value) is None


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner),
)


@given(value=ANY)
def test_letters_say_themselves(value):
    letters = option_letters(value)
    assert letters is None or (1 <= len(letters) <= 26 and option_letters(letters) == letters)
