"""The database that joins runs on disk, and the errors it raises in the words of this package."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import FileError, UsageError, require
from muscle_metrics.runs.files.scratch import scratch_folder
from muscle_metrics.scale.encoding import quote
from muscle_metrics.words.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["open_database", "reading"]

_MEMORY = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})? ?[A-Za-z]{1,5}")


@contextmanager
def open_database(memory: str, threads: int | None, paths: Sequence[str] = ()) -> Iterator[Any]:
    """Open a database in memory that spills to a folder of its own, which only the user may read.

    Of all other files it reads `paths` alone, loads no extension, and takes no further settings.

    Raises
    ------
    UsageError
        If memory is no size, or threads no number of threads.
    """
    duckdb = require("duckdb", "scale")
    if not _MEMORY.fullmatch(memory):
        # DuckDB takes -5MB and an empty text for no limit.
        raise _no_size(memory, threads)
    with scratch_folder() as folder:
        settings: dict[str, Any] = {
            "memory_limit": memory,
            "temp_directory": folder,
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "python_enable_replacements": False,
        }
        if threads is not None:
            settings["threads"] = threads
        try:
            connection = duckdb.connect(":memory:", config=settings)
        except duckdb.Error as error:
            raise _no_size(memory, threads) from error
        try:
            # DuckDB draws its progress bar on the caller's standard output.
            connection.execute("SET enable_progress_bar = false")
            connection.execute(f"SET allowed_paths = [{', '.join(map(quote, paths))}]")
            connection.execute(f"SET allowed_directories = [{quote(folder)}]")
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
            yield connection
        finally:
            connection.close()


def _no_size(memory: str, threads: int | None) -> UsageError:
    return UsageError(
        f"expected memory such as '500MB' and one thread or more, got {memory!r} and "
        f"{threads!r}: change --memory (memory, threads)"
    )


@contextmanager
def reading() -> Iterator[None]:
    """Raise errors of the database as errors of this package.

    Raises
    ------
    FileError
        If the rows changed since they were checked, or the folder it spills to is full.
    UsageError
        If the join does not fit into the memory of the database.
    """
    duckdb = require("duckdb", "scale")
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise UsageError(
            "expected memory that the join fits into, got too little: raise --memory (memory), or "
            "use fewer threads"
        ) from error
    except (
        *(duckdb.InvalidInputException, duckdb.ConversionException, duckdb.IOException),
        # Arrow readers raise OSError for a damaged file.
        OSError,
    ) as error:
        first = visible(str(error).partition("\n")[0])
        raise FileError(
            f"expected rows that stay as they are while they are read, and room for temporary "
            f"files, got {first!r}: try again, or leave out --engine"
        ) from error
