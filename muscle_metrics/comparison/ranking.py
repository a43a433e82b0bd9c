"""Slices and tasks in the order of reports, those that differ, and what no other surpasses."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.statistics.multiplicity import (
    holm_adjusted,
    rest_p_values,
    shrunken_rates,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from muscle_metrics.flips.counts import FlipCounts

__all__ = ["MOST_UNFOLDED", "RankedPart", "distinct_parts", "rank_parts", "undominated"]

# Reports show this many parts, and fold or count the others.
MOST_UNFOLDED = 20
ERROR_RATE = 0.05


class RankedPart(NamedTuple):
    """One slice or task, with its negative flip rate drawn towards that of all of them."""

    name: str
    counts: FlipCounts
    shrunken: float


def rank_parts(parts: Mapping[str, FlipCounts]) -> list[RankedPart]:
    """Slices or tasks by shrunken NFR, so that 1 flip of 5 items does not lead the list."""
    if not parts:
        return []
    counts = list(parts.values())
    rates = shrunken_rates([c.negative for c in counts], [c.total for c in counts]).tolist()
    ranked = map(RankedPart, parts, counts, rates)
    return sorted(
        ranked,
        key=lambda part: (-part.shrunken, -float(part.counts.negative_flip_rate), part.name),
    )


def distinct_parts(parts: Mapping[str, FlipCounts], overall: FlipCounts) -> dict[str, str]:
    """Slices or tasks in which more items broke, or fewer, than in the rest of all items.

    Fisher's exact test of each part against the rest, two-sided, with Holm's correction over all
    parts: at most one run in 20 without any difference marks a part. Items must be independent.

    Parameters
    ----------
    parts : mapping of str to FlipCounts
        Counts of each slice or task.
    overall : FlipCounts
        Counts of all items.

    Returns
    -------
    dict of str to str
        "more" or "fewer", by the names of the parts that differ.

    Examples
    --------
    >>> from muscle_metrics import FlipCounts
    >>> calm, hit = (
    ...     FlipCounts(both_right=100 - broken, negative=broken, positive=0, both_wrong=0)
    ...     for broken in (5, 40)
    ... )
    >>> distinct_parts({"calm": calm, "hit": hit}, calm + hit)
    {'calm': 'fewer', 'hit': 'more'}
    """
    if not parts:
        return {}
    broken = [counts.negative for counts in parts.values()]
    totals = [counts.total for counts in parts.values()]
    adjusted = holm_adjusted(rest_p_values(broken, totals, overall.negative, overall.total))
    rate = overall.negative_flip_rate
    return {
        name: "more" if counts.negative_flip_rate > rate else "fewer"
        for (name, counts), p_value in zip(parts.items(), adjusted.tolist(), strict=True)
        if p_value <= ERROR_RATE
    }


def undominated(places: Sequence[tuple[float, float]]) -> list[bool]:
    """Mark the places of which no other has as much gain and as little cost, and one of it better.

    Parameters
    ----------
    places : sequence of tuple of (float, float)
        Gain, of which more is better, and cost, of which less is better.

    Examples
    --------
    >>> undominated([(0.1, 0.05), (0.1, 0.06), (0.2, 0.06), (0.1, 0.05)])
    [True, False, True, True]
    """
    return [
        not any(gain >= g and cost <= c and (gain, cost) != (g, c) for gain, cost in places)
        for g, c in places
    ]
