"""What graded scores gained and lost, as totals that add."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from muscle_metrics.errors import UsageError
from muscle_metrics.flips.changes import SENSITIVITY
from muscle_metrics.flips.rates import Rate
from muscle_metrics.statistics.exact_sums import ExactSum
from muscle_metrics.statistics.interval import Interval, Side, tail_levels

if TYPE_CHECKING:
    from muscle_metrics.flips.changes import ScoreChanges

__all__ = ["ScoreTotals", "SummedMean"]

# Fewer items than this are too few to speak of their mean.
FEWEST = 10
SETTINGS = ("tie", "minimum_effect", "low", "high", "higher_is_better")


class SummedMean(float):
    """A mean of which only count, sum and sum of squares are known.

    Parameters
    ----------
    count : int
        Number of values.
    total, squares : ExactSum
        Their sum, and the sum of their squares.

    Examples
    --------
    >>> values = np.array([0.1, 0.2, 0.3])
    >>> mean = SummedMean(3, ExactSum.of(values), ExactSum.of(values**2))
    >>> print(f"{mean:.2f}", mean.interval(side="lower"))
    0.20 [0.0314, inf]
    """

    __slots__ = ("count", "squares", "summed")
    count: int
    summed: ExactSum
    squares: ExactSum

    def __new__(cls, count: int, total: ExactSum, squares: ExactSum) -> SummedMean:  # noqa: D102
        mean = super().__new__(cls, float(total) / count if count else math.nan)
        mean.count, mean.summed, mean.squares = count, total, squares
        return mean

    @property
    def too_few(self) -> bool:
        """Whether fewer than 10 values stand behind it."""
        return self.count < FEWEST

    def interval(self, confidence: float = 0.95, side: Side = "two-sided") -> Interval:
        """Student's t interval; infinite with fewer than two values."""
        from scipy.special import stdtrit

        below, above = tail_levels(confidence, side)
        if self.count < 2:
            return Interval(-math.inf, math.inf)
        scatter = Fraction(self.squares.units) - Fraction(self.summed.units**2, self.count << 1074)
        variance = float(max(scatter, Fraction()) / (1 << 1074)) / (self.count - 1)
        error = math.sqrt(variance / self.count)
        low = float(self) + float(stdtrit(self.count - 1, below)) * error if below else -math.inf
        high = float(self) - float(stdtrit(self.count - 1, above)) * error if above else math.inf
        return Interval(low, high)

    def __reduce__(self) -> tuple[type[SummedMean], tuple[int, ExactSum, ExactSum]]:
        return SummedMean, (self.count, self.summed, self.squares)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreTotals:
    """Counts and exact sums of the score changes of N items; `a + b` holds the items of both.

    What `ScoreChanges` knows of every item, this knows of all of them together, in constant
    memory. Rates and means are those of `ScoreChanges`, to the last bit.

    Parameters
    ----------
    total : int
        Number of items, N.
    negative, positive, tied, beyond_tenfold : int
        Items that got worse, got better, kept their score, and got worse by more than ten dead
        bands.
    change, loss, gain : ExactSum
        Sums of all changes, of the sizes of losses, and of gains.
    change_squares, loss_squares, gain_squares : ExactSum
        Sums of their squares.
    tie, minimum_effect, low, high : float
        As in `ScoreChanges`.
    higher_is_better : bool
        As in `ScoreChanges`.

    Examples
    --------
    >>> from muscle_metrics import measure_changes
    >>> shard = ScoreTotals.of(measure_changes(old=[0.5, 0.9], new=[0.6, 0.7]))
    >>> print((shard + shard).negative_flip_rate)
    50.00% (2 of 4)
    """

    total: int
    negative: int
    positive: int
    tied: int
    beyond_tenfold: int
    change: ExactSum
    loss: ExactSum
    gain: ExactSum
    change_squares: ExactSum
    loss_squares: ExactSum
    gain_squares: ExactSum
    tie: float
    minimum_effect: float
    low: float
    high: float
    higher_is_better: bool

    @classmethod
    def of(cls, changes: ScoreChanges) -> ScoreTotals:
        """Totals of the items of one shard."""
        gains, deltas, band = changes.gains, changes.deltas, changes.dead_band
        losses, improved = -gains[gains < -band], gains[gains > band]
        return cls(
            total=changes.total,
            negative=len(losses),
            positive=len(improved),
            tied=changes.tie_rate.count or 0,
            beyond_tenfold=int(np.count_nonzero(losses > 10 * band)),
            change=ExactSum.of(deltas),
            loss=ExactSum.of(losses),
            gain=ExactSum.of(improved),
            change_squares=ExactSum.of(deltas**2),
            loss_squares=ExactSum.of(losses**2),
            gain_squares=ExactSum.of(improved**2),
            **{name: getattr(changes, name) for name in SETTINGS},
        )

    def __add__(self, other: ScoreTotals) -> ScoreTotals:
        settings = [[getattr(part, name) for name in SETTINGS] for part in (self, other)]
        if settings[0] != settings[1]:
            raise UsageError(
                f"expected shards scored alike, got {SETTINGS} {settings[0]} and {settings[1]}: "
                f"score all of them with the same options"
            )
        sums: dict[str, Any] = {
            field.name: getattr(self, field.name) + getattr(other, field.name)
            for field in fields(self)
            if field.name not in SETTINGS
        }
        return replace(self, **sums)

    @property
    def negative_flip_rate(self) -> Rate:
        """Share of all items whose score got worse by more than the dead band (NFR)."""
        return Rate(self.negative, self.total)

    @property
    def positive_flip_rate(self) -> Rate:
        """Share of all items whose score got better by more than the dead band (PFR)."""
        return Rate(self.positive, self.total)

    @property
    def tie_rate(self) -> Rate:
        """Share of all items whose two scores are the same."""
        return Rate(self.tied, self.total)

    @property
    def mean_change(self) -> SummedMean:
        """Mean of new score minus old score over all items."""
        return SummedMean(self.total, self.change, self.change_squares)

    @property
    def mean_gain(self) -> SummedMean:
        """Mean gain of the items that got better (m_g); nan if none did."""
        return SummedMean(self.positive, self.gain, self.gain_squares)

    @property
    def mean_regression(self) -> SummedMean:
        """Mean loss of the items that got worse, as a positive number (m_r); nan if none did."""
        return SummedMean(self.negative, self.loss, self.loss_squares)

    @property
    def tolerance_sensitive(self) -> bool:
        """Whether a dead band ten times as wide would take more than 1 % of the negative flips."""
        return self.negative - self.beyond_tenfold > SENSITIVITY * self.negative
