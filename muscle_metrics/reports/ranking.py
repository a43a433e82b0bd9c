"""Slices in the order in which a reader wants them: the worst first, as far as their sizes tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muscle_metrics.flips.counts import FlipCounts

__all__ = ["RankedPart", "rank_parts"]


class RankedPart(NamedTuple):
    """One slice or task, with its negative flip rate drawn towards that of all of them.

    Examples
    --------
    >>> from muscle_metrics import FlipCounts
    >>> counts = FlipCounts(both_right=9, negative=1, positive=0, both_wrong=0)
    >>> RankedPart("law", counts, 0.08).name
    'law'
    """

    name: str
    counts: FlipCounts
    shrunken: float


def rank_parts(parts: Mapping[str, FlipCounts]) -> list[RankedPart]:
    """Parts by shrunken negative flip rate, so that 1 flip of 5 items does not lead the list.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> old, new = ["A"] * 60, ["A"] * 40 + ["B"] * 20
    >>> labels = ["law"] * 40 + ["art"] * 20
    >>> comparison = compare(old=old, new=new, references=old, slices=labels)
    >>> [part.name for part in rank_parts(comparison.slices)]
    ['art', 'law']
    """
    from muscle_metrics.statistics.multiplicity import shrunken_rates

    counts = list(parts.values())
    rates = shrunken_rates([c.negative for c in counts], [c.total for c in counts]).tolist()
    ranked = map(RankedPart, parts, counts, rates)
    return sorted(
        ranked,
        key=lambda part: (-part.shrunken, -float(part.counts.negative_flip_rate), part.name),
    )
