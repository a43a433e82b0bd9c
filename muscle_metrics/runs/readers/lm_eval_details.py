"""Texts and labels of a sample of lm-evaluation-harness: question, raw response, options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.runs.details import Details, labels_of, lettered
from muscle_metrics.runs.readers.lm_eval_rows import OPTIONS, choices_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.readers.lm_eval_rows import Sample

__all__ = ["add_details", "documents_of"]

# Fields of a document that hold the question alone; a prompt of several shots ends with it.
_QUESTIONS = ("question", "query", "problem", "prompt", "input", "instruction", "goal")


def documents_of(ids: Collection[str] | None) -> frozenset[str]:
    """Hashes of the documents of items, whose ids may hold a number of occurrence.

    Examples
    --------
    >>> sorted(documents_of(["e3b0", "9c1f#2"]))
    ['9c1f', 'e3b0']
    """
    return frozenset(name.partition("#")[0] for name in ids or ())


def add_details(
    sample: Sample, row: Mapping[str, object], choice: Choice, listed: Collection[str]
) -> Sample:
    """Add the labels of a row and, if its document is listed, its texts."""
    sample = sample._replace(labels=labels_of(row, choice))
    if sample.document not in listed:
        return sample
    return sample._replace(details=_details(sample, row))


def _details(sample: Sample, row: Mapping[str, object]) -> Details:
    document = row.get("doc")
    document = document if isinstance(document, dict) else {}
    texts = [document.get(name) for name in _QUESTIONS] + [_prompt(row.get("arguments"))]
    question = next((text for text in texts if isinstance(text, str) and text.strip()), None)
    return Details(question, _response(row), _options(sample, row, document), sample.number)


def _prompt(arguments: object) -> object:
    """Prompt of the first request."""
    requests = [*arguments.values()] if isinstance(arguments, dict) else arguments
    first = requests[0] if isinstance(requests, list) and requests else None
    if isinstance(first, dict):
        return first.get("arg_0")
    return first[0] if isinstance(first, list | tuple) and first else None


def _response(row: Mapping[str, object]) -> str | None:
    """Return the text before the filter, of several each with its number; None if none is text."""
    responses = row.get("resps")
    found = responses[0] if isinstance(responses, list) and len(responses) == 1 else None
    texts = found if isinstance(found, list | tuple) else [found]
    if not texts or not all(isinstance(text, str) for text in texts):
        return None
    if len(texts) == 1:
        return str(texts[0])
    return "\n".join(f"[{number}] {text}" for number, text in enumerate(texts, start=1))


def _options(
    sample: Sample, row: Mapping[str, object], document: Mapping[str, object]
) -> dict[str, str]:
    """Texts of options by how answers name them: by number if scored, by letter if generated."""
    held = _texts_in(document)
    if _response(row) is not None:
        by_letter = lettered(held)
        return by_letter if sample.reference in by_letter else {}
    answers = row.get("filtered_resps")
    total = len(answers) if isinstance(answers, list | tuple) else 0
    scored = choices_of(row.get("arguments"))
    # Where a model chooses a letter, the document holds what the letter stands for.
    are_letters = all(len(text) == 1 for text in scored)
    texts = held if are_letters and len(held) == total else scored
    if len(texts) != total or len(set(texts)) < total:
        return {}
    return {str(number): text for number, text in enumerate(texts)}


def _texts_in(document: Mapping[str, object]) -> Sequence[str]:
    for name in OPTIONS:
        found = document.get(name)
        if isinstance(found, dict):
            found = found.get("text")
        if isinstance(found, list) and found and all(isinstance(text, str) for text in found):
            return found
    return ()
