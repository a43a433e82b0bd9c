"""Columns of answers, and checks that two columns can be compared.

An answer is text, a number or a boolean. Columns arrive as lists, tuples, numpy, pandas, pyarrow
or torch arrays and leave as one-dimensional numpy arrays, typed where that is safe and of objects
otherwise. Values of two kinds (``1`` against ``"1"``, a null, a stray list) would count as changed
answers: these columns are refused.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from muscle_metrics.answers.arrays import Values, flat_column, shown
from muscle_metrics.answers.constant import Variety
from muscle_metrics.answers.keys import (
    NESTED,
    apply_key,
    is_missing,
    is_null,
    plain_value,
    refuse_constant,
    refuse_emptied,
)
from muscle_metrics.answers.reading.columns import found_texts, read_answers, read_references
from muscle_metrics.answers.reading.reading import Answer, Reading, option_of
from muscle_metrics.errors import InputError, check_choice

__all__ = [
    "AcceptedAnswers",
    "Column",
    "Key",
    "KeyedColumns",
    "Missing",
    "Values",
    "answer_column",
    "check_key",
    "check_kinds",
    "check_lengths",
    "check_list_references",
    "is_missing",
    "keyed_columns",
    "keyed_references",
    "reference_columns",
]

Column: TypeAlias = "np.ndarray[tuple[int], np.dtype[Any]]"
Missing = Literal["error", "wrong"]
Key: TypeAlias = Callable[[Any], Any] | None

TYPED_KINDS = {"b": "a boolean", "i": "a number", "u": "a number", "f": "a number", "U": "text"}
KNOWN_KINDS = {*TYPED_KINDS.values(), None}


class AcceptedAnswers(NamedTuple):
    """All accepted answers, item by item, and the item of each answer.

    `owners` is None if every item has exactly one.
    """

    accepted: Column
    owners: npt.NDArray[np.intp] | None

    @property
    def items(self) -> int:
        """Number of items that have references."""
        return len(self.accepted) if self.owners is None else int(self.owners[-1]) + 1


def answer_column(
    values: Values,
    *,
    name: str,
    key: Key = None,
    missing: Missing = "error",
    owners: npt.NDArray[np.intp] | None = None,
    has_options: bool = True,
) -> Column:
    """Turn one answer per item into a numpy array.

    Parameters
    ----------
    values : sequence or array, shape (N,)
        Text, numbers or booleans.
    name : str
        Name of the column in error messages.
    key : callable, optional
        Applied to every answer first, as in `sorted`.
    missing : {"error", "wrong"}
        Refuse None and NaN, or keep them as None, which equals no reference.

    Returns
    -------
    numpy.ndarray, shape (N,)
        Typed, or of objects; None is then a missing answer.

    Raises
    ------
    InputError
        If `values` is not a flat, non-empty column of answers.
    """
    check_choice("missing", missing, get_args(Missing))
    flat = flat_column(values, name)
    if key is not None:
        places = None if owners is None else [f"item {owner}" for owner in owners]
        flat = apply_key(key, flat, name=name, places=places)
    column = _typed_or_objects(flat)
    if column.dtype != object:
        absent = np.isnan(column) if column.dtype.kind == "f" else np.zeros(0, dtype=bool)
    else:
        column, absent = _checked_objects(column, name, owners, has_options)
    if not absent.any():
        return column
    if missing == "error":
        owners = np.arange(len(column)) if owners is None else owners
        items = sorted(set(owners[absent].tolist()))
        advice = "fill them in, or drop these items"
        if has_options and name != "references":
            advice = "fill them in, drop these items, or count them as wrong with missing='wrong'"
        raise InputError(
            f"expected an answer for every item, got None or NaN for {len(items)} "
            f"of {owners[-1] + 1} in {name} (first at {', '.join(map(str, items[:5]))}): {advice}"
        )
    column = column.astype(object)
    column[absent] = None
    return column


def reference_columns(values: Values, *, items: int, key: Key = None) -> AcceptedAnswers:
    """Turn the accepted answers of every item into a numpy array.

    Parameters
    ----------
    values : sequence or array, shape (N,)
        One reference per item, or a list of accepted references for some or all items.
    items : int
        Number of items the references belong to.
    key : callable, optional
        Applied to every reference.

    Returns
    -------
    AcceptedAnswers
        All references, item by item, and the item of each reference.

    Raises
    ------
    InputError
        If an item has no reference, or lists are nested the wrong way round.

    Examples
    --------
    >>> reference_columns(["A", ["B", "b"]], items=2).owners
    array([0, 1, 1])
    """
    if key is not None:
        values = keyed_references(values, key, name="references")
    flat = flat_column(values, "references")
    if isinstance(flat, np.ndarray) and flat.dtype != object:
        return AcceptedAnswers(answer_column(flat, name="references"), None)
    if not any(issubclass(kind_of, NESTED) for kind_of in {*map(type, flat)}):
        return AcceptedAnswers(answer_column(flat, name="references"), None)
    rows = [value if _is_list(value) else None for value in flat]
    if all(row is None for row in rows):
        return AcceptedAnswers(answer_column(flat, name="references"), None)
    if len(rows) != items and all(row is not None and len(row) == items for row in rows):
        raise InputError(
            f"expected one list of accepted references per item, got {len(rows)} lists of "
            f"{items} for {items} items: they look transposed, use list(zip(*references))"
        )
    accepted = [
        [value] if row is None else list(row) for value, row in zip(flat, rows, strict=True)
    ]
    empty = np.array([not row for row in accepted])
    if empty.any():
        first = ", ".join(map(str, np.flatnonzero(empty)[:5].tolist()))
        raise InputError(
            f"expected at least one accepted reference per item, got an empty list for "
            f"{np.count_nonzero(empty)} of {len(rows)} (first at {first}): "
            f"add one, or drop these items"
        )
    owners = np.repeat(np.arange(len(accepted)), [len(row) for row in accepted])
    merged = [reference for row in accepted for reference in row]
    return AcceptedAnswers(answer_column(merged, name="references", owners=owners), owners)


def check_key(
    key: Callable[[Any], Any],
    recorded: Sequence[Values],
    references: Sequence[Values],
    keyed: Sequence[Values],
    keyed_references: Sequence[Values],
) -> None:
    """Refuse a key that tells no answer from another, nor from noise.

    Parameters
    ----------
    key : callable
        The key.
    recorded, references : sequence of sequences
        All columns of answers, and all columns of references.
    keyed, keyed_references : sequence of sequences
        The same after the key; None for an answer in which readers found nothing.

    Raises
    ------
    InputError
        If they and noise have one value; or if they have one value where the references differ.
    """
    # Readers give parts of texts, and no part is in all noise.
    if not isinstance(key, Reading):
        refuse_constant(
            key,
            _one_by_one([*recorded, *references]),
            _one_by_one([*keyed, *keyed_references]),
        )
    Variety.of(
        _items(references), _items(keyed_references), [flat_column(one, "") for one in keyed]
    ).refuse_constant(option_of(key))


def _items(columns: Iterable[Values]) -> Iterator[Any]:
    for column in columns:
        yield from flat_column(column, "references")


def _one_by_one(columns: Iterable[Values]) -> Iterator[Any]:
    """Values of some columns, those of lists of references one by one."""
    for column in columns:
        for value in flat_column(column, "references"):
            yield from value if _is_list(value) else [value]


def keyed_references(
    values: Values,
    key: Callable[[Any], Any],
    *,
    name: str,
    places: Sequence[str] | None = None,
    choices: Sequence[str | None] = (),
) -> list[Any]:
    """Apply a key to every reference; where an item has a list of them, to each of the list.

    Readers read them by the options of their item, where `choices` holds these letters.

    Examples
    --------
    >>> keyed_references(["a", ["b", "c"]], str.upper, name="references")
    ['A', ['B', 'C']]
    """
    flat = flat_column(values, name)
    is_several = [_is_list(value) and not _is_one(value, key) for value in flat]
    pairs = list(zip(flat, is_several, strict=True))
    rows = [list(value) if several else [value] for value, several in pairs]
    named = [f"item {i}" for i in range(len(rows))] if places is None else places
    of_all = [place for place, row in zip(named, rows, strict=True) for _ in row]
    references = [one for row in rows for one in row]
    if isinstance(key, Reading):
        pairs_of_choices = zip(choices, rows, strict=True) if choices else ()
        letters = [one for one, row in pairs_of_choices for _ in row]
        found = read_references(key, references, name=name, places=of_all, choices=letters)
    else:
        found = apply_key(key, references, name=name, places=of_all)
        refuse_emptied(references, found, name=name, places=of_all)
    keyed = iter(found)
    lists = [[next(keyed) for _ in row] for row in rows]
    return [row if several else row[0] for row, several in zip(lists, is_several, strict=True)]


def _is_one(references: Any, key: Key) -> bool:
    """Whether a list of references is the one right answer, as readers take it."""
    return isinstance(key, Reading) and key.is_one(references)


class KeyedColumns(NamedTuple):
    """Columns of answers and their references after a key; `read` says what readers found."""

    answers: list[list[Any]]
    references: list[Any]
    read: list[list[Answer]]


def keyed_columns(
    key: Callable[[Any], Any], answers: Mapping[str, Values], references: Values
) -> KeyedColumns:
    """Apply a key to named columns of answers, and to the references of them all.

    Parameters
    ----------
    key : callable
        A function; or a `Reading`, which knows the references that an answer is compared with.
    answers : mapping of str to sequence, shape (N,)
        Columns by their names in errors.
    references : sequence, shape (N,)
        One reference per item, or a list of accepted ones.

    Raises
    ------
    InputError
        If the key raises, empties a reference, cannot read one, or tells nothing apart.

    Examples
    --------
    >>> keyed_columns(str.upper, {"old": ["a"], "new": ["b"]}, [["b", "c"]])[:2]
    ([['A'], ['B']], [['B', 'C']])
    """
    check_list_references(references, *answers.values(), key=key)
    accepted = keyed_references(references, key, name="references")
    flat = {name: flat_column(column, name) for name, column in answers.items()}
    if isinstance(key, Reading):
        lists = [list(one) if _is_list(one) else [one] for one in accepted]
        read = [read_answers(key, column, lists, name=name) for name, column in flat.items()]
        keyed = [[one.text for one in column] for column in read]
        found = [found_texts(column) for column in read]
    else:
        read = []
        keyed = found = [apply_key(key, column, name=name) for name, column in flat.items()]
    check_key(key, list(answers.values()), [references], found, [accepted])
    return KeyedColumns(keyed, accepted, read)


def check_lengths(**columns: Sized) -> int:
    """Return the common length of named columns.

    Raises
    ------
    InputError
        If they differ.
    """
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        given = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise InputError(
            f"expected one entry per item in every column, got {given}: "
            f"join the runs by id before comparing them"
        )
    return next(iter(lengths.values()))


def check_kinds(
    left: Column,
    right: Column,
    *,
    names: tuple[str, str],
    owners: npt.NDArray[np.intp] | None = None,
) -> None:
    """Refuse two columns that hold different kinds of answers for one item.

    Raises
    ------
    InputError
        If text is compared with a number, or a number with a boolean. A missing answer may be
        compared with any kind.
    """
    kinds = _kinds(left) | _kinds(right)
    if len(kinds - {None}) <= 1:
        return
    for position, (one, other) in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
        if one is None or other is None or _kind(type(one)) == _kind(type(other)):
            continue
        raise InputError(
            f"expected {names[0]} and {names[1]} to hold answers of one kind, got "
            f"{_kind(type(one))} {shown(one)} against {_kind(type(other))} {shown(other)} at "
            f"item {position if owners is None else owners[position]}: convert one side, "
            f"for example with key=str (--key builtins:str)"
        )


def check_list_references(references: Values, *answers: Values, key: Key = None) -> None:
    """Refuse answers that are lists beside lists of references, which could mean two things.

    A list of references holds the accepted answers of an item. It could also be the one right
    answer where the answers are lists themselves, which a key turns into text.

    Raises
    ------
    InputError
        If an answer is a list, and an item's references are a list of anything but lists.
    """
    columns = [flat_column(column, "answers") for column in answers]
    found = next((v for column in columns for v in column if isinstance(v, NESTED)), None)
    if found is None:
        return
    for position, reference in enumerate(flat_column(references, "references")):
        if not isinstance(reference, NESTED) or _is_one(reference, key):
            continue
        if not all(isinstance(v, NESTED) for v in reference):
            raise InputError(
                f"expected accepted answers of the form of the answers, which are lists such as "
                f"{shown(found)}, got {shown(reference)} at item {position} in references, where "
                f"a list means any of its answers: put the one right list into a list, as in "
                f"[{shown(reference)}], or say that it is one with --answer 'json(list=one)' "
                f"(answer=)"
            )


def _is_list(value: Any) -> bool:
    """Whether a reference is a list of accepted ones; an array of no dimension is one value."""
    return isinstance(value, NESTED) and getattr(value, "ndim", 1) != 0


def _typed_or_objects(flat: Sequence[Any] | npt.NDArray[Any]) -> Column:
    if isinstance(flat, np.ndarray) and flat.dtype != object:
        if flat.dtype.kind in TYPED_KINDS:
            return flat
        # `astype(object)` turns dates in nanoseconds into integers.
        return flat.astype(object) if flat.dtype.kind not in "mM" else _objects(flat)
    types = set(map(type, flat))
    if isinstance(flat, (list, tuple)) and len(types) == 1:
        kind_of = next(iter(types))
        if issubclass(kind_of, (int, float, np.number, np.bool_)):
            typed = np.array(flat)
            # Integers beyond int64 would be rounded to floats.
            rounded = typed.dtype.kind == "f" and issubclass(kind_of, int)
            if typed.dtype.kind in TYPED_KINDS and not rounded:
                return typed
    # A numpy scalar rounds a Python number to its own type before it compares the two.
    if any(issubclass(t, np.generic) for t in types):
        return _objects([plain_value(value) for value in flat])
    return flat if isinstance(flat, np.ndarray) else _objects(flat)


def _objects(flat: Sequence[Any] | npt.NDArray[Any]) -> Column:
    # Text stays a column of objects: numpy's own text type drops trailing NUL characters.
    return np.fromiter(flat, dtype=object, count=len(flat))


def _checked_objects(
    column: Column, name: str, owners: npt.NDArray[np.intp] | None, has_options: bool
) -> tuple[Column, npt.NDArray[np.bool_]]:
    types = set(map(type, column))
    for strange in sorted((t for t in types if _kind(t) not in KNOWN_KINDS), key=str):
        position = next(i for i, value in enumerate(column) if type(value) is strange)
        what = "one answer per item" if issubclass(strange, NESTED) else "text, numbers or booleans"
        advice = (
            "pass key= to turn it into an answer" if has_options else "pass one verdict per item"
        )
        raise InputError(
            f"expected {what} in {name}, got {strange.__name__} {shown(column[position])} at item "
            f"{position if owners is None else owners[position]}: {advice}"
        )
    null_types = {t for t in types if _kind(t) is None}
    if not null_types and not any(issubclass(t, numbers.Number) for t in types):
        return column, np.zeros(0, dtype=bool)
    # Only NaN differs from itself.
    absent = (type(value) in null_types or bool(value != value) for value in column)
    return column, np.fromiter(absent, dtype=bool, count=len(column))


def _kind(kind_of: type) -> str | None:
    """Kind of answer that a type holds; None for the types of missing values."""
    if issubclass(kind_of, (bool, np.bool_)):
        return "a boolean"
    if issubclass(kind_of, str):
        return "text"
    if issubclass(kind_of, numbers.Number) and not issubclass(kind_of, (complex, np.timedelta64)):
        return "a number"
    if is_null(kind_of):
        return None
    return kind_of.__name__


def _kinds(column: Column) -> set[str | None]:
    if column.dtype != object:
        return {TYPED_KINDS[column.dtype.kind]}
    return {_kind(t) for t in set(map(type, column))}
