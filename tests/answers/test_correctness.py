"""Verdicts: the vectorised judge agrees with a dozen lines of plain Python on every input."""

from __future__ import annotations

import decimal
import fractions
import json
import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muscle_metrics.answers.correctness import correctness_column, judge_answers
from muscle_metrics.errors import InputError

# The oracle: plain Python values, one item at a time


def plain(value):
    return value.item() if isinstance(value, np.generic) else value


def absent(value):
    return value is None or value is pd.NA or value != value


def kind(value):
    return "boolean" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"


def judge_one(old, new, accepted, key, missing):
    """Right before, right after and changed, for one item; None where it must be refused."""
    old, new, *accepted = [v if absent(v) else key(plain(v)) for v in (old, new, *accepted)]
    old, new, *accepted = [None if absent(v) else plain(v) for v in (old, new, *accepted)]
    given_answers = [answer for answer in (old, new) if answer is not None]
    if None in accepted or (missing == "error" and len(given_answers) < 2):
        return None
    if any(kind(answer) != kind(a) for answer in given_answers for a in accepted):
        return None
    return any(old == a for a in accepted), any(new == a for a in accepted), old != new


def judge_all(old, new, references, key, missing):
    rows = [r if isinstance(r, list) else [r] for r in references]
    judged = [judge_one(*item, key, missing) for item in zip(old, new, rows, strict=True)]
    return None if None in judged else [list(column) for column in zip(*judged, strict=True)]


def judged_by_package(old, new, references, key, missing):
    try:
        correctness = judge_answers(
            old=old, new=new, references=references, key=key, missing=missing
        )
    except InputError:
        return None
    assert all(flags.dtype == bool and flags.shape == (len(old),) for flags in correctness)
    return [flags.tolist() for flags in correctness]


# Values that become equal by rounding, wrapping, stripping or coercing.
INTEGERS = [0, 1, -1, 255, 256, 2**24 + 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**63 + 1]
INTEGERS += [-(2**63), 2**64 - 1, 2**64]
FLOATS = [0.0, -0.0, 1.0, 0.1, 255.0, 2.0**24, 2.0**53, 2.0**63, 2.0**64, math.inf, -math.inf]
FLOATS += [5e-324, float(np.float32(0.1)), float(np.float16(0.1))]
EXACT = [fractions.Fraction(1, 10), decimal.Decimal("0.1"), decimal.Decimal(1)]
SCALARS = [np.float32(0.1), np.float16(0.1), np.int8(-1), np.uint64(2**64 - 1), np.float64(2.0**53)]
TEXTS = ["", "a", "A", "a\0", "\0", "a ", " a", "é", "é", "ß", "1", "nan", "None", "True"]
NULLS = [None, math.nan, pd.NA, np.float32("nan")]
FAMILIES = {
    "integers": INTEGERS,
    "floats": FLOATS,
    "numbers": INTEGERS + FLOATS + EXACT + SCALARS,
    "booleans": [True, False, np.True_],
    "text": [*TEXTS, np.str_("a")],
    "anything": [*INTEGERS[:3], *FLOATS[:3], *TEXTS[:3], True, False],
}
DTYPES = {
    "int8": [0, 1, -1, 127, -128],
    "int64": [0, 1, 2**53, 2**53 + 1, 2**63 - 1, -(2**63)],
    "uint8": [0, 1, 127, 128, 255],
    "uint64": [0, 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1],
    "float16": [0.0, 1.0, 0.1, 255.0, math.inf, math.nan],
    "float32": [0.0, 1.0, 0.1, 2.0**24, 2.0**53, math.inf, math.nan],
    "float64": [0.0, 1.0, 0.1, 2.0**53, 2.0**63, 2.0**64, math.inf, math.nan],
    "bool": [True, False],
    "U4": ["", "a", "A", "a ", "nan"],
}
KEYS = [None, None, str, lambda value: value * 2, lambda value: None, repr]


@st.composite
def answer_columns(draw, items, family):
    if family in DTYPES:
        dtype = draw(st.sampled_from([family, family, "int64", "uint64", "float64"]))
        values = draw(st.lists(st.sampled_from(DTYPES[dtype]), min_size=items, max_size=items))
        return np.array(values, dtype=dtype)
    pool = FAMILIES[family] + (NULLS if draw(st.booleans()) else [])
    values = draw(st.lists(st.sampled_from(pool), min_size=items, max_size=items))
    return draw(st.sampled_from([list, tuple, object_array]))(values)


def object_array(values):
    return np.fromiter(values, dtype=object, count=len(values))


