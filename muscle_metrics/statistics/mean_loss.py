"""The mean loss of a score over all items, on its known range."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.statistics.bounded import bounded_mean_interval
from muscle_metrics.statistics.clusters import Method, clustered_proportion_interval
from muscle_metrics.statistics.interval import Interval, Side

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["MeanLoss", "mean_loss"]


class MeanLoss(NamedTuple):
    """Mean loss over all items, its bounds over independent units, and which its upper one is."""

    loss: float
    interval: Interval
    items: int
    worse: int
    units: int
    upper_method: Method = "finite-sample"


def mean_loss(
    changes: ArrayLike,
    *,
    span: float,
    groups: ArrayLike | None = None,
    largest: float | None = None,
    strict: bool = False,
    confidence: float = 0.95,
    side: Side = "two-sided",
) -> MeanLoss:
    """Mean of ``max(-change, 0)`` over all items: how much an item loses, gains not counted.

    An item that gains or stays counts as 0, so no gain hides a loss, and every further loss raises
    the mean and both bounds. The mean over only the items that got worse can fall when one more
    item gets a little worse.

    Parameters
    ----------
    changes : array_like of float, shape (N,)
        New score minus old score of each item, larger is better.
    span : float
        Length of the scorer's range, the largest loss that is possible.
    groups : array_like, shape (N,), optional
        A label for each item; items with the same label depend on each other.
    largest, strict
        As in `clustered_proportion_interval`; without groups they do not matter.
    confidence : float, default 0.95
        Level, between 0 and 1.
    side : {"two-sided", "lower", "upper"}
        Which bounds to compute; the other one is 0 or `span`.

    Returns
    -------
    MeanLoss
        In the unit of the scores. Without groups the bounds are Gaffke's on the range from 0 to
        `span`; with groups those of a rate over clusters, an item counting by its share of `span`.

    Raises
    ------
    InputError
        If there is no item, a change is not a number or larger than the range, or the labels are
        not as many as the items.
    UsageError
        If the range is not finite and positive, or the level or side is unknown.

    Examples
    --------
    >>> found = mean_loss([0.0, 0.3, -0.1, 0.0, -0.5, 0.0, 0.0, 0.2], span=1)
    >>> round(found.loss, 3), found.worse, print(found.interval)
    [0.0073, 0.4293]
    (0.075, 2, None)
    """
    losses = _check_changes(changes, span)
    worse = int(np.count_nonzero(losses))
    if groups is None:
        interval = bounded_mean_interval(losses, low=0, high=span, confidence=confidence, side=side)
        return MeanLoss(float(losses.mean()), interval, losses.size, worse, losses.size)
    labels = np.asarray(groups)
    if labels.shape != losses.shape:
        raise InputError(
            f"expected one group for each of {losses.size} items, got an array of shape "
            f"{labels.shape}: pass a flat list of labels"
        )
    numbers = np.unique(labels, return_inverse=True)[1]
    sizes = np.bincount(numbers)
    shares = np.minimum(np.bincount(numbers, weights=losses / span), sizes)
    found = clustered_proportion_interval(
        successes=shares,
        sizes=sizes,
        largest=largest,
        strict=strict,
        confidence=confidence,
        side=side,
    )
    interval = Interval(*(span * bound for bound in found.interval))
    return MeanLoss(
        float(losses.mean()), interval, losses.size, worse, sizes.size, found.upper_method
    )


def _check_changes(changes: ArrayLike, span: float) -> Floats:
    if not (math.isfinite(span) and span > 0):
        raise UsageError(
            f"expected a finite range of scores, got one of length {span!r}: give the scorer's "
            "true range"
        )
    array = np.asarray(changes, dtype=np.float64)
    if array.ndim != 1 or not array.size:
        raise InputError(
            f"expected one row of changes, got an array of shape {array.shape}: pass a flat list"
        )
    # A difference of two scores can be off the range by rounding.
    outside = np.flatnonzero(~(np.abs(array) <= span * (1 + 1e-9)))
    if outside.size:
        raise InputError(
            f"expected changes of at most {span!r}, got {float(array[outside[0]])!r} at position "
            f"{outside[0]} ({outside.size} of {array.size} lie outside): give the scorer's true "
            "range"
        )
    losses: Floats = np.clip(-array, 0, span)
    return losses
