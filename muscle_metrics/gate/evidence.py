"""Evidence about a criterion: an estimate, and a bound at any level.

The comparison says which rows are independent: items, groups (several items per passage) or
prompts (several generations each). Rows are never pooled as if all were independent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from muscle_metrics.comparison.facts import Units
from muscle_metrics.comparison.items import number_labels
from muscle_metrics.flips.counts import FlipCounts
from muscle_metrics.statistics.bounded import FEWEST_VALUES, bounded_mean_interval
from muscle_metrics.statistics.clusters import (
    FEW_CLUSTERS,
    clustered_mean_interval,
    clustered_proportion_interval,
)
from muscle_metrics.statistics.deciding import items_to_decide, required_repeats
from muscle_metrics.statistics.interval import Interval, Side
from muscle_metrics.statistics.noise import DecodingNoise, estimate_noise_of_rows
from muscle_metrics.statistics.proportions import proportion_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from muscle_metrics.answers.correctness import Correctness
    from muscle_metrics.flips.magnitudes import Magnitude

    Labels = Sequence[Hashable] | npt.NDArray[np.intp]

__all__ = [
    "Evidence",
    "accuracy_loss",
    "clustered_loss",
    "conditional_rate",
    "independent_rate",
    "mean_loss",
    "mean_regression",
    "nothing_observed",
    "rate",
    "repeated_rate",
    "weighted_rate",
    "with_decoding_noise",
]

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

# No benchmark has so many units, so no number is advised: the estimate is too near the limit.
MOST_ADVISED = 10**9


@dataclass(frozen=True, slots=True)
class Evidence:
    """An estimate and its uncertainty, however the items depend on each other.

    Parameters
    ----------
    estimate : float
        The observed value; larger is worse.
    sample : str
        The observation in words, such as "3 of 100 items".
    interval : callable
        ``(confidence, side)`` -> Interval.
    best : callable
        ``(confidence)`` -> the upper bound of a sample of this size in which nothing broke.
    units : int
        Number of independent units in the sample.
    unit : str
        Name of these units, such as "items" or "prompts".
    special : callable, optional
        ``(limit, confidence)`` -> advice that replaces the usual one, or None.
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
        """Say how many more units would decide: bounds narrow with the root of their number."""
        if special := self.special(limit, confidence):
            return special
        bound = self.upper(confidence) if self.estimate < limit else self.lower(confidence)
        reach, distance = bound - self.estimate, limit - self.estimate
        if self.units * reach**2 >= MOST_ADVISED * distance**2:
            return f"the observed value is too near the limit for more {self.unit} to decide"
        more = max(math.ceil(self.units * ((reach / distance) ** 2 - 1)), 1)
        return f"about {more} more {self.unit} at this rate would decide"


def independent_rate(count: int, total: int) -> Evidence:
    """Share of independent items, with Clopper-Pearson bounds."""

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


def rate(units: Units) -> Evidence:
    """Share of items; bounds over groups or prompts where items depend on each other."""
    sums, sizes, unit = units
    if unit == "items":
        return independent_rate(int(sums.sum()), int(sizes.sum()))
    found = clustered_proportion_interval(successes=sums, sizes=sizes)

    def interval(confidence: float, side: Side, sums: Floats = sums) -> Interval:
        return clustered_proportion_interval(
            successes=sums, sizes=sizes, confidence=confidence, side=side
        ).interval

    return Evidence(
        estimate=found.rate,
        sample=(
            f"{sums.sum():.0f} of {sizes.sum()} items{_within(len(sizes), unit)}, "
            f"{found.flipped_clusters} of them with any, design effect {found.design_effect:.1f}"
        ),
        interval=interval,
        best=lambda confidence: interval(confidence, "upper", np.zeros_like(sums)).high,
        units=len(sizes),
        unit=unit,
    )


def conditional_rate(found: Units, right: Units) -> Evidence:
    """Share among the items that old got right; units without any are left out."""
    known = right.sums > 0
    if not known.any():
        return nothing_observed("no item that old got right")
    share = rate(Units(found.sums[known], right.sums[known].astype(np.intp), right.unit))
    return replace(share, sample=f"{share.sample} that old got right")


def nothing_observed(sample: str = "no item compared") -> Evidence:
    """Evidence of no item at all: any value is possible."""
    return Evidence(
        estimate=math.nan,
        sample=sample,
        interval=lambda confidence, side: Interval(0.0, 1.0),
        best=lambda confidence: 0.0,
        units=0,
        special=lambda limit, confidence: "nothing was observed",
    )


