"""Rows of all files of a run, with the fields that the first of them shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.errors import FileError, InputError
from muscle_metrics.runs.files.glimpse import Glimpse
from muscle_metrics.runs.files.plain_file import open_plain
from muscle_metrics.runs.files.shard_files import find_shards
from muscle_metrics.runs.harnesses import recognise_harness
from muscle_metrics.runs.plain_rows import read_records
from muscle_metrics.runs.rows import NothingKeptError, keep_rows, locate
from muscle_metrics.words.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from muscle_metrics.runs.columns import Columns
    from muscle_metrics.runs.files.plain_file import PlainFile
    from muscle_metrics.runs.plain_rows import RowOptions
    from muscle_metrics.runs.record import Record
    from muscle_metrics.runs.rows import RowFile

__all__ = ["choose_shared_columns", "open_shards", "read_shards"]

SHARD_FORMATS = ("jsonl", "json", "csv", "tsv", "parquet")
_EITHER = f"{', '.join(SHARD_FORMATS[:-1])} or {SHARD_FORMATS[-1]}"


def open_shards(path: Path, file_format: str) -> tuple[PlainFile, ...]:
    """Recognise the files of a run of plain rows, which all have one format.

    Raises
    ------
    FileError
        If there is no file, one is the log of a harness, or formats differ.
    """
    glimpses = [Glimpse(shard) for shard in find_shards(path)]
    for glimpse in glimpses:
        recognised = recognise_harness(glimpse, file_format)
        if recognised is not None:
            raise FileError(
                f"{visible(str(glimpse.path))}: expected {_EITHER} in the files of a run, got a "
                f"log of {recognised}: leave out --engine, or name this file or its folder alone"
            )
    files = tuple(open_plain(glimpse, file_format) for glimpse in glimpses)
    strange = [file for file in files if file.format not in SHARD_FORMATS]
    if strange or len({file.format for file in files}) > 1:
        raise FileError(
            f"{strange[0] if strange else files[0]}: expected {_EITHER} in all shards of a run, "
            f"got {sorted({file.format for file in files})}: convert them, or leave out --engine"
        )
    return files


def choose_shared_columns(files: Sequence[RowFile], options: RowOptions) -> Columns:
    """Choose the fields by the first row that is kept in any shard.

    Raises
    ------
    FileError
        If no row is kept, or the first one cannot be read.
    """
    for shard, file in enumerate(files, start=1):
        try:
            number, first = next(iter(keep_rows(file, options.fields, options.where)))
        except NothingKeptError:
            if shard == len(files):
                raise
            continue
        columns = options.choose(first)
        try:
            columns.record(first)
        except InputError as error:
            raise locate(error, file, number, first) from error
        break
    return columns


def read_shards(files: Sequence[RowFile], options: RowOptions) -> Iterator[list[Record]]:
    """Read the rows that are kept in any shard as records, in batches.

    Raises
    ------
    FileError
        If a shard holds no row, none is kept in any, or one cannot be read; with the place.
    """
    if len(files) == 1:
        yield from read_records(files[0], options)
        return
    columns = choose_shared_columns(files, options)
    for file in files:
        try:
            yield from read_records(file, options, columns)
        except NothingKeptError:
            continue
