"""Positions of the marks in charts, for the page and for figures, as shares of a square or axis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from muscle_metrics.answers.flip_matrix import Transition, flip_matrix
from muscle_metrics.flips.counts import Quadrant
from muscle_metrics.flips.rates import Rate

if TYPE_CHECKING:
    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.flips.changes import ScoreChanges
    from muscle_metrics.flips.counts import FlipCounts
    from muscle_metrics.gate.verdict import Check

__all__ = [
    "TITLES",
    "AnswerTable",
    "Axis",
    "Bar",
    "ScoreCharts",
    "Tick",
    "Tile",
    "answer_table",
    "axis_from_zero",
    "axis_over",
    "check_axis",
    "mosaic_tiles",
    "score_charts",
]

# Titles of the quadrants that need no definition, in the order in which charts list them.
TITLES = {
    Quadrant.NEGATIVE: "Broke",
    Quadrant.POSITIVE: "Fixed",
    Quadrant.BOTH_RIGHT: "Stayed right",
    Quadrant.BOTH_WRONG: "Stayed wrong",
}
TICK_STEPS = (1, 2, 2.5, 5, 10)
MOST_TICKS = 5
BARS = 40
CURVE_POINTS = 100
MOST_ANSWERS = 20
MOST_TRANSITIONS = 15
# With fewer items per answer than this, answers are open: almost no answer occurs twice.
LEAST_ITEMS_PER_ANSWER = 4


class Tile(NamedTuple):
    """One quadrant; sizes are shares of the square, measured from its left and its top.

    `changed` is how many of its items changed their answer and not their correctness; None where
    that is unknown, or where every answer changed.
    """

    quadrant: Quadrant
    share: Rate
    left: float
    top: float
    width: float
    height: float
    changed: int | None


def mosaic_tiles(counts: FlipCounts) -> list[Tile]:
    """Tiles of areas proportional to the counts: old right on the left, new right at the top.

    Parameters
    ----------
    counts : FlipCounts
        At least one item.

    Returns
    -------
    list of Tile
        In the order of `TITLES`; a quadrant without items has no area.
    """
    was_right = counts.old_right / counts.total
    kept = counts.both_right / counts.old_right if counts.old_right else 0.0
    fixed = counts.positive / counts.old_wrong if counts.old_wrong else 0.0
    places = {
        Quadrant.BOTH_RIGHT: (0.0, 0.0, was_right, kept),
        Quadrant.NEGATIVE: (0.0, kept, was_right, 1 - kept),
        Quadrant.POSITIVE: (was_right, 0.0, 1 - was_right, fixed),
        Quadrant.BOTH_WRONG: (was_right, fixed, 1 - was_right, 1 - fixed),
    }
    changed = {
        Quadrant.BOTH_RIGHT: counts.both_right_changed,
        Quadrant.BOTH_WRONG: counts.wrong_changed,
    }
    return [
        Tile(
            quadrant,
            Rate(getattr(counts, quadrant.value), counts.total),
            *places[quadrant],
            changed.get(quadrant),
        )
        for quadrant in TITLES
    ]


class Tick(NamedTuple):
    """A label of an axis, and its position as a share of the axis."""

    text: str
    position: float


class Axis(NamedTuple):
    """An axis of a chart."""

    start: float
    length: float
    ticks: list[Tick]

    def position(self, value: float) -> float:
        """Position of a value as a share of the axis, from the left."""
        return (value - self.start) / self.length


def axis_from_zero(largest: float, *, unit: str = "%") -> Axis:
    """Axis of round numbers from 0 to a little beyond the largest value.

    Examples
    --------
    >>> [tick.text for tick in axis_from_zero(0.17).ticks]
    ['0%', '5%', '10%', '15%', '20%']
    >>> [tick.text for tick in axis_from_zero(0.4, unit="").ticks]
    ['0', '0.1', '0.2', '0.3', '0.4']
    """
    factor = 100 if unit == "%" else 1
    most = max(largest, 1e-6) * factor
    step = _tick_step(most)
    ticks = math.ceil(most / step - 1e-9)
    end = step * ticks
    marks = [Tick(f"{step * i:.6g}{unit}", step * i / end) for i in range(ticks + 1)]
    return Axis(0.0, end / factor, marks)


def axis_over(low: float, high: float) -> Axis:
    """Axis of round percentage points with signs, from a little below `low` to above `high`.

    Examples
    --------
    >>> [tick.text for tick in axis_over(-0.012, 0.05).ticks]
    ['-2', '0', '+2', '+4', '+6']
    """
    step = _tick_step(max(high - low, 1e-4) * 100)
    first = math.floor(low * 100 / step + 1e-9)
    last = max(math.ceil(high * 100 / step - 1e-9), first + 1)
    marks = [
        Tick(f"{step * i:+.6g}" if i else "0", (i - first) / (last - first))
        for i in range(first, last + 1)
    ]
    return Axis(first * step / 100, (last - first) * step / 100, marks)


def _tick_step(most: float) -> float:
    power = 10.0 ** math.floor(math.log10(most / MOST_TICKS))
    return next(s * power for s in TICK_STEPS if s * power * MOST_TICKS >= most * (1 - 1e-9))


def check_axis(check: Check) -> Axis:
    """Axis that holds the bounds, the estimate and the limit of a check."""
    values = [check.low, check.high, float(check.limit)]
    values += [] if math.isnan(check.estimate) else [check.estimate]
    start = min(0.0, *values)
    return Axis(start, (max(values) - start) * 1.05 or 1.0, [])


class Bar(NamedTuple):
    """One bar of a distribution; sizes are shares of the chart."""

    kind: str
    left: float
    width: float
    height: float


class ScoreCharts(NamedTuple):
    """How one graded score changed: a distribution, and NFR as the dead band grows.

    Parameters
    ----------
    bars : list of Bar
        Items that moved, by how far.
    reach : float
        The largest change: the distribution goes from -reach to reach.
    most : int
        Items of the highest bar.
    band : float
        Share of the distribution that the dead band covers, in its middle.
    curve : list of tuple of float
        Points of the curve, as shares of both axes.
    across, up : Axis
        Axes of the curve: widths of the dead band, and shares of items.
    """

    bars: list[Bar]
    reach: float
    most: int
    band: float
    curve: list[tuple[float, float]]
    across: Axis
    up: Axis


def score_charts(changes: ScoreChanges) -> ScoreCharts:
    """Draw the changes of one score."""
    gains = changes.gains
    reach = float(np.abs(gains).max()) or 1.0
    edges = np.linspace(-reach, reach, BARS + 1)
    # Items within the dead band are left out: they may be most of all items.
    moved = gains[np.abs(gains) > changes.dead_band]
    heights = np.histogram(moved, edges)[0]
    most = max(int(heights.max()), 1)
    bars = [
        Bar("worse" if edges[i] < 0 else "better", i / BARS, 1 / BARS, height / most)
        for i, height in enumerate(heights.tolist())
        if height
    ]
    across = axis_from_zero(max(float(-gains.min()), 1e-9), unit="")
    widths = np.linspace(0, across.length, CURVE_POINTS)
    shares = changes.negative_flip_curve(widths)
    up = axis_from_zero(float(shares.max()))
    curve = [
        (across.position(width), up.position(share))
        for width, share in zip(widths.tolist(), shares.tolist(), strict=True)
    ]
    return ScoreCharts(bars, reach, most, min(changes.dead_band / reach, 1.0), curve, across, up)


class AnswerTable(NamedTuple):
    """The flip matrix of a closed set of answers, drawn as a heat map.

    Parameters
    ----------
    answers : list of str
        The answers.
    rows : list of list of tuple of int
        By old and by new answer: how many items, and their depth of colour in percent. The depth
        is the share of the row; for changes of answer it is relative to the largest such share.
    transitions : list of Transition
        Changes of answer above chance.
    left_out : int
        Items without an answer.
    """

    answers: list[str]
    rows: list[list[tuple[int, int]]]
    transitions: list[Transition]
    left_out: int


def answer_table(comparison: Comparison) -> AnswerTable | None:
    """Flip matrix of a closed set of answers such as letters; None where answers are open."""
    table = comparison.table
    pairs = [
        (old, new)
        for old, new in zip(table.old, table.new, strict=True)
        if old is not None and new is not None
    ]
    answers = {answer for pair in pairs for answer in pair if isinstance(answer, str)}
    is_text = all(isinstance(answer, str) for pair in pairs for answer in pair)
    most = min(MOST_ANSWERS, len(pairs) // LEAST_ITEMS_PER_ANSWER)
    if not (is_text and 1 < len(answers) <= most):
        return None
    matrix = flip_matrix(old=[old for old, _ in pairs], new=[new for _, new in pairs])
    depths = matrix.counts / matrix.counts.sum(axis=1, keepdims=True).clip(1)
    is_change = ~np.eye(len(matrix.answers), dtype=bool)
    depths[is_change] /= depths[is_change].max() or 1.0
    percents = (100 * depths).round().astype(int)
    rows = [
        [*zip(counts, shares, strict=True)]
        for counts, shares in zip(matrix.counts.tolist(), percents.tolist(), strict=True)
    ]
    transitions = [t for t in matrix.transitions()[:MOST_TRANSITIONS] if t.excess > 0]
    return AnswerTable(list(matrix.answers), rows, transitions, comparison.total - len(pairs))
