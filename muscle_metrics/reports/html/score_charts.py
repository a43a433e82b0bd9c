"""How graded scores changed: their distribution, and how much of NFR is tiny moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from muscle_metrics.reports.html.rate_rows import RateRow, score_rows
from muscle_metrics.reports.html.scale import Tick, scale_from_zero
from muscle_metrics.reports.html.wording import place, score

if TYPE_CHECKING:
    from muscle_metrics.flips.changes import ScoreChanges

__all__ = ["Column", "ScoreCharts", "score_charts"]

COLUMNS = 40
CURVE_POINTS = 100


class Column(NamedTuple):
    """One bar of a distribution: its class of colour, and its places.

    Examples
    --------
    >>> Column("worse", "0%", "2.5%", "90%", "10%").kind
    'worse'
    """

    kind: str
    left: str
    width: str
    top: str
    height: str


class ScoreCharts(NamedTuple):
    """What a page shows of one metric.

    Examples
    --------
    >>> from muscle_metrics import measure_changes
    >>> score_charts("f1", measure_changes(old=[0.5, 0.9], new=[0.6, 0.7])).metric
    'f1'
    """

    metric: str
    rows: list[RateRow]
    columns: list[Column]
    ends: tuple[str, str]
    most: int
    band_left: str
    band_width: str
    curve: str
    curve_ticks: list[Tick]
    rate_ticks: list[Tick]
    dead_band: str
    sensitive: bool


def score_charts(metric: str, changes: ScoreChanges) -> ScoreCharts:
    """Describe the changes of one score.

    Examples
    --------
    >>> from muscle_metrics import measure_changes
    >>> charts = score_charts("f1", measure_changes(old=[0.5, 0.9], new=[0.6, 0.7]))
    >>> [column.kind for column in charts.columns]
    ['worse', 'better']
    """
    gains = changes.gains
    reach = float(np.abs(gains).max()) or 1.0
    edges = np.linspace(-reach, reach, COLUMNS + 1)
    # What does not count has a column of its own: it may be most of the items.
    moved = gains[np.abs(gains) > changes.dead_band]
    heights = np.histogram(moved, edges)[0]
    most = max(int(heights.max()), 1)
    columns = [
        Column(
            "worse" if edges[i] < 0 else "better",
            place(i / COLUMNS),
            place(1 / COLUMNS),
            place(1 - height / most),
            place(height / most),
        )
        for i, height in enumerate(heights.tolist())
        if height
    ]
    band = min(changes.dead_band / reach, 1.0)
    worst = scale_from_zero(max(float(-gains.min()), 1e-9), unit="")
    widths = np.linspace(0, worst.end, CURVE_POINTS)
    shares = changes.negative_flip_curve(widths)
    rates = scale_from_zero(float(shares.max()))
    curve = " ".join(
        f"{100 * width / worst.end:.2f},{100 - 100 * share / rates.end:.2f}"
        for width, share in zip(widths, shares, strict=True)
    )
    return ScoreCharts(
        metric=metric,
        rows=score_rows(changes),
        columns=columns,
        ends=(score(-reach, sign=True), score(reach, sign=True)),
        most=most,
        band_left=place((1 - band) / 2),
        band_width=place(band),
        curve=curve,
        curve_ticks=worst.ticks,
        rate_ticks=rates.ticks,
        # A tie that only rounding makes is no choice of anybody's.
        dead_band=f"{changes.dead_band:g}" if changes.minimum_effect > changes.tie else "",
        sensitive=changes.tolerance_sensitive and changes.minimum_effect <= changes.tie,
    )
