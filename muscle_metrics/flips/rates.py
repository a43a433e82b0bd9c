"""Floats that keep the counts behind them, and give their own intervals."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from muscle_metrics.errors import InputError
from muscle_metrics.statistics.counts import check_count
from muscle_metrics.statistics.interval import Interval, Side, check_confidence

if TYPE_CHECKING:
    from muscle_metrics.statistics.paired import PairedMethod
    from muscle_metrics.statistics.proportions import ProportionMethod

__all__ = ["AccuracyChange", "Rate", "relative_change"]


class Rate(float):
    """Share of `total` items that were counted, in [0, 1]; a float that keeps both numbers.

    It behaves as the plain float that evaluation code expects (arithmetic, ``json``, pandas,
    ``f"{rate:.2%}"``), can be pickled, and gives its own interval.

    Parameters
    ----------
    count : int or None
        Number of items counted; None when it is not known (answers were not recorded).
    total : int
        Number of items in the denominator. 0 of 0 is undefined: nan, never 0.

    Raises
    ------
    InputError
        Unless ``0 <= count <= total``.

    Examples
    --------
    >>> rate = Rate(41, 1319)
    >>> print(rate)
    3.11% (41 of 1319)
    >>> rate.interval()
    Interval(low=0.02299..., high=0.04189...)
    >>> Rate(0, 0), Rate(0, 0).interval()
    (Rate(0, 0), Interval(low=0.0, high=1.0))
    """

    __slots__ = ("count", "total")
    count: int | None
    total: int

    def __new__(cls, count: int | None, total: int) -> Rate:  # noqa: D102
        total = check_count("total", total)
        count = None if count is None else check_count("count", count)
        if count is not None and count > total:
            raise InputError(f"expected count to be at most total, got {count} of {total}")
        rate = super().__new__(cls, math.nan if count is None or total == 0 else count / total)
        object.__setattr__(rate, "count", count)
        object.__setattr__(rate, "total", total)
        return rate

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"expected {type(self).__name__} to stay as it is, got a new {name}")

    def interval(
        self,
        confidence: float = 0.95,
        method: ProportionMethod = "wilson",
        side: Side = "two-sided",
    ) -> Interval:
        """Interval of the rate, in [0, 1].

        Parameters
        ----------
        confidence : float
            Level in (0, 1).
        method : {"wilson", "clopper-pearson", "jeffreys", "mid-p"}
            Wilson's is for display, Clopper-Pearson's for decisions.
        side : {"two-sided", "lower", "upper"}
            A one-sided bound leaves its other end at 0 or 1.

        Returns
        -------
        Interval
            Both bounds; [0, 1] when the rate is undefined.

        Examples
        --------
        >>> print(Rate(0, 300).interval(method="clopper-pearson", side="upper"))
        [0.0000, 0.0099]
        """
        # Imported on the call: `import muscle_metrics` must not pay for scipy.
        from muscle_metrics.statistics.proportions import proportion_interval

        count, total = (0, 0) if self.count is None else (self.count, self.total)
        return proportion_interval(count, total, confidence=confidence, method=method, side=side)

    def __str__(self) -> str:
        if self.count is None:
            return f"unknown (of {self.total})"
        if self.total == 0:
            return "undefined (0 of 0)"
        return f"{float(self):.2%} ({self.count} of {self.total})"

    def __repr__(self) -> str:
        return f"Rate({self.count}, {self.total})"

    def __reduce__(self) -> tuple[type[Rate], tuple[int | None, int]]:
        return Rate, (self.count, self.total)


class AccuracyChange(float):
    """New accuracy minus old accuracy over the same items, in [-1, 1]; positive is better.

    Parameters
    ----------
    both_right, negative, positive, both_wrong : int
        The four quadrants; the change is (positive - negative) / N, from integers.

    Examples
    --------
    >>> change = AccuracyChange(both_right=4, negative=3, positive=1, both_wrong=2)
    >>> print(change)
    -20.00 points (1 fixed, 3 broken, of 10)
    >>> print(change.interval())
    [-0.5515, 0.2171]
    """

    __slots__ = ("both_right", "both_wrong", "negative", "positive")
    both_right: int
    negative: int
    positive: int
    both_wrong: int

    def __new__(  # noqa: D102
        cls, *, both_right: int, negative: int, positive: int, both_wrong: int
    ) -> AccuracyChange:
        cells = {
            "both_right": check_count("both_right", both_right),
            "negative": check_count("negative", negative),
            "positive": check_count("positive", positive),
            "both_wrong": check_count("both_wrong", both_wrong),
        }
        total, gain = sum(cells.values()), cells["positive"] - cells["negative"]
        change = super().__new__(cls, gain / total if total else math.nan)
        for name, count in cells.items():
            object.__setattr__(change, name, count)
        return change

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"expected {type(self).__name__} to stay as it is, got a new {name}")

    @property
    def total(self) -> int:
        """Number of items."""
        return self.both_right + self.negative + self.positive + self.both_wrong

    def interval(
        self,
        confidence: float = 0.95,
        method: PairedMethod = "tango",
        side: Side = "two-sided",
    ) -> Interval:
        """Interval of the change, in [-1, 1].

        Parameters
        ----------
        confidence : float
            Level in (0, 1).
        method : {"tango", "newcombe", "bonett-price"}
            Tango's score interval keeps its level best of the three in small samples.
        side : {"two-sided", "lower", "upper"}
            A one-sided bound leaves its other end at -1 or 1.

        Returns
        -------
        Interval
            Both bounds; [-1, 1] when there are no items.

        Examples
        --------
        >>> change = AccuracyChange(both_right=80, negative=40, positive=20, both_wrong=20)
        >>> print(change.interval(method="newcombe"))
        [-0.2165, -0.0305]
        """
        from muscle_metrics.statistics.paired import paired_interval

        return paired_interval(
            both_right=self.both_right,
            negative=self.negative,
            positive=self.positive,
            both_wrong=self.both_wrong,
            confidence=check_confidence(confidence),
            method=method,
            side=side,
        )

    def __str__(self) -> str:
        if self.total == 0:
            return "undefined (no items)"
        return (
            f"{100 * float(self):+.2f} points "
            f"({self.positive} fixed, {self.negative} broken, of {self.total})"
        )

    def __repr__(self) -> str:
        return (
            f"AccuracyChange(both_right={self.both_right}, negative={self.negative}, "
            f"positive={self.positive}, both_wrong={self.both_wrong})"
        )

    def __reduce__(self) -> tuple[partial[AccuracyChange], tuple[()]]:
        cells = {name: getattr(self, name) for name in self.__slots__}
        return partial(AccuracyChange, **cells), ()


def relative_change(before: float, after: float) -> float:
    """Change of a rate as a share of its first value; negative if the rate fell.

    With the NFR of an update without and with a compatibility adapter it is the paper's delta,
    which is printed in percent.

    Parameters
    ----------
    before, after : float
        Two values of one rate.

    Returns
    -------
    float
        ``(after - before) / before``; nan where `before` is 0.

    References
    ----------
    Echterhoff et al., "MUSCLE", Findings of EMNLP 2024, tables 4 and 5.

    Examples
    --------
    >>> f"{relative_change(Rate(1027, 10000), Rate(610, 10000)):.2%}"
    '-40.60%'
    """
    return (after - before) / before if before else math.nan
