"""Bootstrap intervals for statistics that have no formula of their own."""

from __future__ import annotations

import warnings
from math import nan
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from muscle_metrics.errors import InputError, UsageError, check_choice
from muscle_metrics.statistics.counts import check_count
from muscle_metrics.statistics.interval import Interval, tail_levels

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["BootstrapMethod", "bootstrap_cells", "bootstrap_rows"]

BootstrapMethod = Literal["percentile", "bca"]
_Floats: TypeAlias = NDArray[np.float64]

# Row numbers held at once while rows are resampled: 8 MiB of them.
_ROWS_AT_ONCE = 2**20


def bootstrap_cells(
    statistic: Callable[[_Floats], ArrayLike],
    cells: Sequence[int],
    *,
    replicates: int = 9999,
    confidence: float = 0.95,
    method: BootstrapMethod = "bca",
    seed: int,
) -> Interval:
    """Range of plausible values of a statistic of counts, by resampling the items behind them.

    Items that fall into the same cell are alike, so drawing new counts from a multinomial
    distribution follows the same law as drawing new rows, at a cost that does not grow with the
    number of items.

    Parameters
    ----------
    statistic : callable
        Takes a float array of counts of shape ``(..., len(cells))`` and returns the statistic of
        each table, of shape ``(...)``. It must work along the last axis.
    cells : sequence of int
        How many items each cell holds.
    replicates : int
        How many tables are drawn.
    confidence : float
        How often such an interval should hold the true value, strictly between 0 and 1.
    method : {"bca", "percentile"}
        ``"bca"`` corrects the percentiles of the replicates for bias and skewness.
    seed : int
        Seed of the random numbers; the same seed gives the same interval.

    Returns
    -------
    Interval
        In the unit of the statistic. ``(nan, nan)`` when every replicate has the same value:
        resampling then says nothing about uncertainty, least of all that there is none. The same
        where the correction of ``"bca"`` breaks down, at extreme levels.

    Raises
    ------
    InputError
        If a cell is not a count, if there is no item, or if the statistic is undefined in any
        replicate: an interval over the others would be too narrow, in an unknown way.
    UsageError
        If an option is unknown or out of range, or `statistic` returns another shape.

    Notes
    -----
    Never decide on a percentile bootstrap of rare flips: at 50 items and a rate of 1 % a "95 %"
    interval holds the truth 39 times out of 100, since data without a flip cannot produce a
    replicate with one. Use `proportion_interval` for rates and `paired_interval` for changes.

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap, equations 14.9 to 14.15.

    Examples
    --------
    >>> def accuracy_change(cells):
    ...     both_right, negative, positive, both_wrong = np.moveaxis(cells, -1, 0)
    ...     return (positive - negative) / cells.sum(axis=-1)
    >>> print(bootstrap_cells(accuracy_change, [800, 40, 60, 100], seed=0))
    [0.0010, 0.0400]
    """
    _check_options(replicates, method)
    generator = _generator(seed)
    below, above = tail_levels(confidence, "two-sided")
    counts = [check_count("every cell", cell) for cell in cells]
    if sum(counts) == 0:
        raise InputError(
            f"expected at least one item to resample, got cells {counts}: count some items first"
        )
    values = _defined(_evaluate(statistic, _draw_tables(generator, counts, replicates)))
    if _all_equal(values):
        return Interval(nan, nan)

    levels = np.array([below, 1 - above])
    if method == "bca":
        levels = _bca_levels(levels, values, *_jackknife(statistic, counts))
    if np.isnan(levels).any():
        return Interval(nan, nan)
    low, high = np.quantile(values, levels)
    return Interval(float(low), float(high))


def _draw_tables(generator: np.random.Generator, counts: Sequence[int], replicates: int) -> _Floats:
    # A chain of binomials is the multinomial law. Shares of exact counts leave empty cells empty,
    # which shares of a rounded remainder do not, and the chain is faster than numpy's.
    tables = np.empty((len(counts), replicates))
    left: int | NDArray[np.int64] = sum(counts)
    for cell, count in enumerate(counts[:-1]):
        share = count / max(sum(counts[cell:]), 1)
        tables[cell] = generator.binomial(left, share, size=replicates)
        left = left - tables[cell].astype(np.int64)
    tables[-1] = left
    return tables.T


def _evaluate(statistic: Callable[[_Floats], ArrayLike], tables: _Floats) -> _Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.asarray(statistic(tables), dtype=float)
    if values.shape != tables.shape[:-1]:
        raise UsageError(
            f"expected a statistic that works along the last axis and turns shape {tables.shape} "
            f"into {tables.shape[:-1]}, got shape {values.shape}: take its cells as table[..., k]"
        )
    return values


