"""Evidence about a criterion: an estimate, and a bound at any level.

The comparison says which rows are independent: items, groups (several items per passage) or
prompts (several generations each). Rows are never pooled as if all were independent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from muscle_metrics.comparison.facts import Units
from muscle_metrics.comparison.items import number_labels
from muscle_metrics.flips.counts import FlipCounts
from muscle_metrics.gate.samples import (
    Proposal,
    basis,
    groups_advice,
    method_of_groups,
    repeats_advice,
    within,
)
from muscle_metrics.statistics.bounded import FEWEST_VALUES
from muscle_metrics.statistics.clusters import (
    clustered_mean_interval,
    clustered_proportion_interval,
)
from muscle_metrics.statistics.deciding import items_to_decide
from muscle_metrics.statistics.interval import Interval, Side
from muscle_metrics.statistics.mean_loss import mean_loss as bound_mean_loss
from muscle_metrics.statistics.noise import estimate_noise_of_rows
from muscle_metrics.statistics.proportions import proportion_interval
from muscle_metrics.statistics.weighted import weighted_proportion_interval

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

BEYOND_NOISE = "beyond noise"


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
    method : callable, optional
        ``(limit)`` -> name of the method whose bounds decide this limit.
    special : callable, optional
        ``(limit, confidence)`` -> advice that replaces the usual one, or None.
    bounded : tuple of str, optional
        What the lower and the upper bound are of, where that is not the estimate.
    """

    estimate: float
    sample: str
    interval: Callable[[float, Side], Interval]
    best: Callable[[float], float]
    units: int
    unit: str = "items"
    method: Callable[[float], str] = lambda limit: ""
    special: Callable[[float, float], str | None] = lambda limit, confidence: None
    bounded: tuple[str, str] = ("", "")

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
        return Proposal(more, f"about {{more}} more {self.unit} at this rate")


def independent_rate(count: int, total: int) -> Evidence:
    """Share of independent items, with Clopper-Pearson bounds."""

    def interval(confidence: float, side: Side, count: int = count) -> Interval:
        return proportion_interval(
            count, total, confidence=confidence, method="clopper-pearson", side=side
        )

    def exactly(limit: float, confidence: float) -> str | None:
        more = items_to_decide(count, total, limit=limit, confidence=confidence)
        return Proposal(more, "{more} more items at this rate", is_exact=True) if more else None

    return Evidence(
        estimate=count / total,
        sample=f"{count} of {total} items",
        interval=interval,
        best=lambda confidence: interval(confidence, "upper", 0).high,
        units=total,
        special=exactly,
        method=lambda limit: "Clopper-Pearson",
    )


def rate(units: Units, *, strict: bool = False) -> Evidence:
    """Share of items; bounds over groups or prompts where items depend on each other.

    With `strict` only a finite-sample bound can keep a limit.
    """
    sums, sizes, unit = units
    if unit == "items":
        return independent_rate(int(sums.sum()), int(sizes.sum()))
    found = clustered_proportion_interval(successes=sums, sizes=sizes, side="lower", strict=strict)

    def interval(confidence: float, side: Side) -> Interval:
        return clustered_proportion_interval(
            successes=sums, sizes=sizes, confidence=confidence, side=side, strict=strict
        ).interval

    return Evidence(
        estimate=found.rate,
        sample=(
            f"{sums.sum():.0f} of {sizes.sum()} items{within(len(sizes), unit)}, "
            f"{found.flipped_clusters} of them with any, design effect {found.design_effect:.1f}"
            f"{'' if strict else basis(sizes, unit)}"
        ),
        interval=cache(interval),
        # A certain FAIL must be heard, also where too few groups are there for a PASS.
        best=lambda confidence: 0.0,
        units=len(sizes),
        unit=unit,
        special=partial(groups_advice, len(sizes), unit),
        method=partial(method_of_groups, sizes, strict),
    )


def conditional_rate(found: Units, right: Units, *, strict: bool = False) -> Evidence:
    """Share among the items that old got right; units without any are left out."""
    known = right.sums > 0
    if not known.any():
        return nothing_observed("no item that old got right")
    units = Units(found.sums[known], right.sums[known].astype(np.intp), right.unit)
    share = rate(units, strict=strict)
    return replace(share, sample=share.sample.replace(" items", " items that old got right", 1))


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

    def interval(confidence: float, side: Side) -> Interval:
        if side == "lower":
            return Interval(noise.regression_lower_bound(confidence=confidence), 1.0)
        if noise_adjusted_pass:
            return Interval(0.0, noise.regression_upper_bound(confidence=confidence))
        return Interval(0.0, noise.flip_rate.interval(confidence=confidence, side="upper").high)

    of_units = np.bincount(units)
    independent, unit = len(of_units), "items" if groups is None else "groups"
    unseen = (
        ", PASS by what exceeds noise has no guarantee: losses that equal gains balance may pass"
    )

    def best(confidence: float) -> float:
        return independent_rate(0, independent).upper(confidence) if groups is None else 0.0

    return Evidence(
        estimate=noise.flip_rate.mean,
        sample=(
            f"{len(codes)} generations of {len(sizes)} prompts{within(independent, unit)}, noise "
            f"floor {noise.floor.mean:.2%}, excess {noise.excess.mean:+.2%}, net loss "
            f"{noise.net_loss.mean:+.2%}, clear loss {noise.clear_loss.mean:+.2%}"
            f"{basis(of_units, unit)}{unseen if noise_adjusted_pass else ''}"
        ),
        interval=cache(interval),
        best=best,
        units=len(sizes),
        unit="prompts",
        special=partial(repeats_advice, noise, len(sizes), int(sizes.min()), noise_adjusted_pass),
        method=partial(method_of_groups, of_units, groups is None),
        bounded=(BEYOND_NOISE, BEYOND_NOISE if noise_adjusted_pass else "with noise"),
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
        method=lambda limit: "Tango",
    )


