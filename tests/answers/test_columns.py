"""Columns of answers: what is accepted keeps its values, what cannot be compared is refused."""

from __future__ import annotations

import decimal
import fractions
import math

import numpy as np
import pandas as pd
import pytest

from muscle_metrics.answers.columns import (
    AcceptedAnswers,
    answer_column,
    is_missing,
    reference_columns,
)
from muscle_metrics.errors import InputError

TEXT = ["A", "b", "", "A", "é", " A"]
NUMBERS = [1, 0, -7, 100, 1, 3]
FLAGS = [True, False, False, True, True, False]


def arrow(values, kind=None, chunks=None):
    pyarrow = pytest.importorskip("pyarrow")
    kind = None if kind is None else getattr(pyarrow, kind)()
    array = pyarrow.array(values, kind)
    if chunks is None:
        return array
    return pyarrow.chunked_array([array[:chunks], array[chunks:]])


def tensor(values, dtype=None, **options):
    torch = pytest.importorskip("torch")
    return torch.tensor(values, dtype=dtype and getattr(torch, dtype), **options)


def series(values, dtype):
    if "pyarrow" in str(dtype):
        pytest.importorskip("pyarrow")
    return pd.Series(values, dtype=dtype)


ACCEPTED = {
    "list": (list, [TEXT, NUMBERS, FLAGS]),
    "tuple": (tuple, [TEXT, NUMBERS, FLAGS]),
    "numpy": (np.array, [TEXT, NUMBERS, FLAGS]),
    "numpy object": (lambda v: np.array(v, dtype=object), [TEXT, NUMBERS, FLAGS]),
    "numpy StringDType": (lambda v: np.array(v, dtype=np.dtypes.StringDType()), [TEXT]),
    "numpy masked": (np.ma.array, [TEXT, NUMBERS, FLAGS]),
    "numpy not contiguous": (lambda v: np.array([v, v]).T[:, 0], [TEXT, NUMBERS, FLAGS]),
    "numpy big-endian": (lambda v: np.array(v, dtype=">i4"), [NUMBERS]),
    "list of numpy scalars": (lambda v: list(np.array(v)), [TEXT, NUMBERS, FLAGS]),
    "pandas": (pd.Series, [TEXT, NUMBERS, FLAGS]),
    "pandas object": (lambda v: series(v, "object"), [TEXT, NUMBERS, FLAGS]),
    "pandas category": (lambda v: series(v, "category"), [TEXT, NUMBERS, FLAGS]),
    "pandas string": (lambda v: series(v, "string"), [TEXT]),
    "pandas arrow string": (lambda v: series(v, "string[pyarrow]"), [TEXT]),
    "pandas Int64": (lambda v: series(v, "Int64"), [NUMBERS]),
    "pandas Int8": (lambda v: series(v, "Int8"), [NUMBERS]),
    "pandas Float32": (lambda v: series(v, "Float32"), [NUMBERS]),
    "pandas boolean": (lambda v: series(v, "boolean"), [FLAGS]),
    "pandas arrow int": (lambda v: series(v, "int64[pyarrow]"), [NUMBERS]),
    "pandas arrow bool": (lambda v: series(v, "bool[pyarrow]"), [FLAGS]),
    "pandas sparse": (lambda v: series(v, pd.SparseDtype("int64")), [NUMBERS]),
    "pandas Index": (pd.Index, [TEXT, NUMBERS, FLAGS]),
    "pandas array": (pd.array, [TEXT, NUMBERS, FLAGS]),
    "pandas Categorical": (pd.Categorical, [TEXT, NUMBERS, FLAGS]),
    # A label of the index must not be read as an attribute.
    "pandas odd index": (
        lambda v: pd.Series(v, index=["columns", "index", "dtype", "values", "isna", "iloc"]),
        [TEXT, NUMBERS, FLAGS],
    ),
    "arrow": (arrow, [TEXT, NUMBERS, FLAGS]),
    "arrow large": (lambda v: arrow(v, "large_string"), [TEXT]),
    "arrow view": (lambda v: arrow(v, "string_view"), [TEXT]),
    "arrow int8": (lambda v: arrow(v, "int8"), [NUMBERS]),
    "arrow chunked": (lambda v: arrow(v, chunks=2), [TEXT, NUMBERS, FLAGS]),
    "arrow dictionary": (lambda v: arrow(v).dictionary_encode(), [TEXT, NUMBERS]),
    "arrow chunked dictionary": (lambda v: arrow(v, chunks=2).dictionary_encode(), [TEXT]),
    "torch": (tensor, [NUMBERS, FLAGS]),
    "torch int8": (lambda v: tensor(v, "int8"), [NUMBERS]),
    "torch bfloat16": (lambda v: tensor(v, "bfloat16"), [NUMBERS]),
    "torch float16": (lambda v: tensor(v, "float16"), [NUMBERS]),
    "torch gradient": (lambda v: tensor(v, "float32", requires_grad=True), [NUMBERS]),
    "torch bfloat16 gradient": (lambda v: tensor(v, "bfloat16", requires_grad=True), [NUMBERS]),
    "torch strided": (lambda v: tensor([v, v]).t()[:, 1], [NUMBERS, FLAGS]),
} | {
    f"numpy {dtype}": (lambda v, dtype=dtype: np.array(v, dtype=dtype), [NUMBERS])
    for dtype in ("int8", "int32", "float16", "float32", "float64", "longdouble")
}

