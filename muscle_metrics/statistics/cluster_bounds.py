"""Bounds of a ratio over clusters: which extra cluster is added to those that were seen.

A finite-sample bound adds the largest cluster that can occur, all hits. That is Gaffke's bound; it
holds for any number of clusters, but it can hardly keep a limit that allows only a few such
clusters. For these limits the bound adds the worst cluster seen, made larger, and never falls below
the share of clusters that could break unseen. Each rises with every hit.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, expm1, inf, log
from typing import TYPE_CHECKING

import numpy as np

from muscle_metrics.errors import InputError
from muscle_metrics.statistics.ratios import Group, Share, keeps_share, largest_share

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["SETTLED", "ClusterSums", "check_clusters"]

SETTLED = 10
"""So many of the largest clusters must fit into a limit before the finite-sample bound decides."""

# The worst cluster seen is made larger by 1.1, and by more for few clusters. The numbers come from
# tests/benchmarks/group_designs.py: with them no kind of design errs more often than with a t
# interval by the jackknife variance (CR3).
_MARGIN = 1.1
_FEW_MARGIN = 200
_ROUNDING = 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class ClusterSums:
    """Hits and items of clusters, and what is known about the clusters that can occur.

    Parameters
    ----------
    hits : numpy.ndarray of float, shape (clusters,)
        Between 0 and the items of the cluster.
    items : numpy.ndarray of float, shape (clusters,)
        Positive.
    largest : float, optional
        Items of the largest cluster that can occur; without it, of the largest one seen.
    base : float, default 0
        Share of hits where nothing changes: 0 for a rate, 1/2 for a loss between -1 and 1.
    strict : bool, default False
        Take the finite-sample bound for every limit.
    """

    hits: Floats
    items: Floats
    largest: float | None = None
    base: float = 0.0
    strict: bool = False

    def upper(self, alpha: float) -> Share:
        """Return the bound that the true share of hits exceeds with probability `alpha`.

        The true share keeps a limit by this bound exactly if it does so by the finite-sample bound
        where the limit is settled, and by the approximate bound elsewhere. The approximate bound is
        never above the other one, so a limit that is kept implies every larger one.
        """
        return self.named_upper(alpha)[0]

    def named_upper(self, alpha: float) -> tuple[Share, bool]:
        """Return the upper bound, and whether it is the finite-sample one."""
        whole, settled = Group(self._largest()), self._settled()
        if self.strict or not (settled >= 1 or self._keeps(settled, whole, alpha)):
            return self._bound(whole, alpha), True
        bound, unseen = self._bound(self._worst_seen(), alpha), self._unseen(alpha)
        # Where nothing was hit both bounds may be one number, of which the last digits differ.
        if bound >= unseen or not self._keeps(unseen.hits * (1 - _ROUNDING), whole, alpha):
            return max(bound, unseen), False
        return self._bound(whole, alpha), True

    def keeps(self, limit: float, alpha: float) -> bool:
        """Return whether the upper bound is at most a share, by at most two integrals."""
        whole, settled = Group(self._largest()), self._settled()
        if self.strict or limit >= settled or self._unseen(alpha).hits > limit:
            return self._keeps(limit, whole, alpha)
        # The bound by the worst cluster seen is never above the finite-sample one.
        return self._keeps(limit, self._worst_seen(), alpha) and (
            settled >= 1 or self._keeps(settled, whole, alpha)
        )

    def lower(self, alpha: float) -> Share:
        """Return the bound that the true share of hits stays below with probability `alpha`.

        The extra cluster holds as few hits as it can where nothing changes, less the largest gain
        seen. For a rate this is Gaffke's bound on the range of the clusters. A share that is not
        above that of no change is also bounded by what could gain unseen.
        """
        size = self._largest()
        gained = float(np.maximum(self.base * self.items - self.hits, 0).max())
        missed = min((1 - self.base) * size + gained, size)
        extra = Group(missed, size - missed)
        missing = largest_share(self.items - self.hits, self.items, extra=extra, alpha=alpha)
        if self.base > 0 and self.hits.sum() <= self.base * self.items.sum():
            mirrored = ClusterSums(self.items - self.hits, self.items, base=1 - self.base)
            missing = max(missing, mirrored._unseen(alpha))
        return Share(missing.misses, missing.hits)

    def _bound(self, extra: Group, alpha: float) -> Share:
        return largest_share(self.hits, self.items, extra=extra, alpha=alpha)

    def _keeps(self, limit: float, extra: Group, alpha: float) -> bool:
        return keeps_share(self.hits, self.items, limit, extra=extra, alpha=alpha)

    def _excess(self) -> Floats:
        """Hits beyond those of no change, as a number of items that are all hits."""
        excess: Floats = np.maximum(self.hits - self.base * self.items, 0) / (1 - self.base)
        return excess

    def _largest(self) -> float:
        return self.largest or float(self.items.max())

    def _settled(self) -> float:
        """Return the smallest share that the finite-sample bound decides."""
        return self.base + (1 - self.base) * SETTLED * self._largest() / float(self.items.sum())

    def _worst_seen(self) -> Group:
        """Return the worst cluster seen, taken to the largest size by the root of the sizes."""
        largest, spared = self._largest(), self._spared()
        worst = float((self._excess() * np.sqrt(largest / self.items)).max())
        if spared == 0 or worst == 0:
            return Group(worst)
        return Group(min((_MARGIN + _FEW_MARGIN / spared**2) * worst, largest))

    def _spared(self) -> float:
        """Return the number of clusters, each counted by its share of items that are not hits."""
        # Sorted, so that the order of the clusters changes no digit.
        return max(float(np.sort(1 - self._excess() / self.items).sum()), 0.0)

    def _unseen(self, alpha: float) -> Share:
        """Return the bound if as many clusters are hit as a whole as could stay unseen."""
        spared = self._spared()
        if spared == 0:
            return Share(1.0, 0.0)
        # Clopper-Pearson for no hit in so many clusters; the others are at most as before.
        others = min(float(self.hits.sum() / self.items.sum()), self.base)
        none = exp(log(alpha) / spared)
        return Share(-expm1(log(alpha) / spared) + none * others, none * (1 - others))


def check_clusters(
    totals: ArrayLike, sizes: ArrayLike, largest: float | None, *, least: float = 1.0
) -> tuple[Floats, Floats]:
    """Return totals and sizes as arrays, if they describe clusters of at most the largest size."""
    sums = np.asarray(totals, dtype=np.float64)
    items = np.asarray(sizes, dtype=np.float64)
    if sums.ndim != 1 or sums.shape != items.shape or not sums.size:
        raise InputError(
            "expected one total and one size for each cluster, got arrays of shape "
            f"{sums.shape} and {items.shape}: pass two flat lists of one length"
        )
    fits = np.isfinite(sums) & np.isfinite(items) & (items >= least) & (items > 0)
    strange = np.flatnonzero(~fits)
    if strange.size:
        first = strange[0]
        raise InputError(
            f"expected a finite total and at least 1 item in each cluster, got {sums[first]:g} in "
            f"{items[first]:g} items of cluster {first}: leave it out"
        )
    if largest is not None and not items.max() <= largest < inf:
        first = items.argmax()
        raise InputError(
            f"expected the size of the largest cluster that can occur, got {largest:g} where "
            f"cluster {first} has {items[first]:g}: give at least this number"
        )
    return sums, items
