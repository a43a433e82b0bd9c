"""Evidence about means of graded scores and about weighted items, over items, groups or prompts."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from muscle_metrics.evidence.evidence import Bounds, Evidence
from muscle_metrics.evidence.samples import Basis, name_bound, within
from muscle_metrics.evidence.units import number_labels
from muscle_metrics.statistics.bounded import FEWEST_VALUES
from muscle_metrics.statistics.interval import Interval, Side
from muscle_metrics.statistics.mean_loss import mean_loss as bound_mean_loss
from muscle_metrics.statistics.weighted import weighted_proportion_interval

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from muscle_metrics.flips.magnitudes import Magnitude

    Labels = Sequence[Hashable] | npt.NDArray[np.intp]

__all__ = ["mean_loss", "mean_regression", "weighted_rate"]

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def mean_regression(size: Magnitude, labels: Labels | None = None, unit: str = "items") -> Evidence:
    """Mean loss of the items whose score regressed, with Gaffke's bounds over their labels."""
    units = len(set(range(size.count) if labels is None else labels))
    evidence = Evidence(
        estimate=float(size),
        sample=f"{size.count} items regressed{within(units, unit)}",
        interval=lambda confidence, side: Bounds(0.0, size.limit, "", ""),
        best=lambda confidence: 0.0,
        units=units,
        unit=f"{unit} that regress",
    )
    if units < FEWEST_VALUES:
        few = f"too few {unit} regressed to judge by how much"
        return replace(evidence, special=lambda limit, confidence: few)
    totals, sizes = _unit_sums(size.values, np.ones(size.count), labels)

    def interval(confidence: float, side: Side) -> Bounds:
        low, high = weighted_proportion_interval(
            successes=totals / size.limit,
            weights=sizes,
            largest=float(sizes.max()),
            confidence=confidence,
            side=side,
        )
        return Bounds.by("Gaffke", Interval(size.limit * low, size.limit * high))

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

    def interval(confidence: float, side: Side) -> Bounds:
        found = bound_mean_loss(
            -losses, span=largest, groups=groups, strict=strict, confidence=confidence, side=side
        )
        return Bounds(*found.interval, "Gaffke", name_bound(found.upper_method))

    def best(confidence: float) -> float:
        if groups is not None:
            return 0.0
        return bound_mean_loss(
            np.zeros_like(losses), span=largest, confidence=confidence, side="upper"
        ).interval.high

    units = len(losses) if groups is None else int(groups.max()) + 1
    evidence = Evidence(
        estimate=float(losses.mean()),
        sample=f"{np.count_nonzero(losses)} of {len(losses)} items lost{within(units, unit)}",
        interval=cache(interval),
        best=best,
        units=units,
        unit=unit,
    )
    if groups is None or units == len(losses):
        return evidence
    sizes = np.bincount(groups)

    def settle(limit: float) -> Evidence:
        basis = Basis.of(limit / largest, sizes, unit, strict=strict)
        settled = mean_loss(losses, largest, groups, unit, strict=basis.is_settled)
        return replace(settled, settle=None, basis=basis)

    return replace(evidence, settle=settle)


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

    def interval(confidence: float, side: Side, totals: Floats = totals) -> Bounds:
        found = weighted_proportion_interval(
            successes=totals, weights=sizes, largest=heaviest, confidence=confidence, side=side
        )
        return Bounds.by("Gaffke", found)

    def best(confidence: float) -> float:
        return interval(confidence, "upper", np.zeros_like(totals)).high if unit == "items" else 0.0

    evidence = Evidence(
        estimate=float(weights[flags].sum() / weights.sum()),
        sample=(
            f"{np.count_nonzero(flags)} of {len(flags)} items{within(len(sizes), unit)}, weighted"
        ),
        interval=interval,
        best=best,
        units=len(sizes),
        unit=unit,
    )

    def settle(limit: float) -> Evidence:
        basis = Basis.of(limit, sizes, unit, strict=True, largest=heaviest)
        return replace(evidence, settle=None, basis=basis)

    return evidence if unit == "items" else replace(evidence, settle=settle)


def _unit_sums(
    values: Flags | Floats, weights: Floats, labels: Labels | None
) -> tuple[Floats, Floats]:
    """Weighted sums of values, and weights, over all rows of each label."""
    codes = number_labels(np.arange(len(values)) if labels is None else labels)[0]
    totals, sizes = (np.bincount(codes, weights=column) for column in (values * weights, weights))
    return totals.astype(np.float64), sizes.astype(np.float64)
