"""JSON as a log must hold it: each key once, whatever else Python accepts.

NaN and Infinity pass here, because harnesses write them into fields that nobody reads; where a
field is read, its value is checked.
"""

from __future__ import annotations

import json

__all__ = ["BAD_JSON", "decode", "explain"]

# What decoding raises for hostile text; every decoding error of the standard library is a
# ValueError, and nesting beyond the interpreter's stack a RecursionError.
BAD_JSON = (ValueError, RecursionError)


class _DuplicateKeyError(ValueError):
    """A key stands twice in one object."""


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
        If there is no valid JSON, a key stands twice in one object, or an integer is too long.
    RecursionError
        If the value is nested too deeply.

    Examples
    --------
    >>> decode('{"id": 1} ')
    ({'id': 1}, 9)
    """
    return _DECODER.raw_decode(text, start)


def explain(error: Exception, start: int = 0) -> str:
    """Say in words of this package what `decode` stumbled over.

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
