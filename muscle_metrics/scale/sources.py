"""Files of rows as tables of a database: which they are, and which fields are read."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from muscle_metrics.errors import FileError, InputError, UsageError
from muscle_metrics.runs.columns import CONVENTIONS, Columns, choose_columns
from muscle_metrics.runs.files.glimpse import Glimpse
from muscle_metrics.runs.files.plain_file import PlainFile, open_plain
from muscle_metrics.runs.rows import keep_rows, locate
from muscle_metrics.scale.encoding import Source, column_of, quoted
from muscle_metrics.words.escape import visible
from muscle_metrics.words.place import show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["FileSource", "count_lines", "open_source"]

COMPRESSED = (".gz", ".zst")
ENGINE_FORMATS = ("jsonl", "parquet")
NEWLINE = ord("\n")
SPACE = ord(" ")
PATTERN = re.compile(r"[*?\[]")
PARTS = ("prediction", "reference", "score", "slice", "group", "prompt", "repeat")
READ = {"id_field", "format", "where", *(f"{part}_field" for part in PARTS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSource(Source):
    """One run as files of one format.

    Parameters
    ----------
    name, relation, fields, types, where
        As in `Source`.
    files : tuple of PlainFile
        Its shards.
    columns : Columns
        How one row becomes a record, by the reader that goes row by row.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "v1.jsonl")
    ...     _ = path.write_text('{"id": 1, "prediction": "A"}')
    ...     source = open_source(path, {})
    >>> source.name, sorted(source.fields)
    ('v1', ['id', 'prediction'])
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
        """Count rows, but for those that `where` leaves out."""
        if not self.where and all(_is_plain(file) for file in self.files):
            return sum(count_lines(file.path) for file in self.files)
        # The parent by name: a class with slots is made anew, which `super()` does not see.
        return Source.count_rows(self, database)

    def check_rows(self) -> None:
        """Read every row one by one, and raise the error of the first that is not as it must be.

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


def open_source(path: Path, options: Mapping[str, Any], *, name: str | None = None) -> FileSource:
    """Recognise the files of a run and choose the fields to read, from its first row.

    Parameters
    ----------
    path : Path
        A file, or a folder of shards.
    options : mapping
        Those of `read_run`.
    name : str, optional
        What the run is called; by default the file or the folder.

    Raises
    ------
    FileError
        If there is no file, or its format is not one that the engine reads.
    UsageError
        If an option needs the reader that goes row by row.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.jsonl").write_text('{"id": 1, "prediction": "A"}')
    ...     _ = Path(folder, "b.jsonl").write_text('{"id": 2, "prediction": "A"}')
    ...     len(open_source(Path(folder), {}).files)
    2
    """
    unread = {name for name, value in options.items() if value is not None} - READ
    if unread:
        raise UsageError(
            f"expected options of plain rows where an engine reads them, got {sorted(unread)}: "
            f"leave them out, or compare the runs in memory"
        )
    identifier = options.get("id_field", "id")
    if not isinstance(identifier, str):
        raise UsageError(
            f"expected one id field for files that are joined by an engine, got {identifier}: "
            f"write the parts of the id into one column"
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
    asked = {part: options.get(f"{part}_field") for part in PARTS}
    where = options.get("where", {})
    named = {part: name for part, name in asked.items() if name is not None}
    fields = {identifier, *CONVENTIONS, *where, *named.values()}
    number, first = next(iter(keep_rows(files[0], fields)))
    columns = choose_columns(first, identifier, asked, is_all_text=False)
    if not where:
        try:
            columns.record(first)
        except InputError as error:
            raise locate(error, files[0], number, first) from error
    conventional = {part: part for part in CONVENTIONS if part in first}
    if "score" not in named:
        conventional["prediction"] = "prediction"
    found = {"id": identifier, **conventional, **named}
    if "" in found.values():
        raise UsageError("expected fields with a name, got '': rename it, or leave out --engine")
    types = _types(files, first, [*found.values(), *where])
    source = FileSource(
        name=name or (files[0].stem if len(files) == 1 else path.name),
        relation=_scan(files, types),
        fields=found,
        types=types,
        where=where,
        files=files,
        columns=columns,
    )
    source.check_types()
    return source


def _scan(files: Sequence[PlainFile], types: Mapping[str, str]) -> str:
    """Write the SQL of the files as they are."""
    # Names of files are patterns to the database, and names of folders would be columns.
    paths = ", ".join(quoted(PATTERN.sub(r"[\g<0>]", str(file.path))) for file in files)
    if files[0].format == "parquet":
        return f"read_parquet([{paths}], hive_partitioning = false)"
    columns = ", ".join(f"{quoted(name)}: 'JSON'" for name in types)
    return (
        f"read_json([{paths}], format = 'newline_delimited', hive_partitioning = false, "
        f"columns = {{{columns}}})"
    )


def _is_plain(file: PlainFile) -> bool:
    return file.format == "jsonl" and file.path.suffix not in COMPRESSED


def count_lines(path: Path) -> int:
    r"""Count lines that hold something.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "v1.jsonl")
    ...     for text in ("{}\n{}", "{}\n\n{}"):
    ...         _ = path.write_text(text)
    ...         print(count_lines(path))
    2
    2
    """
    lines, last = 0, NEWLINE
    block = bytearray(1 << 20)
    codes = np.frombuffer(block, dtype=np.uint8)
    with path.open("rb", buffering=0) as stream:
        while length := stream.readinto(block):
            ends = np.flatnonzero(codes[:length] == NEWLINE)
            starts = ends[ends < length - 1] + 1
            if (last == NEWLINE and block[0] <= SPACE) or (codes[starts] <= SPACE).any():
                # Nobody indents rows or parts them by blank lines: these may take their time.
                with path.open("rb") as rows:
                    return sum(not row.isspace() for row in rows)
            lines += ends.size
            last = block[length - 1]
    return lines + (last != NEWLINE)


def _shards(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    shards = sorted(
        child for child in path.iterdir() if child.is_file() and child.name[0] not in "._"
    )
    if not shards:
        raise FileError(f"{visible(str(path))}: expected files in the folder, got none: name a run")
    return shards


def _types(
    files: Sequence[PlainFile], first: Mapping[str, object], names: Sequence[str]
) -> dict[str, str]:
    """Type of every column that fields stand in; everything in JSON is JSON."""
    if files[0].format == "jsonl":
        types = {(name if name in first else name.partition(".")[0]): "JSON" for name in names}
    else:
        types = _parquet_types(files, names)
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
    """Type of every column that fields stand in, in all shards."""
    from muscle_metrics.errors import require

    duckdb = require("duckdb", "scale")
    common: dict[str, str] = {}
    for file in files:
        rows = duckdb.execute(f"DESCRIBE SELECT * FROM {_scan([file], {})}").fetchall()
        types = {row[0]: row[1] for row in rows}
        columns = dict.fromkeys(column_of(name, types) for name in names)
        for column in columns:
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
