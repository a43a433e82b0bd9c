"""Candidates in pairs: whose negative flip rate is smaller, on the same items of one old run."""

from __future__ import annotations

from itertools import combinations
from math import nan, sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from muscle_metrics.evidence.evidence import Bounds
from muscle_metrics.evidence.rates import clustered_loss
from muscle_metrics.evidence.units import Units
from muscle_metrics.statistics.multiplicity import holm_adjusted, holm_rejections
from muscle_metrics.statistics.paired import mcnemar, paired_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from muscle_metrics.comparison.items import ItemTable

    Flags = npt.NDArray[np.bool_]

__all__ = ["ERROR_RATE", "PairedDifference", "paired_differences"]

CONFIDENCE = 0.95
ERROR_RATE = 0.05


class PairedDifference(NamedTuple):
    """Two candidates on the same N items: which of them broke more.

    Parameters
    ----------
    first, second : str
        Names of the candidates.
    only_first, only_second, both : int
        Items that the first alone broke, the second alone, and both.
    total : int
        Number of items, N.
    bounds : Bounds
        Two-sided 95 % interval of the difference, for this pair alone.
    p_value : float or None
        McNemar's mid-p, after Holm's correction over all pairs; None where items share groups.
    is_distinct : bool
        Whether the pair differs after Holm's correction, at a family-wise error of 5 %.
    """

    first: str
    second: str
    only_first: int
    only_second: int
    both: int
    total: int
    bounds: Bounds
    p_value: float | None
    is_distinct: bool

    @property
    def difference(self) -> float:
        """Negative flip rate of the second minus that of the first."""
        return (self.only_second - self.only_first) / self.total

    @property
    def z(self) -> float:
        """Score statistic of the difference, as independent items give it; nan without any."""
        discordant = self.only_first + self.only_second
        # z = (c - b) / sqrt(b + c), the root of McNemar's chi-square
        return (self.only_second - self.only_first) / sqrt(discordant) if discordant else nan


def paired_differences(
    names: Sequence[str], broken: Flags, table: ItemTable
) -> list[PairedDifference]:
    """Compare the negative flips of every two candidates.

    Independent items are tested by McNemar's mid-p on the items that one of the two alone broke,
    with Tango's interval. Items in groups, and repeats of a prompt, are tested by the interval over
    these groups or prompts. Holm's correction is over all pairs.

    Parameters
    ----------
    names : sequence of K str
        Names of the candidates.
    broken : numpy.ndarray of bool, shape (K, N)
        Whether each candidate broke each item.
    table : ItemTable
        The N items.

    Returns
    -------
    list of PairedDifference
        In the order of the names.

    References
    ----------
    Tango (1998), Statistics in Medicine 17, 891-908. Holm (1979), Scandinavian Journal of
    Statistics 6, 65-70.
    """
    pairs = list(combinations(range(len(names)), 2))
    compare = _over_units if table.is_clustered else _over_items
    tests = [compare(broken[one], broken[other], table) for one, other in pairs]
    distinct = holm_rejections([test.rejects for test in tests], alpha=ERROR_RATE)
    raw = [test.p_value for test in tests if test.p_value is not None]
    adjusted: Sequence[float | None] = holm_adjusted(raw).tolist() if raw else [None] * len(tests)
    return [
        PairedDifference(
            names[one],
            names[other],
            only_first=int(np.count_nonzero(broken[one] & ~broken[other])),
            only_second=int(np.count_nonzero(~broken[one] & broken[other])),
            both=int(np.count_nonzero(broken[one] & broken[other])),
            total=broken.shape[1],
            bounds=test.bounds,
            p_value=p_value,
            is_distinct=is_distinct,
        )
        for (one, other), test, p_value, is_distinct in zip(
            pairs, tests, adjusted, distinct, strict=True
        )
    ]


class _Test(NamedTuple):
    """Interval of one pair, its p-value, and whether it is told apart at an error rate."""

    bounds: Bounds
    p_value: float | None
    rejects: Callable[[float], bool]


def _over_items(first: Flags, second: Flags, table: ItemTable) -> _Test:
    # A broken item takes the place of a right one: the estimate is second minus first.
    only_first = int(np.count_nonzero(first & ~second))
    only_second = int(np.count_nonzero(~first & second))
    interval = paired_interval(
        both_right=int(np.count_nonzero(first & second)),
        negative=only_first,
        positive=only_second,
        both_wrong=int(np.count_nonzero(~first & ~second)),
        confidence=CONFIDENCE,
    )
    bounds = Bounds.by("Tango", interval)
    p_value = mcnemar(negative=only_first, positive=only_second).p_value
    return _Test(bounds, p_value, lambda rate: p_value <= rate)


def _over_units(first: Flags, second: Flags, table: ItemTable) -> _Test:
    more = np.subtract(second, first, dtype=np.int64)
    upward, downward = (
        clustered_loss(Units.of(values, table.unit_numbers, table.unit)) for values in (more, -more)
    )

    def interval(confidence: float) -> Bounds:
        # Upper bounds of both directions: a lower one is too high where few groups have any.
        tail = (1 + confidence) / 2
        low, high = downward.interval(tail, "upper"), upward.interval(tail, "upper")
        return Bounds(-low.high, high.high, low.above, high.above)

    def rejects(rate: float) -> bool:
        found = interval(1 - rate)
        return not found.low <= 0 <= found.high

    return _Test(interval(CONFIDENCE), None, rejects)