@st.composite
def comparisons(draw):
    items = draw(st.integers(1, 5))
    family = draw(st.sampled_from([*FAMILIES, *DTYPES]))
    old, new, references = (draw(answer_columns(items, family)) for _ in range(3))
    if draw(st.booleans()):
        more = draw(answer_columns(items, family))
        several = draw(st.lists(st.booleans(), min_size=items, max_size=items))
        rows = zip(references, more, several, strict=True)
        references = [[one, other] if two else one for one, other, two in rows]
    return old, new, references


@settings(max_examples=500)
@given(comparisons(), st.sampled_from(KEYS), st.sampled_from(["error", "wrong"]))
def test_judging_equals_plain_python_item_by_item(columns, key, missing):
    expected = judge_all(*columns, key or (lambda value: value), missing)
    assert judged_by_package(*columns, key, missing) == expected


@given(st.data(), st.sampled_from(["U", "O", "T", "list", "string", "str", "arrow", "category"]))
def test_text_is_judged_alike_in_every_container(data, container):
    texts = st.text(alphabet=["a", "A", "é", "\n", " ", "\U0001f600"], max_size=2)
    rows = data.draw(st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=6))
    old, new, references = (list(column) for column in zip(*rows, strict=True))
    expected = judge_all(old, new, references, str, "error")
    wrapped = [contained(container, column) for column in (old, new)]
    assert judged_by_package(*wrapped, references, None, "error") == expected


def contained(container, values):
    if container in ("U", "O", "T"):
        return np.array(values, dtype=np.dtypes.StringDType() if container == "T" else container)
    if container == "arrow":
        return pytest.importorskip("pyarrow").array(values)
    if container == "list":
        return list(values)
    return pd.Series(values, [f"q{i}" for i in range(len(values))], dtype=container)


# Meaning of a comparison


def test_a_key_sees_plain_values_whatever_the_container():
    values = [1, 2]
    for column in (values, np.array(values), pd.Series(values), np.array(values, dtype="u1")):
        correctness = judge_answers(old=column, new=values, references=values, key=json.dumps)
        assert flags(correctness) == [[True, True], [True, True], [False, False]]


def flags(correctness):
    return [column.tolist() for column in correctness]


def test_any_accepted_reference_makes_an_answer_right():
    correctness = judge_answers(
        old=["a", "b", "c"], new=["b", "b", "d"], references=[["a", "b"], "b", ["c"]]
    )
    assert flags(correctness) == [[True, True, True], [True, True, False], [True, False, True]]


def test_a_key_decides_right_and_same_alike():
    correctness = judge_answers(old=["yes "], new=["Yes"], references=["YES"], key=str.casefold)
    assert flags(correctness) == [[False], [True], [True]]
    correctness = judge_answers(
        old=["yes "], new=["Yes"], references=["YES"], key=lambda text: text.strip().lower()
    )
    assert flags(correctness) == [[True], [True], [False]]


def test_two_missing_answers_are_wrong_and_the_same():
    columns = {"old": [None, math.nan, "A"], "new": [pd.NA, "A", None], "references": list("AAA")}
    correctness = judge_answers(**columns, missing="wrong")
    assert flags(correctness) == [[False, False, True], [False, True, False], [False, True, True]]


@pytest.mark.parametrize("key", [str, repr, "{}".format])
def test_a_missing_answer_is_wrong_even_where_a_key_would_spell_it(key):
    correctness = judge_answers(
        old=[None], new=[math.nan], references=["None"], key=key, missing="wrong"
    )
    assert flags(correctness) == [[False], [False], [False]]


def test_a_missing_reference_cannot_be_counted_as_wrong():
    with pytest.raises(InputError, match="references") as error:
        judge_answers(old=["A"], new=["A"], references=[None], missing="wrong")
    # The hint must help: this option is already given, and is about answers.
    assert "missing=" not in str(error.value)


def test_close_numbers_are_different_answers():
    columns = {"old": [0.1 + 0.2], "new": [2.0**53], "references": [[0.3, 2**53 + 1]]}
    assert flags(judge_answers(**columns)) == [[False], [False], [True]]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (np.array([2**53 + 1]), np.array([2.0**53])),
        (np.array([2**63 + 1], dtype=np.uint64), np.array([2.0**63])),
        (np.array([2**63], dtype=np.uint64), np.array([-(2**63)])),
        (np.array([255], dtype=np.uint8), np.array([-1], dtype=np.int8)),
        (np.array([0.1], dtype=np.float32), np.array([0.1])),
        (np.array([2**24 + 1], dtype=np.int32), np.array([2**24], dtype=np.float32)),
    ],
)
def test_types_are_never_rounded_into_each_other(one, other):
    assert flags(judge_answers(old=one, new=other, references=one)) == [[True], [False], [True]]
    assert flags(judge_answers(old=other, new=one, references=one)) == [[False], [True], [True]]


