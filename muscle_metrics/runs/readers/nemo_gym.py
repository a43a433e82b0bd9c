"""NVIDIA NeMo Gym: rollouts, one per line.

::

    {"_ng_task_index": 7, "_ng_rollout_index": 0, "agent_ref": {"name": "sums"},
     "responses_create_params": {"input": [{"role": "user", "content": "2+2"}]},
     "response": {"model": "m", "output": [{"type": "message", "content": [{"text": "4"}]}]},
     "extracted_answer": "4", "expected_answer": "4", "reward": 1.0}

Rollouts are in the order of their completion. Those that failed are in ``<name>_failures.jsonl``;
``<name>_materialized_inputs.jsonl`` says how many were asked for. Old versions number no tasks.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from muscle_metrics.errors import InputError
from muscle_metrics.runs.about import ANSWERS, PROMPTS, REFERENCES, REPEATS, SCORES, About
from muscle_metrics.runs.details import Details, completed
from muscle_metrics.runs.files.jsonl import read_jsonl
from muscle_metrics.runs.log_fields import (
    answer_at,
    answer_from,
    digest,
    list_at,
    object_at,
    object_from,
    reference_at,
    score_from,
    text_at,
)
from muscle_metrics.runs.logs import ErrorsAt, LogFiles, known_parts
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.runs.values import id_of
from muscle_metrics.words.numbers import counted
from muscle_metrics.words.place import line_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.files.glimpse import Glimpse

__all__ = ["ABOUT", "read", "recognise"]

ABOUT = About(
    "NVIDIA NeMo Gym",
    "rollouts, `.jsonl`",
    frozenset({ANSWERS, PROMPTS, REFERENCES, REPEATS, SCORES}),
    texts=("question", "response"),
    fields="category",
    page="nemo",
)

_TASK, _ROLLOUT = "_ng_task_index", "_ng_rollout_index"
_PARAMETERS = "responses_create_params"
_FIELDS = {_PARAMETERS, "response"}
_REWARD = "reward"
_FAILURES, _INPUTS = "_failures", "_materialized_inputs"
_MEANS = (b'[{"agent_ref":', b'"agent_metrics":')
_ONLY_MEANS = (
    "expected rollouts, one per line, got aggregate metrics alone: name the file of rollouts that "
    "was written beside them"
)


def _reason_of(glimpse: Glimpse) -> str | None:
    """Recognise rollouts by the fields of the first; the files beside them are no logs."""
    if glimpse.path.stem.endswith((_FAILURES, _INPUTS)):
        return None
    return f"its rows have {_PARAMETERS} and response" if glimpse.row.keys() >= _FIELDS else None


_LOGS = LogFiles("file of NeMo Gym rollouts", ("*.jsonl",), _reason_of, "it holds rollouts")


def recognise(glimpse: Glimpse) -> str | None:
    """Recognise rollouts, or a folder that holds them, or their aggregate metrics."""
    if not glimpse.is_folder and _holds_means(glimpse):
        return "it holds agent_metrics"
    return _LOGS.recognise(glimpse)


def _holds_means(glimpse: Glimpse) -> bool:
    start = b"".join(glimpse.start.split())
    return start.startswith(_MEANS[0]) and _MEANS[1] in start


def read(glimpse: Glimpse, choice: Choice) -> Run:
    """Read one record per rollout; the rollouts of one task are its repeats.

    Parameters
    ----------
    glimpse : Glimpse
        A file of rollouts, or a folder that holds one.
    choice : Choice
        The score is the reward; another number of a rollout is read if it is the metric.

    Raises
    ------
    FileError
        If the file is damaged, holds no rollouts, or aggregate metrics alone.
    """
    if not glimpse.is_folder and _holds_means(glimpse):
        raise InputError(_ONLY_MEANS)
    path = _LOGS.only(glimpse).path
    records, models = [], set()
    for number, row in read_jsonl(path):
        with ErrorsAt(path, number, line_of):
            agent = text_at(object_at(row, "agent_ref"), "name")
            record = _record(row, agent, choice.metric_of(agent))
            records.append(completed(record, row, choice, partial(_details, row)))
            models.add(text_at(object_at(row, "response"), "model"))
    with ErrorsAt(path):
        if not records:
            raise InputError("expected rollouts, got none: collect them again")
        model = ", ".join(sorted(filter(None, models))) or None
        facts = {"model": model, **_faults(path, records)}
        return Run(tuple(_numbered(records)), model or path.stem, known_parts(facts))


def _record(row: Mapping[str, object], agent: str | None, metric: str | None) -> Record:
    asked = object_at(row, _PARAMETERS).get("input")
    scores = {name: score_from(row.get(name)) for name in (_REWARD, metric) if name is not None}
    extracted = answer_at(row, "extracted_answer")
    return Record(
        id_of(row[_TASK], _TASK) if _TASK in row else f"input:{digest(asked)}",
        _last_text(object_at(row, "response")) if extracted is None else extracted,
        reference_at(row, "expected_answer"),
        {name: score for name, score in scores.items() if score is not None},
        task=agent,
        prompt=_text_of(asked),
        repeat=text_at(row, _ROLLOUT),
    )


def _details(row: Mapping[str, object]) -> Details:
    said = _last_text(object_at(row, "response"))
    asked = _text_of(object_at(row, _PARAMETERS).get("input"))
    return Details(asked, said if isinstance(said, str) else None)


def _last_text(response: Mapping[str, object]) -> object:
    """Return the text of the last message, which is the answer of an agent."""
    for item in reversed(list_at(response, "output")):
        # An agent of several turns may keep a list for each.
        messages = item if isinstance(item, list) else [item]
        for message in reversed(messages):
            said = object_from(message, "output")
            if said.get("type") == "message":
                return _text_of_parts(said.get("content"))
    return None


def _text_of_parts(content: object) -> object:
    if not isinstance(content, list):
        return answer_from(content)
    parts = [object_from(part, "content") for part in content]
    return "".join(text_at(part, "text") or "" for part in parts)


def _text_of(asked: object) -> str | None:
    """Text of the only message of a prompt, or all messages as JSON."""
    if isinstance(asked, list) and len(asked) == 1 and isinstance(asked[0], dict):
        asked = asked[0].get("content")
    text = answer_from(asked)
    return None if text is None else str(text)


def _numbered(records: list[Record]) -> list[Record]:
    """Drop the number of the rollout where each task has one."""
    counts = Counter((record.task, record.id) for record in records)
    if max(counts.values()) > 1:
        return records
    return [replace(record, repeat=None) for record in records]


def _faults(path: Path, records: list[Record]) -> dict[str, str | None]:
    """Rollouts that failed for good, and those that were asked for and are not there."""
    done = {(record.id, record.repeat) for record in records}
    failed = {
        (text_at(row, _TASK), text_at(row, _ROLLOUT)) for row in _rows_beside(path, _FAILURES)
    }
    asked, total = sum(1 for _ in _rows_beside(path, _INPUTS)), len(records)
    lost = len(failed - done)
    return {
        "partial": f"{total} of {asked} rollouts" if asked > total else None,
        "errors": counted(lost, "failed rollout") if lost else None,
    }


def _rows_beside(path: Path, ending: str) -> Iterator[Mapping[str, object]]:
    other = path.with_name(f"{path.stem}{ending}{path.suffix}")
    if other.is_file():
        for number, row in read_jsonl(other):
            with ErrorsAt(other, number, line_of):
                yield row
