"""Parquet: only the chosen columns, one batch at a time."""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from muscle_metrics.errors import require
from muscle_metrics.runs.files.arrow_rows import arrow_errors, batch_rows, unique_names
from muscle_metrics.runs.files.bytestream import Budget, check_regular

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

__all__ = ["MAGIC", "column_names", "footer_columns", "read_footer", "read_parquet"]

MAGIC = b"PAR1"
_BATCH = 1024
_LENGTH = 4


def column_names(path: Path) -> list[str]:
    """Names of the columns of a Parquet file, each of which occurs once.

    Raises
    ------
    FileError
        If the file is not Parquet, or two columns have the same name.
    MissingDependencyError
        If pyarrow is not installed.
    """
    with _open(path) as file:
        return list(unique_names(path, file.schema_arrow.names))


def read_footer(file: io.BufferedReader) -> bytes:
    """Read the end of an open Parquet file, which by itself is a Parquet file without rows."""
    ending = _LENGTH + len(MAGIC)
    size = file.seek(0, io.SEEK_END)
    file.seek(max(size - ending, 0))
    length = int.from_bytes(file.read(_LENGTH), "little")
    file.seek(max(size - ending - length, 0))
    return MAGIC + file.read()


def footer_columns(footer: bytes, path: Path) -> list[str]:
    """Names of the columns in a footer, as `column_names` does for a file at that path.

    Raises
    ------
    FileError
        If the footer is damaged, or two columns have the same name.
    MissingDependencyError
        If pyarrow is not installed.
    """
    if not footer:
        return []
    with _open(path, io.BytesIO(footer)) as file:
        return list(unique_names(path, file.schema_arrow.names))


def read_parquet(path: Path, fields: Collection[str]) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Rows of a Parquet file with their numbers from 1.

    Parameters
    ----------
    path : Path
        The file.
    fields : collection of str
        Columns to read, or dotted paths into them; those that the file lacks are left out.

    Raises
    ------
    FileError
        If the file is not Parquet, or exceeds its budget.
    MissingDependencyError
        If pyarrow is not installed.
    """
    number = 0
    with _open(path) as file:
        budget = Budget(path)
        columns = _choose(unique_names(path, file.schema_arrow.names), file, fields)
        if not columns:
            # The caller finds no field in this empty row, and raises the error that names it.
            yield 1, {}
        for batch in file.iter_batches(batch_size=_BATCH, columns=columns):
            for row in batch_rows(batch, budget):
                number += 1
                yield number, row


def _choose(names: Collection[str], file: Any, fields: Collection[str]) -> list[str]:
    """Columns that hold the fields; of a nested column only the named parts."""
    paths = [file.schema.column(index).path for index in range(len(file.schema))]
    chosen: dict[str, None] = {}
    for name in names:
        for field in fields:
            if field == name or field.startswith(f"{name}."):
                is_part = any(path == field or path.startswith(f"{field}.") for path in paths)
                chosen[field if is_part else name] = None
    return list(chosen)


@contextmanager
def _open(path: Path, content: BinaryIO | None = None) -> Iterator[Any]:
    """Open a Parquet file, or its content."""
    with arrow_errors(path, "Parquet file", "fetch it again"):
        parquet = require("pyarrow.parquet", "parquet")
        check_regular(path)
        with parquet.ParquetFile(path if content is None else content) as file:
            yield file
