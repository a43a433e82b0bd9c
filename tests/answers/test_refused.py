"""What would compare unequal without being a different answer is refused, never counted."""

from __future__ import annotations

import collections
import datetime
import decimal
import math

import numpy as np
import pandas as pd
import pytest

from muscle_metrics.answers.columns import (
    answer_column,
    check_kinds,
    check_lengths,
    reference_columns,
)
from muscle_metrics.errors import InputError, UsageError


def arrow(values, kind=None):
    pyarrow = pytest.importorskip("pyarrow")
    return pyarrow.array(values, kind and getattr(pyarrow, kind)())


def tensor(values):
    return pytest.importorskip("torch").tensor(values)


REFUSED = {
    "one string": lambda: "ABC",
    "one numpy string": lambda: np.str_("ABC"),
    "bytes": lambda: b"ABC",
    "bytearray": lambda: bytearray(b"ABC"),
    "None": lambda: None,
    "a number": lambda: 5,
    "dict": lambda: {"a": 1},
    "set": lambda: {"a"},
    "generator": lambda: (value for value in "ab"),
    "range": lambda: range(2),
    "deque": lambda: collections.deque("ab"),
    "empty list": list,
    "empty tuple": tuple,
    "empty array": lambda: np.array([]),
    "empty series": lambda: pd.Series([], dtype=object),
    "empty arrow": lambda: arrow([], "string"),
    "empty tensor": lambda: tensor([]),
    "zero dimensions": lambda: np.array(5),
    "two dimensions": lambda: np.zeros((2, 1)),
    "masked two dimensions": lambda: np.ma.zeros((2, 1)),
    "a tensor of zero dimensions": lambda: tensor(5),
    "a tensor of two dimensions": lambda: tensor([[1], [2]]),
    "DataFrame": lambda: pd.DataFrame({"a": [1]}),
    "MultiIndex": lambda: pd.MultiIndex.from_tuples([("a", "b")]),
    "arrow table": lambda: pytest.importorskip("pyarrow").table({"a": [1]}),
    "arrow scalar": lambda: pytest.importorskip("pyarrow").scalar("a"),
    "sparse tensor": lambda: tensor([1.0, 0.0]).to_sparse(),
    "a nested list": lambda: ["A", ["B"]],
    "a nested tuple": lambda: [("A",), ("B",)],
    "nested arrays": lambda: [np.array([1]), np.array([2])],
    "arrays of zero dimensions": lambda: [np.array(1), np.array(2)],
    "dicts": lambda: [{"answer": "A"}],
    "sets": lambda: [{"A"}],
    "list of bytes": lambda: [b"A"],
    "array of bytes": lambda: np.array([b"A"]),
    "array of records": lambda: np.array([(1, 2)], dtype="i4,i4"),
    "complex numbers": lambda: np.array([1j]),
    "complex objects": lambda: [1j, 2],
    "dates": lambda: [datetime.date(2020, 1, 1)],
    # As integers, dates would equal numbers, and dates of another unit.
    "numpy dates": lambda: np.array(["2020-01-01"], dtype="datetime64[D]"),
    "numpy instants": lambda: np.array(["2020-01-01"], dtype="datetime64[ns]"),
    "numpy durations": lambda: np.array([1], dtype="timedelta64[ns]"),
    "numpy duration scalars": lambda: [np.timedelta64(1, "s"), np.timedelta64(2, "s")],
    "pandas dates": lambda: pd.Series(pd.to_datetime(["2020-01-01"])),
    "pandas dates with NaT": lambda: pd.Series(pd.to_datetime(["2020-01-01", None])),
    "pandas durations": lambda: pd.Series(pd.to_timedelta([1])),
    "arrow dates": lambda: arrow([datetime.datetime(2020, 1, 1)]),
    "arrow structs": lambda: arrow([{"a": 1}]),
    "arrow bytes": lambda: arrow([b"A"]),
    "tensors in a list": lambda: [tensor(1), tensor(2)],
}


@pytest.mark.parametrize("missing", ["error", "wrong"])
@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_what_is_no_column_of_answers_is_refused(make, missing):
    with pytest.raises(InputError, match=r"\bold\b"):
        answer_column(make(), name="old", missing=missing)


@pytest.mark.parametrize("missing", ["drop", None, True, ["error"], "Error"])
def test_an_unknown_way_with_missing_answers_is_refused(missing):
    with pytest.raises(UsageError, match="missing"):
        answer_column(["A"], name="old", missing=missing)


# References

REFUSED_REFERENCES = {
    "one string": "AB",
    "empty list for an item": [["A"], []],
    "all lists empty": [[], []],
    "two dimensions": np.array([["A"], ["B"]]),
    "nested twice": [[["A"]], [["B"]]],
    "None among accepted": [["A", None], ["B"]],
    "None for an item": [["A"], None],
    "NaN among accepted": [[1.0, math.nan], [2.0]],
    "a set": [{"A"}, {"B"}],
    "arrays of zero dimensions": [np.array(1), np.array(2)],
}


@pytest.mark.parametrize("values", REFUSED_REFERENCES.values(), ids=REFUSED_REFERENCES)
def test_wrongly_nested_references_are_refused(values):
    with pytest.raises(InputError):
        reference_columns(values, items=2)


@pytest.mark.parametrize(
    ("values", "where"),
    [([["A", "B", "C"], ["A"], [None]], 2), ([["A", "B", "C"], ["A"], [{"A"}]], 2)],
)
def test_messages_about_references_name_the_item(values, where):
    with pytest.raises(InputError, match=rf"\bat (item )?{where}\b"):
        reference_columns(values, items=3)


def test_transposed_references_are_named_as_such():
    with pytest.raises(InputError, match="transposed"):
        reference_columns([["A", "B", "C"], ["a", "b", "c"]], items=3)


# Lengths, kinds and nulls


def test_lengths_are_compared_and_named():
    assert check_lengths(old=[1, 2], new="ab") == 2
    with pytest.raises(InputError, match="old 2, new 3"):
        check_lengths(old=[1, 2], new=[1, 2, 3])


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ([1], ["1"]),
        ([0.5], ["0.5"]),
        ([True], [1]),
        ([False], [0.0]),
        (["True"], [True]),
        ([1, "A"], [1, 2]),
        ([decimal.Decimal(1)], [True]),
    ],
)
def test_kinds_that_only_look_equal_are_refused(left, right):
    for one, other in ((left, right), (right, left)):
        with pytest.raises(InputError, match="one kind"):
            check_kinds(
                answer_column(one, name="old"),
                answer_column(other, name="new"),
                names=("old", "new"),
            )


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ([1], [2.5]),
        ([1, "A"], [2, "B"]),
        ([None], ["A"]),
        ([None, 1], [None, 2]),
        ([decimal.Decimal(1)], [1.0]),
        ([np.str_("A")], ["A"]),
    ],
)
def test_answers_of_one_kind_may_be_compared(left, right):
    check_kinds(
        answer_column(left, name="old", missing="wrong"),
        answer_column(right, name="new", missing="wrong"),
        names=("old", "new"),
    )
