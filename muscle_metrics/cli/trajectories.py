"""The option that compares calls of tools beside outcomes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from muscle_metrics.cli.mistakes import real_path
from muscle_metrics.cli.reading import run_settings
from muscle_metrics.cli.screen import working
from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.comparison.trajectories import Trajectories

__all__ = ["add_trajectories", "check_trajectories", "found_trajectories"]


def add_trajectories(parser: argparse.ArgumentParser) -> None:
    """Add the option."""
    group = parser.add_argument_group("behaviour")
    group.add_argument(
        "--trajectory-field",
        action="append",
        metavar="F",
        help="field of the messages or steps of each item, such as messages or response.output, "
        "once for both runs or once for each: count items that call other tools though their "
        "outcome stayed; --flips N lists N of them",
    )


def check_trajectories(options: argparse.Namespace) -> None:
    """Refuse, before any work, what has no trajectories in memory.

    Raises
    ------
    UsageError
        If a chain, an engine or a pipe is named.
    """
    if options.trajectory_field is None:
        return
    if options.engine in {"duckdb", "ray"}:
        raise UsageError(
            f"expected runs in memory for --trajectory-field, got --engine {options.engine}: leave "
            f"out --engine"
        )
    if len(options.runs) != 2:
        raise UsageError(
            f"expected two runs for --trajectory-field, got {len(options.runs)}: name OLD and NEW "
            f"alone"
        )
    for path in options.runs:
        if not (Path(path).is_file() or Path(path).is_dir()):
            raise UsageError(
                f"expected files for --trajectory-field, which reads them again, got {path!r}: "
                f"write it to a file first"
            )
    if len(options.trajectory_field) > 2:
        raise UsageError(
            f"expected --trajectory-field once, or once per run, got it "
            f"{len(options.trajectory_field)} times for 2 runs: give it in the order of the runs"
        )
    old, new = _ways(options)
    if old == new:
        # The calls of one run would be compared with themselves: no behaviour could change.
        raise UsageError(
            f"expected the trajectories of two runs, got one field of {options.runs[0]!r} twice: "
            f"give --trajectory-field once for each run, OLD first"
        )


def found_trajectories(options: argparse.Namespace, comparison: Facts) -> Trajectories | None:
    """Compare trajectories where the option asks for it."""
    if options.trajectory_field is None or comparison.in_memory is None:
        return None
    from muscle_metrics.comparison.trajectories import compare_trajectories
    from muscle_metrics.runs.steps import read_steps

    settings, _ = run_settings(options, options.runs)
    runs = zip(options.runs, _fields(options), settings, strict=True)
    with working("comparing trajectories"):
        old, new = (read_steps(path, field, **setting) for path, field, setting in runs)
        return compare_trajectories(comparison.in_memory, old=old, new=new)


def _fields(options: argparse.Namespace) -> list[str]:
    """Field of each run."""
    fields: list[str] = options.trajectory_field
    return fields if len(fields) > 1 else fields * 2


def _ways(options: argparse.Namespace) -> list[tuple[str, str, dict[str, Any]]]:
    """File of each run, its field, and the options that choose its items."""
    from muscle_metrics.runs.steps import choosing

    settings, _ = run_settings(options, options.runs)
    runs = zip(options.runs, _fields(options), settings, strict=True)
    return [(real_path(path), field, choosing(setting)) for path, field, setting in runs]
