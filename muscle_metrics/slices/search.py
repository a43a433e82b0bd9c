"""Search one half of the items for combinations of conditions under which more items break."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from muscle_metrics.slices.conditions import LEAST_ITEMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]
    Floats = NDArray[np.float64]

__all__ = ["MOST_FOUND", "Candidate", "search_slices"]

MOST_FOUND = 10
"""Most slices that one search gives to be tested."""

_LEAST_BROKEN = 3
_ROWS_AT_ONCE = 65_536


class Candidate(NamedTuple):
    """Numbers of one or two conditions, and the gain in log-likelihood that found them."""

    conditions: tuple[int, ...]
    gain: float


class _Counts(NamedTuple):
    """Items, and items that broke, that meet each pair of conditions; and those of all items."""

    items: Floats
    broken: Floats
    total: int
    all_broken: int

    def without(self, other: _Counts) -> _Counts:
        """Leave out the items of other counts."""
        return _Counts(
            self.items - other.items,
            self.broken - other.broken,
            self.total - other.total,
            self.all_broken - other.all_broken,
        )


def search_slices(met: Flags, broke: Flags, allowed: Flags, most_share: float) -> list[Candidate]:
    """Find combinations of one or two conditions under which more items break, the best first.

    Parameters
    ----------
    met : numpy.ndarray of bool, shape (N, conditions)
        Which items meet which condition.
    broke : numpy.ndarray of bool, shape (N,)
        Which items broke.
    allowed : numpy.ndarray of bool, shape (conditions, conditions)
        Which pairs may be combined; the diagonal is for single conditions.
    most_share : float
        Largest share of the items that a slice may hold.

    Returns
    -------
    list of Candidate
        Each is the best one among the items that no earlier one holds.

    Notes
    -----
    A slice gains twice the log of the likelihood ratio between two rates, inside and outside, and
    one. Each condition costs 2 log(conditions): the risk inflation criterion of Foster and George,
    "The Risk Inflation Criterion for Multiple Regression", Annals of Statistics 22 (1994).
    """
    number = met.shape[1]
    if not number:
        return []
    costs = 2 * math.log(max(number, 2)) * (2 - np.eye(number))
    counts, left = _count(met, broke), np.ones(len(broke), dtype=bool)
    found: list[Candidate] = []
    while len(found) < MOST_FOUND:
        gains = _gains(counts) - costs
        gains[~(allowed & _is_large(counts, most_share))] = -math.inf
        best = int(gains.argmax())
        if not gains.flat[best] > 0:
            break
        first, second = sorted(divmod(best, number))
        found.append(Candidate(tuple(dict.fromkeys((first, second))), float(gains.flat[best])))
        covered = left & met[:, first] & met[:, second]
        counts = counts.without(_count(met[covered], broke[covered]))
        left &= ~covered
    return found


def _count(met: Flags, broke: Flags) -> _Counts:
    number = met.shape[1]
    items, broken = np.zeros((number, number)), np.zeros((number, number))
    for rows in _chunks(len(broke)):
        # Counts of one chunk are exact in 32 bits.
        block = met[rows].astype(np.float32)
        items += block.T @ block
        hit = block[broke[rows]]
        broken += hit.T @ hit
    return _Counts(items, broken, len(broke), int(broke.sum()))


def _chunks(total: int) -> Iterator[slice]:
    for start in range(0, total, _ROWS_AT_ONCE):
        yield slice(start, start + _ROWS_AT_ONCE)


def _is_large(counts: _Counts, most_share: float) -> Flags:
    outside = counts.total - counts.items
    enough = (counts.items >= LEAST_ITEMS) & (outside >= LEAST_ITEMS)
    return enough & (counts.broken >= _LEAST_BROKEN) & (counts.items <= most_share * counts.total)


def _gains(counts: _Counts) -> Floats:
    """Twice the log-likelihood ratio where the rate inside is the larger one; else 0."""
    rest, rest_broken = counts.total - counts.items, counts.all_broken - counts.broken
    likelihood = _likelihood(counts.broken, counts.items) + _likelihood(rest_broken, rest)
    whole = _likelihood(np.array(float(counts.all_broken)), np.array(float(counts.total)))
    is_more = counts.broken * rest > rest_broken * counts.items
    return np.where(is_more, 2 * (likelihood - whole), 0.0)


def _likelihood(broken: Floats, items: Floats) -> Floats:
    """Largest log-likelihood of `broken` of `items`: b log(b/n) + (n - b) log((n - b)/n)."""
    kept = items - broken
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [np.where(part > 0, part * np.log(part / items), 0.0) for part in (broken, kept)]
    return parts[0] + parts[1]
