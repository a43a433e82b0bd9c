"""What the items say about a criterion: an estimate, and a bound at any level.

Independent items, items in groups (several per passage) and repeats (several generations per
prompt) are told apart by the comparison, and never pooled as if all rows were independent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from muscle_metrics.flips.counts import FlipCounts
from muscle_metrics.statistics.bounded import FEWEST_VALUES, bounded_mean_interval
from muscle_metrics.statistics.clusters import FEW_CLUSTERS
from muscle_metrics.statistics.deciding import items_to_decide, required_repeats
from muscle_metrics.statistics.interval import Interval, Side
from muscle_metrics.statistics.noise import DecodingNoise, estimate_noise_of_rows
from muscle_metrics.statistics.proportions import proportion_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from muscle_metrics.answers.correctness import Correctness
    from muscle_metrics.flips.magnitudes import Magnitude

__all__ = [
    "Evidence",
    "accuracy_loss",
    "independent_rate",
    "mean_regression",
    "number_labels",
    "repeated_rate",
    "weighted_rate",
    "with_decoding_noise",
    "within",
]

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Sizes = npt.NDArray[np.intp]

# Further off than any benchmark goes, so near the limit is the estimate.
MOST_ADVISED = 10**9


@dataclass(frozen=True, slots=True)
class Evidence:
    """An estimate and its uncertainty, however the items depend on each other.

    Parameters
    ----------
    estimate : float
        The observed value; larger is worse.
    sample : str
        What was observed, such as "3 of 100 items".
    interval : callable
        ``(confidence, side)`` -> Interval.
    best : callable
        ``(confidence)`` -> the upper bound had nothing gone wrong in a sample of this size.
    units : int
        How many independent parts the sample has.
    unit : str
        What these are, such as "items" or "prompts".
    special : callable, optional
        ``(limit, confidence)`` -> what would decide it, where that is not just more units.

    Examples
    --------
    >>> evidence = independent_rate(0, 100)
    >>> round(evidence.upper(0.95), 4), evidence.advice(0.02, 0.95)
    (0.0295, '49 more items at this rate would decide')
    """

    estimate: float
    sample: str
    interval: Callable[[float, Side], Interval]
    best: Callable[[float], float]
    units: int
    unit: str = "items"
    special: Callable[[float, float], str | None] = lambda limit, confidence: None

    def lower(self, confidence: float) -> float:
        """One-sided lower bound."""
        return self.interval(confidence, "lower").low

    def upper(self, confidence: float) -> float:
        """One-sided upper bound."""
        return self.interval(confidence, "upper").high

    def advice(self, limit: float, confidence: float) -> str:
        """Say what would decide it; bounds close in with the root of the number of units."""
        if special := self.special(limit, confidence):
            return special
        bound = self.upper(confidence) if self.estimate < limit else self.lower(confidence)
        reach, distance = bound - self.estimate, limit - self.estimate
        if self.units * reach**2 >= MOST_ADVISED * distance**2:
            return f"the observed value is too near the limit for more {self.unit} to decide"
        more = max(math.ceil(self.units * ((reach / distance) ** 2 - 1)), 1)
        return f"about {more} more {self.unit} at this rate would decide"


def independent_rate(count: int, total: int) -> Evidence:
    """Share of independent items, with Clopper-Pearson bounds.

    Examples
    --------
    >>> independent_rate(3, 100).sample
    '3 of 100 items'
    """

    def interval(confidence: float, side: Side, count: int = count) -> Interval:
        return proportion_interval(
            count, total, confidence=confidence, method="clopper-pearson", side=side
        )

    def exactly(limit: float, confidence: float) -> str | None:
        more = items_to_decide(count, total, limit=limit, confidence=confidence)
        return f"{more} more items at this rate would decide" if more else None

    return Evidence(
        estimate=count / total,
        sample=f"{count} of {total} items",
        interval=interval,
        best=lambda confidence: interval(confidence, "upper", 0).high,
        units=total,
        special=exactly,
    )


def repeated_rate(
    correctness: Correctness,
    prompts: Sequence[Hashable],
    groups: Sequence[Hashable] | None = None,
    *,
    noise_adjusted_pass: bool = False,
) -> Evidence:
    """Flip rate of stochastic models, from several generations of each per prompt.

    The upper bound is that of the flip rate, noise included; the lower one that of the regression
    which noise does not explain.

    Examples
    --------
    >>> from muscle_metrics.answers.correctness import Correctness
    >>> right = np.array([True, False] * 20)
    >>> prompts = [i // 2 for i in range(40)]
    >>> repeated_rate(Correctness(right, right, None), prompts).sample
    '40 generations of 20 prompts, noise floor 50.00%, excess -25.00%, regression mass -25.00%'
    """
    codes, sizes = number_labels(prompts)
    firsts = np.unique(codes, return_index=True)[1]
    units = codes[firsts] if groups is None else number_labels([groups[i] for i in firsts])[0]
    noise = estimate_noise_of_rows(
        old_right=correctness.old_right,
        new_right=correctness.new_right,
        prompts=codes,
        groups=None if groups is None else units,
    )
    limiting = [noise.excess, noise.regression_mass] if noise_adjusted_pass else [noise.flip_rate]

    def interval(confidence: float, side: Side) -> Interval:
        if side == "lower":
            return Interval(noise.regression_lower_bound(confidence=confidence), 1.0)
        uppers = [part.interval(confidence=confidence, side="upper").high for part in limiting]
        return Interval(0.0, max(uppers))

    independent = int(units.max()) + 1
    where = within(independent, "items" if groups is None else "groups")
    adjusted = ", PASS by what exceeds noise has no guarantee" if noise_adjusted_pass else ""
    return Evidence(
        estimate=noise.flip_rate.mean,
        sample=(
            f"{len(codes)} generations of {len(sizes)} prompts{where}, noise floor "
            f"{noise.floor.mean:.2%}, excess {noise.excess.mean:+.2%}, regression mass "
            f"{noise.regression_mass.mean:+.2%}{adjusted}"
        ),
        interval=interval,
        best=lambda confidence: independent_rate(0, independent).upper(confidence),
        units=len(sizes),
        unit="prompts",
        special=partial(_repeats_advice, noise, len(sizes), int(sizes.min())),
    )


def accuracy_loss(counts: FlipCounts) -> Evidence:
    """Old accuracy minus new accuracy over independent items, with Tango's bounds.

    Examples
    --------
    >>> from muscle_metrics import FlipCounts
    >>> accuracy_loss(FlipCounts(both_right=80, negative=40, positive=20, both_wrong=20)).estimate
    0.125
    """
    right = counts.both_right + counts.negative
    fixed = FlipCounts(both_right=right, negative=0, positive=counts.total - right, both_wrong=0)
    return Evidence(
        estimate=-float(counts.accuracy_change),
        sample=f"{counts.negative} broken, {counts.positive} fixed, of {counts.total} items",
        interval=partial(_loss_interval, counts),
        best=lambda confidence: _loss_interval(fixed, confidence, "upper").high,
        units=counts.total,
    )


def mean_regression(
    size: Magnitude, labels: Sequence[Hashable] | None = None, unit: str = "items"
) -> Evidence:
    """Mean loss of the items whose score regressed, with Gaffke's bounds over their labels.

    Examples
    --------
    >>> from muscle_metrics import measure_changes
    >>> changes = measure_changes(old=[0.9] * 20, new=[0.4] * 20)
    >>> mean_regression(changes.mean_regression).estimate
    0.5
    """
    labels = range(size.count) if labels is None else labels
    units = len(set(labels))
    evidence = Evidence(
        estimate=float(size),
        sample=f"{size.count} items regressed{within(units, unit)}",
        interval=partial(_unit_bounds, size.values, np.ones(size.count), labels, size.limit),
        best=lambda confidence: 0.0,
        units=units,
        unit=f"{unit} that regress",
    )
    if units >= FEWEST_VALUES:
        return evidence
    return replace(
        evidence,
        interval=lambda confidence, side: Interval(0.0, size.limit),
        special=lambda limit, confidence: f"too few {unit} regressed to judge by how much",
    )


def weighted_rate(
    flags: Flags, weights: Floats, labels: Sequence[Hashable] | None = None, unit: str = "items"
) -> Evidence:
    """Weight of the items that flipped over the weight of all, with Gaffke's bounds over labels.

    Examples
    --------
    >>> weighted_rate(np.array([False, True]), np.array([1.0, 3.0])).estimate
    0.75
    """
    labels = range(len(flags)) if labels is None else labels
    units = len(set(labels))
    return Evidence(
        estimate=float(weights[flags].sum() / weights.sum()),
        sample=f"{np.count_nonzero(flags)} of {len(flags)} items{within(units, unit)}, weighted",
        interval=partial(_unit_bounds, flags, weights, labels, 1.0),
        best=lambda c: _unit_bounds(0.0 * weights, weights, labels, 1.0, c, "upper").high,
        units=units,
        unit=unit,
    )


def with_decoding_noise(evidence: Evidence) -> Evidence:
    """Evidence of stochastic models whose noise cannot be told apart: it passes or does not fail.

    Two runs of one unchanged model differ, too; such flips must not count against the new one.

    Examples
    --------
    >>> with_decoding_noise(independent_rate(9, 10)).lower(0.95)
    0.0
    """

    def special(limit: float, confidence: float) -> str | None:
        if evidence.estimate < limit:
            return evidence.special(limit, confidence)
        return "decoding noise is part of it and not told apart: use greedy decoding"

    return replace(
        evidence,
        interval=lambda confidence, side: Interval(0.0, evidence.interval(confidence, side).high),
        special=special,
    )


def _unit_bounds(
    values: Flags | Floats,
    weights: Floats,
    labels: Sequence[Hashable],
    high: float,
    confidence: float,
    side: Side,
) -> Interval:
    """Gaffke's bounds of a weighted mean in [0, high], all rows of one label as one value."""
    codes = number_labels(labels)[0]
    sizes = np.bincount(codes, weights=weights)
    largest = high * float(sizes.max() / sizes.mean())
    totals = np.bincount(codes, weights=values * weights)
    shares = np.minimum(totals / sizes.mean(), largest)
    return bounded_mean_interval(shares, low=0.0, high=largest, confidence=confidence, side=side)


def number_labels(labels: Sequence[Hashable]) -> tuple[npt.NDArray[np.intp], Sizes]:
    """Give every row the number of its label, and say how many rows each label has.

    Examples
    --------
    >>> [column.tolist() for column in number_labels(["b", "a", "b"])]
    [[0, 1, 0], [2, 1]]
    """
    numbers: dict[Hashable, int] = {}
    codes = np.array([numbers.setdefault(label, len(numbers)) for label in labels], dtype=np.intp)
    return codes, np.bincount(codes)


def _loss_interval(counts: FlipCounts, confidence: float, side: Side) -> Interval:
    opposite: dict[Side, Side] = {"lower": "upper", "upper": "lower"}
    low, high = counts.accuracy_change.interval(confidence, side=opposite[side])
    return Interval(-high, -low)


def within(units: int, unit: str) -> str:
    """Say in how many units the rows are, unless each is one.

    Examples
    --------
    >>> within(40, "groups")
    ' in 40 groups'
    """
    rough = " (few: bounds are rough)" if units < FEW_CLUSTERS else ""
    return "" if unit == "items" else f" in {units} {unit}{rough}"


def _repeats_advice(
    noise: DecodingNoise, prompts: int, repeats: int, limit: float, confidence: float
) -> str | None:
    rate, floor = noise.flip_rate.mean, noise.floor.mean
    if floor > limit:
        return (
            f"noise floor {floor:.1%} exceeds the limit {100 * limit:g}%: more repeats, a lower "
            f"temperature, or greedy decoding"
        )
    if rate >= limit:
        return "decoding noise may be what exceeds the limit: more prompts, or greedy decoding"
    needed = required_repeats(
        prompts=prompts,
        repeats=repeats,
        repeat_variance=noise.repeat_variance,
        prompt_variance=noise.prompt_variance,
        margin=limit - rate,
        confidence=confidence,
    )
    more = 0 if needed is None else needed - repeats
    return f"{more} more repeats of every prompt would decide" if more else None