ACCEPTED_CASES = [
    pytest.param(make, values, id=f"{name}-{type(values[0]).__name__}")
    for name, (make, columns) in ACCEPTED.items()
    for values in columns
]

WITH_MISSING = {
    "list None": (list, None),
    "list NaN": (list, math.nan),
    "tuple NA": (tuple, pd.NA),
    "list NaT": (list, pd.NaT),
    "numpy object None": (lambda v: np.array(v, dtype=object), None),
    "numpy object NaN": (lambda v: np.array(v, dtype=object), math.nan),
    "pandas object": (lambda v: series(v, "object"), None),
    "pandas category": (lambda v: series(v, "category"), None),
    "pandas inferred": (pd.Series, None),
    "pandas Index": (pd.Index, None),
    "pandas array": (pd.array, None),
    "arrow": (arrow, None),
    "arrow chunked": (lambda v: arrow(v, chunks=1), None),
    "arrow dictionary": (lambda v: arrow(v).dictionary_encode(), None),
    "masked": (
        lambda v: np.ma.array([v[0] if x is None else x for x in v], mask=[x is None for x in v]),
        None,
    ),
}
TYPED_WITH_MISSING = {
    "pandas string": (lambda: series(["A", None, "b", None], "string"), TEXT[:2]),
    "pandas arrow string": (lambda: series(["A", None, "b", None], "string[pyarrow]"), TEXT[:2]),
    "pandas Int64": (lambda: series([1, None, 0, None], "Int64"), NUMBERS[:2]),
    "pandas UInt64": (lambda: series([2**64 - 1, None, 0, None], "UInt64"), [2**64 - 1, 0]),
    "pandas Float64": (lambda: series([0.5, None, 0, None], "Float64"), [0.5, 0.0]),
    "pandas boolean": (lambda: series([True, None, False, None], "boolean"), FLAGS[:2]),
    "pandas arrow int": (lambda: series([1, None, 0, None], "int64[pyarrow]"), NUMBERS[:2]),
    "pandas arrow bool": (lambda: series([True, None, False, None], "bool[pyarrow]"), FLAGS[:2]),
    "numpy float64": (lambda: np.array([1, math.nan, 0, math.nan]), NUMBERS[:2]),
    "numpy float16": (lambda: np.array([1, math.nan, 0, math.nan], dtype="f2"), NUMBERS[:2]),
    "torch float32": (lambda: tensor([1, math.nan, 0, math.nan]), NUMBERS[:2]),
    "torch bfloat16": (lambda: tensor([1, math.nan, 0, math.nan], "bfloat16"), NUMBERS[:2]),
    "list of Decimal": (
        lambda: [decimal.Decimal(1), decimal.Decimal("NaN"), decimal.Decimal(0), None],
        NUMBERS[:2],
    ),
    "list of numpy NaN": (lambda: [np.float32(1), np.float32("nan"), 0, None], NUMBERS[:2]),
    "numpy StringDType": (
        lambda: np.array(["A", None, "b", None], dtype=np.dtypes.StringDType(na_object=None)),
        TEXT[:2],
    ),
    "arrow dictionary with a null entry": (
        lambda: pytest.importorskip("pyarrow").DictionaryArray.from_arrays(
            [0, 1, 2, 1], ["A", None, "b"]
        ),
        TEXT[:2],
    ),
}
MISSING_CASES = [
    pytest.param(
        lambda make=make, null=null, pair=pair: make([pair[0], null, pair[1], null]),
        pair,
        id=f"{name}-{type(pair[0]).__name__}",
    )
    for name, (make, null) in WITH_MISSING.items()
    for pair in (TEXT[:2], NUMBERS[:2], FLAGS[:2])
    if not (name == "arrow dictionary" and pair is FLAGS[:2])
] + [pytest.param(make, pair, id=name) for name, (make, pair) in TYPED_WITH_MISSING.items()]


@pytest.mark.parametrize(("make", "values"), ACCEPTED_CASES)
def test_a_column_keeps_its_answers(make, values):
    column = answer_column(make(values), name="old")
    assert column.shape == (len(values),)
    assert column.tolist() == values
    assert [isinstance(value, bool) for value in column.tolist()] == [values is FLAGS] * len(values)


@pytest.mark.parametrize(("make", "values"), ACCEPTED_CASES)
def test_references_keep_their_answers(make, values):
    accepted, owners = reference_columns(make(values), items=len(values))
    assert accepted.tolist() == values
    assert owners is None


@pytest.mark.parametrize(("make", "pair"), MISSING_CASES)
def test_a_missing_answer_is_an_error_that_says_how_many_and_where(make, pair):
    with pytest.raises(InputError, match=r"None or NaN for 2 of 4 in new \(first at 1, 3\)"):
        answer_column(make(), name="new")