def test_numbers_of_two_types_are_equal_where_their_values_are():
    columns = {"old": [1], "new": np.array([1], dtype=np.uint8), "references": [1.0]}
    assert flags(judge_answers(**columns)) == [[True], [True], [False]]


@pytest.mark.parametrize(
    ("old", "new", "references"),
    [
        (["1"], [1], [1]),
        ([1], [1], ["1"]),
        ([True], [True], [1]),
        ([1], [True], [1]),
        (["A"], ["A", "B"], ["A", "B"]),
        (["A", "B"], ["A", "B"], ["A"]),
        ("AB", ["A", "B"], ["A", "B"]),
        (["A", "B"], ["A", "B"], "AB"),
        ([], [], []),
        (["A"], ["A"], [["A", 1]]),
    ],
)
def test_what_may_not_be_compared_is_refused(old, new, references):
    with pytest.raises(InputError):
        judge_answers(old=old, new=new, references=references)


@pytest.mark.parametrize("which", ["old", "new", "references"])
def test_pandas_columns_are_not_joined_by_position_behind_the_users_back(which):
    columns = {name: pd.Series([1, 2], ["x", "y"]) for name in ("old", "new", "references")}
    assert flags(judge_answers(**columns)) == [[True, True], [True, True], [False, False]]
    columns[which] = pd.Series([2, 1], ["y", "x"])
    with pytest.raises(InputError, match="index"):
        judge_answers(**columns)


def test_columns_of_one_frame_are_joined():
    frame = pd.DataFrame({"old": [1, 2], "new": [1, 3], "references": [1, 2]}, index=["y", "x"])
    assert flags(judge_answers(**frame))[1] == [True, False]


@pytest.mark.parametrize("container", [pd.Index, pd.Categorical, pd.array])
def test_pandas_columns_without_an_index_are_joined_by_position(container):
    columns = {"old": container(["A", "B"]), "new": pd.Series(["A", "C"], [5, 6])}
    assert flags(judge_answers(**columns, references=["A", "B"]))[1] == [True, False]


def test_a_list_beside_pandas_columns_is_joined_by_position():
    index = ["x", "y"]
    columns = {"old": pd.Series([1, 2], index), "new": pd.Series([1, 2], index)}
    assert flags(judge_answers(**columns, references=[1, 3]))[0] == [True, False]


def frames():
    """Two runs over the same items, the second in another order."""
    old = pd.DataFrame({"id": ["q1", "q2", "q3"], "pred": ["да", "нет", "да"], "gold": "да"})
    new = pd.DataFrame({"id": ["q3", "q1", "q2"], "pred": ["да", "да", "нет"]})
    return old, new


def test_row_numbers_of_two_frames_are_no_names_of_items():
    old, new = frames()
    columns = {"old": old.pred, "new": new.pred, "references": old.gold}
    with pytest.raises(InputError, match=r"row numbers of different frames.*merge"):
        judge_answers(**columns)
    # A filtered frame keeps row numbers, in an index that is no range.
    kept = {name: column[[True, False, True]] for name, column in columns.items()}
    with pytest.raises(InputError, match="row numbers"):
        judge_answers(**kept)
    by_position = {name: column.to_numpy() for name, column in columns.items()}
    assert flags(judge_answers(**by_position))[1] == [True, True, False]


def test_frames_joined_by_id_are_compared():
    old, new = frames()
    both = old.merge(new, on="id", suffixes=("_old", "_new"), validate="one_to_one")
    correctness = judge_answers(old=both.pred_old, new=both.pred_new, references=both.gold)
    assert flags(correctness)[0] == flags(correctness)[1] == [True, False, True]


def test_columns_made_from_columns_of_one_frame_are_compared():
    frame = pd.DataFrame({"old": ["a ", "b"], "new": ["A", "c"], "gold": ["a", "b"]})
    old, new = frame.old.str.strip(), frame.new.map(str.lower)
    correctness = judge_answers(old=old, new=new, references=frame.copy().gold.astype(object))
    assert flags(correctness)[1] == [True, False]


