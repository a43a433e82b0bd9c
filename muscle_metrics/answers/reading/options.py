"""Letters of the options that one item offers, from what data hold of them."""

from __future__ import annotations

import unicodedata
from numbers import Real
from typing import Any

from muscle_metrics.answers.keys import is_missing, plain_value
from muscle_metrics.answers.reading.alphabets import LATIN, SCRIPTS

__all__ = ["option_letters"]


def option_letters(value: Any) -> str | None:
    """Letters of the options of an item, in the order of the alphabet.

    Parameters
    ----------
    value : object
        A list of texts or numbers; an object whose keys are letters, of which null ones are absent,
        or that holds a list "label" of letters; a number of options; or the letters, as "ABCD".

    Returns
    -------
    str or None
        1 to 26 letters of Latin, or the first ones of another script; None for anything else.

    Examples
    --------
    >>> option_letters(["Rome", "Paris"]), option_letters({"b": "Rome", "a": "Oslo", "c": None})
    ('AB', 'AB')
    >>> option_letters(3), option_letters("АБВГ"), option_letters("Paris"), option_letters([])
    ('ABC', 'АБВГ', None, None)
    """
    value = plain_value(value)
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return _of_object(value)
    if isinstance(value, list | tuple):
        return _first(len(value)) if all(map(_is_option, value)) else None
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        letters = unicodedata.normalize("NFKC", value.strip())
        found = _alphabetical(letters)
        return found if found == letters else None
    try:
        return None if isinstance(value, bool) or float(value) != int(value) else _first(int(value))
    except (TypeError, ValueError, OverflowError):
        return None


def _of_object(value: dict[Any, Any]) -> str | None:
    labels = value.get("label", [name for name, text in value.items() if not is_missing(text)])
    if hasattr(labels, "tolist"):
        labels = labels.tolist()
    if not isinstance(labels, list) or not all(isinstance(one, str) for one in labels):
        return None
    letters = [unicodedata.normalize("NFKC", one.strip()).upper() for one in labels]
    return _alphabetical("".join(letters)) if all(len(one) == 1 for one in letters) else None


def _is_option(value: Any) -> bool:
    return isinstance(value, str | Real) and not is_missing(value)


def _first(count: int) -> str | None:
    return LATIN[:count] if 0 < count <= len(LATIN) else None


def _alphabetical(letters: str) -> str | None:
    """Sort different letters of one script; None where they are anything else."""
    if not letters or len(set(letters)) < len(letters):
        return None
    if set(letters) <= set(LATIN):
        return "".join(sorted(letters))
    starts = ("".join(script[: len(letters)]) for script in SCRIPTS)
    return next((start for start in starts if sorted(start) == sorted(letters)), None)
