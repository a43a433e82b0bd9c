"""Fields of a plain file, and the options by which a comparison would read them."""

from __future__ import annotations

import dataclasses
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from muscle_metrics.errors import InputError
from muscle_metrics.runs.columns import find
from muscle_metrics.runs.rows import keep_rows
from muscle_metrics.runs.usual_names import USUAL_NAMES
from muscle_metrics.runs.values import text_of
from muscle_metrics.words.place import describe

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from muscle_metrics.runs.files.plain_file import PlainFile

__all__ = [
    "FieldContents",
    "FieldList",
    "described_field",
    "guess_options",
    "list_fields",
    "write_command",
]

# Values of a field that are told apart; a field with more has "1000 or more".
MOST_DISTINCT = 1000
# Options whose fields are read without them, under the same names.
_READ_ALWAYS = frozenset({"id_field", "prediction_field", "reference_field"})
_TYPES = {str: "text", bool: "true or false", int: "number", float: "number", list: "list"}
# A slice with hundreds of values is an id or a text.
_MOST_SLICES = 100


@dataclass(slots=True)
class FieldContents:
    """What a field of a plain file holds.

    Parameters
    ----------
    name : str
        The field; parts of nested objects have dotted names.
    rows, nulls : int
        Rows that were read, and those in which the field is null or absent.
    types : set of str
        Kinds of values other than null.
    sample : str
        The first value.
    """

    name: str
    rows: int = 0
    nulls: int = 0
    types: set[str] = dataclasses.field(default_factory=set)
    sample: str = ""
    _values: set[str] = dataclasses.field(default_factory=set, repr=False)

    @property
    def distinct(self) -> int:
        """Number of different values, counted up to 1000."""
        return len(self._values)

    @property
    def has_more(self) -> bool:
        """Whether there may be more different values than were counted."""
        return self.distinct == MOST_DISTINCT

    @property
    def is_unique(self) -> bool:
        """Whether each row has a value of its own, as far as values were told apart."""
        return self.nulls == 0 and self.distinct == min(self.rows, MOST_DISTINCT)

    def add(self, value: object) -> None:
        """Count a value."""
        self.rows += 1
        if value is None:
            self.nulls += 1
            return
        self.types.add(_TYPES.get(type(value), "object"))
        self.sample = self.sample or (
            str(value).lower() if isinstance(value, bool) else describe(value)
        )
        if len(self._values) < MOST_DISTINCT:
            self._values.add(value if isinstance(value, str) else repr(value))


def described_field(contents: FieldContents) -> dict[str, object]:
    """Describe a field as plain data.

    Examples
    --------
    >>> described_field(FieldContents("id"))["distinct"]
    0
    """
    return {
        "name": contents.name,
        "types": sorted(contents.types),
        "rows": contents.rows,
        "nulls": contents.nulls,
        "distinct": contents.distinct,
        "sample": contents.sample,
    }


def list_fields(files: Sequence[PlainFile]) -> list[FieldContents]:
    """Read the plain files of a run to their end, and describe each field.

    Parameters
    ----------
    files : sequence of PlainFile
        The files.

    Raises
    ------
    FileError
        If a file cannot be read to its end, or holds no row.
    """
    fields: dict[str, FieldContents] = {}
    rows = 0
    for file in files:
        known = file.names({})
        for name in known:
            fields.setdefault(name, FieldContents(name, rows=rows, nulls=rows))
        for _, row in keep_rows(file, known):
            for name in file.names(row):
                if name not in fields:
                    # Rows before this one lack the field.
                    fields[name] = FieldContents(name, rows=rows, nulls=rows)
            for name, contents in fields.items():
                contents.add(_value(row, name))
            rows += 1
    return list(fields.values())


