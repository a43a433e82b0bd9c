"""Rates and means over items that come in clusters: several per passage, several per prompt.

Items of one cluster are right or wrong together, so counting them as independent makes an interval
too narrow. The bounds here count clusters. Each adds one cluster to those seen: the worst one that
can occur where the data can rule that out, and else the worst one seen.
"""

from __future__ import annotations

from math import expm1, log, nan
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from muscle_metrics.errors import InputError
from muscle_metrics.statistics.bounded import bounded_mean_interval
from muscle_metrics.statistics.cluster_bounds import SETTLED, ClusterSums, check_clusters
from muscle_metrics.statistics.interval import Interval, Side, check_confidence, tail_levels
from muscle_metrics.statistics.ratios import Share

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "FEW_CLUSTERS",
    "ClusteredMean",
    "ClusteredProportion",
    "Method",
    "allowed_clusters",
    "clustered_mean",
    "clustered_mean_interval",
    "clustered_proportion_interval",
    "clusters_keep_limit",
    "unseen_share",
]

FEW_CLUSTERS = 30
"""Below this many clusters every interval over clusters deserves a warning."""

Method = Literal["finite-sample", "approximate"]

_ROUNDING = 1e-9


class ClusteredProportion(NamedTuple):
    """A rate over all items, its interval over clusters, and the reasons for its width.

    Attributes
    ----------
    rate : float
        Successes per item.
    interval : Interval
        Bounds of the rate.
    clusters, flipped_clusters : int
        Number of clusters, and of those with any success.
    design_effect : float
        How many clustered items inform as much as one independent item; nan for a single cluster.
    largest : float
        Items of the largest cluster that can occur.
    largest_clusters : float
        Items of all clusters, in clusters of the largest size.
    strict : bool
        Whether every upper bound is the finite-sample one.
    upper_method : {"finite-sample", "approximate"}
        Which bound the upper end of the interval is.
    """

    rate: float
    interval: Interval
    clusters: int
    flipped_clusters: int
    design_effect: float
    largest: float = nan
    largest_clusters: float = nan
    strict: bool = False
    upper_method: Method = "finite-sample"

    def allowed_clusters(self, limit: float) -> float:
        """Clusters of the largest size that can succeed as a whole within a limit."""
        return limit * self.largest_clusters

    def method(self, limit: float) -> Method:
        """Which bound decides whether the rate keeps a limit.

        "finite-sample" where the limit allows at least ten clusters of the largest size: Gaffke's
        bound, which holds for any number of clusters. Else "approximate".
        """
        settled = self.strict or self.allowed_clusters(limit) >= SETTLED
        return "finite-sample" if settled else "approximate"


class ClusteredMean(NamedTuple):
    """A mean over all items, its interval over clusters, and which bound its upper end is."""

    mean: float
    interval: Interval
    upper_method: Method


def clustered_proportion_interval(
    *,
    successes: ArrayLike,
    sizes: ArrayLike,
    largest: float | None = None,
    strict: bool = False,
    confidence: float = 0.95,
    side: Side = "two-sided",
) -> ClusteredProportion:
    """Share of items that count, ``sum(successes) / sum(sizes)``, with bounds over clusters.

    Parameters
    ----------
    successes : array_like, shape (clusters,)
        Events in each cluster, such as negative flips; between 0 and the cluster's size,
        not necessarily whole (estimated flips of stochastic decoding are not).
    sizes : array_like, shape (clusters,)
        Items in each cluster, at least one.
    largest : float, optional
        Items of the largest cluster that can occur; by default, of the largest one given.
    strict : bool, default False
        Whether to take the finite-sample bound also where it can hardly keep a limit.
    confidence : float, default 0.95
        Level, between 0 and 1.
    side : {"two-sided", "lower", "upper"}
        Which bounds to compute; the other one is 0 or 1.

    Returns
    -------
    ClusteredProportion
        Its `method` says which bound decides a limit. Clusters of one item give the
        Clopper-Pearson interval.

    Raises
    ------
    InputError
        If there is no cluster, one has no items, more successes than items, or more items than the
        largest.
    UsageError
        If the level or side is unknown.

    Notes
    -----
    Both bounds are Gaffke's, for a ratio: the clusters get exponential weights, one more cluster is
    added, and the bound is a quantile of the weighted ratio. So no bound falls when one more item
    counts.

    A limit that allows at least ten clusters of the largest size to succeed as a whole is decided
    by the finite-sample bound: the extra cluster is of the largest size and succeeds as a whole. In
    simulations it passes a limit that is just reached in at most 5 % of all cases, also where
    clusters rarely break as a whole.

    A smaller limit is decided by the approximate bound. The extra cluster is the worst one seen,
    taken to the largest size by the root of the sizes and made a tenth larger; with fewer than
    about 30 clusters, more. The bound is never below the share of clusters that could succeed as a
    whole unseen, `unseen_share`. It passes too often where clusters rarely break as a whole, or
    where large clusters break more.

    The lower bound adds a cluster of the largest size without a success.

    References
    ----------
    Gaffke, "Three Test Statistics for a Nonparametric One-Sided Hypothesis on the Mean of a
    Nonnegative Variable", Mathematical Methods of Statistics 14 (2005), 451-467.

    Examples
    --------
    >>> result = clustered_proportion_interval(successes=[3, 0, 0, 1], sizes=[5, 5, 5, 5])
    >>> result.rate, result.flipped_clusters, round(result.design_effect, 2)
    (0.2, 2, 2.5)
    >>> result.method(0.1)
    'approximate'
    """
    hits, items = check_clusters(successes, sizes, largest)
    below, above = tail_levels(confidence, side)
    _check_successes(hits, items)
    biggest, is_finite = float(largest or items.max()), True
    if biggest == 1:
        # Independent items: Clopper-Pearson for whole numbers.
        interval = bounded_mean_interval(hits, low=0, high=1, confidence=confidence, side=side)
    else:
        sums = ClusterSums(hits, items, largest, strict=strict)
        upper, is_finite = sums.named_upper(above) if above else (Share(1.0, 0.0), True)
        interval = Interval(low=sums.lower(below).hits if below else 0.0, high=upper.hits)
    return ClusteredProportion(
        rate=float(hits.sum() / items.sum()),
        interval=interval,
        clusters=items.size,
        flipped_clusters=int(np.count_nonzero(hits)),
        design_effect=_design_effect(hits, items),
        largest=biggest,
        largest_clusters=float(items.sum()) / biggest,
        strict=strict,
        upper_method="finite-sample" if is_finite else "approximate",
    )


