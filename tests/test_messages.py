"""Every message of an error, word for word, and the rules that all of them follow.

A new message: add a case to CASES (and its module to WATCHED), run
``python tests/test_messages.py``, and read the difference it makes to messages.json.
"""

from __future__ import annotations

import ast
import builtins
import json
import re
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import muscle_metrics
from muscle_metrics.counting import count_flips, tally_flips
from muscle_metrics.errors import MuscleMetricsError
from muscle_metrics.flips import FlipCounts
from muscle_metrics.optional import require
from muscle_metrics.rates import AccuracyChange, Rate

if TYPE_CHECKING:
    from collections.abc import Callable

SNAPSHOT = Path(__file__).with_name("messages.json")
PACKAGE = Path(muscle_metrics.__file__).parent

# Modules whose every raise statement is reached by a case below.
WATCHED = [
    "arrays",
    "answers",
    "counting",
    "flips",
    "optional",
    "rates",
    "statistics/counts",
    "statistics/interval",
    "statistics/paired",
    "statistics/proportions",
    "verdicts",
]

count_all = partial(count_flips, old=["A", "B"], new=["A", "C"], references=["A", "B"])
tally_all = partial(tally_flips, old_right=[1, 1], new_right=[1, 0])
CELLS = {"both_right": 4, "negative": 3, "positive": 1, "both_wrong": 2}
COUNTS = FlipCounts(**CELLS)
LONG = "The answer is that nobody can know the answer before it is given."

CASES: list[tuple[str, Callable[[], object]]] = [
    ("answers: one string", lambda: count_all(old="AB")),
    ("answers: one long string", lambda: count_all(old=LONG)),
    ("answers: one string of references", lambda: count_all(references="AB")),
    ("answers: no column", lambda: count_all(new={"A", "B"})),
    ("answers: no column but None", lambda: count_all(new=None)),
    ("answers: two dimensions", lambda: count_all(old=np.zeros((2, 3)))),
    ("answers: two dimensions of references", lambda: count_all(references=np.zeros((2, 3)))),
    ("answers: nothing", lambda: count_all(old=[])),
    ("answers: a frame", lambda: count_all(old=pd.DataFrame({"old": ["A", "B"]}))),
    ("answers: a table", lambda: count_all(old=pyarrow().table({"old": ["A", "B"]}))),
    ("answers: a sparse tensor", lambda: count_all(old=sparse_tensor())),
    ("answers: missing", lambda: count_all(new=["A", None])),
    ("answers: many missing", lambda: count_all(new=[None, float("nan")] * 5)),
    ("answers: missing reference", lambda: count_all(references=["A", None])),
    (
        "answers: missing among accepted references",
        lambda: count_all(references=[["A", "a", "B"], ["B", None]]),
    ),
    ("answers: a list as an answer", lambda: count_all(old=["A", ["B"]])),
    ("answers: a dict as an answer", lambda: count_all(old=[{"answer": "A"}, "B"])),
    ("answers: bytes as an answer", lambda: count_all(old=[b"A", b"B"])),
    ("answers: a set of references", lambda: count_all(references=[["A", "a"], {"B"}])),
    ("answers: an item without references", lambda: count_all(references=[["A"], []])),
    (
        "answers: references transposed",
        lambda: count_all(references=[["A", "B"], ["a", "b"], ["aa", "bb"]]),
    ),
    ("answers: other lengths", lambda: count_all(new=["A", "B", "C"])),
    ("answers: other number of references", lambda: count_all(references=["A"])),
    ("answers: text against numbers", lambda: count_all(references=[1, 2])),
    ("answers: text against a number", lambda: count_all(new=["A", 2])),
    ("answers: numbers against booleans", lambda: count_all(old=[1], new=[1], references=[True])),
    (
        "answers: text against a number among accepted references",
        lambda: count_all(references=[["A", "a", "B"], ["B", 2]]),
    ),
    ("answers: unknown missing", lambda: count_all(missing="drop")),
    (
        "verdicts: pandas indexes",
        lambda: count_all(old=pd.Series(["A", "B"]), new=pd.Series(["B", "A"], [1, 0])),
    ),
    ("verdicts: text", lambda: tally_all(old_right=["True", "False"])),
    ("verdicts: scores", lambda: tally_all(old_right=[0.75, 1.0])),
    ("verdicts: missing", lambda: tally_all(new_right=[True, None])),
    ("verdicts: lists", lambda: tally_all(new_right=[[True], [False]])),
    ("verdicts: one string", lambda: tally_all(new_right="TF")),
    ("verdicts: other lengths", lambda: tally_all(changed=[True])),
    ("weights: negative", lambda: tally_all(weights=[1, -2])),
    ("weights: fractions", lambda: tally_all(weights=[0.5, 0.5])),
    ("weights: two dimensions", lambda: tally_all(weights=[[1, 2], [3, 4]])),
    ("weights: text", lambda: tally_all(weights=["1", "2"])),
    ("weights: other length", lambda: tally_all(weights=[1, 2, 3])),
    ("counts: negative", lambda: FlipCounts(**CELLS | {"negative": -1})),
    ("counts: more changed than there are", lambda: FlipCounts(**CELLS, wrong_changed=3)),
    ("rates: count above total", lambda: Rate(3, 2)),
    ("rates: negative count", lambda: Rate(-1, 2)),
    ("rates: negative total", lambda: Rate(None, -2)),
    ("rates: confidence as percentage", lambda: Rate(1, 2).interval(95)),
    ("rates: unknown method", lambda: Rate(1, 2).interval(method="wald")),
    ("rates: unknown side", lambda: Rate(1, 2).interval(side="left")),
    ("changes: confidence as percentage", lambda: COUNTS.accuracy_change.interval(95)),
    ("changes: unknown method", lambda: COUNTS.accuracy_change.interval(method="wald")),
    ("changes: unknown side", lambda: COUNTS.accuracy_change.interval(side="left")),
    ("changes: negative cell", lambda: AccuracyChange(**CELLS | {"negative": -1}).interval()),
    ("mcnemar: unknown method", lambda: COUNTS.mcnemar("yates")),
    ("mcnemar: unknown alternative", lambda: COUNTS.mcnemar(alternative="greater")),
    ("optional: not installed", lambda: require("no_such_package", "report")),
    ("proportions: count above total", lambda: proportion_interval(3, 2)),
    ("proportions: no count", lambda: proportion_interval(0.5, 2)),
]


