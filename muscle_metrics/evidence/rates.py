"""Evidence about rates and the loss of accuracy, over items, groups or prompts.

The comparison says which rows are independent: items, groups (several items per passage) or
prompts (several generations each). Rows are never pooled as if all were independent.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from muscle_metrics.evidence.evidence import Bounds, Evidence, nothing_observed
from muscle_metrics.evidence.samples import (
    Basis,
    Proposal,
    groups_advice,
    name_bound,
    within,
)
from muscle_metrics.evidence.units import Units
from muscle_metrics.flips.counts import FlipCounts
from muscle_metrics.statistics.bounded import net_share_interval
from muscle_metrics.statistics.clusters import clustered_mean, clustered_proportion_interval
from muscle_metrics.statistics.deciding import items_to_decide
from muscle_metrics.statistics.interval import Interval, Side
from muscle_metrics.statistics.proportions import proportion_interval

if TYPE_CHECKING:
    Sizes = npt.NDArray[np.intp]

__all__ = [
    "accuracy_loss",
    "accuracy_shift",
    "clustered_loss",
    "conditional_rate",
    "independent_rate",
    "rate",
]


def independent_rate(count: int, total: int) -> Evidence:
    """Share of independent items, with Clopper-Pearson bounds."""

    def interval(confidence: float, side: Side, count: int = count) -> Bounds:
        found = proportion_interval(
            count, total, confidence=confidence, method="clopper-pearson", side=side
        )
        return Bounds.by("Clopper-Pearson", found)

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
    )


def rate(units: Units, *, strict: bool = False) -> Evidence:
    """Share of items; bounds over groups or prompts where items depend on each other.

    With `strict` only a finite-sample bound can keep a limit.
    """
    sums, sizes, unit = units
    if unit == "items":
        return independent_rate(int(sums.sum()), int(sizes.sum()))
    found = clustered_proportion_interval(successes=sums, sizes=sizes, side="lower", strict=strict)
    is_single = int(sizes.max()) == 1

    def interval(confidence: float, side: Side) -> Bounds:
        found = clustered_proportion_interval(
            successes=sums, sizes=sizes, confidence=confidence, side=side, strict=strict
        )
        if is_single:
            return Bounds.by("Clopper-Pearson", found.interval)
        return Bounds(*found.interval, "Gaffke", name_bound(found.upper_method))

    def settle(limit: float) -> Evidence:
        basis = Basis.of(limit, sizes, unit, strict=strict)
        return replace(rate(units, strict=basis.is_settled), settle=None, basis=basis)

    return Evidence(
        estimate=found.rate,
        sample=(
            f"{sums.sum():.0f} of {sizes.sum()} items{within(len(sizes), unit)}, "
            f"{found.flipped_clusters} of them with any, design effect {found.design_effect:.1f}"
        ),
        interval=cache(interval),
        # A certain FAIL must be heard, also where too few groups are there for a PASS.
        best=lambda confidence: 0.0,
        units=len(sizes),
        unit=unit,
        special=partial(groups_advice, len(sizes), unit),
        settle=None if is_single else settle,
    )


def conditional_rate(
    found: Units, whole: Units, of: str = "items that old got right", *, strict: bool = False
) -> Evidence:
    """Share among some of the items, by default those old got right; units without any go."""
    known = whole.sums > 0
    if not known.any():
        return nothing_observed("no item that old got right")
    units = Units(found.sums[known], whole.sums[known].astype(np.intp), whole.unit)
    share = rate(units, strict=strict)

    def of_whole(share: Evidence) -> Evidence:
        settle = share.settle
        return replace(
            share,
            sample=share.sample.replace(" items", f" {of}", 1),
            settle=None if settle is None else lambda limit: of_whole(settle(limit)),
        )

    return of_whole(share)


def accuracy_loss(counts: FlipCounts) -> Evidence:
    """Old accuracy minus new accuracy over independent items, with Tango's bounds."""
    right = counts.both_right + counts.negative
    fixed = FlipCounts(both_right=right, negative=0, positive=counts.total - right, both_wrong=0)
    return Evidence(
        estimate=-float(counts.accuracy_change),
        sample=f"{counts.negative} broken, {counts.positive} fixed, of {counts.total} items",
        interval=partial(_loss_bounds, counts),
        best=lambda confidence: _loss_bounds(fixed, confidence, "upper").high,
        units=counts.total,
    )


def accuracy_shift(counts: FlipCounts, *, gained: bool) -> Evidence:
    """Accuracy lost, or gained, over independent items, with Gaffke's bounds.

    At the limit these bounds pass in at most 5 % of all samples, where Tango's pass in up to 5.9 %.
    """
    worse, better = counts.negative, counts.positive
    worse, better = (better, worse) if gained else (worse, better)

    def bounds(worse: int, better: int, confidence: float, side: Side) -> Bounds:
        found = net_share_interval(
            lost=worse, gained=better, total=counts.total, confidence=confidence, side=side
        )
        return Bounds.by("Gaffke", found)

    return Evidence(
        estimate=(worse - better) / counts.total,
        sample=f"{counts.negative} broken, {counts.positive} fixed, of {counts.total} items",
        interval=cache(partial(bounds, worse, better)),
        # The same sample must keep the limit in the other direction, too: at best nothing changed.
        best=lambda confidence: bounds(0, 0, confidence, "upper").high,
        units=counts.total,
    )


def clustered_loss(units: Units, *, strict: bool = False) -> Evidence:
    """Old accuracy minus new accuracy over items in groups, with bounds over the groups."""
    sums, sizes, unit = units
    is_single = int(sizes.max()) == 1

    def interval(confidence: float, side: Side) -> Bounds:
        found = clustered_mean(
            totals=sums, sizes=sizes, confidence=confidence, side=side, strict=strict
        )
        if is_single:
            return Bounds.by("Gaffke", found.interval)
        return Bounds(*found.interval, "approximate", name_bound(found.upper_method))

    def settle(limit: float) -> Evidence:
        basis = Basis.of(limit, sizes, unit, strict=strict)
        return replace(clustered_loss(units, strict=basis.is_settled), settle=None, basis=basis)

    return Evidence(
        estimate=float(sums.sum() / sizes.sum()),
        sample=f"{sizes.sum()} items{within(len(sizes), unit)}",
        interval=cache(interval),
        best=lambda confidence: -1.0,
        units=len(sizes),
        unit=unit,
        special=partial(groups_advice, len(sizes), unit),
        settle=None if is_single else settle,
    )


def _loss_bounds(counts: FlipCounts, confidence: float, side: Side) -> Bounds:
    opposite: dict[Side, Side] = {"lower": "upper", "upper": "lower", "two-sided": "two-sided"}
    low, high = counts.accuracy_change.interval(confidence, side=opposite[side])
    return Bounds.by("Tango", Interval(-high, -low))
