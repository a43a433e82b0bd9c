"""Rows of all files of a run, with the fields that the first of them shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.errors import FileError, InputError
from muscle_metrics.runs.files.dataset_folder import is_dataset
from muscle_metrics.runs.files.glimpse import Glimpse
from muscle_metrics.runs.files.plain_file import open_plain
from muscle_metrics.runs.files.shard_files import find_shards
from muscle_metrics.runs.harnesses import recognise_harness
from muscle_metrics.runs.plain_rows import read_records
from muscle_metrics.runs.readers.baseline import is_baseline
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

__all__ = [
    "choose_shared_columns",
    "is_baseline_file",
    "open_files",
    "open_shards",
    "read_shards",
    "stem_of",
]

SHARD_FORMATS = ("jsonl", "json", "csv", "tsv", "parquet")
_EITHER = f"{', '.join(SHARD_FORMATS[:-1])} or {SHARD_FORMATS[-1]}"


def open_files(glimpse: Glimpse, file_format: str) -> tuple[PlainFile, ...]:
    """Recognise the plain file of a run, or all files of its folder or pattern.

    Raises
    ------
    FileError
        As `open_plain` and `open_shards`.
    """
    path = glimpse.path
    if find_shards(path) != [path] and not is_dataset(path):
        return open_shards(path, file_format)
    return (open_plain(glimpse, file_format),)


def is_baseline_file(glimpse: Glimpse, files: Sequence[PlainFile]) -> bool:
    """Whether the one file of a run is a committed baseline."""
    is_one = files[0].path == glimpse.path and files[0].format == "jsonl"
    return is_one and is_baseline(glimpse.row)


def stem_of(path: Path, files: Sequence[PlainFile]) -> str:
    """Name of a run: that of its file without the ending, or that of its folder or pattern."""
    return files[0].stem if files[0].path == path else path.name


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
                f"log of {recognised}: name this file or its folder alone, with --engine memory"
            )
    files = tuple(open_plain(glimpse, file_format) for glimpse in glimpses)
    strange = [file for file in files if file.format not in SHARD_FORMATS]
    if strange or len({file.format for file in files}) > 1:
        raise FileError(
            f"{strange[0] if strange else files[0]}: expected {_EITHER} in all shards of a run, "
            f"got {sorted({file.format for file in files})}: convert them, or name one file, with "
            f"--engine memory"
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
