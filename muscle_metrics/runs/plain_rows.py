"""Records of files of rows, a batch at a time: the one way in which any engine reads such rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from muscle_metrics.errors import InputError
from muscle_metrics.runs.columns import CONVENTIONS, Columns, choose_columns, wanted_ids
from muscle_metrics.runs.rows import keep_rows, locate
from muscle_metrics.runs.sentinels import NO_SENTINELS, Sentinels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from muscle_metrics.runs.record import Record
    from muscle_metrics.runs.rows import RowFile

__all__ = ["RowOptions", "read_records"]

_BATCH = 1024

Row = tuple[int, "Mapping[str, object]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowOptions:
    """How rows are read.

    Parameters
    ----------
    id_field : str or tuple of str
        Field of the id, or those that make it up together.
    asked : mapping of str to (str or None)
        Field that the user named for each part of a record, as in `choose_columns`.
    where : mapping of str to str
        Text that a field of a kept row has.
    missing_score : Sentinels
        Values of the score that mean no score.
    structured, takes_key : bool
        As in `choose_columns`.
    """

    id_field: str | tuple[str, ...]
    asked: Mapping[str, str | None]
    where: Mapping[str, str]
    missing_score: Sentinels = NO_SENTINELS
    structured: bool = False
    takes_key: bool = True

    @property
    def fields(self) -> frozenset[str]:
        """Fields that may be looked up in a row."""
        ids = [name for name, _ in wanted_ids(self.id_field)]
        return frozenset([*ids, *CONVENTIONS, *self.where, *filter(None, self.asked.values())])

    @property
    def own_field(self) -> str | None:
        """Field of both the answers and the references; None where they have two."""
        answer, reference = (self.asked.get(part) or part for part in CONVENTIONS)
        return answer if answer == reference else None

    def choose(self, row: Mapping[str, object]) -> Columns:
        """Choose the fields to read from rows that look like `row`."""
        return choose_columns(
            row,
            self.id_field,
            self.asked,
            structured=self.structured,
            takes_key=self.takes_key,
            missing_score=self.missing_score,
        )


def read_records(
    file: RowFile, options: RowOptions, columns: Columns | None = None
) -> Iterator[list[Record]]:
    """Read the rows that are kept as records, in batches.

    Parameters
    ----------
    file : RowFile
        The rows.
    options : RowOptions
        How they are read.
    columns : Columns, optional
        The fields, where another shard of the run showed them; by default the first row does.

    Raises
    ------
    FileError
        If the file holds no row, none is kept, or one cannot be read; with the place.
    """
    for batch in _batches(keep_rows(file, options.fields, options.where)):
        rows = [row for _, row in batch]
        if columns is None:
            columns = options.choose(rows[0])
        made = columns.records(rows)
        yield _read_one_by_one(file, columns, batch) if made is None else made


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Rows in batches; the rows before an error of the file are yielded first."""
    batch = []
    try:
        for row in rows:
            batch.append(row)
            if len(batch) == _BATCH:
                yield batch
                batch = []
    except InputError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _read_one_by_one(file: RowFile, columns: Columns, rows: Iterable[Row]) -> list[Record]:
    """Read each row by itself, and raise the error of the first wrong one with its place."""
    records = []
    for number, row in rows:
        try:
            records.append(columns.record(row))
        except InputError as error:
            raise locate(error, file, number, row) from error
    return records
