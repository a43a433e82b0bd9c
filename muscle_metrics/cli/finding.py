"""Options that search for kinds of items which broke more often."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from muscle_metrics.cli.reading import read_runs
from muscle_metrics.cli.screen import working
from muscle_metrics.cli.whole_numbers import number
from muscle_metrics.errors import FileError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.slices.found import FoundSlices

__all__ = ["add_finding", "check_finding", "found_slices"]


def add_finding(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    group = parser.add_argument_group("finding what kind of item broke")
    group.add_argument(
        "--find-slices",
        action="store_true",
        help="search fields, prompts and forms of answers for slices whose NFR stands out, on one "
        "half of the items, and test them on the other",
    )
    group.add_argument(
        "--find-field",
        action="append",
        metavar="F",
        default=[],
        help="with --find-slices: look at this field of the rows too; may be repeated",
    )
    group.add_argument(
        "--find-seed",
        type=number,
        metavar="N",
        help="with --find-slices: seed that draws the halves (default: 0)",
    )


def check_finding(options: argparse.Namespace, engine: str = "memory") -> None:
    """Refuse, before any work, options that do not go together.

    Raises
    ------
    UsageError
        If slices are to be found where they cannot be, or are not and have options.
    """
    if not options.find_slices:
        if options.find_field or options.find_seed is not None:
            raise UsageError(
                "expected --find-slices with --find-field and --find-seed, got them alone: add "
                "--find-slices"
            )
        return
    if engine in {"duckdb", "ray"}:
        from muscle_metrics.slices.find import IN_MEMORY

        raise UsageError(IN_MEMORY)
    for path in options.runs if options.find_field else ():
        if not (Path(path).is_file() or Path(path).is_dir()):
            raise UsageError(
                f"expected files for --find-field, which reads them again, got {path!r}: write "
                f"it to a file first"
            )


def found_slices(options: argparse.Namespace, comparison: Facts) -> FoundSlices | None:
    """Find slices where the options ask for it."""
    if not options.find_slices:
        return None
    from muscle_metrics.slices.find import find_slices

    fields = {name: _values(options, name) for name in options.find_field}
    with working("finding slices"):
        return find_slices(comparison, fields=fields, seed=options.find_seed or 0)


def _values(options: argparse.Namespace, field: str) -> Mapping[str, object]:
    """Values of a field by the names of items, those of the older run first."""
    from muscle_metrics.words.place import item_name

    again = argparse.Namespace(**{**vars(options), "slice_field": [field]})
    values: dict[str, object] = {}
    try:
        runs = read_runs(again, options.runs[-2:])
    except FileError as error:
        message = error.message.replace("--slice-field (slice_field", "--find-field (fields")
        raise FileError(message) from error
    for run in runs:
        for record in run:
            if record.slice is not None:
                values.setdefault(item_name(record.task, record.id, record.repeat), record.slice)
    return values
