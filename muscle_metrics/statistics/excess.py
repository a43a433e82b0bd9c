"""Whether more of some items break than of the rest: one test, also for items in clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from muscle_metrics.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.intp]

__all__ = ["excess_p_value"]


def excess_p_value(*, broke: Flags, inside: Flags, clusters: Numbers | None = None) -> float:
    """One-sided p-value of "items inside break no more often than items outside".

    Parameters
    ----------
    broke, inside : numpy.ndarray of bool, shape (N,)
        Which items broke, and which belong to the slice.
    clusters : numpy.ndarray of int, shape (N,), optional
        Number of the cluster of every item, from 0; None if items are independent.

    Returns
    -------
    float
        In (0, 1]; 1 where nothing broke, or all items are on one side.

    Raises
    ------
    InputError
        If lengths differ.

    Notes
    -----
    Of independent items the number that broke inside is hypergeometric, given how many broke at
    all: Fisher's exact test. Of clusters each gives a score, the sum over its items of (broke -
    rate) (inside - share); the sum of scores over the root of their sum of squares is compared with
    the normal distribution. Its square is at most the number of clusters with any score, so one or
    two clusters that break as a whole prove nothing. The p-value is the larger one of both tests.

    In simulations over clusters the test of a slice of at most half of the items is wrong in at
    most about 5 % at the level 5 %, and in .2 % at .5 %; the exact test alone in up to 33 %. Slices
    of more than half of clustered items are tested wrong more often: do not test them.

    Examples
    --------
    >>> broke = np.array([1, 1, 1, 0, 0, 0, 0, 0], dtype=bool)
    >>> inside = np.array([1, 1, 1, 1, 0, 0, 0, 0], dtype=bool)
    >>> round(excess_p_value(broke=broke, inside=inside), 4)
    0.0714
    """
    if broke.shape != inside.shape or (clusters is not None and clusters.shape != broke.shape):
        raise InputError(
            f"expected one flag per item, got {broke.size} items that broke or not and "
            f"{inside.size} inside or outside: pass columns of one length"
        )
    total, broken, size = broke.size, int(broke.sum()), int(inside.sum())
    if not broken or size in (0, total):
        return 1.0
    exact = _hypergeometric_tail(int((broke & inside).sum()), total, broken, size)
    if clusters is None:
        return exact
    scores = np.bincount(clusters, weights=(broke - broken / total) * (inside - size / total))
    spread = float(np.sqrt(scores @ scores))
    return max(exact, _normal_tail(float(scores.sum()) / spread) if spread else 1.0)


def _hypergeometric_tail(found: int, total: int, marked: int, drawn: int) -> float:
    """Probability that at least `found` of `marked` items are among `drawn` of `total`."""
    from scipy.special import gammaln

    counts = np.arange(found, min(marked, drawn) + 1)

    def log_ways(whole: int, part: NDArray[np.int64] | int) -> NDArray[np.float64]:
        return np.asarray(gammaln(whole + 1) - gammaln(np.add(part, 1)) - gammaln(whole - part + 1))

    logs = log_ways(drawn, counts) + log_ways(total - drawn, marked - counts)
    tail = float(np.exp(logs - log_ways(total, marked)).sum())
    return min(tail, 1.0)


def _normal_tail(value: float) -> float:
    from scipy.special import ndtr

    return float(ndtr(-value))
