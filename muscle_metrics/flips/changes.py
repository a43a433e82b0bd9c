"""Score changes: gains and losses of graded items between two models, item by item.

Two thresholds apply. Scores that differ by at most `tie` are the same number up to rounding. A
difference of at most `minimum_effect` is real but does not matter.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from muscle_metrics.answers.columns import check_lengths
from muscle_metrics.answers.correctness import Correctness
from muscle_metrics.answers.scores import LARGEST_SCORE
from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.flips.counting import tally_correctness
from muscle_metrics.flips.magnitudes import Magnitude, MeanChange
from muscle_metrics.flips.rates import Rate
from muscle_metrics.flips.thresholds import reaches

if TYPE_CHECKING:
    from muscle_metrics.flips.counts import FlipCounts
    from muscle_metrics.flips.magnitudes import Mean

__all__ = ["Floor", "ScoreChanges", "ScoreFacts", "measure_changes"]

# A count depends on the dead band if it loses more than this share when the band grows tenfold.
SENSITIVITY = 0.01

Scores = npt.NDArray[np.float64]


class ScoreFacts(ABC):
    """Counts, rates and means of score changes, whether item by item or as totals."""

    tie: float
    minimum_effect: float
    low: float
    high: float
    higher_is_better: bool

    @property
    @abstractmethod
    def total(self) -> int:
        """Number of items, N."""

    @property
    @abstractmethod
    def negative(self) -> int:
        """Number of items whose score got worse by more than the dead band."""

    @property
    @abstractmethod
    def positive(self) -> int:
        """Number of items whose score got better by more than the dead band."""

    @property
    @abstractmethod
    def tied(self) -> int:
        """Number of items whose two scores are the same."""

    @property
    @abstractmethod
    def beyond_tenfold(self) -> int:
        """Number of items whose score got worse by more than ten dead bands."""

    @property
    @abstractmethod
    def floor(self) -> Floor:
        """The worst old score that there can be, and the number of items that have it."""

    @property
    def possible(self) -> int:
        """Number of items whose old score leaves room for a regression."""
        return self.total - self.floor.items

    @property
    @abstractmethod
    def mean_change(self) -> Mean:
        """Mean of new score minus old score over all items."""

    @property
    @abstractmethod
    def mean_gain(self) -> Mean:
        """Mean gain of the items that got better (m_g); nan if none did."""

    @property
    @abstractmethod
    def mean_regression(self) -> Mean:
        """Mean loss of the items that got worse, as a positive number (m_r); nan if none did."""

    @property
    def dead_band(self) -> float:
        """The larger of both thresholds; a change of at most this much does not count."""
        return max(self.tie, self.minimum_effect)

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
    def tolerance_sensitive(self) -> bool:
        """Whether a dead band ten times as wide would take more than 1 % of the negative flips."""
        return self.negative - self.beyond_tenfold > SENSITIVITY * self.negative


class Floor(NamedTuple):
    """The worst old score, and the items that have it; `a + b` is the floor of both."""

    value: float
    items: int
    higher_is_better: bool = True

    def __add__(self, other: Floor) -> Floor:  # type: ignore[override]
        if self.value == other.value:
            return self._replace(items=self.items + other.items)
        return min(self, other) if self.higher_is_better else max(self, other)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoreChanges(ScoreFacts):
    """Scores of the same N items by the old and by the new model, and their changes.

    Made by `measure_changes` and `score_flips`.

    Parameters
    ----------
    old, new : numpy.ndarray of float64, shape (N,)
        One score per item.
    tie : float
        Scores that differ by at most this much are the same score.
    minimum_effect : float
        A change of at most this much does not matter.
    low, high : float
        Range of the scorer; infinite where it has none.
    higher_is_better : bool
        Whether a larger score is better.

    Examples
    --------
    >>> changes = measure_changes(old=[0.5, 0.9, 0.4], new=[0.6, 0.7, 0.4])
    >>> print(changes.negative_flip_rate)
    33.33% (1 of 3)
    >>> print(changes.mean_regression)
    0.2000 (1 item)
    """

    old: Scores
    new: Scores
    tie: float
    minimum_effect: float
    low: float
    high: float
    higher_is_better: bool

    @property
    def total(self) -> int:
        """Number of items, N."""
        return len(self.old)

    @property
    def deltas(self) -> Scores:
        """New score minus old score of every item."""
        return self.new - self.old

    @cached_property
    def gains(self) -> Scores:
        """How much better every item got: `deltas`, negated if lower is better."""
        return self.new - self.old if self.higher_is_better else self.old - self.new

    @cached_property
    def negative(self) -> int:
        """Number of items whose score got worse by more than the dead band."""
        return int(np.count_nonzero(self.gains < -self.dead_band))

    @cached_property
    def positive(self) -> int:
        """Number of items whose score got better by more than the dead band."""
        return int(np.count_nonzero(self.gains > self.dead_band))

    @cached_property
    def tied(self) -> int:
        """Number of items whose two scores are the same."""
        return int(np.count_nonzero(np.abs(self.deltas) <= self.tie))

    @cached_property
    def beyond_tenfold(self) -> int:
        """Number of items whose score got worse by more than ten dead bands."""
        return int(np.count_nonzero(self.gains < -10 * self.dead_band))

    @property
    def mean_gain(self) -> Magnitude:
        """Mean gain of the items that got better (m_g); nan if none did."""
        gains = self.gains
        return Magnitude(gains[gains > self.dead_band], limit=self.high - self.low)

    @property
    def mean_regression(self) -> Magnitude:
        """Mean loss of the items that got worse, as a positive number (m_r); nan if none did."""
        gains = self.gains
        return Magnitude(-gains[gains < -self.dead_band], limit=self.high - self.low)

    @property
    def mean_change(self) -> MeanChange:
        """Mean of new score minus old score over all items."""
        return MeanChange(self.deltas)

    def with_effect(self, minimum_effect: float) -> ScoreChanges:
        """Raise the minimum effect to this one; a smaller one changes nothing."""
        if minimum_effect <= self.minimum_effect:
            return self
        return replace(self, minimum_effect=minimum_effect)

    def regressed(self) -> npt.NDArray[np.bool_]:
        """Whether the score of each item got worse by more than the dead band."""
        flags: npt.NDArray[np.bool_] = self.gains < -self.dead_band
        return flags

    def can_regress(self) -> npt.NDArray[np.bool_]:
        """Whether there is room for a regression below the old score of each item.

        Without a range there is none below the worst old score.
        """
        room = np.abs(self.old - self._worst)
        flags: npt.NDArray[np.bool_] = room > (self.dead_band if self._has_worst else 0)
        return flags

    @cached_property
    def floor(self) -> Floor:
        """The worst old score that there can be, and the number of items without room below."""
        stuck = int(np.count_nonzero(~self.can_regress()))
        return Floor(self._worst, stuck, self.higher_is_better)

    @property
    def _has_worst(self) -> bool:
        return math.isfinite(self.low if self.higher_is_better else self.high)

    @property
    def _worst(self) -> float:
        if self._has_worst:
            return self.low if self.higher_is_better else self.high
        return float(self.old.min() if self.higher_is_better else self.old.max())

    def negative_flip_curve(self, dead_bands: npt.ArrayLike) -> Scores:
        """NFR as the dead band grows, which shows how many flips are tiny changes.

        Parameters
        ----------
        dead_bands : array_like, shape (K,)
            Thresholds, at least 0.

        Returns
        -------
        numpy.ndarray, shape (K,)
            In [0, 1], never rising with the dead band.

        Examples
        --------
        >>> changes = measure_changes(old=[0.5, 0.9], new=[0.4, 0.4])
        >>> changes.negative_flip_curve([0, 0.2, 0.6])
        array([1. , 0.5, 0. ])
        """
        losses = np.sort(-self.gains)
        not_beyond = np.searchsorted(losses, np.asarray(dead_bands, dtype=np.float64), side="right")
        return (self.total - not_beyond) / self.total

    def correctness(self, *, threshold: float, strict: bool = False) -> Correctness:
        """Which items are right, because their score reaches a threshold.

        Parameters
        ----------
        threshold : float
            An item is right at this score, up to `tie`, or at a better one.
        strict : bool
            Whether it must be better, by more than `tie`.

        Returns
        -------
        Correctness
            Without `changed`: a score does not show whether the answer changed.
        """
        old, new = (
            reaches(
                scores,
                threshold,
                tie=self.tie,
                strict=strict,
                higher_is_better=self.higher_is_better,
            )
            for scores in (self.old, self.new)
        )
        return Correctness(old, new, None)

    def flips(self, *, threshold: float, strict: bool = False) -> FlipCounts:
        """Flips of items that are right when their score reaches a threshold.

        Parameters
        ----------
        threshold : float
            An item is right at this score, up to `tie`, or at a better one.
        strict : bool
            Whether it must be better, by more than `tie`.

        Returns
        -------
        FlipCounts
            Counts of changed answers are unknown.

        Examples
        --------
        >>> measure_changes(old=[0.5, 0.9], new=[0.6, 0.2]).flips(threshold=0.5).negative
        1
        """
        return tally_correctness(self.correctness(threshold=threshold, strict=strict))


def measure_changes(
    *,
    old: npt.ArrayLike,
    new: npt.ArrayLike,
    tie: float = 1e-9,
    minimum_effect: float = 0.0,
    low: float = 0.0,
    high: float = 1.0,
    higher_is_better: bool = True,
) -> ScoreChanges:
    """Compare scores that were already computed, item by item.

    Parameters
    ----------
    old, new : array_like of float, shape (N,)
        One score per item.
    tie : float
        Scores that differ by at most this much are the same score. Scores that were stored or
        rounded need at least 1e-6.
    minimum_effect : float
        A change of at most this much does not matter.
    low, high : float
        Range of the scorer; infinite where it has none.
    higher_is_better : bool
        Whether a larger score is better.

    Returns
    -------
    ScoreChanges

    Raises
    ------
    InputError
        If lengths differ, a score is missing or outside the range, or scores are float16.
    UsageError
        If a threshold is negative.

    Examples
    --------
    >>> measure_changes(old=[0.1, 0.2], new=[0.3, 0.2]).tie_rate
    Rate(1, 2)
    """
    for name, threshold in (("tie", tie), ("minimum_effect", minimum_effect)):
        if not 0 <= threshold < math.inf:
            raise UsageError(
                f"expected {name} to be a finite number of at least 0, got {threshold!r}"
            )
    scores = {"old": _scores(old, "old", low, high), "new": _scores(new, "new", low, high)}
    check_lengths(**scores)
    return ScoreChanges(
        **scores,
        tie=tie,
        minimum_effect=minimum_effect,
        low=low,
        high=high,
        higher_is_better=higher_is_better,
    )


def _scores(values: npt.ArrayLike, name: str, low: float, high: float) -> Scores:
    scores = np.asarray(values)
    if scores.ndim != 1 or scores.dtype.kind not in "biuf" or len(scores) == 0:
        raise InputError(
            f"expected one score per item in {name}, got {scores.dtype} of shape {scores.shape}: "
            f"pass a flat list of numbers"
        )
    if scores.dtype == np.float16:
        raise InputError(
            f"expected {name} in float32 or float64, got float16, which rounds scores to three "
            f"digits: compute them again with more"
        )
    scores = scores.astype(np.float64)
    low, high = max(low, -LARGEST_SCORE), min(high, LARGEST_SCORE)
    strange = np.flatnonzero(~((scores >= low) & (scores <= high)))
    if len(strange):
        raise InputError(
            f"expected scores from {low:g} to {high:g} in {name}, got {scores[strange[0]]} at item "
            f"{strange[0]} and {len(strange)} such in all: drop these items, or give "
            f"the range with --score-range LOW HIGH (low=, high=)"
        )
    return scores
