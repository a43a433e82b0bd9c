"""Which engine compares two runs where the user named none: DuckDB for large plain files.

The result is the same to the last byte of a report, so the choice is one of time and memory alone.
What DuckDB would not give as memory does goes on in memory.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from muscle_metrics.cli.mistakes import doubt_order
from muscle_metrics.cli.screen import warn
from muscle_metrics.errors import FileError, UsageError
from muscle_metrics.runs.files.shard_files import find_shards

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

__all__ = ["LARGE", "count_if_large"]

Result = TypeVar("Result")

# Bytes of both runs. Of JSON Lines with short answers DuckDB takes as long as memory at 5 MB, its
# start included, two thirds at 12 MB, and half at 24 MB.
LARGE = 12 << 20
# Bytes in memory for each byte of JSON Lines, and seconds of a core for each megabyte.
_MEMORY = 9
_SECONDS = 0.2
_MOST_OF_DUCKDB = "0.7 GB"
# Parquet and archives hold about this many times their size.
_PACKED = 8
_PACKED_ENDINGS = (".parquet", ".gz", ".zst")


def count_if_large(
    options: argparse.Namespace, paths: Sequence[str], work: Callable[[], Result]
) -> Result | None:
    """Compare large files by DuckDB; None where the runs must be compared in memory.

    Parameters
    ----------
    options : argparse.Namespace
        Those of `add_engine`.
    paths : sequence of str
        The runs.
    work : callable
        Compares them by DuckDB, and raises a UsageError where memory would say anything else.
    """
    if options.engine != "auto" or len(paths) != 2:
        return None
    size = sum(map(_size_of, paths))
    if size < LARGE:
        return None
    if find_spec("duckdb") is None:
        _say_cost(paths, size, "pip install 'muscle-metrics[scale]'")
        return None
    try:
        result = work()
    except FileError:
        # Logs, and files that the in-memory reader names the fault of.
        return None
    except UsageError:
        _say_cost(paths, size, "it does not take these options, metrics or scores")
        return None
    doubt_order(paths)
    return result


def _size_of(path: str) -> int:
    """Bytes of the rows of a run, as they would be unpacked; 0 for what is no run of files."""
    try:
        return sum(
            os.path.getsize(file) * (_PACKED if file.name.endswith(_PACKED_ENDINGS) else 1)
            for file in find_shards(Path(path))
        )
    except (OSError, ValueError, FileError):
        return 0


def _say_cost(paths: Sequence[str], size: int, why: str) -> None:
    """Say what DuckDB would save, for runs that it can read at all."""
    from muscle_metrics.runs.files.glimpse import Glimpse
    from muscle_metrics.runs.harnesses import recognise_harness

    try:
        if any(recognise_harness(Glimpse(Path(path))) is not None for path in paths):
            return
    except FileError:
        return
    megabytes = size / 1e6
    warn(
        f"note: {megabytes:.0f} MB of rows are compared in memory, which takes about "
        f"{megabytes * _MEMORY / 1e3:.1f} GB and {megabytes * _SECONDS:.0f} seconds; DuckDB takes "
        f"at most {_MOST_OF_DUCKDB} and a fraction of the time: {why}"
    )
