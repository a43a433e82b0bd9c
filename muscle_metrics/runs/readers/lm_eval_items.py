"""Records of the samples of one task of lm-evaluation-harness: filters and equal documents."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from muscle_metrics.errors import InputError
from muscle_metrics.runs.details import detailed
from muscle_metrics.runs.natural_order import natural_order
from muscle_metrics.runs.record import Record
from muscle_metrics.words.place import show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from muscle_metrics.runs.readers.lm_eval_rows import Sample

__all__ = ["number_samples"]


def number_samples(samples: Sequence[Sample], task: str | None) -> list[Record]:
    """Make the records of one task, with an occurrence number in the ids of equal documents.

    The hash identifies a document, because ``doc_id`` can be wrong. Before version 0.4.7 rows did
    not name their filters: rows of one document are then of filters "#1", "#2" and so on, in the
    order of the file. No record shows a choice where one choice contradicts its score: the row
    does not show the divisor that the harness used.

    Raises
    ------
    InputError
        If one filter holds the same document and ``doc_id`` twice.
    """
    samples = _named_filters(samples)
    several = len({sample.filter for sample in samples}) > 1
    is_chosen = not any(sample.is_contradicted for sample in samples)
    occurrences = _occurrences(samples, task)
    records = [
        Record(
            document if occurrence == 1 else f"{document}#{occurrence}",
            prediction if is_chosen else None,
            reference,
            scores,
            task=task,
            filter=name if several or name != "none" else None,
            choices=choices,
            **labels,
        )
        for (
            (document, _, name, prediction, reference, scores, _, _, labels, _, choices),
            occurrence,
        ) in zip(samples, occurrences, strict=True)
    ]
    return [
        record if sample.details is None else detailed(record, sample.details)
        for record, sample in zip(records, samples, strict=True)
    ]


def _named_filters(samples: Sequence[Sample]) -> list[Sample]:
    if any(sample.filter is not None for sample in samples):
        return list(samples)
    seen: dict[tuple[str, str], int] = {}
    named = []
    for sample in samples:
        key = sample.document, sample.number
        seen[key] = seen.get(key, 0) + 1
        named.append(sample._replace(filter=f"#{seen[key]}"))
    if all(times == 1 for times in seen.values()):
        return list(samples)
    return named


def _occurrences(samples: Sequence[Sample], task: str | None) -> list[int]:
    """Occurrence of each document under its filter, from 1, in the order of ``doc_id``."""
    times = Counter((sample.document, sample.filter) for sample in samples)
    if max(times.values(), default=1) == 1:
        return [1] * len(samples)
    # By doc_id and not by row: several GPUs write rows in any order.
    numbers: dict[tuple[str, str | None], list[str]] = {}
    for sample in samples:
        numbers.setdefault((sample.document, sample.filter), []).append(sample.number)
    where = "" if task is None else f" in the task {show(task)}"
    for (document, _), found in numbers.items():
        if len(set(found)) < len(found):
            raise InputError(
                f"expected each document once per filter{where}, got "
                f"{show(document)} again under the same doc_id: evaluate the task again"
            )
        found.sort(key=natural_order)
    places = {
        (*key, number): place
        for key, found in numbers.items()
        for place, number in enumerate(found, 1)
    }
    return [places[sample.document, sample.filter, sample.number] for sample in samples]
