"""JSON values in one spelling: keys in order, numbers by their value, nothing else changed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["UnreadError", "parse_json", "spelled", "unfenced"]

_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,18}))?")
_MOST_ZEROS = 20
# What stands behind the marks that open a code block.
_LANGUAGE = re.compile(r"`*+[\w+-]*+[^\S\n]*+\n")


class UnreadError(ValueError):
    """A value is no JSON value with one meaning."""


@dataclass(frozen=True, slots=True)
class _Number:
    """A number of JSON, by its spelling: a float would round 0.1000000000000000055 to 0.1."""

    spelling: str


def parse_json(text: str) -> Any:
    """Parse JSON text; numbers keep every digit.

    Raises
    ------
    UnreadError
        If the text is no JSON, an object repeats a key, or a number is NaN or infinite.

    Examples
    --------
    >>> spelled(parse_json('{"b": 1e0, "a": [1.50, true]}'))
    '{"a":[1.5,true],"b":1}'
    """
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=_refuse,
        )
    except (ValueError, RecursionError) as error:
        raise UnreadError(str(error)) from error


def spelled(value: Any) -> str:
    """Write a value as JSON in one spelling.

    Parameters
    ----------
    value : object
        What `parse_json` gives; or None, booleans, finite numbers, text, lists, tuples and dicts
        of these, whose keys are text.

    Returns
    -------
    str
        Compact JSON: equal for equal values, whatever the order of keys and spelling of numbers.
        ``true`` is not 1.

    Raises
    ------
    UnreadError
        If there is any other value.

    Examples
    --------
    >>> spelled({"b": 1.0, "a": (2, None)}), spelled(True), spelled(1e3)
    ('{"a":[2,null],"b":1}', 'true', '1000')
    """
    try:
        return _spell(value)
    except (RecursionError, ValueError) as error:  # int is limited to 4300 digits.
        raise UnreadError(str(error)) from error


def unfenced(text: str) -> str:
    r"""Return what is in the only code block of a text; the text, if it has none or several.

    Examples
    --------
    >>> unfenced("Here:\n```json\n[1]\n```"), unfenced("[1]")
    ('[1]', '[1]')
    """
    parts = text.split("```", 3)
    opened = _LANGUAGE.match(parts[1]) if len(parts) == 3 else None
    return parts[1][opened.end() :].rstrip() if opened else text


def _spell(value: Any) -> str:
    if isinstance(value, _Number):
        return _spell_number(value.spelling)
    if value is None or isinstance(value, str | bool):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int | float):
        return _spell_number(repr(value))
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_spell, value))}]"
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        pairs = (
            f"{json.dumps(key, ensure_ascii=False)}:{_spell(value[key])}" for key in sorted(value)
        )
        return f"{{{','.join(pairs)}}}"
    raise UnreadError(f"no JSON value: {type(value).__name__}")


def _spell_number(text: str) -> str:
    """Write a number without needless zeros; exponents beyond 18 digits are not read."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise UnreadError("no finite number")
    sign, whole, fraction = match[1], match[2], match[3] or ""
    digits = (whole + fraction).lstrip("0")
    significant = digits.rstrip("0")
    if not significant:
        return "0"
    exponent = int(match[4] or 0) - len(fraction) + len(digits) - len(significant)
    if 0 <= exponent <= _MOST_ZEROS:
        return f"{sign}{significant}{'0' * exponent}"
    if -_MOST_ZEROS <= exponent < 0:
        padded = significant.rjust(1 - exponent, "0")
        return f"{sign}{padded[:exponent]}.{padded[exponent:]}"
    return f"{sign}{significant}e{exponent}"


def _object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    pairs = list(pairs)
    members = dict(pairs)
    if len(members) < len(pairs):
        raise UnreadError("an object repeats a key")
    return members


def _refuse(name: str) -> Any:
    raise UnreadError(f"no finite number: {name}")
