"""Flips inside lm-evaluation-harness: a task that compares itself with a stored run."""

from __future__ import annotations

import json
from functools import cache
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import InputError, UsageError, require
from muscle_metrics.integrations.stored_correctness import is_right, quadrant_of, read_correctness
from muscle_metrics.words.place import list_names, show

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike

    from muscle_metrics.integrations.stored_correctness import StoredCorrectness
    from muscle_metrics.runs.record import Run

    Document = Mapping[str, Any]
    Scores = Mapping[str, Any]

__all__ = ["add_flips", "document_id"]


def add_flips(
    process_results: Callable[[Document, Any], Scores],
    *,
    metric: str,
    baseline: Run | str | PathLike[str] | None = None,
    task: str | None = None,
    old_field: str | None = None,
    threshold: float | None = None,
) -> Callable[[Document, Any], dict[str, Any]]:
    """Add the scores ``negative_flip`` and ``positive_flip``; their mean is NFR and PFR.

    Name the result in the module of a task, and the three scores in its ``metric_list`` with the
    aggregation ``mean``::

        process_results: !function sums_flips.process_results

    Parameters
    ----------
    process_results : callable
        The task's own: from a document and the results of its requests to scores by name.
    metric : str
        The score that says whether an answer is right, in `process_results` and in the baseline.
    baseline : Run, str or path, optional
        The old run, such as a file that ``muscle-metrics baseline`` wrote of its log; looked up by
        the hash of the document. It is read when the first document is scored.
    task : str, optional
        Name of the task in the baseline, if that holds several.
    old_field : str, optional
        In place of a baseline, the field of a document that says whether the old model was right.
    threshold : float, optional
        A score of at least this much is right; not needed where all are 0 or 1.

    Returns
    -------
    callable
        From a document and its results to all scores. It raises an InputError for a document that
        the baseline does not hold, or a score that is neither right nor wrong.

    Raises
    ------
    UsageError
        Unless there is either a baseline or a field.

    Examples
    --------
    >>> def process_results(doc, results):
    ...     return {"exact_match": float(results[0].strip() == doc["answer"])}
    >>> scored = add_flips(process_results, metric="exact_match", old_field="old_correct")
    >>> scored({"answer": "4", "old_correct": True}, ["5"])
    {'exact_match': 0.0, 'negative_flip': 1, 'positive_flip': 0}
    """
    if baseline is not None and old_field is None:
        old_right = _right_in_run(baseline, metric=metric, threshold=threshold, task=task)
    elif baseline is None and old_field is not None:
        old_right = _right_by_field(old_field)
    else:
        raise UsageError(
            f"expected a baseline or the field of the old verdict, got "
            f"{'none' if baseline is None else 'both'} of them: pass baseline= or old_field="
        )

    def with_flips(document: Document, results: Any) -> dict[str, Any]:
        scores = process_results(document, results)
        if metric not in scores:
            raise InputError(
                f"expected {metric!r} among the scores of process_results, got "
                f"{list_names(list(scores))}: name one of them with metric="
            )
        quadrant = quadrant_of(
            old_right=old_right(document), new_right=is_right(scores[metric], metric, threshold)
        )
        return {
            **scores,
            "negative_flip": int(quadrant == "negative"),
            "positive_flip": int(quadrant == "positive"),
        }

    return with_flips


def _right_by_field(field: str) -> Callable[[Document], bool]:
    return lambda document: is_right(document.get(field), field)


def _right_in_run(
    baseline: Run | str | PathLike[str], **choices: Any
) -> Callable[[Document], bool]:
    # Read at the first document: lm-eval also loads a task only to list it.
    stored = cache(lambda: read_correctness(baseline, **choices))
    return lambda document: _of_equal_documents(stored(), document_id(document))


def _of_equal_documents(stored: StoredCorrectness, document: str) -> bool:
    """Correctness of a document, which must be the same for all its copies in the old run."""
    repeats = (f"{document}#{occurrence}" for occurrence in count(2))
    again = takewhile(stored.correctness.__contains__, repeats)
    correctness = {stored.of(name) for name in (document, *again)}
    if len(correctness) > 1:
        raise InputError(
            f"expected one verdict on equal documents in {show(stored.name)}, got right and wrong "
            f"for {show(document)}: remove one of them from the data"
        )
    return correctness.pop()


def document_id(document: Document) -> str:
    """Hash that identifies a document; the logs of lm-evaluation-harness call it ``doc_hash``.

    Raises
    ------
    MissingDependencyError
        If lm-evaluation-harness is not installed.
    """
    utils = require("lm_eval.utils", "lm-eval")
    text = json.dumps(document, indent=2, default=utils.handle_non_serializable, ensure_ascii=False)
    return str(utils.hash_string(text))
