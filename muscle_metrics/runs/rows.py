"""Rows of a plain file that are kept, and the place of a wrong one."""

from __future__ import annotations

from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from muscle_metrics.errors import FileError, InputError
from muscle_metrics.runs.columns import MissingFieldError, columns_among, find
from muscle_metrics.runs.usual_names import USUAL_NAMES
from muscle_metrics.runs.values import text_of
from muscle_metrics.words.place import describe, show
from muscle_metrics.words.suggestion import nearest_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

__all__ = ["NothingKeptError", "RowFile", "keep_rows", "locate"]

_NAMES_SHOWN = 20
_VALUES_SHOWN = 5
_EVERYTHING: Mapping[str, str] = MappingProxyType({})


class RowFile(Protocol):
    """A file of rows, or anything that holds rows as one does."""

    def rows(self, fields: Collection[str]) -> Iterator[tuple[int, Mapping[str, object]]]:
        """Rows with their numbers; a format with columns reads only those that `fields` name."""

    def names(self, row: Mapping[str, object]) -> list[str]:
        """Fields a user may choose from where rows look like `row`."""

    def place(self, number: int) -> str:
        """Name of the place of a row, for messages."""


class NothingKeptError(FileError):
    """No row of a file has the wanted text; another shard of the run may hold some."""


def keep_rows(
    file: RowFile, fields: Collection[str], where: Mapping[str, str] = _EVERYTHING
) -> Iterator[tuple[int, Mapping[str, object]]]:
    r"""Rows whose fields have the wanted text, with their numbers.

    Parameters
    ----------
    file : RowFile
        The file, or the table in memory.
    fields : collection of str
        Fields that will be looked up.
    where : mapping of str to str
        Text that a field of a kept row has; numbers, true and false as JSON writes them.

    Raises
    ------
    FileError
        If the file holds no row; a NothingKeptError if none is kept.
    """
    rows = file.rows(fields)
    first = next(rows, None)
    if first is None:
        raise FileError(f"{file}: expected at least one row, got none: check what wrote the file")
    rows = chain([first], rows)
    return _filter(file, rows, where) if where else rows


def _filter(
    file: RowFile, rows: Iterator[tuple[int, Mapping[str, object]]], where: Mapping[str, str]
) -> Iterator[tuple[int, Mapping[str, object]]]:
    seen: dict[str, dict[str, None]] = {field: {} for field in where}
    kept = 0
    places: frozenset[str] | None = None
    for number, row in rows:
        if places is None:
            places = columns_among(where, row)
        try:
            values = {field: find(row, field, "where", places) for field in where}
        except InputError as error:
            raise locate(error, file, number, row) from error
        if all(text_of(values[field]) == text for field, text in where.items()):
            kept += 1
            yield number, row
        elif not kept:
            for field, value in values.items():
                if len(seen[field]) < _VALUES_SHOWN:
                    seen[field][describe(value)] = None
    if not kept:
        wanted = "; ".join(
            f"{show(field)} to be {show(text)}, first values seen: {', '.join(seen[field])}"
            for field, text in where.items()
        )
        raise NothingKeptError(f"{file}: expected a row with {wanted}: change --where (where)")


def locate(error: InputError, file: RowFile, number: int, row: Mapping[str, object]) -> FileError:
    """Add the place of a wrong row to its error and, for missing fields, the known names."""
    place = file.place(number)
    if not isinstance(error, MissingFieldError):
        return FileError(f"{place}: {error}")
    names = file.names(row)
    shown = [show(name) for name in names[:_NAMES_SHOWN]] + ["..."] * (len(names) > _NAMES_SHOWN)
    return FileError(f"{place}: {error}, got {', '.join(shown) or 'none'}: {_advice(error, names)}")


def _advice(error: MissingFieldError, names: Sequence[str]) -> str:
    """Name the options for missing fields, with a guess for each where there is one."""
    by_flag = dict.fromkeys(
        f"--{option.replace('_', '-')} ({option})" for _, option in error.fields
    )
    guesses = {field: _guess(field, option, names) for field, option in error.fields}
    near = {field: show(guess) for field, guess in guesses.items() if guess is not None}
    is_one = len(error.fields) == 1
    asked = [guess if is_one else f"{guess} for {show(field)}" for field, guess in near.items()]
    advice = f"did you mean {' and '.join(asked)}? " if asked else ""
    if is_one:
        advice += "name it with" if asked else "name another with"
    else:
        advice += "name them with"
    joined = any(option == "id_field" for _, option in error.fields)
    tail = "; runs are joined by id, never by position" * joined
    *others, last = by_flag
    flags = f"{', '.join(others)} and {last}" if others else last
    return f"{advice} {flags}{tail}"


def _guess(field: str, option: str, names: Sequence[str]) -> str | None:
    """Known name that is similar to a missing one, or usual in its place."""
    usual = USUAL_NAMES.get(option, ()) if field == option.removesuffix("_field") else ()
    return nearest_name(field, names) or next((name for name in usual if name in names), None)