def test_frames_indexed_by_id_are_compared_or_told_apart():
    old, new = (frame.set_index("id") for frame in frames())
    with pytest.raises(InputError, match="different indexes"):
        judge_answers(old=old.pred, new=new.pred, references=old.gold)
    new = new.reindex(old.index)
    assert flags(judge_answers(old=old.pred, new=new.pred, references=old.gold))[2] == [False] * 3


def test_a_name_makes_integers_names_of_items():
    old, new = (pd.Series(["a", "b"], pd.Index([7, 3], name="id")) for _ in range(2))
    assert flags(judge_answers(old=old, new=new, references=["a", "a"]))[1] == [True, False]


# The function of a user


def first_number(text):
    return re.search(r"\d+", text)[0]


@pytest.mark.parametrize("which", ["old", "new", "references"])
def test_a_key_that_raises_is_named_with_the_item(which):
    columns = {name: ["so 1", "so 2", "so 3"] for name in ("old", "new", "references")}
    columns[which] = ["so 1", "so 2", "nothing\nhere"]
    with pytest.raises(InputError) as raised:
        judge_answers(**columns, key=first_number)
    message = str(raised.value)
    assert len(message.splitlines()) == 1
    for part in ("first_number", "TypeError", "item 2", which, r"nothing\nhere"):
        assert part in message
    assert isinstance(raised.value.__cause__, TypeError)


def test_a_key_that_raises_on_one_of_several_references_is_named_with_its_item():
    with pytest.raises(InputError, match="'none' at item 1 in references"):
        judge_answers(
            old=["1", "2"], new=["1", "2"], references=[["1"], ["2", "none"]], key=first_number
        )


def test_lists_as_answers_and_lists_of_references_could_mean_two_things():
    with pytest.raises(InputError, match=r"lists such as \['e'\], got \['f'\] at item 1"):
        judge_answers(old=[["e"], ["f"]], new=[["e"], ["g"]], references=[[["e"]], ["f"]], key=str)
    # The advice of the message: the one right list inside a list.
    correctness = judge_answers(
        old=[["e"], ["f"]], new=[["e"], ["g"]], references=[[["e"]], [["f"]]], key=str
    )
    assert flags(correctness) == [[True, True], [True, False], [False, True]]


def test_objects_become_answers_by_a_key():
    answers = [{"answer": "A", "why": "x"}, {"answer": "B", "why": "y"}]
    correctness = judge_answers(
        old=answers,
        new=[{"answer": "A"}, {"answer": "C"}],
        references=[["A", "a"], "B"],
        key=lambda value: value["answer"] if isinstance(value, dict) else value,
    )
    assert flags(correctness) == [[True, True], [True, False], [False, True]]


# Correctness that a harness recorded


@pytest.mark.parametrize(
    "values",
    [
        [True, False],
        [1, 0],
        [1.0, 0.0],
        [1, 0.0],
        [True, 0],
        (np.True_, np.False_),
        [np.float32(1), 0],
        np.array([1, 0], dtype=np.uint8),
        np.array([1, 0], dtype=np.float16),
        np.array([True, False], dtype=object),
        pd.Series([True, False]),
        pd.Series([True, False], dtype=object),
        pd.Series([True, False], dtype="boolean"),
        pd.Series([1, 0], dtype="Int64"),
        pd.Series([True, False], dtype="category"),
    ],
    ids=repr,
)
def test_verdicts_are_booleans_or_zeros_and_ones(values):
    column = correctness_column(values, name="old_right")
    assert column.dtype == bool
    assert column.tolist() == [True, False]


def test_verdicts_of_other_libraries():
    pyarrow, torch = pytest.importorskip("pyarrow"), pytest.importorskip("torch")
    for values in (pyarrow.array([True, False]), torch.tensor([True, False]), torch.tensor([1, 0])):
        assert correctness_column(values, name="old_right").tolist() == [True, False]


@pytest.mark.parametrize(
    "values",
    [
        ["True", "False"],
        ["1", "0"],
        [0.5, 1],
        [2, 0],
        [-1, 1],
        [True, 2],
        [True, "no"],
        [math.inf, 0.0],
        [True, None],
        [1.0, math.nan],
        [[True], [False]],
        np.array([[True], [False]]),
        pd.Series([True, None], dtype="boolean"),
        "TF",
        [],
    ],
    ids=repr,
)
def test_scores_texts_and_nulls_are_no_verdicts(values):
    with pytest.raises(InputError, match=r"\bold_right\b") as error:
        correctness_column(values, name="old_right")
    # Recorded correctness takes no `missing` and no `key`: no message may advise them.
    assert "missing=" not in str(error.value)
    assert "key=" not in str(error.value)
