"""EvalPlus: the results of HumanEval+ or MBPP+, by task.

::

    {"date": "2024-10-01 10:00", "hash": "fe58...",
     "eval": {"HumanEval/0": [{"solution": "def f...",
                               "base_status": "pass", "plus_status": "fail"}]}}

Versions before 0.3 write ``{"nfiles": 1, "base": [["pass", []]], "plus": [["fail", []]]}`` by task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.errors import InputError
from muscle_metrics.runs.about import ANSWERS, REPEATS, SCORES, About
from muscle_metrics.runs.files.json_object import read_json_object
from muscle_metrics.runs.log_fields import list_at, object_at, object_from, text_at
from muscle_metrics.runs.logs import ErrorsAt, LogFiles, known_parts
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.words.place import describe, show

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.files.glimpse import Glimpse

__all__ = ["ABOUT", "read", "recognise"]

ABOUT = About(
    "EvalPlus",
    "`*_eval_results.json`",
    frozenset({ANSWERS, REPEATS, SCORES}),
    page="results",
)

_PASSED = "pass"
_SETS = ("base", "plus")


def _reason_of(glimpse: Glimpse) -> str | None:
    """Recognise results by their first keys: the date, the hash of the dataset, then the tasks."""
    start = b"".join(glimpse.start[:1024].split())
    keys = (b'"hash":', b'"eval":{')
    is_first = start.startswith((b'{"date":', b'{"hash":', b'{"eval":'))
    return "it has eval and hash" if is_first and all(key in start for key in keys) else None


_LOGS = LogFiles("result file of EvalPlus", ("*.json",), _reason_of, "it holds results")
recognise = _LOGS.recognise


def read(glimpse: Glimpse, choice: Choice) -> Run:
    """Read one record per solution of a task.

    Parameters
    ----------
    glimpse : Glimpse
        A result file, or a folder that holds one.
    choice : Choice
        The scores are "plus", which passes all tests, and "base", which passes those of the
        original benchmark.

    Raises
    ------
    FileError
        If the file is damaged, holds no task, or a task without a status.
    """
    path = _LOGS.only(glimpse).path
    results = read_json_object(path)
    with ErrorsAt(path):
        records = [
            record
            for name, found in object_at(results, "eval").items()
            for record in _records(name, found)
        ]
        if not records:
            raise InputError("expected tasks in the field 'eval', got none: evaluate again")
        facts = {"date": text_at(results, "date"), "dataset": text_at(results, "hash")}
        name = path.name.removesuffix(".json").removesuffix("_eval_results")
        return Run(tuple(records), name, known_parts(facts), main_first=True)


def _records(task: str, found: object) -> Iterator[Record]:
    """Make a record of each solution of a task; several are repeats."""
    if isinstance(found, list):
        solutions = [object_from(one, "a solution") for one in found]
        statuses = [{name: one.get(f"{name}_status") for name in _SETS} for one in solutions]
        answers = [text_at(one, "solution") for one in solutions]
    else:
        by_set = {name: list_at(object_from(found, task), name) for name in _SETS}
        statuses = [
            {name: _first(values[number]) if values else None for name, values in by_set.items()}
            for number in range(len(by_set["base"]))
        ]
        answers = [None] * len(statuses)
    if not statuses:
        raise InputError(f"expected solutions of {show(task)}, got none: evaluate it again")
    for number, (status, answer) in enumerate(zip(statuses, answers, strict=True)):
        repeat = str(number) if len(statuses) > 1 else None
        yield Record(task, answer, scores=_scores(task, status), repeat=repeat)


def _first(value: object) -> object:
    return value[0] if isinstance(value, list) and value else value


def _scores(task: str, status: Mapping[str, object]) -> dict[str, float]:
    """Scores by set of tests; only what passes the original tests as well passes all."""
    for name, value in status.items():
        if not (isinstance(value, str) or (value is None and name == "plus")):
            raise InputError(
                f"expected a status of {name} for {show(task)}, got {describe(value)}: evaluate it "
                f"again"
            )
    base = status["base"] == _PASSED
    if status["plus"] is None:
        return {"base": base}
    return {"plus": base and status["plus"] == _PASSED, "base": base}
