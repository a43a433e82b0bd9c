"""Macro averages over the tasks of a suite: each task counts once, however many items it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.words.numbers import percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muscle_metrics.flips.counts import FlipCounts

__all__ = ["MACRO", "macro_averages", "macro_line"]

# Rates of `FlipCounts` that are defined for every task: their totals are all items.
MACRO = ("old_accuracy", "new_accuracy", "negative_flip_rate", "positive_flip_rate")


def macro_averages(tasks: Mapping[str, FlipCounts]) -> dict[str, float]:
    """Means of rates over tasks; empty for fewer than two tasks, where they would say nothing new.

    The rates of a whole comparison are micro averages: each item counts the same.

    Examples
    --------
    >>> from muscle_metrics import FlipCounts
    >>> small = FlipCounts(both_right=1, negative=1, positive=0, both_wrong=0)
    >>> large = FlipCounts(both_right=98, negative=0, positive=0, both_wrong=0)
    >>> macro_averages({"a": small, "b": large})["negative_flip_rate"]
    0.25
    """
    if len(tasks) < 2:
        return {}
    return {
        name: sum(float(getattr(counts, name)) for counts in tasks.values()) / len(tasks)
        for name in MACRO
    }


def macro_line(tasks: Mapping[str, FlipCounts]) -> str | None:
    """Write the macro averages in one line; None where there are fewer than two tasks."""
    means = macro_averages(tasks)
    if not means:
        return None
    return (
        f"macro average of {len(tasks)} tasks, each counted once: accuracy "
        f"{percent(means['old_accuracy'])} to {percent(means['new_accuracy'])}, "
        f"NFR {percent(means['negative_flip_rate'])}, PFR {percent(means['positive_flip_rate'])}"
    )