def proportion_interval(count: object, total: object) -> object:
    from muscle_metrics.statistics.proportions import proportion_interval

    return proportion_interval(count, total)


def pyarrow() -> object:
    return pytest.importorskip("pyarrow")


def sparse_tensor() -> object:
    return pytest.importorskip("torch").tensor([1.0, 0.0]).to_sparse()


def caught(call: Callable[[], object]) -> MuscleMetricsError:
    with pytest.raises(MuscleMetricsError) as information:
        call()
    return information.value


@pytest.fixture(scope="module")
def messages() -> dict[str, str]:
    return json.loads(SNAPSHOT.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("name", "call"), CASES, ids=[name for name, _ in CASES])
def test_message_is_the_recorded_one(name, call, messages):
    assert str(caught(call)) == messages[name]


def test_no_recorded_message_is_out_of_use(messages):
    assert list(messages) == sorted({name for name, _ in CASES})


@pytest.mark.parametrize("call", [call for _, call in CASES], ids=[name for name, _ in CASES])
def test_message_is_one_line_that_says_what_to_do(call):
    message = str(caught(call))
    assert message.splitlines() == [message]
    assert message[0].islower()
    assert not message.endswith(".")
    assert message.startswith("expected ")
    # What to do: advice after a colon, or an expectation that is itself the advice.
    advice = r": [a-z]|one of \[|at least \d|at most|between|<="
    assert re.search(advice, message), message
    # numpy's way of writing numbers is nobody's input.
    assert "np." not in message


def test_every_raise_statement_is_reached_by_a_case():
    reached = {place for _, call in CASES for place in raising_lines(caught(call))}
    for module in WATCHED:
        file = PACKAGE / f"{module}.py"
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and not raises_builtin(node):
                lines = {(file, line) for line in range(node.lineno, node.end_lineno + 1)}
                assert lines & reached, f"no case raises {file.name}:{node.lineno}"


def raises_builtin(node: ast.Raise) -> bool:
    """Whether it raises again, or raises one of Python's own errors as Python would."""
    return node.exc is None or hasattr(builtins, ast.unparse(node.exc).partition("(")[0])


def raising_lines(error: BaseException) -> set[tuple[Path, int]]:
    lines, trace = set(), error.__traceback__
    while trace is not None:
        lines.add((Path(trace.tb_frame.f_code.co_filename), trace.tb_lineno))
        trace = trace.tb_next
    return lines


if __name__ == "__main__":
    snapshot = {name: str(caught(call)) for name, call in sorted(CASES, key=lambda case: case[0])}
    SNAPSHOT.write_text(json.dumps(snapshot, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(snapshot)} messages in {SNAPSHOT.name}\n")
