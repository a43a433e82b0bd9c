"""The table of a graded score: what it gained and lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.words.escape import shorten, terminal
from muscle_metrics.words.table import Column, FittedTable

if TYPE_CHECKING:
    from muscle_metrics.flips.changes import ScoreChanges
    from muscle_metrics.flips.score_totals import ScoreTotals

__all__ = ["score_table"]

CELL_LIMIT = 400


def score_table(metric: str, changes: ScoreChanges | ScoreTotals) -> FittedTable:
    """Rates and means of a graded score, each with its interval.

    Examples
    --------
    >>> from muscle_metrics import measure_changes
    >>> type(score_table("f1", measure_changes(old=[0.5], new=[0.2]))).__name__
    'FittedTable'
    """
    rows: list[list[str]] = []
    for label, rate in (
        ("negative flip rate (NFR)", changes.negative_flip_rate),
        ("positive flip rate (PFR)", changes.positive_flip_rate),
        ("ties", changes.tie_rate),
    ):
        low, high = rate.interval()
        of = f"{rate.count} of {rate.total} items"
        rows.append([label, f"{float(rate):.2%}", f"{low:.2%} to {high:.2%}", of])
    change = changes.mean_change
    low, high = change.interval()
    rows.append(["mean change", f"{change:+.4f}", f"{low:+.4f} to {high:+.4f}", "all items"])
    for label, size in (
        ("mean gain (m_g)", changes.mean_gain),
        ("mean regression (m_r)", changes.mean_regression),
    ):
        low, high = size.interval()
        interval = "too few" if size.too_few else f"{low:.4f} to {high:.4f}"
        value = f"{size:.4f}" if size.count else "undefined"
        rows.append([label, value, interval, f"{size.count} item{'s' * (size.count != 1)}"])
    columns = [
        Column(terminal(shorten(metric, CELL_LIMIT)), "text"),
        Column("value"),
        Column("95 % interval"),
        Column("of", "text"),
    ]
    return FittedTable(columns, rows)
