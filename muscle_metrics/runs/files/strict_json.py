"""Strict JSON: each key once in an object; Python itself keeps the last of several.

NaN and Infinity pass here, because harnesses write them into fields that no reader uses. The
value of a used field is checked later.
"""

from __future__ import annotations

import json
from itertools import compress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["BAD_JSON", "decode", "decode_objects", "explain"]

# Errors of decoding hostile text: the standard library raises ValueError, and RecursionError for
# nesting beyond the stack of the interpreter.
BAD_JSON = (ValueError, RecursionError)


class _DuplicateKeyError(ValueError):
    """A key occurs twice in one object."""


def decode(text: str, start: int = 0) -> tuple[object, int]:
    """Decode the value that starts at `start`, and say where it ends.

    Parameters
    ----------
    text : str
        Text that holds a JSON value.
    start : int
        Index of its first character.

    Returns
    -------
    object
        The value; lone surrogates in its text are kept.
    int
        Index just past it.

    Raises
    ------
    ValueError
        If there is no valid JSON, a key occurs twice in one object, or an integer is too long.
    RecursionError
        If the value is nested too deeply.
    """
    return _DECODER.raw_decode(text, start)


def decode_objects(texts: Sequence[str]) -> list[Mapping[str, object]] | None:
    """Decode texts that are objects, flat ones in one call: half the time of a call for each.

    Parameters
    ----------
    texts : sequence of str
        Lines of a file, without white space around them.

    Returns
    -------
    list of mapping or None
        The objects; None if any text is not an object, which `decode` then reports.
    """
    is_flat = [text.rfind("{") == 0 and text[-1] == "}" for text in texts]
    try:
        flat = iter(_decode_flat(list(compress(texts, is_flat))))
        rows = [
            next(flat) if is_one else _DECODER.decode(text)
            for is_one, text in zip(is_flat, texts, strict=True)
        ]
    except BAD_JSON:
        return None
    return rows if {*map(type, rows)} <= {dict} else None


def _decode_flat(texts: Sequence[str]) -> list[Any]:
    """Decode texts with one opening brace at the start, and a closing one at the end."""
    joined = ",\n".join(texts)
    # No JSON string holds a raw line end, so an object cannot begin in one text and end in another.
    rows: list[Any] = _LIST_DECODER.decode(f"[{joined}]")
    if _shows_keys(joined) and joined.count(_KEY_END) == sum(map(len, rows)):
        return rows
    return [
        row if _shows_keys(text) and text.count(_KEY_END) == len(row) else _DECODER.decode(text)
        for text, row in zip(texts, rows, strict=True)
    ]


def _shows_keys(text: str) -> bool:
    """Whether every key ends in `_KEY_END`; values may hold it too."""
    return not any(f"{blank}:" in text for blank in " \t\r")


def explain(error: Exception, start: int = 0) -> str:
    """Explain an error of `decode` in the words of this package.

    Parameters
    ----------
    error : Exception
        One of `BAD_JSON`.
    start : int
        Index from which characters are counted.

    Examples
    --------
    >>> try:
    ...     decode("nil")
    ... except BAD_JSON as error:
    ...     print(explain(error))
    expected one whole JSON object, got invalid JSON (...): write the row again
    """
    if isinstance(error, json.JSONDecodeError):
        reason = error.msg[0].lower() + error.msg[1:].removesuffix(": ").removesuffix(" at")
        given = f"invalid JSON ({reason} at character {error.pos - start + 1})"
        return f"expected one whole JSON object, got {given}: write the row again"
    if isinstance(error, _DuplicateKeyError):
        return "expected each key once per object, got one twice: remove the value that is wrong"
    if isinstance(error, RecursionError):
        return "expected rows nested a few levels deep, got more than can be read: flatten them"
    return "expected integers of a few digits, got one too long to read: write it as text"


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _DuplicateKeyError
    return members


_DECODER = json.JSONDecoder(object_pairs_hook=_object)
# Without a Python call for each object: repeated keys are found by counting.
_LIST_DECODER = json.JSONDecoder()
_KEY_END = '":'
