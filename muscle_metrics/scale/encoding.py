"""SQL that writes a value of a row as text which begins with its kind, and how to read it back.

The text begins with ``"`` for text, ``t`` or ``f`` for true and false, a digit or a sign for a
number, ``[`` for a list, ``?`` for anything else. Equal values give equal texts, values of
different kinds never do, and null stays null. Throughout, `sql` is the expression of a value.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from muscle_metrics.runs.sentinels import NO_SENTINELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from muscle_metrics.runs.sentinels import Sentinels

__all__ = [
    "FLOATS",
    "NOTHING",
    "NUMBERS",
    "UNREADABLE_SQL",
    "column_of",
    "decode_reference",
    "decode_value",
    "encode_accepted",
    "encode_id",
    "encode_label",
    "encode_score",
    "encode_value",
    "locate_field",
    "quote",
    "split_key",
]

UNREADABLE_SQL = "(chr(0) || '?')"
"""Marker of a label that is neither text nor a number, true or false."""

FLOATS = {"FLOAT", "DOUBLE"}
NUMBERS = FLOATS | {
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"),
}
NOTHING = '"NULL"'
"""Type of a column that holds nothing but null."""

# Names that DuckDB gives to the types of values in JSON.
ID_TYPES = ("'UBIGINT'", "'BIGINT'", "'VARCHAR'")
# Whole numbers beyond this are no longer exact as floats.
EXACT_INTEGERS = 2**53


def quote(text: str) -> str:
    """Write a text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def split_key(key: str) -> tuple[str, str | None]:
    """Split a key into the id and the repeat that `Source.table` joined with U+001F."""
    name, separator, repeat = key.rpartition("\x1f")
    return (name, repeat or None) if separator else (key, None)


def decode_value(value: str | None) -> Any:
    """Read a value back from the text that `encode_value` wrote."""
    if value is None:
        return None
    if value[0] == '"':
        return value[1:-1]
    # A value that cannot be compared keeps its marker; `explain_flaws` reports it.
    return value if value[0] in "?[" else json.loads(value)


def decode_reference(value: str | None, accepted: Iterable[str] | None) -> Any:
    """Read a reference back: the accepted answers where it is a list, else the one value."""
    return decode_value(value) if accepted is None else [decode_value(one) for one in accepted]


def column_of(name: str, types: Mapping[str, str]) -> str:
    """Column of a field: the one of this name, or the first name of a dotted path."""
    return name if name in types else name.partition(".")[0]


def locate_field(name: str, types: Mapping[str, str]) -> tuple[str, str]:
    """Write the SQL of a field, which is a column or a value inside one, and give its type."""
    column = column_of(name, types)
    kind = types[column]
    sql = '"' + column.replace('"', '""') + '"'
    if name != column:
        steps = name.removeprefix(f"{column}.").split(".")
        pointer = "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
        sql = f"({sql}->{quote(pointer)})"
    return (f"{sql}::VARCHAR", "VARCHAR") if kind.startswith("ENUM") else (sql, kind)


def encode_value(sql: str, kind: str) -> str:
    """Write the SQL of an answer or a reference as text that begins with its kind."""
    if kind == "VARCHAR":
        return f"'\"' || {sql} || '\"'"
    if kind in ("BOOLEAN", NOTHING):
        return f"{sql}::VARCHAR"
    if kind == "JSON":
        # The JSON of a text is already encoded as here, unless it holds an escaped character.
        unescaped = f"'\"' || ({sql}->>'$') || '\"'"
        text = f"CASE WHEN {_is_escaped(sql)} THEN {unescaped} ELSE {sql}::VARCHAR END"
        number = _encode_number(f"try_cast({sql} AS DOUBLE)")
        return (
            f"CASE ascii({sql}) WHEN 34 THEN {text} WHEN 116 THEN 'true' "
            f"WHEN 102 THEN 'false' WHEN 110 THEN NULL WHEN 91 THEN '[' WHEN 123 THEN '?' "
            f"ELSE {number} END"
        )
    if kind in NUMBERS:
        return _encode_number(f"{sql}::DOUBLE")
    mark = "[" if kind.endswith("[]") else "?"
    return f"CASE WHEN {sql} IS NOT NULL THEN '{mark}' END"


