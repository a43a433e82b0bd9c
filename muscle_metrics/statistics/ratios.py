"""A ratio of sums over independent groups, bounded without assuming a shape.

A group brings hits and items, such as flips and answers. The bound is Gaffke's, for a ratio: give
the groups exponential weights ``E_g``, add one more group at the worst end, and take the
``1 - alpha`` quantile of the weighted ratio. That is the share ``u`` at which
``sum(E_g (hits_g - u items_g))``, with the extra group, is positive with probability ``alpha``.
Every term rises with every hit, so the bound does, too.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from muscle_metrics.statistics.bisection import falling_root
from muscle_metrics.statistics.gamma_sums import log_chance_positive

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Group", "Share", "keeps_share", "largest_share"]

_MOST_CELLS = 2048
_NEVER = -1e4


class Group(NamedTuple):
    """One group: what was hit and what was not."""

    hits: float
    misses: float = 0.0


class Share(NamedTuple):
    """A share and what is missing to 1; each keeps its digits where it is small."""

    hits: float
    misses: float


def largest_share(hits: Floats, items: Floats, *, extra: Group, alpha: float) -> Share:
    """Return the upper bound of ``E[hits] / E[items]``.

    Parameters
    ----------
    hits : numpy.ndarray of float, shape (groups,)
        Between 0 and the items of the group.
    items : numpy.ndarray of float, shape (groups,)
        Positive.
    extra : Group
        The group that is added. With the largest one that can occur, all hits, this is Gaffke's
        bound on ``hits - u items``.
    alpha : float
        Probability that the bound may err with.

    Returns
    -------
    Share
        More than 2048 different groups are first averaged within as many cells; this moves the
        bound by less than a ten-thousandth of its distance from the ratio.

    Examples
    --------
    Ten groups of five without a hit: as one group in ten, by Clopper and Pearson.

    >>> bound = largest_share(np.zeros(10), np.full(10, 5.0), extra=Group(5), alpha=0.05)
    >>> round(bound.hits, 6), round(1 - 0.05 ** (1 / 10), 6)
    (0.258866, 0.258866)
    """
    hits, misses, counts = _different(hits, items - hits, extra)
    if not misses.any():
        return Share(1.0, 0.0)
    if not hits.any():
        return Share(0.0, 1.0)

    def excess(logit: float) -> float:
        chance = _log_chance(hits, misses, counts, _share(logit))
        # Finite, also beyond the largest share: the search interpolates between values.
        return max(chance, _NEVER) - math.log(alpha)

    centre = math.log((counts @ hits) / (counts @ misses))
    return _share(falling_root(excess, centre))


def keeps_share(hits: Floats, items: Floats, limit: float, *, extra: Group, alpha: float) -> bool:
    """Return whether the upper bound is at most `limit`, by a single integral.

    The parameters are those of `largest_share`.

    Examples
    --------
    >>> keeps_share(np.zeros(10), np.full(10, 5.0), 0.26, extra=Group(5), alpha=0.05)
    True
    """
    hits, misses, counts = _different(hits, items - hits, extra)
    if not hits.any() or not misses.any():
        return not hits.any()
    return _log_chance(hits, misses, counts, Share(limit, 1 - limit)) <= math.log(alpha)


def _different(hits: Floats, misses: Floats, extra: Group) -> tuple[Floats, Floats, Floats]:
    """Return different groups and how often each occurs; the last one is the extra group."""
    # Complex numbers are sorted by their two parts, and faster than columns are.
    found, counts = np.unique(hits + 1j * misses, return_counts=True)
    pairs, weights = np.stack([found.real, found.imag]), counts.astype(np.float64)
    if weights.size > _MOST_CELLS:
        pairs, weights = _averaged(pairs, weights)
    hits, misses = np.column_stack([pairs, extra])
    return hits, misses, np.append(weights, 1.0)


def _averaged(pairs: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Average groups whose residuals from the common ratio lie in one cell."""
    hits, misses = pairs
    share = (weights @ hits) / (weights @ (hits + misses))
    residuals = hits * (1 - share) - misses * share
    edges = np.linspace(residuals.min(), residuals.max(), _MOST_CELLS + 1)[1:-1]
    cells = np.searchsorted(edges, residuals)
    sums = [
        np.bincount(cells, weights=weights * column) for column in (*pairs, np.ones(cells.size))
    ]
    filled = sums[2] > 0
    cell_weights: Floats = sums[2][filled].astype(np.float64)
    return np.stack(sums[:2])[:, filled] / cell_weights, cell_weights


def _log_chance(hits: Floats, misses: Floats, counts: Floats, at: Share) -> float:
    # Products of the smaller numbers: hits - u (hits + misses) would cancel next to 0 and 1.
    return log_chance_positive(hits * at.misses - misses * at.hits, counts)


def _share(logit: float) -> Share:
    from scipy.special import expit

    return Share(float(expit(logit)), float(expit(-logit)))
