"""Choose the field of a row for each attribute of a Record, and read rows by that choice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType, NoneType
from typing import Any, NamedTuple

from muscle_metrics.errors import InputError
from muscle_metrics.runs.record import Record, make_records
from muscle_metrics.runs.sentinels import NO_SENTINELS, Sentinels
from muscle_metrics.runs.values import (
    any_prediction_of,
    id_of,
    label_of,
    prediction_of,
    reference_of,
    score_of,
    score_of_text,
)
from muscle_metrics.words.place import show

__all__ = [
    "CONVENTIONS",
    "Columns",
    "MissingFieldError",
    "all_missing",
    "choose_columns",
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


def find(row: Mapping[str, object], field: str, option: str) -> object:
    """Value of a field: the column of exactly this name, else the value at a dotted path.

    Parameters
    ----------
    row : mapping
        A row.
    field : str
        Name or path.
    option : str
        The parameter that named it.

    Raises
    ------
    MissingFieldError
        If the row has neither.

    Examples
    --------
    >>> find({"small": {"is_correct": True}}, "small.is_correct", "score_field")
    True
    """
    value = row.get(field, _MISSING)
    if value is not _MISSING:
        return value
    node: object = row
    for name in field.split("."):
        if not isinstance(node, Mapping) or name not in node:
            raise MissingFieldError((field, option))
        node = node[name]
    return node


def all_missing(
    row: Mapping[str, object], wanted: Iterable[tuple[str, str]]
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
            find(row, field, option)
        except MissingFieldError:
            missing.append((field, option))
    return MissingFieldError(*missing) if missing else None


class _Part(NamedTuple):
    attribute: str
    option: str
    field: str
    convert: Callable[[object, str], object]

    def column(self, rows: Sequence[Mapping[str, object]]) -> list[Any]:
        """Values of many rows, converted.

        Raises
        ------
        InputError
            If any row lacks the field, or has a value that cannot be converted.
        """
        try:
            values = [row[self.field] for row in rows]
        except KeyError:
            values = [find(row, self.field, self.option) for row in rows]
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
    """

    id: str | tuple[str, ...]
    parts: tuple[_Part, ...]
    absent: tuple[str, ...]

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
                attribute: convert(find(row, field, option), field)
                for attribute, option, field, convert in self.parts
            }
            return Record(read_id(row, self.id), **values)
        except MissingFieldError as error:
            raise all_missing(row, self._wanted()) or error from error

    def _wanted(self) -> Iterator[tuple[str, str]]:
        """Fields of every row, each with the parameter that names it."""
        yield from wanted_ids(self.id)
        yield from ((part.field, part.option) for part in self.parts)

    def records(self, rows: Sequence[Mapping[str, object]]) -> list[Record] | None:
        """Read many rows column by column; None if a row is wrong, which `record` then reports."""
        if any(name in row for name in self.absent for row in rows):
            return None
        try:
            columns = {part.attribute: part.column(rows) for part in self.parts}
            if isinstance(self.id, str):
                ids = _Part("id", "id_field", self.id, id_of).column(rows)
            else:
                ids = [read_id(row, self.id) for row in rows]
        except InputError:
            return None
        return make_records(ids, columns)


def choose_columns(
    row: Mapping[str, object],
    id_field: str | tuple[str, ...],
    asked: Mapping[str, str | None],
    *,
    is_all_text: bool,
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
        repeat; None means the conventional field. Rows without a score need a prediction.
    is_all_text : bool
        Whether the format has no types, so that scores come as text.
    structured : bool
        Whether predictions may be lists and objects.
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
    read_score = score_of_text if is_all_text else score_of
    converters["score"] = partial(_scores_of, read=partial(read_score, missing=missing_score))
    if structured:
        converters["prediction"] = any_prediction_of
    elif not takes_key:
        converters["prediction"] = partial(prediction_of, takes_key=False)
    parts = tuple(
        _Part("scores" if part == "score" else part, f"{part}_field", field, converters[part])
        for part, field in fields.items()
    )
    return Columns(id_field, parts, tuple(absent))


def wanted_ids(field: str | tuple[str, ...]) -> list[tuple[str, str]]:
    """Fields of an id, each with the parameter that names it."""
    return [(name, "id_field") for name in ((field,) if isinstance(field, str) else field)]


def read_id(row: Mapping[str, object], field: str | tuple[str, ...]) -> str:
    """Text of the id of a row; several fields give the compact JSON array of their texts.

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
        return id_of(find(row, field, "id_field"), field)
    parts = []
    for name in field:
        value = find(row, name, "id_field")
        parts.append("" if value == "" else id_of(value, name))
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


def _scores_of(
    value: object, field: str, *, read: Callable[[object, str], float | None]
) -> Mapping[str, float]:
    score = read(value, field)
    return {} if score is None else {field: score}


_TEXT_STAYS = frozenset({any_prediction_of, label_of, prediction_of, reference_of})
_CONVERTERS: Mapping[str, Callable[[object, str], object]] = MappingProxyType(
    {
        "prediction": prediction_of,
        "reference": reference_of,
        "slice": label_of,
        "group": label_of,
        "prompt": label_of,
        "repeat": label_of,
    }
)