class FieldList:
    """Fields of the rows of a log that hold texts or numbers, so that they can be labels.

    Parameters
    ----------
    example : str
        Path of such a field; those beside it and below are listed. Empty for a log without rows.

    Examples
    --------
    >>> fields = FieldList("doc.topic")
    >>> fields.add({"doc": {"topic": "art", "choices": ["a", "b"]}, "target": "a"})
    >>> [contents.name for contents in fields.contents()]
    ['doc.topic']
    """

    def __init__(self, example: str) -> None:
        self._parents = example.split(".")[:-1]
        self._is_any = bool(example)
        self._rows = 0
        self._fields: dict[str, FieldContents] = {}

    def add(self, row: Mapping[str, object]) -> None:
        """Look at a row."""
        nested: object = row
        for name in self._parents:
            nested = nested.get(name) if isinstance(nested, dict) else None
        found = dict(_labels(nested, self._parents)) if self._is_any else {}
        for name in found.keys() - self._fields.keys():
            # Rows before this one lack the field.
            self._fields[name] = FieldContents(name, rows=self._rows, nulls=self._rows)
        for name, contents in self._fields.items():
            contents.add(found.get(name))
        self._rows += 1

    def contents(self) -> tuple[FieldContents, ...]:
        """Fields that were found, by name."""
        return tuple(self._fields[name] for name in sorted(self._fields))


def _labels(value: object, path: Sequence[str]) -> Iterator[tuple[str, object]]:
    """Texts and numbers in an object and in the objects in it, each with its path."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _labels(part, [*path, str(name)])
    elif path and text_of(value) is not None:
        yield ".".join(path), value


def guess_options(fields: Iterable[FieldContents]) -> dict[str, str]:
    """Guess the option for each field that a comparison reads, by names and by what fields hold.

    Parameters
    ----------
    fields : iterable of FieldContents
        All fields of a file.

    Returns
    -------
    dict of str to str
        Names of fields by option of `read_run`, also those that need no option.

    Examples
    --------
    >>> answer, gold = FieldContents("output"), FieldContents("answer")
    >>> guess_options([answer, gold])
    {'prediction_field': 'output', 'reference_field': 'answer'}
    """
    by_name = {contents.name: contents for contents in fields}
    guessed: dict[str, str] = {}
    for option, names in USUAL_NAMES.items():
        free = [name for name in _by_last_part(by_name, names) if name not in guessed.values()]
        fitting = [name for name in free if _fits(option, by_name[name])]
        if fitting:
            guessed[option] = fitting[0]
    if "reference_field" in guessed and "prediction_field" in guessed:
        # Answers and references say which items are right; a score would replace them.
        guessed.pop("score_field", None)
    return guessed


def write_command(path: str, options: Mapping[str, str | tuple[str, ...]]) -> str:
    """Write the command that compares a file with a newer one, without options that are usual.

    Examples
    --------
    >>> write_command("old.csv", {"id_field": "id", "prediction_field": "model output"})
    "muscle-metrics compare old.csv NEW --prediction-field 'model output'"
    """
    parts = ["muscle-metrics", "compare", path, "NEW"]
    for option, name in options.items():
        if option not in _READ_ALWAYS or name != option.removesuffix("_field"):
            field = name if isinstance(name, str) else ",".join(name)
            parts += [f"--{option.replace('_', '-')}", field]
    return shlex.join(parts)


def _by_last_part(known: Collection[str], names: Sequence[str]) -> list[str]:
    """Fields of the given names, in their order; other spellings and nested ones come after."""
    top = [name for name in names if name in known]
    plain = {one: re.sub(r"[ -]", "_", one.rpartition(".")[2].lower()) for one in known}
    nested = [one for name in names for one in known if plain[one] == name]
    return list(dict.fromkeys([*top, *nested]))


def _fits(option: str, contents: FieldContents) -> bool:
    """Whether what a field holds fits an option."""
    if option == "id_field":
        return contents.rows == 0 or contents.is_unique
    if option == "slice_field":
        return 1 < contents.distinct <= _MOST_SLICES and not contents.is_unique
    if option == "score_field":
        return contents.types <= {"number", "true or false"}
    return True


def _value(row: Mapping[str, object], name: str) -> object:
    try:
        return find(row, name, "")
    except InputError:
        # Null where the row lacks the field; the column where it has a path of that name too.
        return row.get(name)
