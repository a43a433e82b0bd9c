"""Gains and losses of graded scores as totals, which add over shards."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import UsageError
from muscle_metrics.flips.changes import Floor, ScoreFacts
from muscle_metrics.flips.magnitudes import SummedMean
from muscle_metrics.statistics.exact_sums import ExactSum

if TYPE_CHECKING:
    from muscle_metrics.flips.changes import ScoreChanges

__all__ = ["ScoreTotals"]

SETTINGS = ("tie", "minimum_effect", "low", "high", "higher_is_better")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreTotals(ScoreFacts):
    """Counts and exact sums of the score changes of N items; `a + b` holds the items of both.

    It takes constant memory. Rates and means are those of `ScoreChanges`, to the last bit; the
    intervals of mean gain and regression are Student's, because the values themselves are not kept.

    Parameters
    ----------
    total : int
        Number of items, N.
    negative, positive, tied, beyond_tenfold : int
        Items that got worse, got better, kept their score, and got worse by more than ten dead
        bands.
    floor : Floor
        The worst old score, and the items that have it.
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
    floor: Floor
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
        deltas = changes.deltas
        losses, improved = changes.mean_regression.values, changes.mean_gain.values
        return cls(
            total=changes.total,
            negative=changes.negative,
            positive=changes.positive,
            tied=changes.tied,
            beyond_tenfold=changes.beyond_tenfold,
            floor=changes.floor,
            change=ExactSum.of(deltas),
            loss=ExactSum.of(losses),
            gain=ExactSum.of(improved),
            change_squares=ExactSum.of(deltas**2),
            loss_squares=ExactSum.of(losses**2),
            gain_squares=ExactSum.of(improved**2),
            **{name: getattr(changes, name) for name in SETTINGS},
        )

    def __add__(self, other: ScoreTotals) -> ScoreTotals:
        settings = [[getattr(totals, name) for name in SETTINGS] for totals in (self, other)]
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