def _jackknife(
    statistic: Callable[[_Floats], ArrayLike], counts: Sequence[int]
) -> tuple[_Floats, _Floats, _Floats]:
    table = np.array(counts, dtype=float)
    # Leaving out one item gives one value for each filled cell, as often as it has items.
    left_out = (table - np.eye(len(table)))[table > 0]
    return (
        _evaluate(statistic, table),
        _defined(_evaluate(statistic, left_out)),
        table[table > 0],
    )


def _bca_levels(
    levels: _Floats, values: _Floats, estimate: _Floats, left_out: _Floats, weights: _Floats
) -> _Floats:
    from scipy.special import ndtr, ndtri

    # A replicate that equals the estimate counts half: statistics of counts tie often.
    bias = ndtri((np.mean(values < estimate) + np.mean(values <= estimate)) / 2)
    influence = np.average(left_out, weights=weights) - left_out
    shifted = bias + ndtri(levels)
    with np.errstate(divide="ignore", invalid="ignore"):
        skewness = (weights @ influence**3) / (weights @ influence**2) ** 1.5 / 6
        stretch = 1 - skewness * shifted
        # Beyond stretch 0 the correction reverses its direction, and would choose the wrong end.
        return np.where(stretch > 0, ndtr(bias + shifted / stretch), nan)


def bootstrap_rows(
    statistic: Callable[..., Any],
    *columns: ArrayLike,
    replicates: int = 9999,
    confidence: float = 0.95,
    method: BootstrapMethod = "bca",
    seed: int,
) -> Interval:
    """Range of plausible values of any statistic of paired columns, by resampling their rows.

    The time grows with rows times replicates: for a statistic of counts use `bootstrap_cells`,
    which gives the same interval at once.

    Parameters
    ----------
    statistic : callable
        Takes the columns, each of shape ``(rows,)``, and returns a number. If it has a parameter
        `axis` it gets many replicates in one call, which is far faster.
    *columns : array_like
        One value per item each; row i of every column belongs to item i.
    replicates, confidence, method, seed
        As for `bootstrap_cells`.

    Returns
    -------
    Interval
        In the unit of the statistic; ``(nan, nan)`` when every replicate has the same value.

    Raises
    ------
    InputError
        If there are no columns of one length with at least two rows, or if the statistic is
        undefined in any replicate.
    UsageError
        If an option is unknown or out of range.

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap, equations 14.9 to 14.15.

    Examples
    --------
    >>> def mean_change(old, new, axis=-1):
    ...     return np.mean(new, axis=axis) - np.mean(old, axis=axis)
    >>> print(bootstrap_rows(mean_change, [0.1, 0.4, 0.3, 0.8], [0.2, 0.4, 0.5, 0.9], seed=0))
    [0.0250, 0.1750]
    """
    from scipy.stats import DegenerateDataWarning, bootstrap

    _check_options(replicates, method)
    generator = _generator(seed)
    tail_levels(confidence, "two-sided")
    arrays = [np.asarray(column) for column in columns]
    shapes = {array.shape for array in arrays}
    if len(shapes) != 1 or len(shape := shapes.pop()) != 1 or shape[0] < 2:
        given = [array.shape for array in arrays]
        raise InputError(f"expected columns of one length, at least 2 rows, got shapes {given}")
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.simplefilter("ignore", DegenerateDataWarning)
        result = bootstrap(
            arrays,
            statistic,
            paired=True,
            n_resamples=replicates,
            batch=max(1, _ROWS_AT_ONCE // shape[0]),
            confidence_level=confidence,
            method=method,
            random_state=generator,
        )
    if _all_equal(_defined(result.bootstrap_distribution)):
        return Interval(nan, nan)
    low, high = result.confidence_interval
    return Interval(float(low), float(high))


def _defined(values: _Floats) -> _Floats:
    undefined = np.count_nonzero(~np.isfinite(values))
    if undefined:
        raise InputError(
            f"expected a statistic that is defined in every replicate, got {undefined} of "
            f"{values.size} undefined: too few items for resampling, use an exact interval"
        )
    return values


def _all_equal(values: _Floats) -> bool:
    return bool(np.all(values == values[0]))


def _check_options(replicates: int, method: BootstrapMethod) -> None:
    if not isinstance(replicates, int) or replicates < 2:
        raise UsageError(f"expected replicates to be an integer of at least 2, got {replicates!r}")
    check_choice("method", method, get_args(BootstrapMethod))


def _generator(seed: int) -> np.random.Generator:
    # None would draw a seed from the machine: the result could not be repeated.
    if not isinstance(seed, int) or seed < 0:
        raise UsageError(f"expected seed to be an integer of at least 0, got {seed!r}")
    return np.random.default_rng(seed)
