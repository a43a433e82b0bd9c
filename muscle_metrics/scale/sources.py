"""Runs as tables of coded rows in a database, and the files that they are read from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import UsageError
from muscle_metrics.runs.plain_rows import RowOptions
from muscle_metrics.runs.read import sentinels_of
from muscle_metrics.runs.shards import choose_shared_columns, open_shards
from muscle_metrics.scale.encoding import sql_null

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from os import PathLike

    from muscle_metrics.runs.columns import Columns
    from muscle_metrics.runs.rows import RowFile

__all__ = ["NEW_ROWS", "NO_OPTIONS", "OLD_ROWS", "RunFiles", "Source", "open_runs"]

NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})
OLD_ROWS, NEW_ROWS = "old_rows", "new_rows"
"""Names of the tables of coded rows."""

ASKED = ("prediction", "reference", "score", "slice", "group", "prompt", "repeat")
READ = {
    *("id_field", "format", "where", "missing_score", "list_score", "structured"),
    *(f"{part}_field" for part in ASKED),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The coded rows of one run in a database.

    Parameters
    ----------
    name : str
        Name of the run.
    place : str
        Where the rows come from, for messages.
    relation : str
        Table of the coded rows.
    fields : mapping of str to str
        Field of every part that the rows have; "id" always.
    """

    name: str
    place: str
    relation: str
    fields: Mapping[str, str]

    @property
    def own_field(self) -> str | None:
        """Field of both the answers and the references; None where they have two."""
        answer = self.fields.get("prediction")
        return answer if answer == self.fields.get("reference") else None

    def table(self, parts: Collection[str]) -> str:
        """Write the SQL of the rows: their key, and the parts asked for."""
        columns = ["key", *(f'{self._part(part)} AS "{part}"' for part in sorted(parts))]
        return f"SELECT {', '.join(columns)} FROM {self.relation}"

    def _part(self, part: str) -> str:
        is_there = ("reference" if part == "accepted" else part) in self.fields
        return f'"{part}"' if is_there else sql_null(part)

    def count_rows(self, database: Any) -> int:
        """Count the rows."""
        return int(database.execute(f"SELECT count(*) FROM {self.relation}").fetchone()[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFiles:
    """The files of one run, and how their rows are read.

    Parameters
    ----------
    name : str
        Name of the run.
    files : tuple of RowFile
        Its shards.
    options : RowOptions
        How rows are read.
    columns : Columns
        The fields, as the first row shows them.
    """

    name: str
    files: tuple[RowFile, ...]
    options: RowOptions
    columns: Columns

    @property
    def fields(self) -> dict[str, str]:
        """Field of every part that the rows have; several fields of an id are joined by commas."""
        name = self.options.id_field
        found = {part.option.removesuffix("_field"): part.field for part in self.columns.parts}
        return {"id": name if isinstance(name, str) else ", ".join(name), **found}

    def source(self, relation: str) -> Source:
        """Describe the table that will hold the coded rows."""
        place = str(self.files[0]) if self.files else self.name
        return Source(name=self.name, place=place, relation=relation, fields=self.fields)

    def shards(self) -> list[RunFiles]:
        """Each file as a run of its own."""
        return [replace(self, files=(file,)) for file in self.files]


def open_runs(
    old: str | PathLike[str],
    new: str | PathLike[str],
    old_options: Mapping[str, Any],
    new_options: Mapping[str, Any],
    names: tuple[str, str] | None,
) -> tuple[RunFiles, RunFiles]:
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
        _open_run(Path(old), old_options, old_name),
        _open_run(Path(new), new_options, new_name),
    )


def _open_run(path: Path, options: Mapping[str, Any], name: str | None) -> RunFiles:
    unread = {name for name, value in options.items() if value is not None} - READ
    if unread:
        raise UsageError(
            f"expected options of plain rows where an engine reads them, got {sorted(unread)}: "
            f"leave them out, or leave out --engine"
        )
    files = open_shards(path, options.get("format", "auto"))
    asked = {part: options.get(f"{part}_field") for part in ASKED}
    reading = RowOptions(
        id_field=options.get("id_field", "id"),
        asked=asked,
        where=dict(options.get("where", {})),
        missing_score=sentinels_of(
            options.get("missing_score"), asked["score"], options.get("list_score")
        ),
        structured=bool(options.get("structured")),
        takes_key=False,
    )
    return RunFiles(
        name=name or (files[0].stem if len(files) == 1 else path.name),
        files=files,
        options=reading,
        columns=choose_shared_columns(files, reading),
    )
