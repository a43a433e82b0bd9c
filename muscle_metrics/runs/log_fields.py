"""Fields of a row of a log, whose types are checked when they are read.

A field that is absent or null reads as nothing: an empty object, an empty list or None. Any other
type than the wanted one is an InputError that names the field; who reads the file adds the place.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING

from muscle_metrics.errors import InputError
from muscle_metrics.runs.values import reference_of, text_of
from muscle_metrics.words.place import describe, show

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "answer_at",
    "compact",
    "digest",
    "list_at",
    "object_at",
    "reference_at",
    "score_from",
    "scores_at",
    "text_at",
]


def object_at(row: Mapping[str, object], field: str) -> Mapping[str, object]:
    """Object in a field.

    Raises
    ------
    InputError
        If there is another value.

    Examples
    --------
    >>> object_at({"provider": {"id": "echo"}}, "provider"), object_at({}, "provider")
    ({'id': 'echo'}, {})
    """
    value = row.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _refusal("an object", value, field)
    return value


def list_at(row: Mapping[str, object], field: str) -> list[object]:
    """List in a field.

    Raises
    ------
    InputError
        If there is another value.

    Examples
    --------
    >>> list_at({"text": ["a"]}, "text"), list_at({"text": None}, "text")
    (['a'], [])
    """
    value = row.get(field)
    if value is None:
        return []
    if not isinstance(value, list):
        raise _refusal("a list", value, field)
    return value


def text_at(row: Mapping[str, object], field: str) -> str | None:
    """Text of a scalar in a field; None where there is none, or the text is empty.

    Raises
    ------
    InputError
        If there is an object or a list.

    Examples
    --------
    >>> text_at({"id": 7}, "id"), text_at({"id": ""}, "id")
    ('7', None)
    """
    value = row.get(field)
    text = text_of(value)
    if text is None and value is not None:
        raise _refusal("text", value, field)
    return text or None


def answer_at(row: Mapping[str, object], field: str) -> object:
    """Answer in a field: a scalar as it is, an object or list as compact JSON, NaN as none.

    Examples
    --------
    >>> answer_at({"output": "7"}, "output"), answer_at({"output": {"b": 1, "a": [2]}}, "output")
    ('7', '{"a":[2],"b":1}')
    """
    value = row.get(field)
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
    return answer_at(row, field)


def scores_at(row: Mapping[str, object], field: str) -> dict[str, float]:
    """Scores in an object: its truth values and finite numbers; null, NaN and the rest are none.

    Raises
    ------
    InputError
        If the field holds no object.

    Examples
    --------
    >>> scores_at({"metric": {"em": 1, "ok": True, "f1": None, "golds": ["a"]}}, "metric")
    {'em': 1.0, 'ok': True}
    """
    return {
        name: score
        for name, value in object_at(row, field).items()
        if (score := score_from(value)) is not None
    }


def score_from(value: object) -> float | None:
    """Score that a value is; None where it is undefined or no score at all.

    Examples
    --------
    >>> score_from(1), score_from(False), score_from(float("nan")), score_from("1")
    (1.0, False, None, None)
    """
    if isinstance(value, bool):
        return value
    if not isinstance(value, int | float):
        return None
    try:
        score = float(value)
    except OverflowError:
        return None
    return score if math.isfinite(score) else None


def compact(value: object) -> str:
    """JSON of a value without blanks, its keys in order.

    Raises
    ------
    InputError
        If the value is nested too deeply.

    Examples
    --------
    >>> compact({"b": 1, "a": ["é"]})
    '{"a":["é"],"b":1}'
    """
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    except RecursionError as error:
        raise InputError(
            "expected values nested a few levels deep, got more than can be read: flatten them"
        ) from error


def digest(value: object) -> str:
    """Sixteen hexadecimal digits that name a JSON value, whatever the order of its keys.

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
