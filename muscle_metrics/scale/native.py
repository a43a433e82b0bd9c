"""Shards that DuckDB may read by itself: it reads there what the in-memory reader reads.

DuckDB's reader is laxer than ours in many ways (keys that repeat, commas at the end, any nesting,
NaN in any spelling), and its numbers are floats. So a shard is not searched for known differences:
every row must match a narrow grammar on which both readers agree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from muscle_metrics.answers.scores import LARGEST_SCORE
from muscle_metrics.errors import FileError, InputError, require
from muscle_metrics.runs.files.bytestream import BYTE_ORDER_MARK, LINE_LIMIT, Budget
from muscle_metrics.runs.files.parquet import column_names
from muscle_metrics.runs.files.plain_file import PlainFile
from muscle_metrics.scale.encoding import FLOATS, INTEGERS, NOTHING, quote
from muscle_metrics.words.coded import ESCAPE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from muscle_metrics.runs.rows import RowFile
    from muscle_metrics.scale.sources import RunFiles

__all__ = ["PLAIN_LINES", "Native", "find_native", "find_native_types", "native_path", "scan"]

# DuckDB takes other names for patterns, addresses or the home of a user.
_PLAIN_PATH = re.compile(r"(?:[A-Za-z]:)?/[\w./ -]*")
PLAIN_LINES = (
    "format = 'newline_delimited', compression = 'uncompressed', hive_partitioning = false"
)
"""How DuckDB reads a file of one row a line."""
_PLAIN_NAME = re.compile(r"[^\"\\\x00-\x1f]+")
_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")
_CHUNK = 1 << 20
# Levels of a nested field; patterns grow with the levels of lists.
_DEEPEST = 4

# What a part of a row may be, as regular expressions over JSON and as types of DuckDB.
_ROLES = {
    "id": "id",
    "prediction": "value",
    "reference": "value",
    "score": "score",
    **dict.fromkeys(("slice", "group", "prompt", "repeat"), "label"),
}
_BLANK = r"[ \t]*"
_CHARACTER = (
    # Escapes of other control characters and of lone surrogates are left to the in-memory reader.
    rf'(?:[^"\\\x00-\x1f{ESCAPE}]|\\["\\/bfnrt]|\\u(?:00[2-9a-fA-F][0-9a-fA-F]'
    r"|0[1-9a-fA-F][0-9a-fA-F]{2}|[1-9abcefABCEF][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}"
    r"|[dD][89aA][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}))"
)
_TEXT = f'"{_CHARACTER}*"'
# Up to 15 digits are exact as a float too.
_INTEGER = "(?:0|-?[1-9][0-9]{0,14})"
_NUMBER = r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,17})?"
_WORD = "true|false|null"
_PATTERNS = {
    "id": f'"{_CHARACTER}+"|{_INTEGER}',
    "label": f"{_TEXT}|{_INTEGER}|{_WORD}",
    "value": f"{_TEXT}|{_NUMBER}|{_WORD}",
    "score": f"{_NUMBER}|{_WORD}",
    "unread": f"{_TEXT}|{_NUMBER}|{_WORD}",
}
_SCALARS = INTEGERS | {"VARCHAR", "BOOLEAN", NOTHING}
_TYPES = {
    "id": INTEGERS | {"VARCHAR"},
    "label": _SCALARS,
    "value": _SCALARS | FLOATS,
    "score": (_SCALARS | FLOATS) - {"VARCHAR"},
    "unread": _SCALARS | FLOATS,
}


@dataclass(frozen=True, slots=True)
class Native:
    """How DuckDB reads a shard by itself.

    Parameters
    ----------
    format : str
        "jsonl" or "parquet".
    types : tuple of (str, str)
        The columns, and the type of each.
    """

    format: str
    types: tuple[tuple[str, str], ...]


def native_path(file: RowFile) -> str | None:
    """Absolute path of a file that DuckDB may read, if its name means nothing else to DuckDB."""
    if not isinstance(file, PlainFile) or file.format not in {"jsonl", "parquet"}:
        return None
    name = file.path.absolute().as_posix()
    return name if _PLAIN_PATH.fullmatch(name) else None


def scan(native: Native, paths: Sequence[str]) -> str:
    """Write the SQL of the rows of some shards as they are."""
    listed = ", ".join(map(quote, paths))
    if native.format == "parquet":
        return f"read_parquet([{listed}], hive_partitioning = false)"
    columns = ", ".join(f"{quote(name)}: 'JSON'" for name, _ in native.types)
    return f"read_json([{listed}], {PLAIN_LINES}, columns = {{{columns}}})"


def find_native(database: Any, file: RowFile, run: RunFiles) -> Native | None:
    """Find out how DuckDB may read a shard; None where the in-memory reader must.

    Raises
    ------
    FileError
        If the shard exceeds the budget that every reader has.
    """
    path = native_path(file)
    if path is None or not isinstance(file, PlainFile):
        return None
    find = _find_parquet if file.format == "parquet" else _find_json
    try:
        return find(database, file, path, run)
    except require("duckdb", "scale").Error:
        # What DuckDB cannot read, the in-memory reader reads, or names the line of.
        return None


def find_native_types(
    database: Any,
    relation: str,
    names: Sequence[str],
    run: RunFiles,
    budget: Budget | None = None,
) -> Mapping[str, str] | None:
    """Find the types of a table in a database if every value in it is coded by SQL as in memory.

    Raises
    ------
    FileError
        If its values exceed a budget.
    """
    roles = _roles(names, run)
    if roles is None:
        return None
    described = database.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    kinds = {name: kind for name, kind, *_ in described if name in roles}
    if kinds.keys() != roles.keys() or any(kinds[one] not in _TYPES[roles[one]] for one in roles):
        return None
    sound = " AND ".join(f"({_is_sound(one, kinds[one], roles[one])})" for one in roles)
    weight = " + ".join(_weight(name, kind) for name, kind in kinds.items())
    rows, known, total = database.execute(
        f"SELECT count(*), count(*) FILTER ({sound}), coalesce(sum({weight}), 0)::BIGINT "
        f"FROM {relation}"
    ).fetchone()
    if budget is not None:
        budget.spend(total)
    return kinds if 0 < rows == known else None


def _find_json(database: Any, file: PlainFile, path: str, run: RunFiles) -> Native | None:
    try:
        _, first = next(iter(file.rows(())), (0, {}))
    except InputError:
        return None
    roles = _roles(list(first), run)
    if roles is None or not _is_plain(file.path):
        return None
    read = {name: _PATTERNS[role] for name, role in roles.items()}
    row = _object({name: read.get(name) or _pattern(value) for name, value in first.items()})
    rows, known = database.execute(
        f"SELECT count(*), count(*) FILTER (regexp_full_match(json, {quote(row)}) "
        f"AND strlen(json) < {LINE_LIMIT}) FROM read_json_objects([{quote(path)}], {PLAIN_LINES})"
    ).fetchone()
    if not 0 < rows == known:
        return None
    return Native("jsonl", tuple((name, "JSON") for name in roles))


def _pattern(value: object, depth: int = 0) -> str:
    """Pattern of a field that is not read: nested as in the first row, with the same keys."""
    if depth < _DEEPEST and isinstance(value, dict) and all(map(_PLAIN_NAME.fullmatch, value)):
        return _object({name: _pattern(one, depth + 1) for name, one in value.items()}) + "|null"
    if depth < _DEEPEST and isinstance(value, list):
        one = f"(?:{_pattern(value[0] if value else None, depth + 1)})"
        return rf"\[{_BLANK}(?:{one}(?:{_BLANK},{_BLANK}{one})*)?{_BLANK}\]|null"
    return _PATTERNS["unread"]


def _object(members: Mapping[str, str]) -> str:
    pairs = (f'"{re.escape(key)}"{_BLANK}:{_BLANK}(?:{one})' for key, one in members.items())
    return rf"\{{{_BLANK}{f'{_BLANK},{_BLANK}'.join(pairs)}{_BLANK}\}}"


def _is_plain(path: Path) -> bool:
    """Whether a file is no archive, and holds no character that DuckDB alone takes for a blank."""
    with path.open("rb") as content:
        chunk = content.read(_CHUNK)
        if chunk.startswith((*_COMPRESSED, BYTE_ORDER_MARK)):
            return False
        while chunk:
            if b"\x0b" in chunk or b"\x0c" in chunk:
                return False
            chunk = content.read(_CHUNK)
    return True


def _find_parquet(database: Any, file: PlainFile, path: str, run: RunFiles) -> Native | None:
    try:
        names = column_names(file.path)
    except FileError:
        return None
    relation = scan(Native("parquet", ()), [path])
    types = find_native_types(database, relation, names, run, Budget(file.path))
    return None if types is None else Native("parquet", tuple(types.items()))


def _weight(name: str, kind: str) -> str:
    """Write the SQL of what a value weighs in the budget of the in-memory reader."""
    return f'(8 + coalesce(length("{name}"), 0))' if kind == "VARCHAR" else "8"


def _roles(names: Sequence[str], run: RunFiles) -> dict[str, str] | None:
    """Role of every column that is read; None where it does not follow from the names alone."""
    options, columns = run.options, run.columns
    if not isinstance(options.id_field, str) or options.missing_score:
        return None
    # DuckDB compares names of columns without case.
    if len({name.lower() for name in names}) < len(names):
        return None
    if not all(map(_PLAIN_NAME.fullmatch, names)) or {*columns.absent} & {*names}:
        return None
    wanted = [(field, _ROLES[part]) for part, field in run.fields.items()]
    wanted += [(field, "label") for field in options.where]
    roles: dict[str, str] = {}
    for field, role in wanted:
        if field not in names or roles.setdefault(field, role) != role:
            return None
    if any(_is_path_into(field, names) for field in roles):
        return None
    # The in-memory reader reads these columns of Parquet too, and they count in its budget.
    return {**{name: "unread" for name in names if name in options.fields}, **roles}


def _is_path_into(field: str, names: Iterable[str]) -> bool:
    return any(field.startswith(f"{name}.") for name in names)


def _is_sound(name: str, kind: str, role: str) -> str:
    """Write the SQL of whether a value is coded by SQL as the in-memory reader codes it."""
    column = f'"{name}"'
    if kind == "VARCHAR":
        hidden = f"contains({column}, chr(31)) OR contains({column}, chr({ord(ESCAPE)}))"
        sound = f"NOT ({hidden})"
    elif kind in FLOATS:
        # Whole numbers beyond 2**53 are no longer exact; NaN is larger than any number.
        largest = 2**53 - 1 if role == "value" else LARGEST_SCORE
        sound = f"abs({column}::DOUBLE) <= {largest!r}"
    else:
        sound = "TRUE"
    if role == "id":
        return f"{column} IS NOT NULL AND {sound}" + (f" AND {column} <> ''" * (kind == "VARCHAR"))
    return f"{column} IS NULL OR ({sound})"
