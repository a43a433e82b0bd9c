"""`--like`: which public updates an update is placed among."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    import argparse

__all__ = ["add_like", "check_like_flag"]


def add_like(group: argparse._ActionsContainer, purpose: str) -> None:
    """Add the option; `purpose` is what the command does with these updates."""
    group.add_argument(
        "--like",
        metavar="NAME",
        help=f"{purpose}: those of a family such as tool-calls, or of a task such as mmlu-pro, in "
        f"place of all",
    )


def check_like_flag(options: argparse.Namespace, *, versions: int = 2) -> None:
    """Refuse a family or task that the atlas lacks, before any run is read.

    Raises
    ------
    UsageError
        If the atlas has no such name, or more than two versions are compared.
    """
    if options.like is None:
        return
    from muscle_metrics.atlas.table import check_like

    check_like(options.like)
    if versions > 2:
        raise UsageError(
            f"expected two runs for --like, got {versions}: compare two of them, or drop it"
        )
