"""Mean changes of scores, each with its number of items and its interval."""

from __future__ import annotations

import math
from abc import abstractmethod
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from muscle_metrics.statistics.interval import Interval, Side, tail_levels
from muscle_metrics.words.numbers import score

if TYPE_CHECKING:
    from muscle_metrics.statistics.exact_sums import ExactSum

__all__ = ["Magnitude", "Mean", "MeanChange", "MeanMethod", "SummedMean"]

MeanMethod = Literal["gaffke", "student"]

Values = npt.NDArray[np.float64]


class Mean(float):
    """A mean over items, and the name of the method behind its interval.

    "gaffke" assumes nothing but the range of the score. "student" is Student's t interval, which
    needs no more than a standard deviation and is too narrow where a few large values decide.
    """

    __slots__ = ("count",)
    method: ClassVar[MeanMethod]
    count: int

    @property
    def too_few(self) -> bool:
        """Whether there are fewer than 10 values, too few to report their mean."""
        from muscle_metrics.statistics.bounded import FEWEST_VALUES

        return self.count < FEWEST_VALUES

    @abstractmethod
    def interval(self, confidence: float = 0.95, side: Side = "two-sided") -> Interval:
        """Bound the mean by `method`."""


class _StudentMean(Mean):
    """A mean whose interval needs its standard error alone."""

    __slots__ = ()
    method = "student"

    def interval(self, confidence: float = 0.95, side: Side = "two-sided") -> Interval:
        """Student's t interval of the mean.

        Parameters
        ----------
        confidence : float
            Level in (0, 1).
        side : {"two-sided", "lower", "upper"}
            A one-sided bound leaves its other end infinite.

        Returns
        -------
        Interval
            Infinite with fewer than two items.

        Examples
        --------
        >>> print(MeanChange(np.array([0.1, 0.2, 0.3])).interval(side="lower"))
        [0.0314, inf]
        """
        from scipy.special import stdtrit

        below, above = tail_levels(confidence, side)
        if self.count < 2:
            return Interval(-math.inf, math.inf)
        freedom, error = self.count - 1, self._standard_error()
        low = float(self) + float(stdtrit(freedom, below)) * error if below else -math.inf
        high = float(self) - float(stdtrit(freedom, above)) * error if above else math.inf
        return Interval(low, high)

    @abstractmethod
    def _standard_error(self) -> float:
        """Estimate the standard error of the mean."""


class Magnitude(Mean):
    """Mean size of the moves in one direction, in units of the score; nan if nothing moved.

    Parameters
    ----------
    values : numpy.ndarray, shape (K,)
        Sizes of the moves, all above 0.
    limit : float
        The largest move that the range of the scorer allows; infinite where it has none.

    Examples
    --------
    >>> size = Magnitude(np.array([0.2, 0.05]), limit=1.0)
    >>> print(size, size.method)
    0.1250 (2 items) gaffke
    """

    __slots__ = ("limit", "values")
    method = "gaffke"
    values: Values
    limit: float

    def __new__(cls, values: Values, *, limit: float) -> Magnitude:  # noqa: D102
        magnitude = super().__new__(cls, _mean(values))
        magnitude.count, magnitude.values, magnitude.limit = len(values), values, limit
        return magnitude

    def interval(self, confidence: float = 0.95, side: Side = "two-sided") -> Interval:
        """Bounds of the mean that use only the range of the score (Gaffke's).

        Parameters
        ----------
        confidence : float
            Level in (0, 1).
        side : {"two-sided", "lower", "upper"}
            A one-sided bound leaves its other end at 0 or at the largest possible move.

        Returns
        -------
        Interval
            [0, limit] where too few items moved, or where the score has no range.

        Examples
        --------
        >>> print(Magnitude(np.full(30, 0.25), limit=1.0).interval())
        [0.2211, 0.3368]
        """
        from muscle_metrics.statistics.bounded import bounded_mean_interval

        tail_levels(confidence, side)
        if self.too_few or not math.isfinite(self.limit):
            return Interval(0.0, self.limit)
        return bounded_mean_interval(
            self.values, low=0.0, high=self.limit, confidence=confidence, side=side
        )

    def __str__(self) -> str:
        if self.count == 0:
            return "undefined (0 items)"
        return f"{score(self)} ({self.count} item{'s' * (self.count != 1)})"

    def __getnewargs_ex__(self) -> tuple[tuple[Values], dict[str, float]]:
        return (self.values,), {"limit": self.limit}


class MeanChange(_StudentMean):
    """Mean of new score minus old score over all items, with Student's t interval.

    Parameters
    ----------
    deltas : numpy.ndarray, shape (N,)
        New score minus old score of every item.

    Examples
    --------
    >>> change = MeanChange(np.array([0.1, -0.2, 0.0, 0.05, -0.05]))
    >>> print(f"{change:.2f}", change.interval())
    -0.02 [-0.1629, 0.1229]
    """

    __slots__ = ("deltas",)
    deltas: Values

    def __new__(cls, deltas: Values) -> MeanChange:  # noqa: D102
        change = super().__new__(cls, _mean(deltas))
        change.count, change.deltas = len(deltas), deltas
        return change

    def p_value(self, *, resamples: int = 9999, seed: int = 0) -> float:
        """Two-sided p of the sign-flip test, which exchanges old and new scores at random.

        Parameters
        ----------
        resamples : int
            Number of random sign patterns; if fewer patterns exist, all are used.
        seed : int
            Seed of the random patterns.

        Returns
        -------
        float
            In (0, 1].

        Examples
        --------
        >>> MeanChange(np.array([0.1, 0.2, 0.3])).p_value()
        0.25
        """
        from scipy.stats import permutation_test

        result = permutation_test(
            (self.deltas,),
            np.mean,
            permutation_type="samples",
            vectorized=True,
            n_resamples=resamples,
            batch=max(1, 10_000_000 // len(self.deltas)),
            rng=np.random.default_rng(seed),
        )
        return float(result.pvalue)

    def __str__(self) -> str:
        return f"{score(self, sign=True)} ({self.count} items)"

    def __getnewargs_ex__(self) -> tuple[tuple[Values], dict[str, float]]:
        return (self.deltas,), {}

    def _standard_error(self) -> float:
        return float(np.std(self.deltas, ddof=1)) / math.sqrt(self.count)


class SummedMean(_StudentMean):
    """A mean computed from the count, the sum and the sum of squares of its values.

    Parameters
    ----------
    count : int
        Number of values.
    total, squares : ExactSum
        Their sum, and the sum of their squares.
    """

    __slots__ = ("squares", "summed")
    summed: ExactSum
    squares: ExactSum

    def __new__(cls, count: int, total: ExactSum, squares: ExactSum) -> SummedMean:  # noqa: D102
        mean = super().__new__(cls, float(total) / count if count else math.nan)
        mean.count, mean.summed, mean.squares = count, total, squares
        return mean

    def __reduce__(self) -> tuple[type[SummedMean], tuple[int, ExactSum, ExactSum]]:
        return SummedMean, (self.count, self.summed, self.squares)

    def _standard_error(self) -> float:
        # Exact fractions: with floats the difference of two large sums cancels.
        scatter = Fraction(self.squares.units) - Fraction(self.summed.units**2, self.count << 1074)
        variance = float(max(scatter, Fraction()) / (1 << 1074)) / (self.count - 1)
        return math.sqrt(variance / self.count)


def _mean(values: Values) -> float:
    # fsum is exact, so the order of items changes no digit.
    return math.fsum(values) / len(values) if len(values) else math.nan