def clustered_loss(units: Units, *, strict: bool = False) -> Evidence:
    """Old accuracy minus new accuracy over items in groups, with bounds over the groups."""
    sums, sizes, unit = units

    def interval(confidence: float, side: Side) -> Interval:
        return clustered_mean_interval(
            totals=sums, sizes=sizes, confidence=confidence, side=side, strict=strict
        )

    return Evidence(
        estimate=float(sums.sum() / sizes.sum()),
        sample=(
            f"{sizes.sum()} items{within(len(sizes), unit)}{'' if strict else basis(sizes, unit)}"
        ),
        interval=cache(interval),
        best=lambda confidence: -1.0,
        units=len(sizes),
        unit=unit,
        special=partial(groups_advice, len(sizes), unit),
        method=partial(method_of_groups, sizes, strict),
    )


def mean_regression(size: Magnitude, labels: Labels | None = None, unit: str = "items") -> Evidence:
    """Mean loss of the items whose score regressed, with Gaffke's bounds over their labels."""
    units = len(set(range(size.count) if labels is None else labels))
    evidence = Evidence(
        estimate=float(size),
        sample=f"{size.count} items regressed{within(units, unit)}",
        interval=lambda confidence, side: Interval(0.0, size.limit),
        best=lambda confidence: 0.0,
        units=units,
        unit=f"{unit} that regress",
        method=lambda limit: "Gaffke",
    )
    if units < FEWEST_VALUES:
        few = f"too few {unit} regressed to judge by how much"
        return replace(evidence, special=lambda limit, confidence: few)
    totals, sizes = _unit_sums(size.values, np.ones(size.count), labels)

    def interval(confidence: float, side: Side) -> Interval:
        low, high = weighted_proportion_interval(
            successes=totals / size.limit,
            weights=sizes,
            largest=float(sizes.max()),
            confidence=confidence,
            side=side,
        )
        return Interval(size.limit * low, size.limit * high)

    return replace(evidence, interval=cache(interval))


def mean_loss(
    losses: Floats,
    largest: float,
    labels: Labels | None = None,
    unit: str = "items",
    *,
    strict: bool = False,
) -> Evidence:
    """Mean loss over all items, with bounds over their labels; most items lose 0.

    Examples
    --------
    >>> print(mean_loss(np.array([0.5, 0.0, 0.0, 0.1]), 1.0).sample)
    2 of 4 items lost
    """
    groups = None if labels is None or unit == "items" else number_labels(labels)[0]

    def interval(confidence: float, side: Side) -> Interval:
        return bound_mean_loss(
            -losses, span=largest, groups=groups, strict=strict, confidence=confidence, side=side
        ).interval

    def best(confidence: float) -> float:
        if groups is not None:
            return 0.0
        return bound_mean_loss(
            np.zeros_like(losses), span=largest, confidence=confidence, side="upper"
        ).interval.high

    units = len(losses) if groups is None else int(groups.max()) + 1
    return Evidence(
        estimate=float(losses.mean()),
        sample=f"{np.count_nonzero(losses)} of {len(losses)} items lost{within(units, unit)}",
        interval=cache(interval),
        best=best,
        units=units,
        unit=unit,
        method=lambda limit: "Gaffke",
    )


def weighted_rate(
    flags: Flags,
    weights: Floats,
    labels: Labels | None = None,
    unit: str = "items",
    *,
    largest: float | None = None,
) -> Evidence:
    """Weight of the items that flipped over the weight of all, with Gaffke's bounds over labels.

    `largest` is the largest weight that an item can have; without it, the largest one here.
    """
    totals, sizes = _unit_sums(flags, weights, labels)
    most = int(_unit_sums(flags, np.ones(len(flags)), labels)[1].max())
    heaviest = max(float(sizes.max()), (largest or 0.0) * most)

    def interval(confidence: float, side: Side, totals: Floats = totals) -> Interval:
        return weighted_proportion_interval(
            successes=totals, weights=sizes, largest=heaviest, confidence=confidence, side=side
        )

    def best(confidence: float) -> float:
        return interval(confidence, "upper", np.zeros_like(totals)).high if unit == "items" else 0.0

    return Evidence(
        estimate=float(weights[flags].sum() / weights.sum()),
        sample=(
            f"{np.count_nonzero(flags)} of {len(flags)} items{within(len(sizes), unit)}, weighted"
        ),
        interval=interval,
        best=best,
        units=len(sizes),
        unit=unit,
        method=lambda limit: "Gaffke",
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


def _unit_sums(
    values: Flags | Floats, weights: Floats, labels: Labels | None
) -> tuple[Floats, Floats]:
    """Weighted sums of values, and weights, over all rows of each label."""
    codes = number_labels(np.arange(len(values)) if labels is None else labels)[0]
    totals, sizes = (np.bincount(codes, weights=column) for column in (values * weights, weights))
    return totals.astype(np.float64), sizes.astype(np.float64)


def _loss_interval(counts: FlipCounts, confidence: float, side: Side) -> Interval:
    opposite: dict[Side, Side] = {"lower": "upper", "upper": "lower"}
    low, high = counts.accuracy_change.interval(confidence, side=opposite[side])
    return Interval(-high, -low)
