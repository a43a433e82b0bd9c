"""MLflow: the table of an evaluation, logged by ``mlflow.models`` or returned by ``genai``.

::

    {"columns": ["inputs", "predictions", "em/score"], "data": [["2+2", "4", 1]]}
    {"trace_id": "tr-1", "request": {"q": "2+2"}, "response": "4",
     "assessments": [{"assessment_name": "exact", "feedback": {"value": true}}]}
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.errors import InputError
from muscle_metrics.runs.about import ANSWERS, PROMPTS, REFERENCES, SCORES, About
from muscle_metrics.runs.details import completed
from muscle_metrics.runs.files.json_object import read_json_object
from muscle_metrics.runs.files.json_stream import read_json_array, read_json_document
from muscle_metrics.runs.files.jsonl import read_jsonl
from muscle_metrics.runs.log_fields import (
    answer_at,
    compact,
    digest,
    object_at,
    objects_at,
    reference_at,
    score_from,
    scores_from,
    text_at,
)
from muscle_metrics.runs.logs import ErrorsAt, LogFiles, count_share, known_parts, repeated_ids
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.words.place import describe, list_names, show

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.files.glimpse import Glimpse

__all__ = ["ABOUT", "read", "recognise"]

ABOUT = About(
    "MLflow",
    "`eval_results_table.json`; traces as a table",
    frozenset({ANSWERS, PROMPTS, REFERENCES, SCORES}),
    fields="topic",
    page="mlflow",
)

_TABLE = "eval_results_table.json"
_DATA = ("data",)
_TRACE = b'"trace_id":'
_SCORE = "/score"
_ANSWERS = ("predictions", "prediction", "outputs", "output")
_REFERENCES = (
    "targets",
    "target",
    "ground_truth",
    "ground_truths",
    "labels",
    "label",
    "references",
    "reference",
    "expected_response",
)
_EXPECTED = "expected_response"
# Metadata of a trace that names the run and the model it is of; before MLflow 3 in another field.
_ABOUT, _ABOUT_BEFORE = "trace_metadata", "request_metadata"
_ORIGIN = ("mlflow.sourceRun", "mlflow.modelId")
# Ratings of the judges that MLflow ships; its own means count them as 1 and 0.
_RATINGS = {"yes": True, "no": False}


def _reason_of(glimpse: Glimpse) -> str | None:
    """Recognise a table by its name or columns: scores of metrics, or traces with assessments."""
    start = b"".join(glimpse.start.split())
    columns = start.partition(b"]")[0] if start.startswith(b'{"columns":[') else b""
    if start.startswith((b"{" + _TRACE, b"[{" + _TRACE)) or b'"trace_id"' in columns:
        return "its rows are traces with assessments"
    if columns and (b'/score"' in columns or glimpse.path.name == _TABLE):
        return "it is a table with columns of scores"
    return None


_LOGS = LogFiles(
    "table of an evaluation",
    ("*.json", "*.jsonl"),
    _reason_of,
    "it holds the table of an evaluation",
)
recognise = _LOGS.recognise


def read(glimpse: Glimpse, choice: Choice) -> Run:
    """Read one record per row.

    Parameters
    ----------
    glimpse : Glimpse
        The table, or the folder of a run or of its artifacts.
    choice : Choice
        There is one task and no filter.

    Raises
    ------
    FileError
        If the file cannot be read to its end, a row is not one that MLflow writes, or two rows
        have the same inputs.
    """
    found = _LOGS.only(glimpse)
    table = found.path
    rows: _TableRows | _TraceRows | None = None
    records = []
    for number, row in _rows(found):
        with ErrorsAt(table, number):
            if rows is None:
                rows = _TraceRows() if "trace_id" in row else _TableRows([*row])
            records.append(completed(rows.record(row), row, choice))
    with ErrorsAt(table):
        if rows is None:
            raise InputError("expected rows, got none: run the evaluation again")
        repeated = repeated_ids(records)
        if repeated:
            raise InputError(
                f"expected the inputs of each row once, got those of {len(repeated)} rows again, "
                f"such as {show(next(iter(repeated)))}: a second evaluation in one run adds to its "
                f"table, give each a run of its own, and rows an input that tells them apart"
            )
    return Run(tuple(records), _name(glimpse), known_parts(rows.fingerprint()))


def _name(glimpse: Glimpse) -> str:
    """Name of the run: its folder in the store, or the file if it was renamed."""
    path = glimpse.path
    folder = path if glimpse.is_folder else path.parent
    if not glimpse.is_folder and path.name != _TABLE:
        return path.stem
    return folder.parent.name if folder.name == "artifacts" else folder.name or path.stem


def _rows(glimpse: Glimpse) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Rows of a table that pandas wrote, whichever of its orientations was chosen."""
    path = glimpse.path
    start = b"".join(glimpse.start[:1024].split())
    if start.startswith(b"["):
        yield from read_json_array(path)
    elif start.startswith(b'{"columns":'):
        yield from _split_rows(path)
    elif start.startswith(b"{" + _TRACE + b"{"):
        yield from _column_rows(path)
    else:
        yield from read_jsonl(path)


