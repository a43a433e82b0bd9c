"""Slips in how runs are named: refused where certain, only mentioned where likely."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from muscle_metrics.cli.outputs import warn
from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from muscle_metrics.runs.record import Run

__all__ = ["doubt_order", "refuse_same_run"]

# Words in the name of a file that say which of two runs it is.
OF_OLD = frozenset({"baseline", "before", "old", "previous"})
OF_NEW = frozenset({"after", "candidate", "new", "updated"})

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def refuse_same_run(paths: Sequence[str], settings: Sequence[Mapping[str, object]]) -> None:
    """Refuse a run that is compared with itself: it would pass any gate.

    Parameters
    ----------
    paths : sequence of str
        Files, oldest first.
    settings : sequence of mapping
        How each is read; one file may hold several runs.

    Raises
    ------
    UsageError
        If two runs in a row are read from one file in the same way.

    Examples
    --------
    >>> refuse_same_run(["both.csv", "both.csv"], [{"where": "v1"}, {"where": "v2"}])
    """
    runs = [(Path(path).resolve(), setting) for path, setting in zip(paths, settings, strict=True)]
    for position, path in enumerate(paths[1:], 1):
        if runs[position] == runs[position - 1]:
            raise UsageError(
                f"expected two different runs, got {path!r} twice: name OLD and NEW, or what tells "
                f"two runs in one file apart, such as --prediction-field or --filter, once for each"
            )


def doubt_order(paths: Sequence[str], runs: Sequence[Run] = ()) -> None:
    """Mention on standard error that a new run may stand before an old one; change nothing.

    Numbers and words in names of files, and dates that a harness recorded, are looked at. Times of
    files are not: a checkout or a copy sets them.

    Parameters
    ----------
    paths : sequence of str
        Files, oldest first.
    runs : sequence of Run
        What was read from them, if it was read; else names alone are looked at.

    Examples
    --------
    >>> from muscle_metrics.runs.record import Run
    >>> doubt_order(["v1.jsonl", "v2.jsonl"], [Run((), "v1"), Run((), "v2")])
    """
    for position in range(1, len(paths)):
        earlier, later = position - 1, position
        if _is_named_later(paths[earlier], paths[later]):
            sign = "its name"
        elif runs and _is_dated_later(runs[earlier], runs[later]):
            sign = "the date in it"
        else:
            continue
        warn(
            f"note: {paths[earlier]!r} is compared as the older run, and {sign} looks newer than "
            f"that of {paths[later]!r}: the old run comes first, and a swap turns broken items "
            f"into fixed ones"
        )


def _is_named_later(one: str, other: str) -> bool:
    """Whether names that are alike but for their numbers count down, or words say it outright."""
    texts, other_texts = (re.split(r"\d+", name) for name in (one, other))
    numbers, other_numbers = (re.findall(r"\d+", name) for name in (one, other))
    if texts == other_texts and [*map(int, numbers)] > [*map(int, other_numbers)]:
        return True
    words, other_words = ({*re.split(r"[\W\d_]+", name.lower())} for name in (one, other))
    return bool((words - other_words) & OF_NEW and (other_words - words) & OF_OLD)


def _is_dated_later(one: Run, other: Run) -> bool:
    date, other_date = (run.fingerprint.get("date", "") for run in (one, other))
    # Dates of one way of writing, so that they sort as text.
    return bool(_DATE.match(date) and _DATE.match(other_date)) and date > other_date
