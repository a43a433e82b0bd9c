"""The worst case of a comparison: each lost item counts as one that the new model got wrong.

Bounds over lost items: Manski, "Nonparametric Bounds on Treatment Effects", American Economic
Review 80 (1990).
"""

from __future__ import annotations

from dataclasses import fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from muscle_metrics.answers.correctness import Correctness
from muscle_metrics.comparison.items import ItemTable
from muscle_metrics.comparison.lost_scores import fall
from muscle_metrics.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.flips.changes import ScoreChanges
    from muscle_metrics.runs.joining.losses import Losses
    from muscle_metrics.runs.joining.mismatches import Identity
    from muscle_metrics.runs.record import Record

    Flags = npt.NDArray[np.bool_]

__all__ = ["with_losses"]


class _Judged(NamedTuple):
    """Whether the old run got a lost item right, and its scores; None and none if unknown."""

    right: bool | None
    scores: Mapping[str, float]


_UNKNOWN = _Judged(None, MappingProxyType({}))


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
    found = _judge(losses.records, judge_old)
    judged = [found.get((r.task, r.id, r.repeat), _UNKNOWN) for r in losses.records]
    correctness = comparison.correctness
    if correctness is not None:
        # An item that cannot be judged counts as right.
        right = np.array([one.right is not False for one in judged])
        correctness = _with_broken(correctness.take(kept), right)
    changes = {}
    for name, change in comparison.changes.items():
        old = [_old_score(name, *one) for one in zip(losses.records, judged, strict=True)]
        changes[name] = _with_regressed(change, kept, old)
    worst = replace(
        comparison,
        table=_with_rows(comparison.table, kept, losses.records),
        correctness=correctness,
        changes=changes,
        lost=losses.reasons,
    )
    return replace(comparison, worst=worst, lost=losses.reasons)


def _judge(
    records: tuple[Record, ...], judge_old: Callable[[tuple[Record, ...]], Comparison]
) -> dict[Identity, _Judged]:
    """Judge lost records of the old run; those that cannot be judged are left out."""
    try:
        judged = judge_old(records)
    except (InputError, UsageError):
        # Find the records that cannot be judged: each of them takes a few more comparisons.
        half = len(records) // 2
        return _judge(records[:half], judge_old) | _judge(records[half:], judge_old) if half else {}
    table, right = judged.table, judged.correctness
    names = zip(table.tasks, table.ids, table.repeats, strict=True)
    return {
        name: _Judged(
            right=None if right is None else bool(right.old_right[row]),
            scores={metric: float(changes.old[row]) for metric, changes in judged.changes.items()},
        )
        for row, name in enumerate(names)
    }


def _with_broken(kept: Correctness, right: Flags) -> Correctness:
    changed = kept.changed
    if changed is not None:
        changed = np.concatenate([changed, np.ones_like(right)])
    return Correctness(
        np.concatenate([kept.old_right, right]),
        np.concatenate([kept.new_right, np.zeros_like(right)]),
        changed,
    )


def _old_score(metric: str, record: Record, judged: _Judged) -> float | None:
    """Score of a lost item by the old run; None if it is not known."""
    # Scores that are all 0 or 1 are verdicts where no others are beside them.
    return record.scores.get(metric, judged.scores.get(metric))


def _with_regressed(
    changes: ScoreChanges, kept: npt.NDArray[np.intp], lost: Sequence[float | None]
) -> ScoreChanges:
    """Add items whose score fell to the end of the range, or further than any effect."""
    old, new = fall(lost, changes.low, changes.high, higher_is_better=changes.higher_is_better)
    return replace(
        changes,
        old=np.concatenate([changes.old[kept], old]),
        new=np.concatenate([changes.new[kept], new]),
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
