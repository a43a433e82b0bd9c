"""Figures of a comparison; every function draws on an Axes of matplotlib, and returns it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from muscle_metrics.comparison.chain_bounds import survival_bounds
from muscle_metrics.comparison.ranking import rank_parts, undominated
from muscle_metrics.comparison.uncertainty import rate_bounds
from muscle_metrics.errors import InputError, UsageError, require
from muscle_metrics.evidence.units import Part
from muscle_metrics.flips.counts import Quadrant
from muscle_metrics.reports.candidate_chart import candidate_points
from muscle_metrics.reports.charts import TITLES, mosaic_tiles
from muscle_metrics.words.escape import shorten, visible
from muscle_metrics.words.numbers import percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes

    from muscle_metrics.comparison.candidates import Candidates
    from muscle_metrics.comparison.chains import Chain
    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.evidence.units import Kind
    from muscle_metrics.flips.changes import ScoreChanges

__all__ = [
    "FrontierPoint",
    "plot_candidates",
    "plot_frontier",
    "plot_quadrants",
    "plot_score_changes",
    "plot_slices",
    "plot_survival",
]

# Colour-blind readers distinguish vermilion and blue; items that did not change are pale.
COLOURS = {
    Quadrant.NEGATIVE: "#c2410c",
    Quadrant.POSITIVE: "#1d6fb8",
    Quadrant.BOTH_RIGHT: "#a9cfc3",
    Quadrant.BOTH_WRONG: "#cbc5bd",
}
MUTED = "#5f5a54"
NO_INTERVAL = (np.nan, np.nan)
MOST_SLICES = 40
NAME_LIMIT = 40
# A tile smaller than this, in either direction, is labelled beside it.
LEAST_TILE = 0.09


class FrontierPoint(NamedTuple):
    """One candidate for an update: its accuracy, and the negative flip rate it costs.

    Examples
    --------
    >>> FrontierPoint("adapter", 0.71, 0.05).nfr
    0.05
    """

    name: str
    accuracy: float
    nfr: float


def plot_quadrants(comparison: Comparison, *, ax: Axes | None = None) -> Axes:
    """Draw the four quadrants as tiles whose areas are to scale.

    Parameters
    ----------
    comparison : Comparison
        Old against new, over items that are right or wrong.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Old right on the left, new right at the top; both axes are shares of all items.

    Raises
    ------
    UsageError
        If scores are graded and no threshold says which items are right.
    MissingDependencyError
        If matplotlib is not installed: ``pip install 'muscle-metrics[report]'``.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> ax = plot_quadrants(compare(old=["A", "B"], new=["B", "A"], references=["A", "A"]))
    >>> len(ax.patches)
    4
    """
    counts = comparison.counts
    axes = _axes(ax, width=4.6, height=4.2)
    rectangle = require("matplotlib.patches", "report").Rectangle
    for tile in mosaic_tiles(counts):
        colour = COLOURS[tile.quadrant]
        bottom = 1 - tile.top - tile.height
        axes.add_patch(
            rectangle(
                (tile.left, bottom), tile.width, tile.height, facecolor=colour, edgecolor="white"
            )
        )
        if min(tile.width, tile.height) >= LEAST_TILE:
            dark = tile.quadrant in (Quadrant.NEGATIVE, Quadrant.POSITIVE)
            axes.text(
                tile.left + tile.width / 2,
                bottom + tile.height / 2,
                f"{TITLES[tile.quadrant]}\n{tile.share.count:,}",
                ha="center",
                va="center",
                color="white" if dark else "black",
            )
        elif tile.share.count:
            # Outside of the square, on the side of the tile.
            is_left = tile.left == 0
            axes.annotate(
                f"{TITLES[tile.quadrant]} {tile.share.count:,}",
                (0 if is_left else 1, bottom + tile.height / 2),
                xytext=(-4 if is_left else 4, 0),
                textcoords="offset points",
                ha="right" if is_left else "left",
                va="center",
                color=colour if tile.quadrant in (Quadrant.NEGATIVE, Quadrant.POSITIVE) else MUTED,
            )
    axes.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[])
    axes.set_title(f"{counts.total:,} items", loc="left")
    axes.set_xlabel(f"left: right before, {percent(counts.old_accuracy, 1)}")
    axes.set_ylabel(f"top: right now, {percent(counts.new_accuracy, 1)}")
    axes.spines[:].set_visible(False)
    return axes


def plot_slices(comparison: Comparison, *, most: int = MOST_SLICES, ax: Axes | None = None) -> Axes:
    """Draw the negative flip rate of every slice with its interval, the worst at the top.

    Parameters
    ----------
    comparison : Comparison
        Old against new, with slices; or with tasks, where there are no slices.
    most : int
        Largest number of slices drawn.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Dots are rates with 95 % intervals, Wilson's or those over groups or prompts; ticks are the
        rates drawn towards that of all items, the dashed line, which order the slices.

    Raises
    ------
    InputError
        If there are neither slices nor tasks.
    MissingDependencyError
        If matplotlib is not installed: ``pip install 'muscle-metrics[report]'``.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> comparison = compare(old=["A"], new=["B"], references=["A"], slices=["law"])
    >>> [label.get_text() for label in plot_slices(comparison).get_yticklabels()]
    ['law (1)']
    """
    kind: Kind = "slice" if comparison.slices else "task"
    parts = comparison.slices or comparison.tasks
    if not parts:
        raise InputError(
            "expected slices or tasks to draw, got neither: pass slices= (--slice-field)"
        )
    ranked = rank_parts(parts)[:most]
    axes = _axes(ax, width=6.4, height=1.1 + 0.32 * len(ranked))
    overall = comparison.counts.negative_flip_rate
    axes.axvline(float(overall), color=MUTED, linestyle="--", linewidth=1, zorder=0)
    places = np.arange(len(ranked))
    rates = np.array([float(part.counts.negative_flip_rate) for part in ranked])
    found = [
        rate_bounds(comparison, "negative_flip_rate", Part(kind, part.name)) for part in ranked
    ]
    bounds = np.array([one.ends if one else NO_INTERVAL for one in found]).T
    axes.hlines(places, *bounds, color=COLOURS[Quadrant.NEGATIVE], linewidth=2)
    axes.plot(rates, places, "o", color=COLOURS[Quadrant.NEGATIVE])
    axes.plot([part.shrunken for part in ranked], places, "|", color="black", markersize=9)
    axes.set_yticks(places, [f"{_name(part.name)} ({part.counts.total:,})" for part in ranked])
    axes.set_ylim(len(ranked) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.set_title(f"Broke: {percent(overall, 1)} of all items", loc="left")
    axes.set_xlabel("negative flip rate, 95 % interval")
    _percent(axes.xaxis)
    return _plain(axes)


def plot_score_changes(
    comparison: Comparison, *, metric: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the ECDF of score changes: the share of items that lost, and that gained, so much.

    Parameters
    ----------
    comparison : Comparison
        Old against new, with graded scores.
    metric : str, optional
        The score; the first by default.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Left of zero the curve is NFR(eps), the share of items that lost more than eps, read at
        -eps; right of it the share that gained at most so much. The dead band is shaded.

    Raises
    ------
    UsageError
        If no graded score was compared, or not this one.
    MissingDependencyError
        If matplotlib is not installed: ``pip install 'muscle-metrics[report]'``.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> texts = {"old": ["a b", "a"], "new": ["a", "a"], "references": ["a b", "a"]}
    >>> ax = plot_score_changes(compare(**texts, metric="rouge1"))
    >>> ax.get_xlabel()
    'gain in rouge1'
    """
    name, changes = _changes_of(comparison, metric)
    axes = _axes(ax, width=6.4, height=4)
    gains, counts = np.unique(changes.gains, return_counts=True)
    shares = np.cumsum(counts) / changes.total
    reach = float(np.abs(gains).max()) * 1.05 or 1.0
    axes.axvspan(-changes.dead_band, changes.dead_band, color="#efece8", zorder=0)
    places, heights = [-reach, *gains, reach], [0.0, *shares, 1.0]
    axes.step(places, heights, where="post", color=MUTED, linewidth=1.5)
    lost = float(changes.negative_flip_rate)
    worse = gains < -changes.dead_band
    axes.step(
        [-reach, *gains[worse], -changes.dead_band],
        [0.0, *shares[worse], lost],
        where="post",
        color=COLOURS[Quadrant.NEGATIVE],
        linewidth=2.5,
        label=f"NFR(eps); NFR {percent(lost, 1)}",
    )
    axes.axvline(0, color=MUTED, linestyle="--", linewidth=1)
    axes.set(xlim=(-reach, reach), ylim=(0, 1))
    axes.set_xlabel(f"gain in {_name(name)}")
    axes.set_ylabel("share of items that gained at most so much")
    axes.legend(loc="upper left", frameon=False)
    _percent(axes.yaxis)
    return _plain(axes)