def clustered_mean_interval(
    *,
    totals: ArrayLike,
    sizes: ArrayLike,
    low: float = -1.0,
    high: float = 1.0,
    largest: float | None = None,
    strict: bool = False,
    confidence: float = 0.95,
    side: Side = "two-sided",
) -> Interval:
    """Interval for a mean over all items, ``sum(totals) / sum(sizes)``, from clusters.

    Made for a loss of accuracy, where an item contributes -1, 0 or 1.

    Parameters
    ----------
    totals : array_like, shape (clusters,)
        Sum of the values in each cluster.
    sizes : array_like, shape (clusters,)
        Items in each cluster, at least one.
    low, high : float
        Range of one item's value; the interval stays within it. The value of no change is 0,
        or `low` where 0 is not in the range.
    largest : float, optional
        Items of the largest cluster that can occur; by default, of the largest one given.
    strict : bool, default False
        Whether to take the finite-sample upper bound also where it can hardly keep a limit.
    confidence : float, default 0.95
        Level, between 0 and 1.
    side : {"two-sided", "lower", "upper"}
        Which bounds to compute; the other one is the end of the range.

    Returns
    -------
    Interval
        Neither bound falls when one more item is lost. The upper bound is made as
        `clustered_proportion_interval` makes it; `allowed_clusters` says whether the finite-sample
        one decides a limit. The lower bound adds a cluster of the largest size without a change,
        less the largest gain seen; it is approximate.

    Raises
    ------
    InputError
        If there is no cluster, one has no items, a mean outside the range, or more items than the
        largest.
    UsageError
        If the level or side is unknown.

    Examples
    --------
    >>> print(clustered_mean_interval(totals=[2, -1, 0, 1, 0, 1, 3], sizes=[4, 4, 2, 4, 4, 2, 4]))
    [-0.0512, 0.6345]
    """
    return clustered_mean(
        totals=totals,
        sizes=sizes,
        low=low,
        high=high,
        largest=largest,
        strict=strict,
        confidence=confidence,
        side=side,
    ).interval


