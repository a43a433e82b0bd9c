"""Read a log again, for the texts of listed items."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.runs.choice import narrow_run
from muscle_metrics.runs.details import DetailedRecord, Details
from muscle_metrics.runs.files.glimpse import Glimpse
from muscle_metrics.runs.harnesses import HARNESSES, Recognised

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.origin import Origin
    from muscle_metrics.runs.record import Run

__all__ = ["Key", "read_again", "read_details"]

Key = tuple[str | None, str, str | None]


def read_details(origin: Origin, ids: Collection[str]) -> Mapping[Key, Details]:
    """Read the texts of some items from the log of a run.

    Parameters
    ----------
    origin : Origin
        The log, as it was read.
    ids : collection of str
        Ids of the items.

    Returns
    -------
    mapping of (task, id, repeat) to Details
        Only for items of which the log holds texts.

    Raises
    ------
    FileError
        If the log changed since it was read.
    """
    run = read_again(origin, origin.choice._replace(wanted=frozenset(ids)))
    return {
        (record.task, record.id, record.repeat): record.details
        for record in run
        if isinstance(record, DetailedRecord)
    }


def read_again(origin: Origin, choice: Choice) -> Run:
    """Read the log of a run once more, by another choice.

    Raises
    ------
    FileError
        If the log changed since it was read.
    """
    origin.check_unchanged()
    harness = next(harness for harness in HARNESSES if harness.name == origin.harness)
    run = narrow_run(Recognised(harness, "").read(Glimpse(origin.path), choice), choice)
    # The log may change while it is read.
    origin.check_unchanged()
    return run
