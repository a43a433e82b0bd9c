"""The share of a total weight, over independent units of unequal weight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from muscle_metrics.statistics.bounded import bounded_mean_interval
from muscle_metrics.statistics.cluster_bounds import ClusterSums, check_clusters
from muscle_metrics.statistics.interval import Interval, Side, tail_levels

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["weighted_proportion_interval"]


def weighted_proportion_interval(
    *,
    successes: ArrayLike,
    weights: ArrayLike,
    largest: float,
    confidence: float = 0.95,
    side: Side = "two-sided",
) -> Interval:
    """Weight of what counts over all weight, by the finite-sample bound over independent units.

    Parameters
    ----------
    successes : array_like, shape (units,)
        Weight of the events in each unit; between 0 and the unit's weight.
    weights : array_like, shape (units,)
        Weight of each unit, above 0.
    largest : float
        Largest weight that a unit can have, known before the data are seen. A sample without a
        heavy unit does not show that there is none.
    confidence : float, default 0.95
        Level, between 0 and 1.
    side : {"two-sided", "lower", "upper"}
        Which bounds to compute; the other one is 0 or 1.

    Returns
    -------
    Interval
        Gaffke's bounds of ``E[weight * (event - limit)]``, as limits.

    Raises
    ------
    InputError
        If there is no unit, one has no weight, or a weight is above the largest.
    UsageError
        If the level or side is unknown.

    Examples
    --------
    >>> print(weighted_proportion_interval(successes=[3, 0, 0], weights=[3, 1, 1], largest=3))
    [0.0150, 0.9665]
    """
    hits, mass = check_clusters(successes, weights, largest, least=0.0)
    below, above = tail_levels(confidence, side)
    if mass.min() == largest:
        shares = np.minimum(hits / largest, 1.0)
        return bounded_mean_interval(shares, low=0, high=1, confidence=confidence, side=side)
    sums = ClusterSums(np.minimum(hits, mass), mass, largest, strict=True)
    return Interval(
        low=sums.lower(below).hits if below else 0.0,
        high=sums.upper(above).hits if above else 1.0,
    )
