"""The worst case of a comparison: each lost item counts as one that the new model got wrong.

Bounds over lost items: Manski, "Nonparametric Bounds on Treatment Effects", American Economic
Review 80 (1990).
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from muscle_metrics.answers.correctness import Correctness
from muscle_metrics.comparison.items import ItemTable
from muscle_metrics.comparison.lost_scores import largest_fall
from muscle_metrics.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.flips.changes import ScoreChanges
    from muscle_metrics.runs.joining.losses import Losses
    from muscle_metrics.runs.record import Record

    Flags = npt.NDArray[np.bool_]

__all__ = ["with_losses"]


def with_losses(
    comparison: Comparison, losses: Losses, judge_old: Callable[[tuple[Record, ...]], Comparison]
) -> Comparison:
    """Add the worst case to a comparison.

    Parameters
    ----------
    comparison : Comparison
        Of the items that both runs hold.
    losses : Losses
        Items of the old run that the new run lost.
    judge_old : callable
        Compares records of the old run with themselves, by the options of `comparison`.
    """
    if not losses.records:
        return comparison
    kept = np.delete(np.arange(comparison.total), list(losses.replaced))
    correctness = comparison.correctness
    if correctness is not None:
        correctness = _with_broken(correctness.take(kept), _right_in_old(losses.records, judge_old))
    lost = len(losses.records)
    worst = replace(
        comparison,
        table=_with_rows(comparison.table, kept, losses.records),
        correctness=correctness,
        changes={
            name: _with_regressed(changes, kept, lost)
            for name, changes in comparison.changes.items()
        },
    )
    return replace(comparison, worst=worst, lost=losses.reasons)


def _right_in_old(
    records: tuple[Record, ...], judge_old: Callable[[tuple[Record, ...]], Comparison]
) -> Flags:
    """Which lost items the old model got right; those that cannot be judged count as right."""
    try:
        judged = judge_old(records)
    except (InputError, UsageError):
        return np.ones(len(records), dtype=bool)
    if judged.correctness is None:
        return np.ones(len(records), dtype=bool)
    table = judged.table
    names = zip(table.tasks, table.ids, table.repeats, strict=True)
    right = dict(zip(names, judged.correctness.old_right.tolist(), strict=True))
    return np.array([right.get((r.task, r.id, r.repeat), True) for r in records])


def _with_broken(kept: Correctness, right: Flags) -> Correctness:
    changed = kept.changed
    if changed is not None:
        changed = np.concatenate([changed, np.ones_like(right)])
    return Correctness(
        np.concatenate([kept.old_right, right]),
        np.concatenate([kept.new_right, np.zeros_like(right)]),
        changed,
    )


def _with_regressed(changes: ScoreChanges, kept: npt.NDArray[np.intp], lost: int) -> ScoreChanges:
    """Add items whose score fell by the whole range, or further than any effect."""
    best, worst = largest_fall(changes.low, changes.high, higher_is_better=changes.higher_is_better)
    return replace(
        changes,
        old=np.concatenate([changes.old[kept], np.full(lost, best)]),
        new=np.concatenate([changes.new[kept], np.full(lost, worst)]),
    )


def _with_rows(
    table: ItemTable, kept: npt.NDArray[np.intp], records: Sequence[Record]
) -> ItemTable:
    rows: dict[str, list[Any]] = {
        "ids": [record.id for record in records],
        "tasks": [record.task for record in records],
        "repeats": [record.repeat for record in records],
        "slices": [record.slice for record in records],
        "groups": [record.group for record in records],
        "old": [record.prediction for record in records],
        "new": [None for _ in records],
        "references": [record.reference for record in records],
        "asked": [record.prompt for record in records],
    }
    columns: dict[str, Any] = {}
    for field in fields(table):
        column = getattr(table, field.name)
        if column is not None:
            columns[field.name] = (*(column[row] for row in kept.tolist()), *rows[field.name])
    return ItemTable(**columns)
