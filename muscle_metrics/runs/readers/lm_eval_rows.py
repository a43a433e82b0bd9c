"""Rows of a samples file of lm-evaluation-harness: one per document and filter."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from muscle_metrics.runs.columns import find
from muscle_metrics.runs.record import Record
from muscle_metrics.runs.values import id_of, reference_of, score_of

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Occurrences", "is_sample"]

_FIELDS = {"doc_id", "filtered_resps", "target"}


def is_sample(row: Mapping[str, object]) -> bool:
    """Tell whether a row has the fields of a sample.

    Examples
    --------
    >>> is_sample({"id": 1, "prediction": "A"})
    False
    """
    return row.keys() >= _FIELDS


class Occurrences:
    """Rows of one task as records; equal documents are told apart by their occurrence."""

    def __init__(self, task: str, metric: str | None) -> None:
        self._task = task
        self._metric = metric
        self._seen: Counter[tuple[object, object]] = Counter()

    def record(self, row: Mapping[str, object]) -> Record:
        """Record that a row holds."""
        name = row.get("filter")
        document = id_of(find(row, "doc_hash", "id_field"), "doc_hash")
        self._seen[document, name] += 1
        times = self._seen[document, name]
        metrics = row.get("metrics")
        scores = {
            metric: score
            for metric in (metrics if isinstance(metrics, list) else ())
            if (score := score_of(row.get(metric), metric)) is not None
        }
        answers = row["filtered_resps"]
        prediction = answers[0] if isinstance(answers, list) and answers else None
        return Record(
            document if times == 1 else f"{document}#{times}",
            prediction if isinstance(prediction, str) else None,
            reference_of(row["target"], "target"),
            scores,
            task=self._task,
            filter=None if name in (None, "none") else str(name),
        )
