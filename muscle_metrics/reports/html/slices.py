"""Where it broke: slices and tasks on one axis, the worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.reports.html.scale import Tick, scale_from_zero
from muscle_metrics.reports.html.wording import brief, percent, percent_range, points
from muscle_metrics.reports.ranking import rank_parts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muscle_metrics.flips.counts import FlipCounts

__all__ = ["Forest", "ForestRow", "slice_forest"]

MOST_ROWS = 100


class ForestRow(NamedTuple):
    """One slice; `low`, `high`, `at` and `shrunken` are places on the axis.

    Examples
    --------
    >>> ForestRow("law", 9, "50%", "40%", "−10.0", 1, 0, "1%", "", "0%", "9%", "1%", "2%").broke
    1
    """

    name: str
    items: int
    old: str
    new: str
    change: str
    broke: int
    fixed: int
    rate: str
    interval: str
    low: str
    high: str
    at: str
    shrunken: str


class Forest(NamedTuple):
    """Rows, the axis, where all items together stand on it, and how many rows did not fit.

    Examples
    --------
    >>> Forest("slice", [], [], "0%", "0.0%", 0).kind
    'slice'
    """

    kind: str
    rows: list[ForestRow]
    ticks: list[Tick]
    overall_at: str
    overall: str
    left_out: int


def slice_forest(kind: str, parts: Mapping[str, FlipCounts], overall: FlipCounts) -> Forest | None:
    """Negative flip rates of slices with their intervals; None without slices.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> comparison = compare(old=["A"], new=["B"], references=["A"], slices=["law"])
    >>> slice_forest("slice", comparison.slices, comparison.counts).rows[0].interval
    '20.7% to 100.0%'
    """
    if not parts:
        return None
    ranked = rank_parts(parts)
    shown = ranked[:MOST_ROWS]
    bounds = [part.counts.negative_flip_rate.interval() for part in shown]
    scale = scale_from_zero(max(bound.high for bound in bounds))
    rows = [
        ForestRow(
            name=brief(part.name),
            items=part.counts.total,
            old=percent(part.counts.old_accuracy),
            new=percent(part.counts.new_accuracy),
            change=points(part.counts.accuracy_change),
            broke=part.counts.negative,
            fixed=part.counts.positive,
            rate=percent(part.counts.negative_flip_rate),
            interval=percent_range(bound),
            low=scale.at(bound.low),
            high=scale.at(bound.high),
            at=scale.at(part.counts.negative_flip_rate),
            shrunken=scale.at(part.shrunken),
        )
        for part, bound in zip(shown, bounds, strict=True)
    ]
    rate = overall.negative_flip_rate
    left_out = len(ranked) - len(shown)
    return Forest(kind, rows, scale.ticks, scale.at(rate), percent(rate), left_out)
