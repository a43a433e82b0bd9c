"""A run as a table of coded rows: DuckDB reads them where it may, else the in-memory reader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import FileError
from muscle_metrics.runs.plain_rows import read_records
from muscle_metrics.runs.rows import NothingKeptError
from muscle_metrics.scale.database import reading
from muscle_metrics.scale.encoding import PARTS, code_row, quote, select_coded, sql_null
from muscle_metrics.scale.native import (
    PLAIN_LINES,
    Native,
    find_native,
    native_path,
    scan,
)
from muscle_metrics.words.place import show

if TYPE_CHECKING:
    from collections.abc import Iterable

    from muscle_metrics.runs.rows import RowFile
    from muscle_metrics.scale.sources import RunFiles

__all__ = ["LONGEST", "code_rows", "load_run"]

# Longest row that DuckDB reads without being told.
LONGEST = 16 << 20


def load_run(database: Any, run: RunFiles, relation: str) -> None:
    """Make the table of the coded rows of a run.

    Raises
    ------
    FileError
        If a row cannot be read; the error is that of the in-memory reader.
    """
    native: dict[Native, list[str]] = {}
    rest: list[RowFile] = []
    with reading():
        for file in run.files:
            path, how = native_path(file), find_native(database, file, run)
            if path is None or how is None:
                rest.append(file)
            else:
                native.setdefault(how, []).append(path)
    selects = [
        select_coded(scan(how, paths), run.fields, dict(how.types), run.options.where)
        for how, paths in native.items()
    ]
    if rest or not selects:
        selects.append(code_rows(database, run, rest, relation))
    with reading():
        database.execute(f"CREATE VIEW {relation} AS {' UNION ALL '.join(selects)}")


def code_rows(database: Any, run: RunFiles, files: Iterable[RowFile], name: str) -> str:
    """Read shards with the in-memory reader into a file of coded rows; give the SQL of its rows.

    Raises
    ------
    FileError
        If a row cannot be read, or there is no room for the coded rows.
    """
    folder = database.execute("SELECT current_setting('temp_directory')").fetchone()[0]
    path = Path(folder, f"{name}.jsonl")
    longest = LONGEST
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    try:
        with path.open("w", encoding="utf-8", newline="\n") as coded:
            for file in files:
                try:
                    for batch in read_records(file, run.options, run.columns):
                        lines = [encode(code_row(record)) for record in batch]
                        # A character of UTF-8 has at most four bytes.
                        longest = max(longest, 4 * max(map(len, lines)))
                        coded.write("\n".join(lines) + "\n")
                except NothingKeptError:
                    continue
    except OSError as error:
        raise FileError(
            f"expected room for the rows of {show(run.name)} in the folder of temporary files, got "
            f"the error {error.strerror!r}: free some, or name another with TMPDIR"
        ) from error
    kinds = {part: sql_null(part).partition("::")[2] for part in ("key", *PARTS)}
    columns = ", ".join(f"{quote(part)}: '{kind}'" for part, kind in kinds.items())
    return (
        f"SELECT * FROM read_json([{quote(str(path))}], {PLAIN_LINES}, "
        f"maximum_object_size = {longest}, columns = {{{columns}}})"
    )
