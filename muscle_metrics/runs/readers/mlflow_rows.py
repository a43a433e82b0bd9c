"""Rows of MLflow: of a table whose columns are inputs, an answer and scores, or traces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.errors import InputError
from muscle_metrics.runs.log_fields import (
    answer_at,
    compact,
    digest,
    list_at,
    object_at,
    reference_at,
    score_from,
    text_at,
)
from muscle_metrics.runs.record import Record
from muscle_metrics.words.place import list_names, show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["TableRows", "TraceRows"]

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
# What the judges that MLflow ships say, and its means count as 1 and 0.
_RATINGS = {"yes": True, "no": False}


class TableRows:
    """Rows of a table: inputs, then target and answer, then what metrics say of it.

    Parameters
    ----------
    columns : sequence of str
        Names of the columns in the order of the table.

    Raises
    ------
    InputError
        If no column has one of the names of an answer, or nothing stands before it.

    Examples
    --------
    >>> rows = TableRows(["question", "target", "predictions", "em/score"])
    >>> row = {"question": "2+2", "target": "4", "predictions": "5", "em/score": 0.0}
    >>> record = rows.record(row)
    >>> record.prediction, record.reference, record.scores, record.prompt
    ('5', '4', {'em': 0.0}, '2+2')
    """

    def __init__(self, columns: Sequence[str]) -> None:
        # MLflow puts the answer after the inputs; other outputs of a model come later.
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
        """Record of a row, known by its inputs."""
        asked = {name: row.get(name) for name in self._inputs}
        only = self._inputs[0] if len(self._inputs) == 1 else None
        scores = {
            name.removesuffix(_SCORE): score
            for name in self._scores
            if (score := score_from(row.get(name))) is not None
        }
        return Record(
            f"inputs:{digest(asked)}",
            answer_at(row, self._answer or ""),
            None if self._reference is None else reference_at(row, self._reference),
            scores,
            prompt=compact(asked) if only is None else str(answer_at(asked, only)),
        )

    def fingerprint(self) -> dict[str, str]:
        """Say what is known beside the rows: which metrics judged them."""
        return {"scorer": ", ".join(sorted(self._scores))} if self._scores else {}


class TraceRows:
    """Rows that are traces: a request, a response, and assessments of it.

    Examples
    --------
    >>> rows = TraceRows()
    >>> record = rows.record({"trace_id": "tr-1", "request": {"q": "2+2"}, "response": "4",
    ...     "assessments": [{"assessment_name": "exact", "feedback": {"value": True}}]})
    >>> record.prediction, record.scores, record.prompt
    ('4', {'exact': True}, '{"q":"2+2"}')
    """

    def __init__(self) -> None:
        self._scorers: dict[str, str] = {}
        self._total = 0
        self._failed = 0

    def record(self, row: Mapping[str, object]) -> Record:
        """Record of a trace, known by its request; the id of a trace is new in every run."""
        self._total += 1
        scores: dict[str, float] = {}
        expected: dict[str, object] = {}
        failed = row.get("state") not in (None, "OK")
        for item in list_at(row, "assessments"):
            assessment = object_at({"assessment": item}, "assessment")
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

    def fingerprint(self) -> dict[str, str]:
        """Say what is known beside the rows: the scorers, and how many rows failed."""
        parts = {"scorer": digest(self._scorers)}
        if self._failed:
            parts["errors"] = f"{self._failed} of {self._total} rows"
        return parts


def _score(feedback: Mapping[str, object]) -> float | None:
    """Score that an assessment gives: a number, true, false, yes or no."""
    value = feedback.get("value")
    return _RATINGS.get(value.lower()) if isinstance(value, str) else score_from(value)