def encode_accepted(sql: str, kind: str) -> str:
    """Write the SQL of the accepted answers; null where the reference is no list."""
    if kind.endswith("[]"):
        return f"list_transform({sql}, lambda x: {encode_value('x', kind.removesuffix('[]'))})"
    if kind != "JSON":
        return "NULL::VARCHAR[]"
    elements = f"list_transform({sql}::JSON[], lambda x: {encode_value('x', 'JSON')})"
    return f"CASE WHEN left({sql}, 1) = '[' THEN {elements} END"


def encode_score(sql: str, kind: str, missing: Sentinels = NO_SENTINELS) -> str:
    """Write the SQL of a score as a float: null if it is null or `missing`, nan if unreadable."""
    if kind == "JSON":
        number = f"CASE WHEN left({sql}, 1) <> '\"' THEN try_cast({sql} AS DOUBLE) END"
        absent = [f"{sql} IS NULL OR {sql} = 'null'", *_is_number(number, missing)]
        absent += [
            f"(left({sql}, 1) = '\"' AND {sql}->>'$' = {quote(text)})" for text in missing.texts
        ]
        return (
            f"CASE WHEN {' OR '.join(absent)} THEN NULL WHEN {sql} = 'true' THEN 1.0 "
            f"WHEN {sql} = 'false' THEN 0.0 ELSE coalesce({number}, 'nan'::DOUBLE) END"
        )
    if kind in NUMBERS:
        number = f"{sql}::DOUBLE"
        declared = _is_number(number, missing)
        return f"CASE WHEN NOT ({' OR '.join(declared)}) THEN {number} END" if declared else number
    return f"{sql}::DOUBLE" if kind == "BOOLEAN" else "NULL::DOUBLE"


def _is_number(number: str, missing: Sentinels) -> list[str]:
    """Write the SQL of conditions that a number is declared missing; nan equals nan in DuckDB."""
    return [f"{number} = {str(value)!r}::DOUBLE" for value in missing.numbers]


def encode_label(sql: str, kind: str) -> str:
    """Write the SQL of the text of a scalar, as `text_of` writes it; else `UNREADABLE_SQL`."""
    return _encode_text(sql, kind, (*ID_TYPES, "'BOOLEAN'"), UNREADABLE_SQL)


def encode_id(sql: str, kind: str) -> str:
    """Write the SQL of the text of an id; null where it is neither text nor a number."""
    return _encode_text(sql, kind, ID_TYPES, "NULL")


def _encode_text(sql: str, kind: str, readable: Sequence[str], unreadable: str) -> str:
    if kind in FLOATS:
        return _encode_float(sql, unreadable)
    if kind != "JSON":
        return f"{sql}::VARCHAR"
    # DuckDB calls a whole number beyond 64 bits DOUBLE too, though no float can hold it.
    is_float = f"json_type({sql}) = 'DOUBLE' AND NOT regexp_full_match({sql}, '-?[0-9]+')"
    return (
        f"CASE WHEN ascii({sql}) = 34 AND NOT {_is_escaped(sql)} "
        f"THEN substring({sql}, 2, length({sql}) - 2) "
        f"WHEN json_type({sql}) IN ({', '.join(readable)}) THEN {sql}->>'$' "
        f"WHEN {is_float} THEN {_encode_float(f'try_cast({sql} AS DOUBLE)', unreadable)} "
        f"WHEN json_type({sql}) <> 'NULL' THEN {unreadable} END"
    )


def _encode_float(sql: str, unreadable: str) -> str:
    # A FLOAT of 32 bits is written with the digits of a DOUBLE, as Python does.
    number = f"({sql})::DOUBLE"
    return (
        f"CASE WHEN isfinite({number}) THEN {number}::VARCHAR "
        f"WHEN {number} IS NOT NULL THEN {unreadable} END"
    )


def _encode_number(number: str) -> str:
    whole = f"CASE WHEN {number} = trunc({number}) THEN {number}::BIGINT::VARCHAR"
    return (
        f"CASE WHEN {number} IS NULL THEN NULL WHEN isfinite({number}) AND "
        f"abs({number}) <= {EXACT_INTEGERS} THEN {whole} ELSE {number}::VARCHAR END ELSE '?' END"
    )


def _is_escaped(sql: str) -> str:
    return f"contains({sql}::VARCHAR, chr(92))"
