"""Fields of a row of a log, checked for their type as they are read.

A field that is absent or null reads as nothing: an empty object, an empty list or None. Any other
unexpected type is an InputError that names the field; the reader of the file adds the place.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING

from muscle_metrics.answers.scores import is_score
from muscle_metrics.errors import InputError
from muscle_metrics.runs.values import reference_of, text_of
from muscle_metrics.words.place import describe, show

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "answer_at",
    "answer_from",
    "compact",
    "digest",
    "list_at",
    "object_at",
    "object_from",
    "objects_at",
    "reference_at",
    "score_from",
    "scores_at",
    "scores_from",
    "text_at",
]


def object_at(row: Mapping[str, object], field: str) -> Mapping[str, object]:
    """Object in a field."""
    return object_from(row.get(field), field)


def object_from(value: object, name: str) -> Mapping[str, object]:
    """Return an object, or an empty one for null; `name` names it in the message."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _refusal("an object", value, name)
    return value


def objects_at(row: Mapping[str, object], field: str, name: str) -> list[Mapping[str, object]]:
    """Objects of a list; `name` names one of them in the message."""
    return [object_from(value, name) for value in list_at(row, field)]


def list_at(row: Mapping[str, object], field: str) -> list[object]:
    """List in a field."""
    value = row.get(field)
    if value is None:
        return []
    if not isinstance(value, list):
        raise _refusal("a list", value, field)
    return value


def text_at(row: Mapping[str, object], field: str) -> str | None:
    """Text of a scalar in a field; None where there is none, or the text is empty."""
    value = row.get(field)
    text = text_of(value)
    if text is None and value is not None:
        raise _refusal("text", value, field)
    return text or None


def answer_at(row: Mapping[str, object], field: str) -> object:
    """Answer in a field, as `answer_from` reads it."""
    return answer_from(row.get(field))


def answer_from(value: object) -> object:
    """Return an answer: a scalar as it is, an object or list as compact JSON, NaN as None.

    Examples
    --------
    >>> answer_from("7"), answer_from({"b": 1, "a": [2]}), answer_from(float("nan"))
    ('7', '{"a":[2],"b":1}', None)
    """
    if isinstance(value, dict | list):
        return compact(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def reference_at(row: Mapping[str, object], field: str) -> object:
    """Return a reference: a scalar, a list of accepted ones, or anything else as compact JSON.

    Examples
    --------
    >>> reference_at({"expected": ["7", "seven"]}, "expected")
    ['7', 'seven']
    >>> reference_at({"expected": {"n": 7}}, "expected")
    '{"n":7}'
    """
    value = row.get(field)
    if isinstance(value, list) and value:
        try:
            return reference_of(value, field)
        except InputError:
            return compact(value)
    return answer_from(value)


def scores_at(row: Mapping[str, object], field: str) -> dict[str, float]:
    """Scores in the object of a field, as `scores_from` reads them."""
    return scores_from(object_at(row, field))


def scores_from(values: Mapping[str, object]) -> dict[str, float]:
    """Keep the truth values and numbers; null, NaN, 1e308, texts and lists are no scores.

    Examples
    --------
    >>> scores_from({"em": 1, "ok": True, "f1": None, "golds": ["a"], "judge": "1"})
    {'em': 1.0, 'ok': True}
    """
    scores = {name: score_from(value) for name, value in values.items()}
    return {name: score for name, score in scores.items() if score is not None}


def score_from(value: object) -> float | None:
    """Return a score; None where the value is undefined or no score."""
    if isinstance(value, bool):
        return value
    return float(value) if isinstance(value, int | float) and is_score(value) else None


def compact(value: object) -> str:
    """JSON of a value without blanks, its keys in order; a RecursionError is told by `ErrorsAt`."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(value: object) -> str:
    """Sixteen hexadecimal digits that identify a JSON value; the order of its keys is ignored.

    Committed baselines hold digests of prompts and scorers: the form must not change.

    Examples
    --------
    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    >>> digest("2+2")
    '31fac86d7bf7229f'
    """
    return hashlib.sha256(compact(value).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _refusal(expected: str, value: object, field: str) -> InputError:
    return InputError(
        f"expected {expected} in the field {show(field)}, got {describe(value)}: "
        f"the log was edited, or its version is not known here"
    )
