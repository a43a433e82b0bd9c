"""Files of rows as tables of a database: which they are, and which fields are read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from muscle_metrics.errors import FileError, UsageError
from muscle_metrics.reports.escape import visible
from muscle_metrics.runs.columns import CONVENTIONS, Columns, choose_columns
from muscle_metrics.runs.plain_file import PlainFile, open_plain
from muscle_metrics.runs.rows import keep_rows, locate
from muscle_metrics.scale.encoding import Source, column_of, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["FileSource", "count_lines", "open_source"]

COMPRESSED = (".gz", ".zst")
ENGINE_FORMATS = ("jsonl", "parquet")
NEWLINE = ord("\n")
PARTS = ("prediction", "reference", "score", "slice", "group", "prompt", "repeat")


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
    identifier = options.get("id_field", "id")
    if not isinstance(identifier, str):
        raise UsageError(
            f"expected one id field for files that are joined by an engine, got {identifier}: "
            f"write the parts of the id into one column"
        )
    files = tuple(open_plain(shard, options.get("format", "auto")) for shard in _shards(path))
    strange = [file for file in files if file.format not in ENGINE_FORMATS]
    if strange or len({file.format for file in files}) > 1:
        raise FileError(
            f"{strange[0] if strange else files[0]}: expected {' or '.join(ENGINE_FORMATS)} in "
            f"all shards of a run, got {sorted({file.format for file in files})}: convert them, "
            f"or leave out --engine"
        )
    asked = {part: options.get(f"{part}_field") for part in PARTS}
    where = options.get("where", {})
    fields = {identifier, *CONVENTIONS, *where, *filter(None, asked.values())}
    _, first = next(iter(keep_rows(files[0], fields)))
    columns = choose_columns(first, identifier, asked, is_all_text=False)
    chosen = {part: asked.get(part) or part for part in PARTS}
    present = {
        part: name
        for part, name in chosen.items()
        if asked.get(part) or (part in CONVENTIONS and part in first)
    }
    if "score" not in present:
        present.setdefault("prediction", "prediction")
    found = {"id": identifier, **present}
    types = _types(files[0], first, [*found.values(), *where])
    return FileSource(
        name=name or (files[0].stem if len(files) == 1 else path.name),
        relation=_scan(files, types),
        fields=found,
        types=types,
        where=where,
        files=files,
        columns=columns,
    )


def _scan(files: Sequence[PlainFile], types: Mapping[str, str]) -> str:
    """Write the SQL of the files as they are."""
    paths = ", ".join(quoted(str(file.path)) for file in files)
    if files[0].format == "parquet":
        return f"read_parquet([{paths}])"
    columns = ", ".join(f"{quoted(name)}: 'JSON'" for name in types)
    return f"read_json([{paths}], format = 'newline_delimited', columns = {{{columns}}})"


def _is_plain(file: PlainFile) -> bool:
    return file.format == "jsonl" and file.path.suffix not in COMPRESSED


def count_lines(path: Path) -> int:
    r"""Count lines; what follows the last newline is one, unless it is nothing.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "v1.jsonl").write_text("{}\n{}")
    ...     count_lines(Path(folder, "v1.jsonl"))
    2
    """
    lines, last = 0, NEWLINE
    block = bytearray(1 << 20)
    codes = np.frombuffer(block, dtype=np.uint8)
    with path.open("rb", buffering=0) as stream:
        while length := stream.readinto(block):
            lines += int(np.count_nonzero(codes[:length] == NEWLINE))
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


def _types(file: PlainFile, first: Mapping[str, object], names: Sequence[str]) -> dict[str, str]:
    """Type of every column that fields stand in; everything in JSON is JSON."""
    if file.format == "jsonl":
        return {(name if name in first else name.partition(".")[0]): "JSON" for name in names}
    from muscle_metrics.optional import require

    duckdb = require("duckdb", "scale")
    path = quoted(str(file.path))
    rows = duckdb.execute(f"DESCRIBE SELECT * FROM read_parquet({path})").fetchall()
    types = {row[0]: row[1] for row in rows}
    return {column: types[column] for name in names if (column := column_of(name, types)) in types}
