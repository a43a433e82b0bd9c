"""Options for runs that do not fit into memory, and the comparison they give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muscle_metrics.cli.progress import working
from muscle_metrics.cli.reading import run_settings
from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from muscle_metrics.scale import CountedComparison

__all__ = ["add_engine", "compare_on_disk"]


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Add the options about the engine.

    Examples
    --------
    >>> import argparse
    >>> parser = argparse.ArgumentParser()
    >>> add_engine(parser)
    >>> parser.parse_args(["--engine", "duckdb"]).memory
    '500MB'
    """
    group = parser.add_argument_group("runs larger than memory")
    group.add_argument(
        "--engine",
        choices=("memory", "duckdb"),
        default="memory",
        help="where runs are joined: in memory, or by DuckDB on disk, for JSONL and Parquet files "
        "or folders of shards (default: memory)",
    )
    group.add_argument(
        "--memory", metavar="SIZE", default="500MB", help="what DuckDB may hold (default: 500MB)"
    )


def compare_on_disk(
    options: argparse.Namespace, choices: Mapping[str, Any], *, flips: int
) -> CountedComparison:
    """Compare two runs that the options name, without holding them in memory.

    Parameters
    ----------
    options : argparse.Namespace
        Those of `add_reading` and `add_engine`, and `runs`.
    choices : mapping
        Those of `judging_choices`, and `minimum_effect`.
    flips : int
        How many negative flips of every slice to keep.

    Raises
    ------
    UsageError
        If an option needs runs in memory.

    Examples
    --------
    >>> import argparse
    >>> options = argparse.Namespace(runs=["a", "b", "c"])
    >>> compare_on_disk(options, {}, flips=0)
    Traceback (most recent call last):
    ...
    muscle_metrics.errors.UsageError: expected two runs for --engine duckdb, got 3: ...
    """
    from muscle_metrics.scale import compare_files

    paths: Sequence[str] = options.runs
    if len(paths) != 2:
        raise UsageError(
            f"expected two runs for --engine duckdb, got {len(paths)}: compare a chain in memory"
        )
    given = {
        "--key": choices["key"],
        **{f"--{name}": getattr(options, name, None) for name in ("reference", "task", "filter")},
    }
    for flag, value in given.items():
        if value is not None:
            raise UsageError(
                f"expected no {flag} with --engine duckdb, got one: write what it gives into the "
                f"rows, or leave out --engine"
            )
    settings, names = run_settings(options, paths)
    wanted = {name: value for name, value in choices.items() if name != "key"}
    with working("joining and counting"):
        return compare_files(
            *paths,
            old_options=settings[0],
            new_options=settings[1],
            sample_size=max(flips, 10),
            memory=options.memory,
            names=(names[0], names[1]),
            **wanted,
        )
