"""Slices and tasks in the order in which reports list them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muscle_metrics.flips.counts import FlipCounts

__all__ = ["RankedPart", "rank_parts"]


class RankedPart(NamedTuple):
    """One slice or task, with its negative flip rate drawn towards that of all of them."""

    name: str
    counts: FlipCounts
    shrunken: float


def rank_parts(parts: Mapping[str, FlipCounts]) -> list[RankedPart]:
    """Slices or tasks by shrunken NFR, so that 1 flip of 5 items does not lead the list."""
    from muscle_metrics.statistics.multiplicity import shrunken_rates

    if not parts:
        return []
    counts = list(parts.values())
    rates = shrunken_rates([c.negative for c in counts], [c.total for c in counts]).tolist()
    ranked = map(RankedPart, parts, counts, rates)
    return sorted(
        ranked,
        key=lambda part: (-part.shrunken, -float(part.counts.negative_flip_rate), part.name),
    )