def plot_frontier(points: Iterable[FrontierPoint], *, ax: Axes | None = None) -> Axes:
    """Draw candidates by accuracy and negative flip rate, with a line through the best ones.

    Parameters
    ----------
    points : iterable of FrontierPoint
        Candidates; any three of name, accuracy and negative flip rate.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The line joins the candidates of which no other is at least as good in both and better in
        one; the best lie at the lower right.

    Raises
    ------
    InputError
        If there are no points, or a value is not a share.
    MissingDependencyError
        If matplotlib is not installed: ``pip install 'muscle-metrics[report]'``.

    Examples
    --------
    >>> ax = plot_frontier([("plain", 0.70, 0.08), ("worse", 0.69, 0.09)])
    >>> ax.lines[0].get_xdata().tolist()
    [0.7]
    """
    candidates = [FrontierPoint(*point) for point in points]
    if not candidates:
        raise InputError("expected at least one point, got none: pass name, accuracy and NFR")
    for name, *values in candidates:
        if not all(0 <= value <= 1 for value in values):
            raise InputError(
                f"expected accuracy and NFR of {name!r} in [0, 1], got {values}: pass shares, "
                f"not percent"
            )
    axes = _axes(ax, width=5.6, height=4.2)
    return _front(axes, candidates, "accuracy of the new model")