@pytest.mark.parametrize(("make", "pair"), MISSING_CASES)
def test_a_missing_answer_counts_as_none_on_request(make, pair):
    column = answer_column(make(), name="new", missing="wrong").tolist()
    assert column == [pair[0], None, pair[1], None]


@pytest.mark.parametrize(("make", "pair"), MISSING_CASES)
def test_a_missing_reference_is_always_an_error(make, pair):
    with pytest.raises(InputError, match="references"):
        reference_columns(make(), items=4)


@pytest.mark.parametrize("null", [None, math.nan, pd.NA, np.float32("nan")])
@pytest.mark.parametrize("key", [str, str.lower, lambda text: text + "!"])
def test_a_key_never_sees_a_missing_answer(null, key):
    # str(None) is "None": a missing answer must not become an answer.
    with pytest.raises(InputError, match="None or NaN for 1 of 2"):
        answer_column(["A", null], name="old", key=key)
    assert answer_column(["A", null], name="old", key=key, missing="wrong").tolist() == [
        key("A"),
        None,
    ]


def test_a_key_may_find_that_there_is_no_answer():
    column = ["the answer is 7", "I do not know"]
    key = {"the answer is 7": 7}.get
    with pytest.raises(InputError, match="None or NaN for 1 of 2"):
        answer_column(column, name="old", key=key)
    assert answer_column(column, name="old", key=key, missing="wrong").tolist() == [7, None]


def test_a_key_makes_answers_of_what_is_none():
    assert answer_column([["a", "b"]], name="old", key=" ".join).tolist() == ["a b"]


@pytest.mark.parametrize(
    "values",
    [
        [2**63 + 1, -1],
        [2**63 + 1, 1],
        [2**64 + 1, 2**64],
        [2**53 + 1, 0.5],
        (2**64 - 1, 0),
        [fractions.Fraction(1, 3), decimal.Decimal("0.1")],
        ["A\0", "A"],
        ["A ", "A\n"],
        [math.inf, -math.inf, 0.0],
    ],
    ids=str,
)
def test_values_survive_exactly(values):
    assert answer_column(values, name="old").tolist() == list(values)


@pytest.mark.parametrize(
    "make",
    [
        lambda: [None, "A"],
        lambda: np.array([math.nan, 1.0]),
        lambda: np.array([None, 1], dtype=object),
        lambda: pd.Series([None, "A"]),
        lambda: np.ma.array([1, 2], mask=[True, False]),
    ],
)
def test_arguments_are_never_changed(make):
    values = make()
    before = repr(values)
    answer_column(values, name="old", missing="wrong")
    assert repr(values) == before


# Several accepted references

NESTED = [["A", "a"], ["B"], ["C", "c", "C."]]


@pytest.mark.parametrize(
    "make",
    [
        lambda: NESTED,
        lambda: tuple(map(tuple, NESTED)),
        lambda: [tuple(row) for row in NESTED],
        lambda: [np.array(row) for row in NESTED],
        lambda: [["A", "a"], "B", ("C", "c", "C.")],
        lambda: pd.Series(NESTED),
        lambda: pd.Series([["A", "a"], "B", ["C", "c", "C."]], dtype=object),
        lambda: pd.Series(NESTED, index=[7, 8, 9]),
        lambda: arrow(NESTED),
        lambda: arrow(NESTED, chunks=1),
        lambda: pd.Series(arrow(NESTED), dtype=pd.ArrowDtype(arrow(NESTED).type)),
        lambda: arrow(NESTED).cast(
            pytest.importorskip("pyarrow").large_list(pytest.importorskip("pyarrow").string())
        ),
    ],
)
def test_references_may_be_lists_per_item(make):
    accepted, owners = reference_columns(make(), items=3)
    assert accepted.tolist() == ["A", "a", "B", "C", "c", "C."]
    assert owners.tolist() == [0, 0, 1, 2, 2, 2]
    assert AcceptedAnswers(accepted, owners).items == 3


def test_arrow_lists_keep_large_integers():
    rows = [[2**53 + 1], [2**53, 2**62 + 1]]
    accepted, _ = reference_columns(arrow(rows), items=2)
    assert accepted.tolist() == [2**53 + 1, 2**53, 2**62 + 1]


def test_a_key_normalises_every_accepted_reference():
    accepted, _ = reference_columns([["A", "B"], "C"], items=2, key=str.lower)
    assert accepted.tolist() == ["a", "b", "c"]


@pytest.mark.parametrize(
    "value", [None, math.nan, np.float16("nan"), decimal.Decimal("NaN"), pd.NA, pd.NaT]
)
def test_nulls_are_missing(value):
    assert is_missing(value) is True


@pytest.mark.parametrize("value", ["", "nan", "None", 0, False, math.inf, np.float32(0), "NA"])
def test_answers_that_look_like_nulls_are_answers(value):
    assert is_missing(value) is False
