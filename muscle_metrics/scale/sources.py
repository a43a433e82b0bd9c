"""Runs as tables of a database: which files and fields are read, and the SQL of their rows."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import filterfalse
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import FileError, InputError, UsageError, require
from muscle_metrics.runs.columns import CONVENTIONS, Columns, choose_columns
from muscle_metrics.runs.files.glimpse import Glimpse
from muscle_metrics.runs.files.plain_file import PlainFile, open_plain
from muscle_metrics.runs.read import sentinels_of
from muscle_metrics.runs.rows import keep_rows, locate
from muscle_metrics.runs.sentinels import NO_SENTINELS, Sentinels
from muscle_metrics.scale.encoding import (
    NOTHING,
    NUMBERS,
    UNREADABLE_SQL,
    column_of,
    encode_accepted,
    encode_id,
    encode_label,
    encode_score,
    encode_value,
    locate_field,
    quote,
)
from muscle_metrics.words.escape import visible
from muscle_metrics.words.place import show

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from os import PathLike

__all__ = ["NO_OPTIONS", "FileSource", "Source", "open_sources", "sql_null"]

NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})
COMPRESSED = (".gz", ".zst")
ENGINE_FORMATS = ("jsonl", "parquet")
PATTERN = re.compile(r"[*?\[]")
PARTS = ("prediction", "reference", "score", "slice", "group", "prompt", "repeat")
READ = {"id_field", "format", "where", "missing_score", *(f"{part}_field" for part in PARTS)}
ENCODERS = {
    "prediction": encode_value,
    "reference": encode_value,
    "accepted": encode_accepted,
}
NULLS = {"accepted": "NULL::VARCHAR[]", "score": "NULL::DOUBLE"}
# Types of columns other than JSON that can be read, by the part of a row.
SCALARS = {*NUMBERS, "VARCHAR", "BOOLEAN", NOTHING}
ALLOWED = {
    "id": SCALARS - {"BOOLEAN"},
    "reference": SCALARS | {f"{kind}[]" for kind in SCALARS},
    "score": SCALARS - {"VARCHAR"},
}


def sql_null(part: str) -> str:
    """Write the SQL of a part that rows do not have: null of its type."""
    return NULLS.get(part, "NULL::VARCHAR")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The rows of one run in a database, and the fields to read.

    Parameters
    ----------
    name : str
        Name of the run.
    relation : str
        SQL of the rows as they are.
    fields : mapping of str to str
        Field of every part that the rows have; "id" always.
    types : mapping of str to str
        Type of every column in the database.
    where : mapping of str to str
        Text that a field of a row has, if the row is to be read.
    missing_score : Sentinels
        Values of the score that mean no score.
    """

    name: str
    relation: str
    fields: Mapping[str, str]
    types: Mapping[str, str]
    where: Mapping[str, str]
    missing_score: Sentinels = NO_SENTINELS

    @property
    def place(self) -> str:
        """Where the rows are, for messages."""
        return self.name

    def table(self, parts: Collection[str]) -> str:
        """Write the SQL of the rows: their key, and the parts asked for."""
        columns = [f"{self._key()} AS key", *(f'{self._part(x)} AS "{x}"' for x in sorted(parts))]
        kept = [
            f"{encode_label(*locate_field(name, self.types))} = {quote(text)}"
            for name, text in self.where.items()
        ]
        condition = f" WHERE {' AND '.join(kept)}" if kept else ""
        return f"SELECT {', '.join(columns)} FROM {self.relation}{condition}"

    def count_rows(self, database: Any) -> int:
        """Count the rows that `where` keeps."""
        query = f"SELECT count(*) FROM ({self.table([])})"
        return int(database.execute(query).fetchone()[0])

    def check_rows(self) -> None:
        """Raise the error of the first bad row; a source without files cannot name one."""

    def check_types(self) -> None:
        """Check the type of every column; values of JSON are checked row by row.

        Raises
        ------
        FileError
            If one holds dates, decimals, structures or the like.
        """
        for part, name in self.fields.items():
            _, kind = locate_field(name, self.types)
            if kind not in {"JSON"} | ALLOWED.get(part, SCALARS):
                raise FileError(
                    f"{self.place}: expected {'numbers' if part == 'score' else 'text or numbers'} "
                    f"in the column {show(column_of(name, self.types))}, got the type {kind}: "
                    f"write it as text, or name another column"
                )

    def _key(self) -> str:
        """Write the SQL of id and repeat; null where one of them is unreadable."""
        identifier = encode_id(*locate_field(self.fields["id"], self.types))
        if "repeat" not in self.fields:
            return identifier
        repeat = self._part("repeat")
        return (
            f"{identifier} || CASE WHEN {repeat} IS NULL THEN '' "
            f"ELSE chr(31) || nullif({repeat}, {UNREADABLE_SQL}) END"
        )

    def _part(self, part: str) -> str:
        name = self.fields.get("reference" if part == "accepted" else part)
        if name is None:
            return sql_null(part)
        sql, kind = locate_field(name, self.types)
        if part == "score":
            return encode_score(sql, kind, self.missing_score)
        return ENCODERS.get(part, encode_label)(sql, kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSource(Source):
    """One run as files of one format.

    Parameters
    ----------
    name, relation, fields, types, where, missing_score
        As in `Source`.
    files : tuple of PlainFile
        Its shards.
    columns : Columns
        How the in-memory reader makes a record of a row.
    """

    files: tuple[PlainFile, ...]
    columns: Columns

    @property
    def place(self) -> str:
        """Where the rows are, for messages."""
        return str(self.files[0])

    def shards(self) -> list[FileSource]:
        """Each file as a source of its own."""
        return [
            replace(self, files=(file,), relation=_scan([file], self.types)) for file in self.files
        ]

    def count_rows(self, database: Any) -> int:
        """Count the rows that `where` keeps."""
        if not self.where and all(
            file.format == "jsonl" and file.path.suffix not in COMPRESSED for file in self.files
        ):
            return sum(_count_lines(file.path) for file in self.files)
        # `super()` fails in a dataclass with slots: the decorator makes a new class.
        return Source.count_rows(self, database)

    def check_rows(self) -> None:
        """Read every row with the in-memory reader, and raise the error of the first bad one.

        Raises
        ------
        FileError
            With the file and the line.
        """
        for file in self.files:
            for number, row in keep_rows(file, list(self.types), self.where):
                try:
                    self.columns.record(row)
                except Exception as error:
                    raise locate(error, file, number, row) from error  # type: ignore[arg-type]


def open_sources(
    old: str | PathLike[str],
    new: str | PathLike[str],
    old_options: Mapping[str, Any],
    new_options: Mapping[str, Any],
    names: tuple[str, str] | None,
) -> tuple[FileSource, FileSource]:
    """Recognise the files of two runs and choose the fields to read, from their first rows.

    Raises
    ------
    FileError
        If there is no file, or its format is not one that the engine reads.
    UsageError
        If an option needs the in-memory reader.
    """
    old_name, new_name = names or (None, None)
    return (
        _open_source(Path(old), old_options, old_name),
        _open_source(Path(new), new_options, new_name),
    )


def _open_source(path: Path, options: Mapping[str, Any], name: str | None) -> FileSource:
    unread = {name for name, value in options.items() if value is not None} - READ
    if unread:
        raise UsageError(
            f"expected options of plain rows where an engine reads them, got {sorted(unread)}: "
            f"leave them out, or leave out --engine"
        )
    identifier = options.get("id_field", "id")
    if not isinstance(identifier, str):
        raise UsageError(
            f"expected one id field for files that are joined by an engine, got {identifier}: "
            f"write the parts of the id into one column, or leave out --engine"
        )
    shards = map(Glimpse, _shards(path))
    files = tuple(open_plain(shard, options.get("format", "auto")) for shard in shards)
    strange = [file for file in files if file.format not in ENGINE_FORMATS]
    if strange or len({file.format for file in files}) > 1:
        raise FileError(
            f"{strange[0] if strange else files[0]}: expected {' or '.join(ENGINE_FORMATS)} in "
            f"all shards of a run, got {sorted({file.format for file in files})}: convert them, "
            f"or leave out --engine"
        )
    where = options.get("where", {})
    asked = {part: options.get(f"{part}_field") for part in PARTS}
    read = {identifier, *CONVENTIONS, *where, *(field for field in asked.values() if field)}
    number, first = next(iter(keep_rows(files[0], read)))
    sentinels = sentinels_of(options.get("missing_score"), asked["score"])
    columns = choose_columns(
        first, identifier, asked, is_all_text=False, takes_key=False, missing_score=sentinels
    )
    if not where:
        try:
            columns.record(first)
        except InputError as error:
            raise locate(error, files[0], number, first) from error
    found = {part.option.removesuffix("_field"): part.field for part in columns.parts}
    fields = {"id": identifier, **found}
    if "" in fields.values():
        raise UsageError("expected fields with a name, got '': rename it, or leave out --engine")
    types = _types(files, first, [*fields.values(), *where])
    source = FileSource(
        name=name or (files[0].stem if len(files) == 1 else path.name),
        relation=_scan(files, types),
        fields=fields,
        types=types,
        where=where,
        missing_score=sentinels,
        files=files,
        columns=columns,
    )
    source.check_types()
    return source


def _shards(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    shards = sorted(
        child for child in path.iterdir() if child.is_file() and child.name[0] not in "._"
    )
    if not shards:
        raise FileError(f"{visible(str(path))}: expected files in the folder, got none: name a run")
    return shards


def _scan(files: Sequence[PlainFile], types: Mapping[str, str]) -> str:
    """Write the SQL of the files as they are."""
    # DuckDB takes names of files for patterns, and would make columns of folders such as "id=7".
    paths = ", ".join(quote(PATTERN.sub(r"[\g<0>]", str(file.path))) for file in files)
    if files[0].format == "parquet":
        return f"read_parquet([{paths}], hive_partitioning = false)"
    columns = ", ".join(f"{quote(name)}: 'JSON'" for name in types)
    return (
        f"read_json([{paths}], format = 'newline_delimited', hive_partitioning = false, "
        f"columns = {{{columns}}})"
    )


def _count_lines(path: Path) -> int:
    """Count lines that are not blank."""
    with path.open("rb") as lines:
        return sum(1 for _ in filterfalse(bytes.isspace, lines))


def _types(
    files: Sequence[PlainFile], first: Mapping[str, object], names: Sequence[str]
) -> dict[str, str]:
    """Type of every column that holds a field; everything in JSON is JSON."""
    if files[0].format == "jsonl":
        types = {(name if name in first else name.partition(".")[0]): "JSON" for name in names}
    else:
        types = _parquet_types(files, names)
    # DuckDB compares names of columns without case.
    folded: dict[str, str] = {}
    for column in types:
        other = folded.setdefault(column.lower(), column)
        if other != column:
            raise FileError(
                f"{files[0]}: expected columns whose names differ in more than upper and lower "
                f"case, got {show(other)} and {show(column)}: rename one, or leave out --engine"
            )
    return types


def _parquet_types(files: Sequence[PlainFile], names: Sequence[str]) -> dict[str, str]:
    """Type of every column that holds a field, which is the same in all shards."""
    duckdb = require("duckdb", "scale")
    common: dict[str, str] = {}
    for file in files:
        rows = duckdb.execute(f"DESCRIBE SELECT * FROM {_scan([file], {})}").fetchall()
        types = {row[0]: row[1] for row in rows}
        for column in dict.fromkeys(column_of(name, types) for name in names):
            kind = types.get(column)
            if kind is None:
                raise FileError(
                    f"{file}: expected the column {show(column)}, got {sorted(types)}: rename it, "
                    f"or leave out --engine"
                )
            if common.setdefault(column, kind) != kind:
                raise FileError(
                    f"{file}: expected the type {common[column]} in the column {show(column)}, as "
                    f"in {files[0]}, got {kind}: write all shards alike, or leave out --engine"
                )
    return common
