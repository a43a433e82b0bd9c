"""Coded rows: values as texts that begin with their kind, so that SQL can compare them.

The text begins with ``"`` for text, ``t`` or ``f`` for true and false, a digit or a sign for a
number, ``[`` for a list. Equal values give equal texts, values of different kinds never do, and
null stays null. `code_row` writes what the in-memory reader read; `select_coded` is the same in
SQL, for values that DuckDB reads as that reader does.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from muscle_metrics.words.coded import SEPARATOR, code_key, code_text, decode_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from muscle_metrics.runs.record import Record

__all__ = [
    "FLOATS",
    "INTEGERS",
    "NOTHING",
    "PARTS",
    "code_row",
    "code_value",
    "decode_label",
    "decode_reference",
    "decode_value",
    "quote",
    "select_coded",
    "split_key",
    "sql_null",
]

PARTS = ("prediction", "reference", "accepted", "score", "slice", "group", "prompt")
"""Columns of a coded row beside its key."""

FLOATS = frozenset({"FLOAT", "DOUBLE"})
INTEGERS = frozenset(
    {
        *("TINYINT", "SMALLINT", "INTEGER", "BIGINT"),
        *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"),
    }
)
NOTHING = '"NULL"'
"""Type of a column that holds nothing but null."""

_NULLS = {"accepted": "NULL::VARCHAR[]", "score": "NULL::DOUBLE"}


def sql_null(part: str) -> str:
    """Write the SQL of a part that rows do not have: null of its type."""
    return _NULLS.get(part, "NULL::VARCHAR")


def quote(text: str) -> str:
    """Write a text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def code_row(record: Record) -> dict[str, Any]:
    """Code a record; parts without a value are left out.

    Examples
    --------
    >>> from muscle_metrics.runs.record import Record
    >>> code_row(Record("7", prediction=1.0, reference=[True, "A"]))
    {'key': '7', 'prediction': '1', 'reference': '[', 'accepted': ['true', '"A"']}
    """
    reference = record.reference
    score = next(iter(record.scores.values()), None)
    row = {
        "key": code_key(record.id, record.repeat),
        "prediction": code_value(record.prediction),
        "reference": code_value(reference),
        "accepted": [*map(code_value, reference)] if isinstance(reference, list) else None,
        "score": None if score is None else float(score),
        "slice": _label_of(record.slice),
        "group": _label_of(record.group),
        "prompt": _label_of(record.prompt),
    }
    return {part: value for part, value in row.items() if value is not None}


def code_value(value: object) -> str | None:
    """Code an answer or a reference; None stays null."""
    if value is None:
        return None
    if isinstance(value, str):
        return f'"{code_text(value)}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "["
    # Python compares numbers exactly: 2**53 + 1 is no float, and 1 equals 1.0.
    return repr(int(value) if isinstance(value, float) and value.is_integer() else value)


def _label_of(text: str | None) -> str | None:
    return None if text is None else code_text(text)


def decode_label(text: str | None) -> str | None:
    """Read a label back as the file held it; None where there is none."""
    return None if text is None else decode_text(text)


def split_key(key: str) -> tuple[str, str | None]:
    """Split a key into the id and the repeat."""
    name, separator, repeat = key.partition(SEPARATOR)
    return decode_text(name), decode_text(repeat) if separator else None


def decode_value(value: str | None) -> Any:
    """Read a value back from its text; a list stays ``[``."""
    if value is None:
        return None
    if value[0] == '"':
        return decode_text(value[1:-1])
    return value if value == "[" else json.loads(value)


def decode_reference(value: str | None, accepted: Iterable[str] | None) -> Any:
    """Read a reference back: the accepted answers where it is a list, else the one value."""
    return decode_value(value) if accepted is None else [decode_value(one) for one in accepted]


def select_coded(
    relation: str, fields: Mapping[str, str], types: Mapping[str, str], where: Mapping[str, str]
) -> str:
    """Write the SQL that selects coded rows from rows that DuckDB reads itself.

    Parameters
    ----------
    relation : str
        SQL of the rows.
    fields : mapping of str to str
        Column of "id", and of every other part that the rows have.
    types : mapping of str to str
        Type of every column: "JSON", or a type of DuckDB's without values inside.
    where : mapping of str to str
        Text that a column of a kept row has.
    """

    def label(column: str) -> str:
        return _label(f'"{column}"', types[column])

    key = label(fields["id"])
    if "repeat" in fields:
        repeat = label(fields["repeat"])
        key += f" || CASE WHEN {repeat} IS NULL THEN '' ELSE chr(31) || {repeat} END"
    columns = [f"{key} AS key"]
    for part in PARTS:
        sql = sql_null(part)
        if part in fields:
            column = fields[part]
            code = {"prediction": _value, "reference": _value, "score": _score}.get(part, _label)
            sql = code(f'"{column}"', types[column])
        columns.append(f'{sql} AS "{part}"')
    kept = [f"{label(column)} = {quote(text)}" for column, text in where.items()]
    condition = f" WHERE {' AND '.join(kept)}" if kept else ""
    return f"SELECT {', '.join(columns)} FROM {relation}{condition}"


def _value(sql: str, kind: str) -> str:
    """Write the SQL of an answer or a reference."""
    if kind == "VARCHAR":
        return f"'\"' || {sql} || '\"'"
    if kind == "JSON":
        # The JSON of a text is already coded, unless it holds an escaped character.
        unescaped = f"'\"' || ({sql}->>'$') || '\"'"
        text = f"CASE WHEN {_is_escaped(sql)} THEN {unescaped} ELSE {sql}::VARCHAR END"
        return (
            f"CASE ascii({sql}) WHEN 34 THEN {text} WHEN 116 THEN 'true' WHEN 102 THEN 'false' "
            f"WHEN 110 THEN NULL ELSE {_number(f'{sql}::VARCHAR::DOUBLE')} END"
        )
    return _number(f"{sql}::DOUBLE") if kind in FLOATS else f"{sql}::VARCHAR"


def _label(sql: str, kind: str) -> str:
    """Write the SQL of the text of a scalar that is no float."""
    if kind != "JSON":
        return f"{sql}::VARCHAR"
    text = f"substring({sql}, 2, length({sql}) - 2)"
    return (
        f"CASE ascii({sql}) WHEN 34 THEN CASE WHEN {_is_escaped(sql)} THEN {sql}->>'$' "
        f"ELSE {text} END WHEN 110 THEN NULL ELSE {sql}::VARCHAR END"
    )


def _score(sql: str, kind: str) -> str:
    if kind != "JSON":
        return f"{sql}::DOUBLE"
    return (
        f"CASE ascii({sql}) WHEN 110 THEN NULL WHEN 116 THEN 1.0 WHEN 102 THEN 0.0 "
        f"ELSE {sql}::VARCHAR::DOUBLE END"
    )


def _number(number: str) -> str:
    """Write the SQL of a float; a whole one must be below 2**53."""
    whole = f"{number} = trunc({number})"
    return f"CASE WHEN {whole} THEN {number}::BIGINT::VARCHAR ELSE {number}::VARCHAR END"


def _is_escaped(sql: str) -> str:
    return f"contains({sql}::VARCHAR, chr(92))"