def plot_candidates(candidates: Candidates, *, ax: Axes | None = None) -> Axes:
    """Draw candidates by their change of accuracy and negative flip rate, with 95 % intervals.

    Parameters
    ----------
    candidates : Candidates
        Old against each candidate.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The line joins the candidates of which no other gained as much and broke as little; the best
        lie at the lower right. Right of the dashed line accuracy rose.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed: ``pip install 'muscle-metrics[report]'``.

    Examples
    --------
    >>> from muscle_metrics import compare_candidates
    >>> old, worse = ([{"id": 1, "prediction": p, "reference": "A"}] for p in "AB")
    >>> ax = plot_candidates(compare_candidates(old, {"worse": worse}))
    >>> ax.get_ylabel()
    'negative flip rate'
    """
    points = candidate_points(candidates)
    axes = _axes(ax, width=5.6, height=4.2)
    axes.axvline(0, color=MUTED, linestyle="--", linewidth=1, zorder=0)
    for point in points:
        axes.hlines(point.nfr, *point.change_ends, color=MUTED, linewidth=1, alpha=0.5, zorder=0)
        axes.vlines(point.change, *point.nfr_ends, color=MUTED, linewidth=1, alpha=0.5, zorder=0)
    front = [FrontierPoint(point.name, point.change, point.nfr) for point in points]
    return _front(axes, front, f"change of accuracy from {_name(candidates.old)}")


