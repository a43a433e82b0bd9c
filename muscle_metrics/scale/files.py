"""Comparing runs that do not fit into memory: joined on disk, counted in one pass."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from muscle_metrics.scale.counting import open_database
from muscle_metrics.scale.engine import Choices, Database, compare_sources
from muscle_metrics.scale.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from muscle_metrics.comparison.counted import CountedComparison

__all__ = ["compare_files"]

NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


def compare_files(
    old: str | PathLike[str],
    new: str | PathLike[str],
    *,
    old_options: Mapping[str, Any] = NO_OPTIONS,
    new_options: Mapping[str, Any] = NO_OPTIONS,
    memory: str = "500MB",
    threads: int | None = None,
    names: tuple[str, str] | None = None,
    **choices: Any,
) -> CountedComparison:
    """Compare two runs by their ids without holding them in memory.

    The join and the counts run in DuckDB, which spills to disk. What is kept in memory are counts,
    exact sums and a bounded sample of flips; they are those of `compare_runs`.

    Parameters
    ----------
    old, new : path
        JSON Lines or Parquet: a file, or a folder of shards.
    old_options, new_options : mapping
        Options of `read_run` for each run, such as ``{"slice_field": "topic"}``.
    memory : str
        What the database may hold in memory, such as "500MB".
    threads : int, optional
        Its threads; by default one per core.
    names : tuple of str, optional
        What the runs are called.
    **choices
        Those of `Choices`: ``metric``, ``threshold``, ``missing``, ``sample_size`` and so on.

    Returns
    -------
    CountedComparison
        Prints as a table.

    Raises
    ------
    InputError
        As `read_run` and `compare_runs`.
    MissingDependencyError
        If duckdb is not installed.

    Examples
    --------
    >>> import json, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, answer in (("v1", "A"), ("v2", "B")):
    ...         row = {"id": 1, "prediction": answer, "reference": "A"}
    ...         _ = Path(folder, f"{name}.jsonl").write_text(json.dumps(row))
    ...     print(compare_files(f"{folder}/v1.jsonl", f"{folder}/v2.jsonl").counts.negative)
    1
    """
    old_name, new_name = names or (None, None)
    sources = (
        open_source(Path(old), old_options, name=old_name),
        open_source(Path(new), new_options, name=new_name),
    )
    with open_database(memory, threads) as connection:
        return compare_sources(Database(connection), *sources, Choices(**choices))
