"""Rows of a samples file of lm-evaluation-harness: one per document and filter."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from muscle_metrics.errors import InputError
from muscle_metrics.runs.columns import find
from muscle_metrics.runs.natural_order import natural_order
from muscle_metrics.runs.readers.lm_eval_answers import (
    CHOSEN_BY,
    DIVIDED,
    choice_of,
    is_accepted,
    likelihoods_of,
    reference_of,
    text_of,
)
from muscle_metrics.runs.readers.lm_eval_scores import OF_ONE_ITEM, scores_of
from muscle_metrics.runs.record import Record
from muscle_metrics.runs.values import id_of
from muscle_metrics.words.place import describe, show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Sample", "is_sample", "needs_choices", "number_samples", "read_sample"]


class Sample(NamedTuple):
    """One row: its document, whose number may be wrong, its filter, and what the model did.

    Examples
    --------
    >>> row = {"doc_id": 3, "doc_hash": "e3b0", "target": "4", "filtered_resps": ["4"],
    ...        "filter": "strict-match", "metrics": ["exact_match"], "exact_match": 1.0}
    >>> sample = read_sample(row)
    >>> sample.document, sample.filter, sample.prediction, sample.scores
    ('e3b0', 'strict-match', '4', {'exact_match': 1.0})
    """

    document: str
    number: str
    filter: str | None
    prediction: str | None
    reference: str | list[str]
    scores: Mapping[str, float]
    prompt: str | None
    is_contradicted: bool


def is_sample(row: Mapping[str, object]) -> bool:
    """Tell whether a row has the fields of a sample.

    Examples
    --------
    >>> is_sample({"id": 1, "prediction": "A"})
    False
    """
    return row.keys() >= {"doc_id", "filtered_resps", "target"}


def needs_choices(row: Mapping[str, object], metric: str | None) -> bool:
    """Tell whether the lengths of choices decide which one the model made.

    Examples
    --------
    >>> needs_choices({"metrics": ["acc_norm"]}, None), needs_choices({"metrics": ["acc"]}, None)
    (True, False)
    """
    names = row.get("metrics")
    if metric is None and isinstance(names, list) and len(names) == 1:
        metric = names[0]
    return metric in DIVIDED


def read_sample(row: Mapping[str, Any], metric: str | None = None) -> Sample:
    """Read a row, as it stands in a file or in memory.

    Parameters
    ----------
    row : mapping
        The row.
    metric : str, optional
        The score that will decide, which says what choice the model made.

    Raises
    ------
    InputError
        If the row lacks a field, or a value is not what the harness writes.

    Examples
    --------
    >>> row = {"doc_id": 0, "doc_hash": "e3b0", "target": "1", "metrics": ["acc"], "acc": 0.0,
    ...        "filtered_resps": [["-1.5", "False"], ["-2.5", "False"]]}
    >>> read_sample(row).prediction
    '0'
    """
    name = row.get("filter")
    answers = row["filtered_resps"] if "filtered_resps" in row else find(row, "filtered_resps", "")
    if not isinstance(answers, (list, tuple)) or not (name is None or isinstance(name, str)):
        wrong = "filter" if isinstance(answers, (list, tuple)) else "filtered_resps"
        raise InputError(
            f"expected the list filtered_resps and a filter by name, got {describe(row[wrong])} in "
            f"the field {show(wrong)}: evaluate the task again"
        )
    scores = scores_of(row)
    if metric is None and len(scores) == 1:
        (metric,) = scores
    reference = reference_of(find(row, "target", "reference_field"))
    likelihoods = likelihoods_of(answers)
    is_contradicted = False
    if likelihoods is not None:
        prediction = choice_of(likelihoods, row, metric)
        if metric in CHOSEN_BY and metric in scores:
            is_contradicted = is_accepted(prediction, reference) != (scores[metric] == 1)
    elif scores and scores.keys() <= OF_ONE_ITEM.keys():
        prediction = None
    else:
        prediction = text_of(answers)
    prompt = row.get("prompt_hash")
    return Sample(
        _document_of(row),
        id_of(find(row, "doc_id", "id_field"), "doc_id"),
        name,
        prediction,
        reference,
        scores,
        prompt if isinstance(prompt, str) else None,
        is_contradicted,
    )


def number_samples(samples: Sequence[Sample], task: str) -> list[Record]:
    """Make records of the samples of one task, equal documents told apart by their occurrence.

    A document is known by its hash: with --samples the harness writes the wrong number beside it.
    Before version 0.4.7 it did not name filters: rows of one document are then of filters without
    a name, "#1", "#2" and so on in the order of the file. Choices are left out, as unknown, where
    they contradict the scores: by what the harness divided them the rows do not say.

    Raises
    ------
    InputError
        If a document stands twice under one filter.

    Examples
    --------
    >>> row = {"doc_hash": "e3b0", "target": "4", "filtered_resps": ["4"]}
    >>> samples = [read_sample({"doc_id": number, **row}) for number in (0, 1)]
    >>> [record.id for record in number_samples(samples, "sums")]
    ['e3b0', 'e3b0#2']
    """
    samples = _named_filters(samples)
    several = len({sample.filter for sample in samples}) > 1
    is_chosen = not any(sample.is_contradicted for sample in samples)
    occurrences = _occurrences(samples, task)
    return [
        Record(
            document if occurrence == 1 else f"{document}#{occurrence}",
            prediction if is_chosen else None,
            reference,
            scores,
            task=task,
            filter=name if several or name != "none" else None,
        )
        for (document, _, name, prediction, reference, scores, *_), occurrence in zip(
            samples, occurrences, strict=True
        )
    ]


def _occurrences(samples: Sequence[Sample], task: str) -> list[int]:
    """Which time each document stands under its filter, from 1, in the order of doc_id."""
    times = Counter((sample.document, sample.filter) for sample in samples)
    if max(times.values(), default=1) == 1:
        return [1] * len(samples)
    # One order for equal documents, whatever the order in which processes wrote them.
    numbers: dict[tuple[str, str | None], list[str]] = {}
    for sample in samples:
        numbers.setdefault((sample.document, sample.filter), []).append(sample.number)
    for (document, _), found in numbers.items():
        if len(set(found)) < len(found):
            raise InputError(
                f"expected each document once per filter in the task {show(task)}, got "
                f"{show(document)} again under the same doc_id: evaluate the task again"
            )
        found.sort(key=natural_order)
    places = {
        (*key, number): place
        for key, found in numbers.items()
        for place, number in enumerate(found, 1)
    }
    return [places[sample.document, sample.filter, sample.number] for sample in samples]


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


def _document_of(row: Mapping[str, Any]) -> str:
    """Hash of the document, as the harness makes it; the oldest logs hold the document alone."""
    if "doc_hash" in row or "doc" not in row:
        return id_of(find(row, "doc_hash", "id_field"), "doc_hash")
    text = json.dumps(row["doc"], indent=2, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