def repeated_rate(
    correctness: Correctness,
    prompts: Labels,
    groups: Labels | None = None,
    *,
    noise_adjusted_pass: bool = False,
) -> Evidence:
    """Flip rate of stochastic models, from several generations of each per prompt.

    The upper bound is for the flip rate with noise. The lower bound is for the regression that
    noise does not explain.
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
        uppers = [rate.interval(confidence=confidence, side="upper").high for rate in limiting]
        return Interval(0.0, max(uppers))

    independent = int(units.max()) + 1
    where = _within(independent, "items" if groups is None else "groups")
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
    """Old accuracy minus new accuracy over independent items, with Tango's bounds."""
    right = counts.both_right + counts.negative
    fixed = FlipCounts(both_right=right, negative=0, positive=counts.total - right, both_wrong=0)
    return Evidence(
        estimate=-float(counts.accuracy_change),
        sample=f"{counts.negative} broken, {counts.positive} fixed, of {counts.total} items",
        interval=partial(_loss_interval, counts),
        best=lambda confidence: _loss_interval(fixed, confidence, "upper").high,
        units=counts.total,
    )


def clustered_loss(units: Units) -> Evidence:
    """Old accuracy minus new accuracy over items in groups, with CR1 bounds over the groups."""
    sums, sizes, unit = units
    return Evidence(
        estimate=float(sums.sum() / sizes.sum()),
        sample=f"{sizes.sum()} items{_within(len(sizes), unit)}",
        interval=lambda confidence, side: clustered_mean_interval(
            totals=sums, sizes=sizes, confidence=confidence, side=side
        ),
        best=lambda confidence: -1.0,
        units=len(sizes),
        unit=unit,
    )


def mean_regression(size: Magnitude, labels: Labels | None = None, unit: str = "items") -> Evidence:
    """Mean loss of the items whose score regressed, with Gaffke's bounds over their labels."""
    units = len(set(range(size.count) if labels is None else labels))
    evidence = Evidence(
        estimate=float(size),
        sample=f"{size.count} items regressed{_within(units, unit)}",
        interval=lambda confidence, side: Interval(0.0, size.limit),
        best=lambda confidence: 0.0,
        units=units,
        unit=f"{unit} that regress",
    )
    if units < FEWEST_VALUES:
        few = f"too few {unit} regressed to judge by how much"
        return replace(evidence, special=lambda limit, confidence: few)
    bounds, _ = _unit_bounds(size.values, np.ones(size.count), labels, size.limit)
    return replace(evidence, interval=bounds)


def mean_loss(
    losses: Floats, largest: float, labels: Labels | None = None, unit: str = "items"
) -> Evidence:
    """Mean loss over all items, with Gaffke's bounds over their labels; most items lose 0."""
    ones = np.ones_like(losses)
    interval, units = _unit_bounds(losses, ones, labels, largest)
    best, _ = _unit_bounds(np.zeros_like(losses), ones, labels, largest)
    return Evidence(
        estimate=float(losses.mean()),
        sample=f"{np.count_nonzero(losses)} of {len(losses)} items lost{_within(units, unit)}",
        interval=interval,
        best=lambda confidence: best(confidence, "upper").high,
        units=units,
        unit=unit,
    )


def weighted_rate(
    flags: Flags, weights: Floats, labels: Labels | None = None, unit: str = "items"
) -> Evidence:
    """Weight of the items that flipped over the weight of all, with Gaffke's bounds over labels."""
    interval, units = _unit_bounds(flags, weights, labels, 1.0)
    best, _ = _unit_bounds(np.zeros_like(flags), weights, labels, 1.0)
    return Evidence(
        estimate=float(weights[flags].sum() / weights.sum()),
        sample=f"{np.count_nonzero(flags)} of {len(flags)} items{_within(units, unit)}, weighted",
        interval=interval,
        best=lambda confidence: best(confidence, "upper").high,
        units=units,
        unit=unit,
    )


def with_decoding_noise(evidence: Evidence) -> Evidence:
    """Evidence whose decoding noise cannot be separated: a check can pass, but never fail.

    Two runs of one unchanged model differ, too; such flips must not count against the new one.
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
    values: Flags | Floats, weights: Floats, labels: Labels | None, high: float
) -> tuple[Callable[[float, Side], Interval], int]:
    """Gaffke's bounds of a weighted mean in [0, high], and the number of labels.

    All rows of one label are one value.
    """
    codes = number_labels(np.arange(len(values)) if labels is None else labels)[0]
    sizes = np.bincount(codes, weights=weights)
    largest = high * float(sizes.max() / sizes.mean())
    totals = np.bincount(codes, weights=values * weights)
    shares = np.minimum(totals / sizes.mean(), largest)

    def interval(confidence: float, side: Side) -> Interval:
        return bounded_mean_interval(
            shares, low=0.0, high=largest, confidence=confidence, side=side
        )

    return interval, len(sizes)


def _loss_interval(counts: FlipCounts, confidence: float, side: Side) -> Interval:
    opposite: dict[Side, Side] = {"lower": "upper", "upper": "lower"}
    low, high = counts.accuracy_change.interval(confidence, side=opposite[side])
    return Interval(-high, -low)


def _within(units: int, unit: str) -> str:
    """Text that gives the number of units, unless each row is one."""
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