def plot_survival(chain: Chain, *, ax: Axes | None = None) -> Axes:
    """Draw the share of the first version's right items that no later version broke.

    Parameters
    ----------
    chain : Chain
        Versions of a model.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Survival with 95 % intervals, Wilson's or those over groups or prompts, and the accuracy of
        every version beside it.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed: ``pip install 'muscle-metrics[report]'``.

    Examples
    --------
    >>> from muscle_metrics import count_chain
    >>> ax = plot_survival(count_chain(versions=[["A", "A"], ["A", "B"]], references=["A", "A"]))
    >>> ax.lines[0].get_ydata().tolist()
    [1.0, 0.5]
    """
    axes = _axes(ax, width=5.6, height=3.8)
    places = np.arange(len(chain.names))
    survival = np.array([float(rate) for rate in chain.survival])
    found = [survival_bounds(chain, version) for version in range(len(chain.names))]
    bounds = np.array([one.ends if one else NO_INTERVAL for one in found]).T
    axes.plot(places, survival, "o-", color=COLOURS[Quadrant.NEGATIVE], label="never broken")
    axes.vlines(places, *bounds, color=COLOURS[Quadrant.NEGATIVE], linewidth=1.5)
    accuracy = chain.right.mean(axis=1)
    axes.plot(places, accuracy, "s--", color=COLOURS[Quadrant.POSITIVE], label="accuracy")
    axes.set_xticks(places, [_name(name) for name in chain.names])
    axes.set_ylim(0, 1.02)
    axes.set_ylabel(f"share of what {_name(chain.names[0])} got right; of all items")
    axes.legend(loc="lower left", frameon=False)
    _percent(axes.yaxis)
    return _plain(axes)


def _axes(ax: Axes | None, *, width: float, height: float) -> Axes:
    if ax is not None:
        return ax
    pyplot = require("matplotlib.pyplot", "report")
    axes: Axes = pyplot.subplots(figsize=(width, height), layout="constrained")[1]
    return axes


def _changes_of(comparison: Comparison, metric: str | None) -> tuple[str, ScoreChanges]:
    known = dict(comparison.changes)
    name = next(iter(known), None) if metric is None else metric
    if name is None or name not in known:
        raise UsageError(
            f"expected a graded score among {list(known)}, got {name!r}: compare with metric= "
            f"(--metric), such as rouge1"
        )
    return name, known[name]


def _front(axes: Axes, points: Sequence[FrontierPoint], gain: str) -> Axes:
    """Draw named points by a gain and NFR, and a line through those that no other surpasses."""
    is_best = undominated([(point.accuracy, point.nfr) for point in points])
    front = sorted(point[1:] for point, best in zip(points, is_best, strict=True) if best)
    xs, ys = zip(*front, strict=True)
    axes.plot(xs, ys, "-", color=COLOURS[Quadrant.POSITIVE], linewidth=1.5, zorder=1)
    for point, best in zip(points, is_best, strict=True):
        colour = COLOURS[Quadrant.POSITIVE] if best else MUTED
        axes.plot([point.accuracy], [point.nfr], "o", color=colour)
        axes.annotate(
            _name(point.name),
            (point.accuracy, point.nfr),
            xytext=(6, 4),
            textcoords="offset points",
            color=colour,
        )
    axes.margins(0.15)
    axes.set_xlabel(gain)
    axes.set_ylabel("negative flip rate")
    _percent(axes.xaxis)
    _percent(axes.yaxis)
    return _plain(axes)


def _name(text: str) -> str:
    # matplotlib reads text between dollar signs as mathematics.
    return visible(shorten(text, NAME_LIMIT)).replace("$", r"\$")


def _percent(axis: Any) -> None:
    axis.set_major_formatter(require("matplotlib.ticker", "report").PercentFormatter(1.0))


def _plain(axes: Axes) -> Axes:
    axes.spines[["top", "right"]].set_visible(False)
    return axes
