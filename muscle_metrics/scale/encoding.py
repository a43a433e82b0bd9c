"""Coded rows: values as texts that begin with their kind, so that SQL can compare them.

The text begins with ``"`` for text, ``t`` or ``f`` for true and false, a digit or a sign for a
number, ``[`` for a list. Equal values give equal texts, values of different kinds never do, and
null stays null. `code_row` writes what the in-memory reader read; `select_coded` is the same in
SQL, for values that DuckDB reads as that reader does.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from muscle_metrics.runs.record import Record

__all__ = [
    "ESCAPE",
    "FLOATS",
    "INTEGERS",
    "NOTHING",
    "PARTS",
    "SEPARATOR",
    "code_row",
    "code_value",
    "decode_reference",
    "decode_text",
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

SEPARATOR = "\x1f"
"""Stands between id and repeat in a key."""
ESCAPE = "\U0010fffe"
"""Begins what a coded text has for a character that a key or UTF-8 cannot hold."""

_NULLS = {"accepted": "NULL::VARCHAR[]", "score": "NULL::DOUBLE"}
# Lone surrogates move to the private use area.
_MOVE = 0xE000 - 0xD800
_HIDDEN = re.compile(f"[{ESCAPE}{SEPARATOR}\ud800-\udfff]")
_SHOWN = re.compile(f"{ESCAPE}(.)", re.DOTALL)


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
    repeat = "" if record.repeat is None else f"{SEPARATOR}{_code_text(record.repeat)}"
    row = {
        "key": f"{_code_text(record.id)}{repeat}",
        "prediction": code_value(record.prediction),
        "reference": code_value(reference),
        "accepted": [*map(code_value, reference)] if isinstance(reference, list) else None,
        "score": None if score is None else float(score),
        "slice": _code_text(record.slice),
        "group": _code_text(record.group),
        "prompt": _code_text(record.prompt),
    }
    return {part: value for part, value in row.items() if value is not None}


def code_value(value: object) -> str | None:
    """Code an answer or a reference; None stays null."""
    if value is None:
        return None
    if isinstance(value, str):
        return f'"{_code_text(value)}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "["
    # Python compares numbers exactly: 2**53 + 1 is no float, and 1 equals 1.0.
    return repr(int(value) if isinstance(value, float) and value.is_integer() else value)


def _code_text(text: str | None) -> str | None:
    return text if text is None or not _HIDDEN.search(text) else _HIDDEN.sub(_hide, text)


def _hide(found: re.Match[str]) -> str:
    code = ord(found[0])
    hidden = {ESCAPE: "e", SEPARATOR: "s"}.get(found[0])
    return ESCAPE + (hidden or chr(code + _MOVE))


def decode_text(text: str | None) -> str | None:
    """Read a text back as the file held it.

    Examples
    --------
    >>> decode_text("a")
    'a'
    """
    return text if text is None or ESCAPE not in text else _SHOWN.sub(_show, text)


def _show(found: re.Match[str]) -> str:
    return {"e": ESCAPE, "s": SEPARATOR}.get(found[1]) or chr(ord(found[1]) - _MOVE)


def split_key(key: str) -> tuple[str, str | None]:
    """Split a key into the id and the repeat."""
    name, separator, repeat = key.partition(SEPARATOR)
    return str(decode_text(name)), decode_text(repeat) if separator else None


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
