"""What items that come in groups say about a criterion, with bounds over the groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from muscle_metrics.gate.evidence import Evidence, number_labels, within
from muscle_metrics.statistics.clusters import (
    clustered_mean_interval,
    clustered_proportion_interval,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from muscle_metrics.answers.correctness import Correctness
    from muscle_metrics.statistics.interval import Interval, Side

__all__ = ["clustered_loss", "clustered_rate", "loss_of_clusters", "rate_of_clusters"]

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Sizes = npt.NDArray[np.intp]


def clustered_rate(flags: Flags, labels: Sequence[Hashable], unit: str) -> Evidence:
    """Share of items that come in groups, with bounds over the groups.

    Examples
    --------
    >>> flags = np.array([True, True, False, False])
    >>> clustered_rate(flags, ["a", "a", "b", "b"], "groups").sample
    '2 of 4 items in 2 groups (few: bounds are rough), 1 of them with any, design effect 4.0'
    """
    codes, sizes = number_labels(labels)
    return rate_of_clusters(np.bincount(codes, weights=flags), sizes, unit)


def rate_of_clusters(hits: Floats | Sizes, sizes: Sizes, unit: str) -> Evidence:
    """Share of items that come in groups, from how many of each group count.

    Examples
    --------
    >>> rate_of_clusters(np.array([2.0, 0.0]), np.array([2, 2]), "groups").estimate
    0.5
    """
    found = clustered_proportion_interval(successes=hits, sizes=sizes)

    def interval(confidence: float, side: Side, hits: npt.ArrayLike = hits) -> Interval:
        return clustered_proportion_interval(
            successes=hits, sizes=sizes, confidence=confidence, side=side
        ).interval

    return Evidence(
        estimate=found.rate,
        sample=(
            f"{hits.sum():.0f} of {sizes.sum()} items{within(len(sizes), unit)}, "
            f"{found.flipped_clusters} of them with any, design effect {found.design_effect:.1f}"
        ),
        interval=interval,
        best=lambda confidence: interval(confidence, "upper", np.zeros_like(hits)).high,
        units=len(sizes),
        unit=unit,
    )


def clustered_loss(correctness: Correctness, labels: Sequence[Hashable], unit: str) -> Evidence:
    """Old accuracy minus new accuracy over items in groups, with CR1 bounds over the groups.

    Examples
    --------
    >>> from muscle_metrics.answers.correctness import Correctness
    >>> old, new = np.array([True, True, False]), np.array([True, False, False])
    >>> round(clustered_loss(Correctness(old, new, None), ["a", "b", "c"], "groups").estimate, 3)
    0.333
    """
    codes, sizes = number_labels(labels)
    losses = np.subtract(correctness.old_right, correctness.new_right, dtype=np.int64)
    return loss_of_clusters(np.bincount(codes, weights=losses), sizes, unit)


def loss_of_clusters(totals: Floats | Sizes, sizes: Sizes, unit: str) -> Evidence:
    """Old accuracy minus new accuracy, from how many more items of each group were right before.

    Examples
    --------
    >>> loss_of_clusters(np.array([2.0, -1.0]), np.array([2, 2]), "groups").estimate
    0.25
    """
    return Evidence(
        estimate=float(totals.sum() / sizes.sum()),
        sample=f"{sizes.sum()} items{within(len(sizes), unit)}",
        interval=lambda confidence, side: clustered_mean_interval(
            totals=totals, sizes=sizes, confidence=confidence, side=side
        ),
        best=lambda confidence: -1.0,
        units=len(sizes),
        unit=unit,
    )
