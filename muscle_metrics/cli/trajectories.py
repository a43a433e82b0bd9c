"""The option that compares calls of tools beside outcomes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

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
        metavar="F",
        help="field of the messages or steps of each item, such as messages or response.output: "
        "count items that call other tools though their outcome stayed; --flips N lists N of them",
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


def found_trajectories(options: argparse.Namespace, comparison: Facts) -> Trajectories | None:
    """Compare trajectories where the option asks for it."""
    if options.trajectory_field is None or comparison.in_memory is None:
        return None
    from muscle_metrics.comparison.trajectories import compare_trajectories
    from muscle_metrics.runs.steps import read_steps

    settings, _ = run_settings(options, options.runs)
    with working("comparing trajectories"):
        old, new = (
            read_steps(path, options.trajectory_field, **setting)
            for path, setting in zip(options.runs, settings, strict=True)
        )
        return compare_trajectories(comparison.in_memory, old=old, new=new)