def _split_rows(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Rows of a table with one list of column names (orient="split")."""
    columns: list[str] = []
    for keys, number, value in read_json_document(path, {_DATA}):
        values: list[object] = []
        with ErrorsAt(path, number):
            if keys == ("columns",):
                columns = _column_names(value)
            elif number:
                values = _values(value, len(columns))
        if number:
            yield number, dict(zip(columns, values, strict=True))


def _column_names(value: object) -> list[str]:
    names = [str(name) for name in value] if isinstance(value, list) else []
    if len(set(names)) < len(names) or not names:
        raise InputError(
            f"expected each column name once, got {list_names(names) or 'none'}: rename all but one"
        )
    return names


def _values(value: object, columns: int) -> list[object]:
    if not isinstance(value, list) or len(value) != columns:
        raise InputError(
            f"expected {columns} values as there are columns, got "
            f"{len(value) if isinstance(value, list) else 'no list'}: write the table again"
        )
    return value


def _column_rows(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Rows of a table where every column is an object by index (orient="columns")."""
    rows: dict[str, dict[str, object]] = {}
    for name, column in read_json_object(path).items():
        with ErrorsAt(path):
            if not isinstance(column, dict) or (rows and column.keys() != rows.keys()):
                raise InputError(
                    f"expected a value for every row in the column {show(name)}, got others: write "
                    f"the table again"
                )
        for index, value in column.items():
            rows.setdefault(index, {})[name] = value
    yield from enumerate(rows.values(), start=1)


class _TableRows:
    """Rows of a table: inputs, then target and answer, then scores of metrics."""

    def __init__(self, columns: Sequence[str]) -> None:
        # MLflow writes the answer after the inputs, and other outputs of the model later.
        self._answer = next((name for name in columns if name in _ANSWERS), None)
        if self._answer is None:
            raise InputError(
                f"expected a column named {' or '.join(map(repr, _ANSWERS))}, got "
                f"{list_names(columns)}: name the column of answers so (predictions=)"
            )
        before = columns[: columns.index(self._answer)]
        self._reference = next((name for name in reversed(before) if name in _REFERENCES), None)
        self._inputs = [name for name in before if name != self._reference]
        self._scores = [name for name in columns if name.endswith(_SCORE)]
        if not self._inputs:
            raise InputError(
                f"expected a column of inputs before {show(self._answer)}, got none: rows without "
                f"inputs cannot be told apart"
            )

    def record(self, row: Mapping[str, object]) -> Record:
        """Record of a row, whose id is the digest of its inputs."""
        asked = {name: row.get(name) for name in self._inputs}
        only = self._inputs[0] if len(self._inputs) == 1 else None
        return Record(
            f"inputs:{digest(asked)}",
            answer_at(row, self._answer or ""),
            None if self._reference is None else reference_at(row, self._reference),
            scores_from({name.removesuffix(_SCORE): row.get(name) for name in self._scores}),
            prompt=compact(asked) if only is None else str(answer_at(asked, only)),
        )

    def fingerprint(self) -> dict[str, str | None]:
        """Name the metrics that scored the rows."""
        return {"scorer": ", ".join(sorted(self._scores))}


class _TraceRows:
    """Rows that are traces: a request, a response, and assessments of the response."""

    def __init__(self) -> None:
        self._scorers: dict[str, str] = {}
        self._origins: dict[str, str | None] = {}
        self._total = 0
        self._failed = 0

    def record(self, row: Mapping[str, object]) -> Record:
        """Record of a trace; its id is the digest of its request, because every run has new ids."""
        self._total += 1
        self._check_origin(row)
        scores: dict[str, float] = {}
        expected: dict[str, object] = {}
        failed = row.get("state") not in (None, "OK")
        for assessment in objects_at(row, "assessments", "assessment"):
            name = str(text_at(assessment, "assessment_name"))
            feedback = assessment.get("feedback")
            if assessment.get("valid") is False:
                continue
            if feedback is None:
                expected[name] = object_at(assessment, "expectation").get("value")
                continue
            if name in scores:
                raise InputError(
                    f"expected one valid assessment of each name, got {show(name)} twice: "
                    f"remove the one that does not count"
                )
            described = object_at(assessment, "feedback")
            failed |= described.get("error") is not None
            score = _score(described)
            if score is not None:
                scores[name] = score
            about = object_at(assessment, "metadata")
            self._scorers[name] = text_at(about, "mlflow.assessment.scorerDigest") or ""
        self._failed += failed
        only = next(iter(expected)) if len(expected) == 1 else _EXPECTED
        return Record(
            f"request:{digest(row.get('request'))}",
            answer_at(row, "response"),
            reference_at(expected, only),
            scores,
            prompt=str(answer_at(row, "request")),
        )

    def _check_origin(self, row: Mapping[str, object]) -> None:
        """Refuse a trace of another run, model or experiment than the rows before."""
        about = object_at(row, _ABOUT if _ABOUT in row else _ABOUT_BEFORE)
        origin = {name: text_at(about, name) for name in _ORIGIN}
        origin["experiment_id"] = text_at(row, "experiment_id")
        for name, given in origin.items():
            first = self._origins.setdefault(name, given)
            if first != given:
                raise InputError(
                    f"expected traces of one run and one model, got {describe(given)} after "
                    f"{describe(first)} in {show(name)}: write the traces of each run to a "
                    f"file of its own"
                )

    def fingerprint(self) -> dict[str, str | None]:
        """Identify the scorers, and count the rows that failed."""
        return {
            "scorer": digest(self._scorers),
            "errors": count_share(self._failed, self._total, "rows"),
        }


def _score(feedback: Mapping[str, object]) -> float | None:
    """Score of an assessment: a number, true, false, yes or no."""
    value = feedback.get("value")
    return _RATINGS.get(value.lower()) if isinstance(value, str) else score_from(value)
