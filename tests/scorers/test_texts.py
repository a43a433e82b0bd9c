"""What is refused as predictions and references, and how distinct pairs are found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics.errors import InputError
from muscle_metrics.scorers.texts import check_texts, pair_texts


@pytest.mark.parametrize(
    ("predictions", "references", "message"),
    [
        ("abc", ["a", "b", "c"], "predictions to be a list of texts, got str 'abc'"),
        (["a"], "a", "references to be a list of texts, got str 'a'"),
        (None, ["a"], "predictions to be a list of texts, got NoneType None"),
        ({"a": 1}, ["a"], "predictions to be a list of texts, got dict"),
        ({"a"}, ["a"], "predictions to be a list of texts, got set"),
        (3, ["a"], "predictions to be a list of texts, got int 3"),
        (iter(["a"]), ["a"], "predictions to be a list of texts, got list_iterator"),
        (["a"], [iter(["a"])], "a list of texts at reference 0, got list_iterator"),
        ([], [], "at least one item, got no predictions and no references"),
        (["a", "b"], ["a"], "got 2 predictions and 1 references"),
        ([], ["a"], "got 0 predictions and 1 references"),
        (["a", None], ["a", "b"], "text at prediction 1, got NoneType None"),
        (["a", 1.5], ["a", "b"], "text at prediction 1, got float 1.5"),
        (["a", b"b"], ["a", "b"], "text at prediction 1, got bytes b'b'"),
        (["a", "b"], ["a", None], "a list of texts at reference 1, got NoneType None"),
        (["a", "b"], ["a", float("nan")], "at reference 1, got float nan"),
        (["a", "b"], ["a", []], "at least one reference at position 1, got none"),
        (["a", "b"], ["a", ["b", None]], "a list of texts at reference 1, got NoneType None in it"),
        (["a", "b"], ["a", {"b": 1}], "a list of texts at reference 1, got dict"),
        (["a" * 99], [7 * [7]], "got int 7 in it"),
        ([["a" * 99]], ["a"], r"text at prediction 0, got list \['a+\.\.\.: drop"),
        (
            ["a", "b", "c"],
            [["1", "2", "3"], ["4", "5", "6"]],
            r"3 predictions and 2 reference lists of 3 texts: they look transposed, "
            r"pass list\(zip\(\*references\)\)",
        ),
    ],
)
def test_what_is_refused(predictions: Any, references: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        check_texts(predictions, references)
    assert "\n" not in str(caught.value)
    assert str(caught.value)[0].islower()


@pytest.mark.parametrize("container", [list, tuple, np.array, pd.Series])
def test_any_sequence_of_texts_is_taken(container: Any) -> None:
    assert check_texts(container(["a", "b"]), container(["x", "y"])) == (
        ["a", "b"],
        [("x",), ("y",)],
    )
    assert check_texts(["a"], [container(["x", "y"])]) == (["a"], [("x", "y")])


few = st.sampled_from(["", "a", "b"])


@given(st.lists(st.tuples(few, st.lists(few, min_size=1, max_size=3)), min_size=1))
def test_pairs_lead_back_to_the_items(items: list[tuple[str, list[str]]]) -> None:
    predictions, references = [p for p, _ in items], [r for _, r in items]
    pairs = pair_texts(predictions, references)
    assert len(set(pairs.distinct)) == len(pairs.distinct)
    found = [pairs.distinct[place] for place in pairs.position]
    assert found == [(p, reference) for p, r in items for reference in r]
    # Pairs with one reference are side by side.
    sides = [reference for _, reference in pairs.distinct]
    assert sides == sorted(sides, key=sides.index)

    scores = np.arange(len(pairs.distinct)) * 5 % 7 / 7
    values = dict(zip(pairs.distinct, scores, strict=True))
    best = [max(values[p, reference] for reference in r) for p, r in items]
    assert pairs.best(scores).tolist() == best


def test_the_first_of_equals_is_the_best() -> None:
    pairs = pair_texts(["a", "a"], [["x", "y", "z"], ["z", "y", "x"]])
    assert pairs.distinct == [("a", "x"), ("a", "y"), ("a", "z")]
    precision, fmeasure = np.array([0.1, 0.2, 0.3]), np.array([0.5, 0.5, 0.4])
    assert pairs.best(precision, by=fmeasure).tolist() == [0.1, 0.2]


def test_an_item_with_an_unknown_pair_is_unknown() -> None:
    pairs = pair_texts(["a", "a"], [["x", "y"], ["x", "z"]])
    best = pairs.best(np.array([1.0, np.nan, 2.0]))
    assert np.isnan(best).tolist() == [True, False]
    assert best[1] == 2
