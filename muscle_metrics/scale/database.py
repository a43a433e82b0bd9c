"""The database that joins runs on disk, and the errors it raises in the words of this package."""

from __future__ import annotations

import re
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import FileError, UsageError, require

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muscle_metrics.scale.sources import Source

__all__ = ["open_database", "reading"]

_MEMORY = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})? ?[A-Za-z]{1,5}")


@contextmanager
def open_database(memory: str, threads: int | None) -> Iterator[Any]:
    """Open a database in memory that spills to a folder of its own.

    Raises
    ------
    UsageError
        If memory is no size, or threads no number of threads.
    """
    duckdb = require("duckdb", "scale")
    if not _MEMORY.fullmatch(memory):
        # DuckDB takes -5MB and an empty text for no limit.
        raise _no_size(memory, threads)
    with tempfile.TemporaryDirectory(prefix="muscle-metrics-") as folder:
        settings: dict[str, Any] = {
            "memory_limit": memory,
            "temp_directory": folder,
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
        }
        if threads is not None:
            settings["threads"] = threads
        try:
            connection = duckdb.connect(":memory:", config=settings)
        except duckdb.Error as error:
            raise _no_size(memory, threads) from error
        # DuckDB draws its progress bar on the caller's standard output.
        connection.execute("SET enable_progress_bar = false")
        try:
            yield connection
        finally:
            connection.close()


def _no_size(memory: str, threads: int | None) -> UsageError:
    return UsageError(
        f"expected memory such as '500MB' and one thread or more, got {memory!r} and "
        f"{threads!r}: change --memory (memory, threads)"
    )


@contextmanager
def reading(*sources: Source) -> Iterator[None]:
    """Raise the error of the in-memory reader where the database cannot read a row.

    Raises
    ------
    FileError
        With the file and the line of the first bad row.
    UsageError
        If the join does not fit into the memory of the database.
    """
    duckdb = require("duckdb", "scale")
    # Arrow readers raise OSError for a damaged file.
    unreadable = (
        *(duckdb.InvalidInputException, duckdb.ConversionException, duckdb.IOException),
        OSError,
    )
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise UsageError(
            "expected memory that the join fits into, got too little: raise --memory (memory), or "
            "use fewer threads"
        ) from error
    except unreadable as error:
        for source in sources:
            source.check_rows()
        first = str(error).splitlines()[0]
        raise FileError(
            f"expected rows that the engine can read, at most 16 MB each, got {first!r}: leave out "
            f"--engine"
        ) from error
