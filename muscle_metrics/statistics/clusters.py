"""Rates and means over items that come in clusters: several per passage, several per prompt.

Items of one cluster are right or wrong together, so counting them as independent makes an interval
too narrow. The bounds here count clusters: the number of items is divided by the design effect
(Korn and Graubard), and guards take over where few clusters flip.
"""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from muscle_metrics.errors import InputError
from muscle_metrics.statistics.bounded import bounded_mean_interval
from muscle_metrics.statistics.interval import Interval, Side, normal_quantile, tail_levels
from muscle_metrics.statistics.proportions import proportion_interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "FEW_CLUSTERS",
    "ClusteredProportion",
    "clustered_mean_interval",
    "clustered_proportion_interval",
]

FEW_CLUSTERS = 30
"""Below this many clusters every interval over clusters deserves a warning."""

_FEW_FLIPPED = 5
_ROUNDING = 1e-9


class ClusteredProportion(NamedTuple):
    """A rate over all items, its interval over clusters, and the reasons for its width."""

    rate: float
    interval: Interval
    clusters: int
    flipped_clusters: int
    design_effect: float


def clustered_proportion_interval(
    *,
    successes: ArrayLike,
    sizes: ArrayLike,
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
    confidence : float, default 0.95
        Level, between 0 and 1.
    side : {"two-sided", "lower", "upper"}
        Which bounds to compute; the other one is 0 or 1.

    Returns
    -------
    ClusteredProportion
        ``design_effect`` is how many clustered items inform as much as one independent item, at
        least 1, and nan for a single cluster. Clusters of one item give the Clopper-Pearson
        interval.

    Raises
    ------
    InputError
        If there is no cluster, or one has no items or more successes than items.
    UsageError
        If the level or side is unknown.

    Notes
    -----
    The upper bound is the largest of the effective-size Clopper-Pearson bound, the bound on the
    logit scale with the CR1 variance and ``t``, and, if fewer than five clusters flipped, the
    Clopper-Pearson bound on the share of flipped clusters. The lower bound is the same thing for
    the items that did not flip. ``t`` has as many degrees of freedom as the variance has by the
    kurtosis of the residuals of the clusters, at most ``clusters - 1``: where few clusters hold
    most flips, the variance is less certain.

    References
    ----------
    Korn and Graubard, "Confidence Intervals for Proportions with Small Expected Number of Positive
    Counts Estimated from Survey Data", Survey Methodology 24 (1998), 193-201.
    Box, "Non-Normality and Tests on Variances", Biometrika 40 (1953), 318-335, for the variance of
    a variance.

    Examples
    --------
    >>> result = clustered_proportion_interval(successes=[3, 0, 0, 1], sizes=[5, 5, 5, 5])
    >>> result.rate, result.flipped_clusters, round(result.design_effect, 2)
    (0.2, 2, 2.5)
    """
    hits, items = _check_clusters(successes, sizes)
    below, above = tail_levels(confidence, side)
    outside = np.flatnonzero((hits < 0) | (hits > items))
    if outside.size:
        first = outside[0]
        raise InputError(
            f"expected successes of each cluster between 0 and its size, got {hits[first]:g} of "
            f"{items[first]:g} in cluster {first}"
        )
    return ClusteredProportion(
        rate=float(hits.sum() / items.sum()),
        interval=Interval(
            low=1 - _upper_bound(items - hits, items, below) if below else 0.0,
            high=_upper_bound(hits, items, above) if above else 1.0,
        ),
        clusters=items.size,
        flipped_clusters=int(np.count_nonzero(hits)),
        design_effect=_design_effect(hits, items),
    )


def clustered_mean_interval(
    *,
    totals: ArrayLike,
    sizes: ArrayLike,
    low: float = -1.0,
    high: float = 1.0,
    confidence: float = 0.95,
    side: Side = "two-sided",
) -> Interval:
    """Interval for a mean over all items, ``sum(totals) / sum(sizes)``, from clusters.

    Made for a difference of accuracies, where an item contributes -1, 0 or 1.

    Parameters
    ----------
    totals : array_like, shape (clusters,)
        Sum of the values in each cluster.
    sizes : array_like, shape (clusters,)
        Items in each cluster, at least one.
    low, high : float
        Range of one item's value; the interval stays within it.
    confidence : float, default 0.95
        Level, between 0 and 1.
    side : {"two-sided", "lower", "upper"}
        Which bounds to compute; the other one is the end of the range.

    Returns
    -------
    Interval
        Mean plus and minus ``t`` on ``clusters - 1`` degrees of freedom times the CR1 standard
        error; the whole range if there is a single cluster. If fewer than five clusters differ from
        the rest, at least as wide as the bound on a known range for the means of the clusters: ten
        clusters without any change do not show that nothing changed.

    Raises
    ------
    InputError
        If there is no cluster, or one has no items or a mean outside the range.
    UsageError
        If the level or side is unknown.

    References
    ----------
    Cameron and Miller, "A Practitioner's Guide to Cluster-Robust Inference", Journal of Human
    Resources 50 (2015), 317-372.

    Examples
    --------
    >>> print(clustered_mean_interval(totals=[2, -1, 0, 1, 0, 1, 3], sizes=[4, 4, 2, 4, 4, 2, 4]))
    [-0.1068, 0.6068]
    """
    sums, items = _check_clusters(totals, sizes)
    below, above = tail_levels(confidence, side)
    means = sums / items
    slack = _ROUNDING * (high - low)
    outside = np.flatnonzero((means < low - slack) | (means > high + slack))
    if outside.size:
        raise InputError(
            f"expected the mean of each cluster between {low!r} and {high!r}, got "
            f"{means[outside[0]]:g} in cluster {outside[0]}: give the scorer's true range"
        )
    if items.size < 2:
        return Interval(low, high)
    mean = float(sums.sum() / items.sum())
    error = float(np.sqrt(_variance(sums, items)))
    lower = mean - _t_quantile(below, items.size - 1) * error if below else low
    upper = mean + _t_quantile(above, items.size - 1) * error if above else high
    if items.size - np.unique(means, return_counts=True)[1].max() < _FEW_FLIPPED:
        rare = bounded_mean_interval(
            means.clip(low, high), low=low, high=high, confidence=confidence, side=side
        )
        lower, upper = min(lower, rare.low), max(upper, rare.high)
    return Interval(max(low, lower), min(high, upper))


def _check_clusters(totals: ArrayLike, sizes: ArrayLike) -> tuple[Floats, Floats]:
    sums = np.asarray(totals, dtype=np.float64)
    items = np.asarray(sizes, dtype=np.float64)
    if sums.ndim != 1 or sums.shape != items.shape or not sums.size:
        raise InputError(
            "expected one total and one size for each cluster, got arrays of shape "
            f"{sums.shape} and {items.shape}: pass two flat lists of one length"
        )
    strange = np.flatnonzero(~(np.isfinite(sums) & np.isfinite(items) & (items >= 1)))
    if strange.size:
        first = strange[0]
        raise InputError(
            f"expected a finite total and at least 1 item in each cluster, got {sums[first]:g} in "
            f"{items[first]:g} items of cluster {first}: leave it out"
        )
    return sums, items


def _variance(sums: Floats, items: Floats) -> float:
    """Return the CR1 variance of the ratio of sums."""
    clusters, residuals = items.size, _residuals(sums, items)
    return float(clusters / (clusters - 1) * (residuals @ residuals) / items.sum() ** 2)


def _residuals(sums: Floats, items: Floats) -> Floats:
    residuals: Floats = sums - sums.sum() / items.sum() * items
    return residuals


def _design_effect(hits: Floats, items: Floats) -> float:
    rate = hits.sum() / items.sum()
    if items.size < 2:
        return nan
    # Items alone in their clusters are independent; the CR1 factor would call them 1 + 1/G.
    if items.max() == 1 or rate in (0, 1):
        return 1.0
    return max(1.0, float(_variance(hits, items) * items.sum() / (rate * (1 - rate))))


def _upper_bound(hits: Floats, items: Floats, alpha: float) -> float:
    clusters, flipped = items.size, int(np.count_nonzero(hits))
    by_cluster = proportion_interval(
        flipped, clusters, confidence=1 - alpha, method="clopper-pearson", side="upper"
    ).high
    if flipped == 0 or items.max() == 1:
        return by_cluster
    if clusters == 1 or hits.sum() == items.sum():
        return 1.0
    reach = _t_quantile(alpha, _freedom(hits, items))
    bounds = [_effective_bound(hits, items, alpha, reach), _logit_bound(hits, items, reach)]
    return max(bounds + [by_cluster] * (flipped < _FEW_FLIPPED))


def _effective_bound(hits: Floats, items: Floats, alpha: float, reach: float) -> float:
    """Clopper-Pearson upper bound for as many independent items as the clusters are worth."""
    from scipy.special import betaincinv

    rate = hits.sum() / items.sum()
    worth = items.sum() / _design_effect(hits, items)
    worth *= (normal_quantile(alpha) / reach) ** 2
    return float(betaincinv(rate * worth + 1, (1 - rate) * worth, 1 - alpha))


def _logit_bound(hits: Floats, items: Floats, reach: float) -> float:
    from scipy.special import expit, logit

    rate = hits.sum() / items.sum()
    error = np.sqrt(_variance(hits, items)) / (rate * (1 - rate))
    return float(expit(logit(rate) + reach * error))


def _freedom(sums: Floats, items: Floats) -> float:
    """Return the degrees of freedom of the CR1 variance.

    A variance that comes from few clusters is less certain than ``clusters - 1`` suggests, and
    too small in samples that lack those clusters.
    """
    clusters = items.size
    squares = _residuals(sums, items) ** 2
    if not squares.any():
        return clusters - 1
    kurtosis = float(clusters * (squares @ squares) / squares.sum() ** 2)
    return min(clusters - 1, 2 / (2 / (clusters - 1) + (kurtosis - 3) / clusters))


def _t_quantile(alpha: float, freedom: float) -> float:
    from scipy.special import stdtrit

    return -float(stdtrit(freedom, alpha))
