"""Rows of a database as tables of parts: what each part of a row is, in a code that compares.

A value is written as text that begins with its kind: ``"`` around text, ``t`` and ``f`` of true and
false, a digit or a sign of a number, ``[`` of a list, ``?`` where it is none of these. Equal values
are equal texts, values of different kinds never are, and null is null.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import FileError
from muscle_metrics.words.place import show

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["UNREADABLE_SQL", "CodedSource", "Source", "column_of", "decoded", "quoted", "split_key"]

UNREADABLE_SQL = "(chr(0) || '?')"
"""What stands for a label that is neither text nor a number, true or false."""

# Whole numbers beyond this are no longer exact as floats.
EXACT_INTEGERS = 2**53
NUMBERS = {
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE"),
}
FLOATS = {"FLOAT", "DOUBLE"}
NOTHING = '"NULL"'
# What a column of another type than JSON may hold, by the part it plays.
SCALARS = {*NUMBERS, "VARCHAR", "BOOLEAN", NOTHING}
ALLOWED = {
    "id": SCALARS - {"BOOLEAN"},
    "reference": SCALARS | {f"{kind}[]" for kind in SCALARS},
    "score": SCALARS - {"VARCHAR"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    r"""The rows of one run in a database, and the fields to read.

    Parameters
    ----------
    name : str
        What the run is called.
    relation : str
        SQL of the rows as they are.
    fields : mapping of str to str
        Field of every part that the rows have; "id" always.
    types : mapping of str to str
        Type of every column in the database.
    where : mapping of str to str
        Text that a field of a row has, if the row is to be read.

    Examples
    --------
    >>> fields, types = {"id": "id", "prediction": "answer"}, {"id": "BIGINT", "answer": "VARCHAR"}
    >>> source = Source(name="v1", relation="v1", fields=fields, types=types, where={})
    >>> source.table(["prediction"])
    'SELECT "id"::VARCHAR AS key, \'"\' || "answer" || \'"\' AS "prediction" FROM v1'
    """

    name: str
    relation: str
    fields: Mapping[str, str]
    types: Mapping[str, str]
    where: Mapping[str, str]

    @property
    def place(self) -> str:
        """Where the rows are, for messages."""
        return self.name

    def table(self, parts: Collection[str]) -> str:
        """Write the SQL of the rows: their key, and the parts asked for."""
        written = {
            "prediction": self._value,
            "reference": self._value,
            "accepted": self._accepted,
            "score": self._score,
            "slice": self._label,
            "group": self._label,
            "prompt": self._label,
        }
        chosen = [f'{written[part](part)} AS "{part}"' for part in sorted(parts)]
        kept = [f"{self._text(name)} = {quoted(text)}" for name, text in self.where.items()]
        condition = f" WHERE {' AND '.join(kept)}" if kept else ""
        columns = ", ".join([f"{self._key()} AS key", *chosen])
        return f"SELECT {columns} FROM {self.relation}{condition}"

    def count_rows(self, database: Any) -> int:
        """Count rows, but for those that `where` leaves out."""
        query = f"SELECT count(*) FROM ({self.table([])})"
        return int(database.execute(query).fetchone()[0])

    def check_rows(self) -> None:
        """Raise the error of the first row that is not as it must be, where rows can be told."""

    def check_types(self) -> None:
        """See to it that every column holds what its part may be; of JSON that is told by row.

        Raises
        ------
        FileError
            If one holds dates, decimals, structures or the like.
        """
        if set(self.types.values()) == {"JSON"}:
            return
        for part, name in self.fields.items():
            column = column_of(name, self.types)
            kind = self._placed(name)[1]
            if kind not in ALLOWED.get(part, SCALARS):
                raise FileError(
                    f"{self.place}: expected {'numbers' if part == 'score' else 'text or numbers'} "
                    f"in the column {show(column)}, got the type {kind}: write it as text, or name "
                    f"another column"
                )

    def _key(self) -> str:
        """Write the SQL of the id, and the repeat if there is one; null where one is unreadable."""
        identifier = self._text(self.fields["id"], is_id=True)
        if "repeat" not in self.fields:
            return identifier
        repeat = self._label("repeat")
        return (
            f"{identifier} || CASE WHEN {repeat} IS NULL THEN '' "
            f"ELSE chr(31) || nullif({repeat}, {UNREADABLE_SQL}) END"
        )

    def may_be_unreadable(self, part: str) -> bool:
        """Whether what stands for a label can be something else than a label."""
        if part not in self.fields:
            return False
        # Of rows that are coded already no types are known.
        return not self.types or self._placed(self.fields[part])[1] in {*FLOATS, "JSON"}

    def _label(self, part: str) -> str:
        return self._text(self.fields[part]) if part in self.fields else "NULL::VARCHAR"

    def _value(self, part: str) -> str:
        if part not in self.fields:
            return "NULL::VARCHAR"
        return _encoded(*self._placed(self.fields[part]))

    def _accepted(self, _: str) -> str:
        """Write the SQL of the accepted answers, where the reference is a list."""
        if "reference" not in self.fields:
            return "NULL::VARCHAR[]"
        place, kind = self._placed(self.fields["reference"])
        if kind.endswith("[]"):
            return f"list_transform({place}, lambda x: {_encoded('x', kind.removesuffix('[]'))})"
        if kind != "JSON":
            return "NULL::VARCHAR[]"
        elements = f"list_transform({place}::JSON[], lambda x: {_encoded('x', 'JSON')})"
        return f"CASE WHEN left({place}, 1) = '[' THEN {elements} END"

    def _score(self, _: str) -> str:
        if "score" not in self.fields:
            return "NULL::DOUBLE"
        place, kind = self._placed(self.fields["score"])
        if kind == "JSON":
            number = f"CASE WHEN left({place}, 1) <> '\"' THEN try_cast({place} AS DOUBLE) END"
            return f"CASE {place} WHEN 'true' THEN 1.0 WHEN 'false' THEN 0.0 ELSE {number} END"
        return f"{place}::DOUBLE" if kind in NUMBERS or kind == "BOOLEAN" else "NULL::DOUBLE"

    def _text(self, name: str, *, is_id: bool = False) -> str:
        """Write the SQL of the text of a scalar as `text_of` gives it."""
        place, kind = self._placed(name)
        unreadable = "NULL" if is_id else UNREADABLE_SQL
        if kind in FLOATS:
            return _text_of_float(place, unreadable)
        if kind != "JSON":
            return f"{place}::VARCHAR"
        whole = ["UBIGINT", "BIGINT", "VARCHAR", *(["BOOLEAN"] * (not is_id))]
        # A whole number that is written without a point is no float, however large.
        is_float = f"json_type({place}) = 'DOUBLE' AND NOT regexp_full_match({place}, '-?[0-9]+')"
        return (
            f"CASE WHEN ascii({place}) = 34 AND NOT {_is_escaped(place)} "
            f"THEN substring({place}, 2, length({place}) - 2) "
            f"WHEN json_type({place}) IN ({', '.join(map(quoted, whole))}) THEN {place}->>'$' "
            f"WHEN {is_float} THEN {_text_of_float(f'try_cast({place} AS DOUBLE)', unreadable)} "
            f"WHEN json_type({place}) <> 'NULL' THEN {unreadable} END"
        )

    def _placed(self, name: str) -> tuple[str, str]:
        """Write the SQL of a field, and the type of what stands there."""
        column = column_of(name, self.types)
        place, kind = _place(name, column), self.types[column]
        return (f"{place}::VARCHAR", "VARCHAR") if kind.startswith("ENUM") else (place, kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedSource(Source):
    """Rows that stand as `Source.table` writes them.

    Examples
    --------
    >>> CodedSource(name="v1", relation="v1", fields={}, types={}, where={}).table(["slice"])
    'SELECT key, "slice" FROM v1'
    """

    def table(self, parts: Collection[str]) -> str:
        """Write the SQL of the rows: their key, and the parts asked for."""
        columns = ["key", *(f'"{part}"' for part in sorted(parts))]
        return f"SELECT {', '.join(columns)} FROM {self.relation}"


def split_key(key: str) -> tuple[str, str | None]:
    r"""Id and repeat that a key joins.

    Examples
    --------
    >>> split_key("q1"), split_key("q1\x1f3")
    (('q1', None), ('q1', '3'))
    """
    name, separator, repeat = key.rpartition("\x1f")
    return (name, repeat or None) if separator else (key, None)


def decoded(value: str | None) -> Any:
    """Value of the text it was written as.

    Examples
    --------
    >>> decoded('"A"'), decoded("3"), decoded("2.5"), decoded("true"), decoded(None)
    ('A', 3, 2.5, True, None)
    """
    if value is None:
        return None
    # What cannot be compared stays as it is marked: its flaw is told elsewhere.
    return value[1:-1] if value[:1] == '"' else value if value[:1] in "?[" else json.loads(value)


def column_of(name: str, types: Mapping[str, str]) -> str:
    """Column that a field stands in, by its own name or as the head of a dotted path.

    Examples
    --------
    >>> column_of("answer.text", {"answer": "JSON"})
    'answer'
    """
    return name if name in types else name.partition(".")[0]


def _place(name: str, column: str) -> str:
    """Write the SQL of a field: a column, or a value inside one."""
    named = '"' + column.replace('"', '""') + '"'
    if name == column:
        return named
    inner = name.removeprefix(f"{column}.")
    pointer = "/" + "/".join(p.replace("~", "~0").replace("/", "~1") for p in inner.split("."))
    return f"({named}->{quoted(pointer)})"


def _text_of_float(place: str, unreadable: str) -> str:
    """Write the SQL of the text of a float; what is wider than it is written in full."""
    number = f"({place})::DOUBLE"
    return (
        f"CASE WHEN isfinite({number}) THEN {number}::VARCHAR "
        f"WHEN {number} IS NOT NULL THEN {unreadable} END"
    )


def _encoded(place: str, kind: str) -> str:
    """Write the SQL of a value as text that begins with its kind."""
    if kind == "VARCHAR":
        return f"'\"' || {place} || '\"'"
    if kind in ("BOOLEAN", NOTHING):
        return f"{place}::VARCHAR"
    if kind == "JSON":
        number = _number(f"try_cast({place} AS DOUBLE)")
        return (
            f"CASE ascii({place}) WHEN 34 THEN {_encoded_text(place)} WHEN 116 THEN 'true' "
            f"WHEN 102 THEN 'false' WHEN 110 THEN NULL WHEN 91 THEN '[' WHEN 123 THEN '?' "
            f"ELSE {number} END"
        )
    if kind in NUMBERS:
        return _number(f"{place}::DOUBLE")
    mark = "[" if kind.endswith("[]") else "?"
    return f"CASE WHEN {place} IS NOT NULL THEN '{mark}' END"


def _encoded_text(place: str) -> str:
    """Write the SQL of a text of JSON: it is its own code, unless something in it is escaped."""
    unescaped = f"'\"' || ({place}->>'$') || '\"'"
    return f"CASE WHEN {_is_escaped(place)} THEN {unescaped} ELSE {place}::VARCHAR END"


def _is_escaped(place: str) -> str:
    return f"contains({place}::VARCHAR, chr(92))"


def _number(number: str) -> str:
    whole = f"CASE WHEN {number} = trunc({number}) THEN {number}::BIGINT::VARCHAR"
    return (
        f"CASE WHEN {number} IS NULL THEN NULL WHEN isfinite({number}) AND "
        f"abs({number}) <= {EXACT_INTEGERS} THEN {whole} ELSE {number}::VARCHAR END ELSE '?' END"
    )


def quoted(text: str) -> str:
    """Write a text as a literal of SQL.

    Examples
    --------
    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"
