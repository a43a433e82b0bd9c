"""Rows of Arrow batches, value by value and under a budget."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import FileError, require
from muscle_metrics.words.escape import visible
from muscle_metrics.words.place import show

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from muscle_metrics.runs.files.bytestream import Budget

__all__ = ["arrow_errors", "batch_rows", "unique_names"]


@contextmanager
def arrow_errors(path: Path, kind: str, advice: str) -> Iterator[None]:
    """Raise an error of Arrow in a file as a FileError; a FileError passes unchanged."""
    arrow = require("pyarrow", "parquet")
    try:
        yield
    except FileError:
        raise
    # A damaged length asks for more memory than there is.
    except (arrow.ArrowException, MemoryError, OSError, ValueError, OverflowError) as error:
        reason = visible(str(error).partition("\n")[0])
        raise FileError(
            f"{visible(str(path))}: expected a whole {kind}, got an error in it ({reason}): "
            f"the file is cut short or damaged, {advice}"
        ) from error


def batch_rows(batch: Any, budget: Budget) -> Iterator[dict[str, object]]:
    """Rows of a batch.

    Parameters
    ----------
    batch : pyarrow.RecordBatch
        The batch.
    budget : Budget
        The limit of the file.

    Raises
    ------
    FileError
        If the file exceeds its budget of decompressed bytes.
    """
    names = batch.schema.names
    # Convert value by value: a dictionary column may repeat one long text in every row.
    for values in zip(*batch.columns, strict=True):
        row = {name: value.as_py() for name, value in zip(names, values, strict=True)}
        budget.spend(sum(map(_weigh, row.values())))
        yield row


def unique_names(path: Path, names: Sequence[str]) -> Sequence[str]:
    """Names of columns, after a check that each occurs once.

    Raises
    ------
    FileError
        If two columns have the same name.
    """
    for name, count in Counter(names).items():
        if count > 1:
            raise FileError(
                f"{visible(str(path))}: expected each column name once, "
                f"got {show(name)} {count} times: rename all but one"
            )
    return names


def _weigh(value: object) -> int:
    """Approximate size of a value in bytes, at least 1."""
    if isinstance(value, str | bytes):
        return 8 + len(value)
    if isinstance(value, dict):
        return 8 + sum(map(_weigh, value.values()))
    if isinstance(value, list):
        return 8 + sum(map(_weigh, value))
    return 8
