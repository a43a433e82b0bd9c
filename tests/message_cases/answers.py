"""Messages about answers, verdicts and weights in memory, and about the counts made of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from muscle_metrics.errors import require
from muscle_metrics.flips.counting import count_flips, tally_flips
from muscle_metrics.flips.counts import FlipCounts
from muscle_metrics.flips.rates import AccuracyChange, Rate

if TYPE_CHECKING:
    from collections.abc import Callable

WATCHED = [
    "answers/columns",
    "answers/arrays",
    "answers/keys",
    "answers/constant",
    "flips/counting",
    "flips/counts",
    "errors",
    "flips/rates",
    "answers/correctness",
]

count_all = partial(count_flips, old=["A", "B"], new=["A", "C"], references=["A", "B"])
tally_all = partial(tally_flips, old_right=[1, 1], new_right=[1, 0])
CELLS = {"both_right": 4, "negative": 3, "positive": 1, "both_wrong": 2}
COUNTS = FlipCounts(**CELLS)
LONG = "The answer is that nobody can know the answer before it is given."


def no_number(text: str) -> str:
    return text.rstrip("0123456789")


def second_word(text: str) -> str:
    return text.split()[1]


def pyarrow() -> object:
    return pytest.importorskip("pyarrow")


def sparse_tensor() -> object:
    return pytest.importorskip("torch").tensor([1.0, 0.0]).to_sparse()


CASES: dict[str, Callable[[], object]] = {
    "answers: a key that raises": lambda: count_all(new=["A", "C d"], key=second_word),
    "answers: a key that gives references that differ one value": lambda: count_all(
        old=["So 1", "So 2"], new=["So 3", "So 4"], references=["So 1", "So 2"], key=no_number
    ),
    "answers: lists beside lists of references": lambda: count_all(
        old=[["f"], ["g"]], new=[["f"], ["h"]], references=[["f"], [["g"]]], key=str
    ),
    "answers: row numbers of two frames": lambda: count_all(
        old=pd.Series(["A", "B"]), new=pd.Series(["A", "C"])
    ),
    "answers: one string": lambda: count_all(old="AB"),
    "answers: one long string": lambda: count_all(old=LONG),
    "answers: one string of references": lambda: count_all(references="AB"),
    "answers: no column": lambda: count_all(new={"A", "B"}),
    "answers: no column but None": lambda: count_all(new=None),
    "answers: two dimensions": lambda: count_all(old=np.zeros((2, 3))),
    "answers: two dimensions of references": lambda: count_all(references=np.zeros((2, 3))),
    "answers: nothing": lambda: count_all(old=[]),
    "answers: a frame": lambda: count_all(old=pd.DataFrame({"old": ["A", "B"]})),
    "answers: a table": lambda: count_all(old=pyarrow().table({"old": ["A", "B"]})),
    "answers: a sparse tensor": lambda: count_all(old=sparse_tensor()),
    "answers: missing": lambda: count_all(new=["A", None]),
    "answers: many missing": lambda: count_all(new=[None, float("nan")] * 5),
    "answers: missing reference": lambda: count_all(references=["A", None]),
    "answers: missing among accepted references": lambda: count_all(
        references=[["A", "a", "B"], ["B", None]]
    ),
    "answers: a list as an answer": lambda: count_all(old=["A", ["B"]]),
    "answers: a dict as an answer": lambda: count_all(old=[{"answer": "A"}, "B"]),
    "answers: bytes as an answer": lambda: count_all(old=[b"A", b"B"]),
    "answers: a set of references": lambda: count_all(references=[["A", "a"], {"B"}]),
    "answers: an item without references": lambda: count_all(references=[["A"], []]),
    "answers: references transposed": lambda: count_all(
        references=[["A", "B"], ["a", "b"], ["aa", "bb"]]
    ),
    "answers: other lengths": lambda: count_all(new=["A", "B", "C"]),
    "answers: other number of references": lambda: count_all(references=["A"]),
    "answers: text against numbers": lambda: count_all(references=[1, 2]),
    "answers: text against a number": lambda: count_all(new=["A", 2]),
    "answers: numbers against booleans": lambda: count_all(old=[1], new=[1], references=[True]),
    "answers: text against a number among accepted references": lambda: count_all(
        references=[["A", "a", "B"], ["B", 2]]
    ),
    "answers: unknown missing": lambda: count_all(missing="drop"),
    "verdicts: pandas indexes": lambda: count_all(
        old=pd.Series(["A", "B"]), new=pd.Series(["B", "A"], [1, 0])
    ),
    "verdicts: text": lambda: tally_all(old_right=["True", "False"]),
    "verdicts: scores": lambda: tally_all(old_right=[0.75, 1.0]),
    "verdicts: missing": lambda: tally_all(new_right=[True, None]),
    "verdicts: lists": lambda: tally_all(new_right=[[True], [False]]),
    "verdicts: one string": lambda: tally_all(new_right="TF"),
    "verdicts: other lengths": lambda: tally_all(changed=[True]),
    "weights: negative": lambda: tally_all(weights=[1, -2]),
    "weights: fractions": lambda: tally_all(weights=[0.5, 0.5]),
    "weights: two dimensions": lambda: tally_all(weights=[[1, 2], [3, 4]]),
    "weights: text": lambda: tally_all(weights=["1", "2"]),
    "weights: other length": lambda: tally_all(weights=[1, 2, 3]),
    "counts: negative": lambda: FlipCounts(**CELLS | {"negative": -1}),
    "counts: more changed than there are": lambda: FlipCounts(**CELLS, wrong_changed=3),
    "rates: count above total": lambda: Rate(3, 2),
    "rates: negative count": lambda: Rate(-1, 2),
    "rates: negative total": lambda: Rate(None, -2),
    "rates: confidence as percentage": lambda: Rate(1, 2).interval(95),
    "rates: unknown method": lambda: Rate(1, 2).interval(method="wald"),
    "rates: unknown side": lambda: Rate(1, 2).interval(side="left"),
    "changes: confidence as percentage": lambda: COUNTS.accuracy_change.interval(95),
    "changes: unknown method": lambda: COUNTS.accuracy_change.interval(method="wald"),
    "changes: unknown side": lambda: COUNTS.accuracy_change.interval(side="left"),
    "changes: negative cell": lambda: AccuracyChange(**CELLS | {"negative": -1}).interval(),
    "mcnemar: unknown method": lambda: COUNTS.mcnemar("yates"),
    "mcnemar: unknown alternative": lambda: COUNTS.mcnemar(alternative="greater"),
    "optional: not installed": lambda: require("no_such_package", "report"),
}
