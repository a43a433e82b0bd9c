"""The function that normalises answers: applied once to each, its errors named with the item."""

from __future__ import annotations

import numbers
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from muscle_metrics.answers.arrays import shown
from muscle_metrics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = [
    "NESTED",
    "apply_key",
    "is_missing",
    "is_null",
    "name_of",
    "plain_value",
    "refuse_constant",
    "refuse_emptied",
]

NESTED = (list, tuple, np.ndarray)


def apply_key(
    key: Callable[[Any], Any],
    values: Iterable[Any],
    *,
    name: str,
    places: Sequence[str] | None = None,
) -> list[Any]:
    """Apply the function of a user to every answer that is there.

    Parameters
    ----------
    key : callable
        The function. A missing answer stays missing: ``str(None)`` would be an answer.
    values : iterable, shape (N,)
        Answers.
    name : str
        Name of the column in errors.
    places : sequence of str, shape (N,), optional
        How errors name each item, such as ``"id 'q7'"``; by default by its position.

    Raises
    ------
    InputError
        If the function raises; the error names it, the item and what it raised.
    """
    keyed = []
    for position, value in enumerate(map(plain_value, values)):
        if is_missing(value):
            keyed.append(value)
            continue
        try:
            keyed.append(key(value))
        except Exception as error:
            where = f"item {position}" if places is None else places[position]
            raised = f"{type(error).__name__}: {error}".strip(" :")
            raise InputError(
                f"expected the function {name_of(key)} to take every answer, got "
                f"{_shown_error(raised)} for {shown(value)} at {where} in {name}: change the "
                f"function, or leave out --key (key=)"
            ) from error
    return keyed


def refuse_emptied(
    values: Sequence[Any], keyed: Sequence[Any], *, name: str, places: Sequence[str]
) -> None:
    """Refuse a key that leaves blank text of a reference: an answer of noise would then be right.

    Raises
    ------
    InputError
        With the number of such references, and the first.
    """
    emptied = [n for n, text in enumerate(keyed) if _is_blank(text) and not _is_blank(values[n])]
    if emptied:
        first = emptied[0]
        raise InputError(
            f"expected --key (key=) to leave text of every reference, got blank text for "
            f"{len(emptied)} of {len(keyed)} in {name} such as {shown(values[first])} at "
            f"{places[first]}: change the function, so that it keeps what it does not recognise"
        )


def refuse_constant(
    key: Callable[[Any], Any], recorded: Iterable[Any], keyed: Iterable[Any]
) -> None:
    """Refuse a key that gives every answer and reference one value, and noise that value too.

    Runs whose answers and references are all equal are honest. So the function is asked about
    noise: if noise is right as well, nothing was compared.

    Parameters
    ----------
    key : callable
        The function of the user.
    recorded, keyed : iterable
        All answers and references, before and after it.

    Raises
    ------
    InputError
        If nothing that the runs hold, and no noise, has another value.
    """
    there = (value for value in map(plain_value, keyed) if not is_missing(value))
    first = next(there, None)
    if not isinstance(first, _SCALARS) or any(value != first for value in there):
        return
    example = next(value for value in map(plain_value, recorded) if not is_missing(value))
    noise = next((texts for kind, texts in _NOISE.items() if isinstance(example, kind)), ())
    if noise and all(_gives(key, one, first) for one in noise):
        raise InputError(
            f"expected --key (key=) to tell answers apart, got {shown(first)} for every answer "
            f"and reference, and for noise such as {shown(noise[0])}: change the function, so that "
            f"it keeps what it does not recognise"
        )


def _gives(key: Callable[[Any], Any], value: Any, result: Any) -> bool:
    try:
        return bool(key(value) == result)
    except Exception:  # The function of a user may raise anything; then it tells noise apart.
        return False


_SCALARS = (str, numbers.Number)
# By type of the answers, bool before the integers that it is a subclass of.
_NOISE: Mapping[type, tuple[Any, ...]] = MappingProxyType(
    {
        str: ("qzx", "0", "?!", "не знаю"),
        bool: (True, False),
        numbers.Number: (-98765.4321, 0, 31337),
        list: ([], ["qzx"]),
        dict: ({}, {"qzx": "qzx"}),
    }
)


def _is_blank(value: Any) -> bool:
    return isinstance(value, str) and not value.strip()


def _shown_error(text: str) -> str:
    """Write the error of a user's function on one line, in at most 100 characters."""
    line = " ".join(text.split())
    return line if len(line) <= 100 else f"{line[:97]}..."


def name_of(function: Callable[..., Any]) -> str:
    """Name of a function, or else of its type."""
    return str(getattr(function, "__qualname__", type(function).__name__))


def plain_value(value: Any) -> Any:
    """Python's own value of a numpy scalar; dates stay as they are."""
    dates = (np.datetime64, np.timedelta64)
    return value.item() if isinstance(value, np.generic) and not isinstance(value, dates) else value


def is_missing(value: Any) -> bool:
    """Whether a value means no answer: None, NaN, or the null of a library."""
    if isinstance(value, numbers.Number):
        return bool(value != value)
    return is_null(type(value))


def is_null(kind_of: type) -> bool:
    """Whether values of a type mean no answer."""
    return kind_of.__name__ in {"NoneType", "NAType", "NaTType"}
