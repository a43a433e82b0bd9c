"""Choose the field of a row for each attribute of a Record, and read rows by that choice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType, NoneType
from typing import Any, NamedTuple

from muscle_metrics.errors import InputError
from muscle_metrics.runs.record import Record, make_records
from muscle_metrics.runs.sentinels import NO_SENTINELS, Sentinels
from muscle_metrics.runs.values import (
    any_prediction_of,
    any_reference_of,
    choices_of,
    id_of,
    label_of,
    plain_score_of,
    prediction_of,
    reference_of,
    written_prediction_of,
)
from muscle_metrics.words.place import show

__all__ = [
    "CONVENTIONS",
    "Columns",
    "MissingFieldError",
    "all_missing",
    "choose_columns",
    "columns_among",
    "find",
    "read_id",
    "wanted_ids",
]

# Attributes that are read from the field of the same name, unless the user names another.
CONVENTIONS = ("prediction", "reference")

_MISSING = object()


class MissingFieldError(InputError):
    """A row lacks fields; `fields` holds each with the parameter that names another."""

    def __init__(self, *fields: tuple[str, str]) -> None:
        *others, last = (show(field) for field, _ in fields)
        named = f"s {', '.join(others)} and {last}" if others else f" {last}"
        super().__init__(f"expected the field{named}")
        self.fields = fields


def columns_among(fields: Iterable[str], row: Mapping[str, object]) -> frozenset[str]:
    """Fields with a dot in their name that are columns of a row, and so of all rows of its file.

    Examples
    --------
    >>> sorted(columns_among(["out.answer", "out.id"], {"out.answer": "A", "out": {"id": 1}}))
    ['out.answer']
    """
    return frozenset(field for field in fields if "." in field and field in row)


def find(
    row: Mapping[str, object], field: str, option: str, columns: Set[str] | None = None
) -> object:
    """Value of a field: the column of exactly this name, else the value at a dotted path.

    Parameters
    ----------
    row : mapping
        A row.
    field : str
        Name or path.
    option : str
        The parameter that named it.
    columns : set of str, optional
        The dotted names that are columns in every row of the file, as `columns_among` finds them;
        by default those of this row.

    Raises
    ------
    MissingFieldError
        If the row lacks the column, or the path.
    InputError
        If the row has both, where the name has a dot.

    Examples
    --------
    >>> find({"small": {"is_correct": True}}, "small.is_correct", "score_field")
    True
    """
    if "." not in field:
        if field in row:
            return row[field]
        raise MissingFieldError((field, option))
    nested: object = row
    for name in field.split("."):
        nested = nested.get(name, _MISSING) if isinstance(nested, Mapping) else _MISSING
    column = row.get(field, _MISSING)
    if column is not _MISSING and nested is not _MISSING:
        raise InputError(
            f"expected one value of the field {show(field)}, got a column of this name and a "
            f"nested field: rename one of them"
        )
    is_column = field in (columns_among([field], row) if columns is None else columns)
    value = column if is_column else nested
    if value is _MISSING:
        raise MissingFieldError((field, option))
    return value


def all_missing(
    row: Mapping[str, object],
    wanted: Iterable[tuple[str, str]],
    columns: Set[str] | None = None,
) -> MissingFieldError | None:
    """Return the error for all fields that a row lacks at once; None if it lacks none.

    Examples
    --------
    >>> str(all_missing({"x": 1}, [("id", "id_field"), ("prediction", "prediction_field")]))
    "expected the fields 'id' and 'prediction'"
    """
    missing = []
    for field, option in wanted:
        try:
            find(row, field, option, columns)
        except MissingFieldError:
            missing.append((field, option))
    return MissingFieldError(*missing) if missing else None


class _Part(NamedTuple):
    attribute: str
    option: str
    field: str
    convert: Callable[[object, str], object]

    def column(self, rows: Sequence[Mapping[str, object]], columns: Set[str]) -> list[Any]:
        """Values of many rows, converted; `columns` as in `find`.

        Raises
        ------
        InputError
            If any row lacks the field, or has a value that cannot be converted.
        """
        try:
            values = [row[self.field] for row in rows] if "." not in self.field else None
        except KeyError:
            values = None
        if values is None:
            values = [find(row, self.field, self.option, columns) for row in rows]
        # Fast path: texts need no conversion, but an empty id is an error.
        if self.convert in _TEXT_STAYS and {*map(type, values)} <= {str, NoneType}:
            return values
        if self.convert is id_of and {*map(type, values)} == {str} and all(values):
            return values
        return [self.convert(value, self.field) for value in values]


@dataclass(frozen=True, slots=True)
class Columns:
    """The fields that are read from every row; `choose_columns` makes one.

    Parameters
    ----------
    id : str or tuple of str
        Field of the id, or all fields of an id of several fields.
    parts : tuple
        For each attribute of a Record its field and its converter.
    absent : tuple of str
        Conventional names that the first row lacks, so that no other row may have them.
    dotted : frozenset of str
        Fields with a dot that are columns of the first row, and so of every row.
    """

    id: str | tuple[str, ...]
    parts: tuple[_Part, ...]
    absent: tuple[str, ...]
    dotted: frozenset[str]

    def record(self, row: Mapping[str, object]) -> Record:
        """Make the record of a row; a null score gives no scores.

        Raises
        ------
        InputError
            If the row lacks a field, or a value has a type that its attribute cannot have.
        """
        for name in self.absent:
            if name in row:
                raise InputError(
                    f"expected no field {show(name)}, which the first row lacks, got one: "
                    f"give it to all rows or to none"
                )
        try:
            values: dict[str, Any] = {
                attribute: convert(find(row, field, option, self.dotted), field)
                for attribute, option, field, convert in self.parts
            }
            return Record(read_id(row, self.id, self.dotted), **values)
        except MissingFieldError as error:
            raise all_missing(row, self._wanted(), self.dotted) or error from error

    def _wanted(self) -> Iterator[tuple[str, str]]:
        """Fields of every row, each with the parameter that names it."""
        yield from wanted_ids(self.id)
        yield from ((part.field, part.option) for part in self.parts)

    def records(self, rows: Sequence[Mapping[str, object]]) -> list[Record] | None:
        """Read many rows column by column; None if a row is wrong, which `record` then reports."""
        if any(name in row for name in self.absent for row in rows):
            return None
        try:
            columns = {part.attribute: part.column(rows, self.dotted) for part in self.parts}
            if isinstance(self.id, str):
                ids = _Part("id", "id_field", self.id, id_of).column(rows, self.dotted)
            else:
                ids = [read_id(row, self.id, self.dotted) for row in rows]
        except InputError:
            return None
        return make_records(ids, columns)


def choose_columns(
    row: Mapping[str, object],
    id_field: str | tuple[str, ...],
    asked: Mapping[str, str | None],
    *,
    structured: bool = False,
    takes_key: bool = True,
    missing_score: Sentinels = NO_SENTINELS,
) -> Columns:
    """Choose the fields to read from rows that look like `row`.

    Parameters
    ----------
    row : mapping
        The first row.
    id_field : str or tuple of str
        Field of the id, or those that make it up together.
    asked : mapping of str to (str or None)
        Field that the user named for each of prediction, reference, score, slice, group, prompt,
        repeat, choices; None means the conventional field. Rows without a score need a prediction.
    structured : bool
        Whether predictions and references may be lists and objects.
    takes_key : bool
        Whether a function can turn lists and objects into answers.
    missing_score : Sentinels
        Values of the score that mean no score.
    """
    fields = {part: field for part, field in asked.items() if field is not None}
    absent = []
    for part in CONVENTIONS:
        if part in fields:
            continue
        if part in row or (part == "prediction" and "score" not in fields):
            fields[part] = part
        else:
            absent.append(part)
    converters = dict(_CONVERTERS)
    converters["score"] = partial(_scores_of, missing=missing_score)
    if structured:
        converters["prediction"] = any_prediction_of if takes_key else written_prediction_of
        converters["reference"] = any_reference_of
    elif not takes_key:
        converters["prediction"] = partial(prediction_of, takes_key=False)
    parts = tuple(
        _Part("scores" if part == "score" else part, f"{part}_field", field, converters[part])
        for part, field in fields.items()
    )
    ids = [name for name, _ in wanted_ids(id_field)]
    dotted = columns_among([*ids, *fields.values()], row)
    return Columns(id_field, parts, tuple(absent), dotted)


def wanted_ids(field: str | tuple[str, ...]) -> list[tuple[str, str]]:
    """Fields of an id, each with the parameter that names it."""
    return [(name, "id_field") for name in ((field,) if isinstance(field, str) else field)]


def read_id(
    row: Mapping[str, object], field: str | tuple[str, ...], columns: Set[str] | None = None
) -> str:
    """Text of the id of a row; several fields give the compact JSON array of their texts.

    `columns` is that of `find`.

    Raises
    ------
    InputError
        If the row lacks a field, or a value is no id. Parts of an id may be empty text.

    Examples
    --------
    >>> print(read_id({"task": "sum", "n": 1}, ("task", "n")))
    ["sum","1"]
    """
    if isinstance(field, str):
        return id_of(find(row, field, "id_field", columns), field)
    parts = []
    for name in field:
        value = find(row, name, "id_field", columns)
        parts.append("" if value == "" else id_of(value, name))
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


def _scores_of(value: object, field: str, *, missing: Sentinels) -> Mapping[str, float]:
    score = plain_score_of(value, field, missing)
    return {} if score is None else {field: score}


_TEXT_STAYS = frozenset(
    {
        any_prediction_of,
        any_reference_of,
        label_of,
        prediction_of,
        reference_of,
        written_prediction_of,
    }
)
_CONVERTERS: Mapping[str, Callable[[object, str], object]] = MappingProxyType(
    {
        "prediction": prediction_of,
        "reference": reference_of,
        "slice": label_of,
        "group": label_of,
        "prompt": label_of,
        "repeat": label_of,
        "choices": choices_of,
    }
)
