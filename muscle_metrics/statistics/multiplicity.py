"""Many slices at once: corrected p-values, and rates to rank slices by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from muscle_metrics.errors import InputError
from muscle_metrics.statistics.interval import check_share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "benjamini_hochberg_adjusted",
    "holm_adjusted",
    "holm_rejections",
    "indistinct_groups",
    "rest_p_values",
    "shrunken_rates",
]

_FEWEST_PRIOR_ITEMS = 1e-9


def holm_adjusted(p_values: ArrayLike) -> Floats:
    """Smallest family-wise error rate at which each hypothesis is rejected by Holm's method.

    Parameters
    ----------
    p_values : array_like of float, shape (tests,)
        One p-value per slice, in any dependence.

    Returns
    -------
    numpy.ndarray of float, shape (tests,)
        Adjusted p-values in the order given.

    Raises
    ------
    InputError
        If a p-value is not a number between 0 and 1.

    References
    ----------
    Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of
    Statistics 6 (1979), 65-70.

    Examples
    --------
    >>> holm_adjusted([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    values = _check_p_values(p_values)
    order = np.argsort(values)
    scaled = values[order] * np.arange(values.size, 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1)
    return adjusted


def holm_rejections(rejected_at: Sequence[Callable[[float], bool]], *, alpha: float) -> list[bool]:
    """Which hypotheses Holm's method rejects, for tests that are bounds rather than p-values.

    Parameters
    ----------
    rejected_at : sequence of callables
        Each takes an error rate and says whether its one test rejects at that rate, for instance
        whether the lower bound at confidence ``1 - rate`` exceeds the limit. A test that rejects at
        one rate must reject at every larger one.
    alpha : float
        Family-wise error rate, between 0 and 1.

    Returns
    -------
    list of bool
        One answer per test, the same as ``holm_adjusted(p) <= alpha`` would give.

    Raises
    ------
    UsageError
        If `alpha` is not between 0 and 1.
    """
    check_share("alpha", alpha)
    remaining = set(range(len(rejected_at)))
    while remaining:
        level = alpha / len(remaining)
        rejected = {index for index in remaining if rejected_at[index](level)}
        if not rejected:
            break
        remaining -= rejected
    return [index not in remaining for index in range(len(rejected_at))]


def indistinct_groups(names: Sequence[str], distinct: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Largest groups in which no test tells any two members apart.

    A member may be in several groups: where a differs from c alone, b is beside both.

    Parameters
    ----------
    names : sequence of str
        What was compared in pairs, each name once.
    distinct : iterable of tuple of (str, str)
        Pairs that were told apart.

    Returns
    -------
    list of list of str
        In the order of `names`; one that is told apart from all others is a group alone.

    References
    ----------
    Piepho, "An Algorithm for a Letter-Based Representation of All-Pairwise Comparisons", Journal of
    Computational and Graphical Statistics 13 (2004), 456-466.

    Examples
    --------
    >>> indistinct_groups(["a", "b", "c"], [("a", "c")])
    [['a', 'b'], ['b', 'c']]
    """
    groups = [frozenset(names)]
    for pair in distinct:
        split = [group - {one} if {*pair} <= group else group for group in groups for one in pair]
        whole = [*dict.fromkeys(split)]
        groups = [group for group in whole if not any(group < other for other in whole)]
    listed = [[name for name in names if name in group] for group in groups]
    return sorted(listed, key=lambda group: [names.index(name) for name in group])


def benjamini_hochberg_adjusted(p_values: ArrayLike) -> Floats:
    """Smallest false discovery rate at which each slice is listed: for exploring, not for gates.

    Parameters
    ----------
    p_values : array_like of float, shape (tests,)
        One p-value per slice, independent or positively dependent.

    Returns
    -------
    numpy.ndarray of float, shape (tests,)
        Adjusted p-values in the order given.

    Raises
    ------
    InputError
        If a p-value is not a number between 0 and 1.

    References
    ----------
    Benjamini and Hochberg, "Controlling the False Discovery Rate", Journal of the Royal Statistical
    Society B 57 (1995), 289-300.

    Examples
    --------
    >>> benjamini_hochberg_adjusted([0.01, 0.04, 0.02]).tolist()
    [0.03, 0.04, 0.03]
    """
    values = _check_p_values(p_values)
    largest_first = np.argsort(values)[::-1]
    scaled = values[largest_first] * (values.size / np.arange(values.size, 0, -1))
    adjusted = np.empty_like(values)
    adjusted[largest_first] = np.minimum.accumulate(scaled)
    return adjusted


def rest_p_values(counts: ArrayLike, totals: ArrayLike, flips: int, items: int) -> Floats:
    """Test whether flips are more or less frequent in each slice than in all other items.

    Fisher's exact test, two-sided by doubling the smaller tail. Slices may overlap.

    Parameters
    ----------
    counts, totals : array_like of int, shape (S,)
        Flips and items of each slice.
    flips, items : int
        Flips and items of all slices, and of items in no slice.

    Returns
    -------
    numpy.ndarray of float, shape (S,)
        p-values; 1 for a slice of all items, which has no rest.

    References
    ----------
    Fisher, "The Logic of Inductive Inference", Journal of the Royal Statistical Society 98 (1935),
    39-82.

    Examples
    --------
    >>> rest_p_values([3, 0], [3, 3], 3, 6).round(3).tolist()
    [0.1, 0.1]
    """
    from scipy.stats import hypergeom

    found = np.asarray(counts)
    chance = hypergeom(items, flips, np.asarray(totals))
    tails = np.minimum(chance.cdf(found), chance.sf(found - 1))
    return np.asarray(np.minimum(2 * tails, 1))


def shrunken_rates(counts: ArrayLike, totals: ArrayLike) -> Floats:
    """Rates of slices drawn towards the pooled rate, to rank slices by; never to judge one.

    Each slice keeps as much of its own rate as its size supports, so that 1 flip in 5 items does
    not lead the ranking. The rates are posterior means under a Beta prior whose mean is the pooled
    rate and whose spread is estimated from all slices by the method of moments.

    Parameters
    ----------
    counts, totals : array_like of int, shape (S,)
        Flips and items of each slice.

    Returns
    -------
    numpy.ndarray of float, shape (S,)
        Rates between the slice's own and the pooled one; a slice without items gets the pooled
        rate, and all are nan if no slice has items.

    Raises
    ------
    InputError
        If lengths differ or a count is negative or above its total.

    References
    ----------
    Kleinman, "Proportions With Extraneous Variance: Single and Independent Samples", Journal of the
    American Statistical Association 68 (1973), 46-54.

    Examples
    --------
    >>> shrunken_rates([1, 30, 5], [5, 100, 100]).round(3).tolist()
    [0.189, 0.295, 0.055]
    """
    flips, items = (np.asarray(column, dtype=np.float64) for column in (counts, totals))
    if flips.ndim != 1 or flips.shape != items.shape:
        raise InputError(
            f"expected one count and one total per slice, got arrays of shape {flips.shape} and "
            f"{items.shape}: pass two flat lists of one length"
        )
    outside = np.flatnonzero(~((flips >= 0) & (flips <= items)))
    if outside.size:
        first = outside[0]
        raise InputError(
            f"expected the count of each slice between 0 and its total, got {flips[first]:g} of "
            f"{items[first]:g} in slice {first}"
        )
    if not items.sum():
        return np.full(items.shape, np.nan)
    pooled = flips.sum() / items.sum()
    alike = _correlation(flips[items > 0], items[items > 0])
    if alike == 0:
        return np.full(items.shape, pooled)
    prior_items = max(1 / alike - 1, _FEWEST_PRIOR_ITEMS)
    return np.asarray((flips + prior_items * pooled) / (items + prior_items))


def _correlation(flips: Floats, items: Floats) -> float:
    """Return how alike two items of one slice are, from 0; chance can bring it above 1."""
    pooled, slices, total = flips.sum() / items.sum(), items.size, items.sum()
    room = total - (items @ items) / total - (slices - 1)
    if pooled in (0, 1) or room <= 0:
        return 0.0
    spread = items @ (flips / items - pooled) ** 2 / (pooled * (1 - pooled))
    return max(float((spread - (slices - 1)) / room), 0.0)


def _check_p_values(p_values: ArrayLike) -> Floats:
    values = np.asarray(p_values, dtype=np.float64)
    if values.ndim != 1:
        raise InputError(
            f"expected one p-value per test, got an array of shape {values.shape}: pass a flat list"
        )
    outside = np.flatnonzero(~((values >= 0) & (values <= 1)))
    if outside.size:
        raise InputError(
            f"expected p-values between 0 and 1, got {float(values[outside[0]])!r} at position "
            f"{outside[0]}"
        )
    return values
