"""How messages name a line of a file, an item, an id or a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.words.escape import distinct, shorten, visible

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["describe", "item_name", "line_of", "list_ids", "list_names", "row_of", "show"]

_LONGEST_SHOWN = 60
_MOST_SHOWN = 5
_NAMES_SHOWN = 20


def line_of(path: Path, number: int) -> str:
    """Name a line, counted from 1, as ``file:line``."""
    return f"{visible(str(path))}:{number}"


def row_of(path: Path, number: int) -> str:
    """Name a row, counted from 1, of a file whose rows are not lines."""
    return f"{visible(str(path))}, row {number}"


def item_name(task: str | None, id_: str, repeat: str | None) -> str:
    """Name an item by its task, id and repeat, as far as it has them."""
    return "/".join(part for part in (task, id_, repeat) if part is not None)


def show(text: str) -> str:
    r"""Quote untrusted text, such as an id, in at most 60 characters.

    Examples
    --------
    >>> print(show("a\nb"))
    'a\u000ab'
    """
    # Cut before escaping too: a text may be megabytes long.
    return f"'{shorten(visible(distinct(text[: _LONGEST_SHOWN + 1])), _LONGEST_SHOWN)}'"


def describe(value: object) -> str:
    """Describe a value: quote text and numbers, and name the type of any other value.

    Examples
    --------
    >>> describe("yes"), describe([1, 2]), describe(None)
    ("'yes'", 'a value of type list', 'null')
    """
    if value is None:
        return "null"
    if isinstance(value, str):
        return show(value)
    if isinstance(value, bool | int | float):
        return shorten(repr(value), _LONGEST_SHOWN)
    return f"a value of type {type(value).__name__}"


def list_ids(ids: Sequence[str]) -> str:
    """Name the first five of some ids.

    Examples
    --------
    >>> list_ids(["1", "2"]), list_ids(list("abcdef"))
    ("ids '1', '2'", "ids 'a', 'b', 'c', 'd', 'e', ...")
    """
    shown = [show(name) for name in ids[:_MOST_SHOWN]] + ["..."] * (len(ids) > _MOST_SHOWN)
    return f"{'id' if len(ids) == 1 else 'ids'} {', '.join(shown)}"


def list_names(names: Sequence[str]) -> str:
    """Name the first twenty of some tasks, filters or metrics to choose from.

    Examples
    --------
    >>> list_names(["strict-match", "flexible-extract"])
    "'strict-match', 'flexible-extract'"
    """
    return ", ".join([*map(show, names[:_NAMES_SHOWN]), *["..."] * (len(names) > _NAMES_SHOWN)])