def clustered_mean(
    *,
    totals: ArrayLike,
    sizes: ArrayLike,
    low: float = -1.0,
    high: float = 1.0,
    largest: float | None = None,
    strict: bool = False,
    confidence: float = 0.95,
    side: Side = "two-sided",
) -> ClusteredMean:
    """Mean over all items with the interval of `clustered_mean_interval`, whose parameters it has.

    Examples
    --------
    >>> clustered_mean(totals=[2, -1, 0, 1], sizes=[4, 4, 2, 4]).upper_method
    'approximate'
    """
    sums, items = check_clusters(totals, sizes, largest)
    below, above = tail_levels(confidence, side)
    means = sums / items
    slack = _ROUNDING * (high - low)
    outside = np.flatnonzero((means < low - slack) | (means > high + slack))
    if outside.size:
        raise InputError(
            f"expected the mean of each cluster between {low!r} and {high!r}, got "
            f"{means[outside[0]]:g} in cluster {outside[0]}: give the scorer's true range"
        )
    mean = float(sums.sum() / items.sum())
    if (largest or items.max()) == 1:
        interval = bounded_mean_interval(
            sums.clip(low, high), low=low, high=high, confidence=confidence, side=side
        )
        return ClusteredMean(mean, interval, "finite-sample")
    span = high - low
    found = ClusterSums(
        hits=((sums - low * items) / span).clip(0, items),
        items=items,
        largest=largest,
        base=-low / span if low < 0 < high else 0.0,
        strict=strict,
    )
    upper, is_finite = found.named_upper(above) if above else (Share(1.0, 0.0), True)
    interval = Interval(
        low=low + span * found.lower(below).hits if below else low,
        high=_from_share(upper, low, high),
    )
    return ClusteredMean(mean, interval, "finite-sample" if is_finite else "approximate")


def clusters_keep_limit(
    limit: float,
    *,
    successes: ArrayLike,
    sizes: ArrayLike,
    largest: float | None = None,
    strict: bool = False,
    confidence: float = 0.95,
) -> bool:
    """Whether a rate over clusters keeps a limit, at a fraction of the cost of its bound.

    Parameters
    ----------
    limit : float
        Limit of the rate, between 0 and 1.
    successes, sizes, largest, strict, confidence
        As in `clustered_proportion_interval`.

    Returns
    -------
    bool
        Whether the upper bound of that function, for one side, is at most the limit.

    Raises
    ------
    InputError
        If the clusters are not what that function expects.
    UsageError
        If the level is not between 0 and 1.

    Examples
    --------
    >>> clusters_keep_limit(0.04, successes=[1, 0, 2] * 20, sizes=[50] * 60)
    False
    >>> clusters_keep_limit(0.06, successes=[1, 0, 2] * 20, sizes=[50] * 60)
    True
    """
    hits, items = check_clusters(successes, sizes, largest)
    _check_successes(hits, items)
    return ClusterSums(hits, items, largest, strict=strict).keeps(
        limit, 1 - check_confidence(confidence)
    )


def allowed_clusters(limit: float, *, sizes: ArrayLike, largest: float | None = None) -> float:
    """Clusters of the largest size that can break as a whole within a limit.

    From ten on the finite-sample bound decides the limit, below an approximate one.

    Parameters
    ----------
    limit : float
        Limit of a rate, or of a loss of accuracy.
    sizes : array_like, shape (clusters,)
        Items in each cluster, at least one.
    largest : float, optional
        Items of the largest cluster that can occur; by default, of the largest one given.

    Returns
    -------
    float
        ``clusters * limit * mean size / largest size``.

    Examples
    --------
    >>> allowed_clusters(0.05, sizes=[50] * 60)
    3.0
    """
    items = np.asarray(sizes, dtype=np.float64)
    return limit * float(items.sum()) / float(largest or items.max())


def unseen_share(clusters: int, *, confidence: float = 0.95) -> float:
    """Share of clusters that could break as a whole although none of them is seen.

    Parameters
    ----------
    clusters : int
        Clusters seen.
    confidence : float, default 0.95
        Level, between 0 and 1.

    Returns
    -------
    float
        ``1 - (1 - confidence) ** (1 / clusters)``, about three in `clusters`.

    Examples
    --------
    >>> round(unseen_share(60), 4)
    0.0487
    """
    return -expm1(log(1 - check_confidence(confidence)) / clusters)


def _from_share(share: Share, low: float, high: float) -> float:
    # From the nearer end, so that the bound stays within the range.
    span = high - low
    return low + span * share.hits if share.hits < share.misses else high - span * share.misses


def _check_successes(hits: Floats, items: Floats) -> None:
    outside = np.flatnonzero((hits < 0) | (hits > items))
    if outside.size:
        first = outside[0]
        raise InputError(
            f"expected successes of each cluster between 0 and its size, got {hits[first]:g} of "
            f"{items[first]:g} in cluster {first}"
        )


def _design_effect(hits: Floats, items: Floats) -> float:
    rate = hits.sum() / items.sum()
    if items.size < 2:
        return nan
    # Items alone in their clusters are independent; the CR1 factor would call them 1 + 1/G.
    if items.max() == 1 or rate in (0, 1):
        return 1.0
    residuals = hits - rate * items
    clusters = items.size
    # CR1: the variance between clusters of a ratio of sums.
    variance = clusters / (clusters - 1) * (residuals @ residuals) / items.sum() ** 2
    return max(1.0, float(variance * items.sum() / (rate * (1 - rate))))
