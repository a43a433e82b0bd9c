"""Options for runs that do not fit into memory, and the comparison they give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muscle_metrics.cli.mistakes import flag_of
from muscle_metrics.cli.reading import run_settings
from muscle_metrics.cli.screen import working
from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from muscle_metrics.scale import CountedComparison

__all__ = ["add_engine", "check_engine", "compare_on_engine"]

MEMORY = "500MB"
# Options about rows that need runs in memory.
OF_MEMORY = ("reference", "task", "filter", "judge_repeats", "samples", "choices_field")
# The engine that each option is about.
ENGINES = {"memory": "duckdb", "address": "ray"}


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Add the options about the engine."""
    group = parser.add_argument_group("runs larger than memory")
    group.add_argument(
        "--engine",
        choices=("auto", "memory", "duckdb", "ray"),
        default="auto",
        help="where runs are joined: in memory, by DuckDB on disk, or over a Ray cluster; auto "
        "gives large plain files to DuckDB, with the same result (default: auto)",
    )
    group.add_argument("--memory", metavar="SIZE", help=f"what DuckDB may hold (default: {MEMORY})")
    group.add_argument(
        "--address",
        help="the Ray cluster, such as auto or ray://host:10001; its workers must see the files "
        "(default: one on this machine, for this command)",
    )


def check_engine(options: argparse.Namespace) -> None:
    """Refuse options of an engine that is not used.

    Raises
    ------
    UsageError
        If one is given.
    """
    for name, engine in ENGINES.items():
        if getattr(options, name) is not None and options.engine != engine:
            raise UsageError(
                f"expected --engine {engine} with {flag_of(name)}, got {options.engine}: add "
                f"--engine {engine}, or leave out {flag_of(name)}"
            )


def compare_on_engine(
    options: argparse.Namespace,
    paths: Sequence[str],
    choices: Mapping[str, Any],
    *,
    flips: int = 0,
    as_in_memory: bool = False,
) -> CountedComparison:
    """Compare two runs without holding them in memory.

    Parameters
    ----------
    options : argparse.Namespace
        Those of `add_reading` and `add_engine`.
    paths : sequence of str
        The runs.
    choices : mapping
        Those of `judging_choices`, and `minimum_effect`.
    flips : int
        How many negative flips of every slice to keep.
    as_in_memory : bool
        Whether to keep all flips, if any, and to refuse what memory would compare otherwise.

    Raises
    ------
    UsageError
        If an option needs runs in memory.
    """
    from muscle_metrics.answers.reading.reading import Reading

    if len(paths) != 2:
        raise UsageError(
            f"expected two runs for --engine {options.engine}, got {len(paths)}: leave out "
            f"--engine to compare a chain"
        )
    reading = choices["key"]
    given = {"key": reading.key if isinstance(reading, Reading) else reading}
    given |= {name: getattr(options, name, None) for name in OF_MEMORY}
    for name, value in given.items():
        if value is not None:
            raise UsageError(
                f"expected no {flag_of(name)} with --engine {options.engine}, got one: write what "
                f"it gives into the rows, or leave out --engine"
            )
    check_engine(options)
    settings, names = run_settings(options, paths)
    wanted = {name: value for name, value in choices.items() if name != "key"}
    wanted |= {
        "answer": options.answer,
        "old_options": settings[0],
        "new_options": settings[1],
        "sample_size": 0 if as_in_memory else max(flips, 10),
        "lists_flips": as_in_memory and flips > 0,
        "as_in_memory": as_in_memory,
        "names": (names[0], names[1]),
    }
    if options.engine == "ray":
        return _compare_on_ray(paths, options.address, wanted)
    from muscle_metrics.scale import compare_files

    with working("joining and counting"):
        return compare_files(
            *paths, memory=MEMORY if options.memory is None else options.memory, **wanted
        )


def _compare_on_ray(
    paths: Sequence[str], address: str | None, wanted: Mapping[str, Any]
) -> CountedComparison:
    from muscle_metrics.distributed import compare_shards
    from muscle_metrics.distributed.cluster import connected

    with working("starting Ray") as say, connected(address):
        return compare_shards(
            *paths, progress=lambda what, done, total: say(f"{what}: {done} of {total}"), **wanted
        )
