"""Totals of a comparison, which add over shards: counts, sums of scores, a sample of flips."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from muscle_metrics.comparison.facts import most_lost_first
from muscle_metrics.comparison.flip_sample import FlipSample
from muscle_metrics.errors import UsageError
from muscle_metrics.flips.counting import tally_correctness
from muscle_metrics.flips.counts import FlipCounts, Quadrant
from muscle_metrics.flips.score_totals import ScoreTotals
from muscle_metrics.words.place import list_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.items import Item
    from muscle_metrics.evidence.units import Kind

__all__ = ["Cell", "Totals", "counts_of"]

Summed = TypeVar("Summed", FlipCounts, ScoreTotals)


class Cell(NamedTuple):
    """Items that share a task, a slice and a group; None where they have none."""

    task: str | None = None
    slice: str | None = None
    group: str | None = None


NOTHING = FlipCounts(
    both_right=0, negative=0, positive=0, both_wrong=0, both_right_changed=0, wrong_changed=0
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Counts, exact sums of scores and a sample of flips; `a + b` holds the items of both.

    Each worker of an engine makes the totals of its shard of joined items. Their sum is the same
    to the last bit for any split of the items: counts and sums are exact, and names draw the
    sample.

    Parameters
    ----------
    items : int
        Number of items.
    cells : mapping of Cell to FlipCounts
        Counts by task, slice and group; empty where scores are graded and no threshold was given.
    scores : mapping of str to ScoreTotals
        By metric.
    sample : FlipSample
        Some of the negative flips.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> shards = [compare(old=["A"], new=[x], references=["A"], ids=[x]) for x in "AB"]
    >>> (Totals.of(shards[0]) + Totals.of(shards[1])).counts.negative
    1
    """

    items: int
    cells: Mapping[Cell, FlipCounts]
    scores: Mapping[str, ScoreTotals]
    sample: FlipSample

    @classmethod
    def of(cls, comparison: Comparison, *, sample_size: int = 10, seed: int = 0) -> Totals:
        """Totals of a comparison of one shard."""
        table, correctness = comparison.table, comparison.correctness
        cells: dict[Cell, FlipCounts] = {}
        if correctness is not None:
            members: dict[Cell, list[int]] = defaultdict(list)
            labels = zip(table.tasks, table.slices, table.groups, strict=True)
            for position, label in enumerate(labels):
                members[Cell(*label)].append(position)
            cells = {
                cell: tally_correctness(correctness.take(np.array(positions)))
                for cell, positions in members.items()
            }
        return cls(
            items=comparison.total,
            cells=cells,
            scores={name: ScoreTotals.of(c) for name, c in comparison.changes.items()},
            sample=FlipSample.draw(_negative(comparison), size=sample_size, seed=seed),
        )

    def __add__(self, other: Totals) -> Totals:
        if self.scores.keys() != other.scores.keys() and self.items and other.items:
            raise UsageError(
                f"expected shards scored by the same metrics, got {list_names(sorted(self.scores))}"
                f" and {list_names(sorted(other.scores))}: score all of them alike"
            )
        return Totals(
            items=self.items + other.items,
            cells=_merged(self.cells, other.cells),
            scores=_merged(self.scores, other.scores),
            sample=self.sample + other.sample,
        )

    @property
    def counts(self) -> FlipCounts:
        """Counts of all items."""
        return counts_of(self.cells.values())

    @property
    def slices(self) -> dict[str, FlipCounts]:
        """Counts of every slice, the one that lost most accuracy first."""
        return self._by("slice")

    @property
    def tasks(self) -> dict[str, FlipCounts]:
        """Counts of every task, the one that lost most accuracy first."""
        return self._by("task")

    def _by(self, kind: Kind) -> dict[str, FlipCounts]:
        members: dict[str, list[FlipCounts]] = defaultdict(list)
        for cell, counts in self.cells.items():
            label = getattr(cell, kind)
            if label is not None:
                members[label].append(counts)
        return most_lost_first({label: counts_of(counts) for label, counts in members.items()})


def counts_of(counts: Iterable[FlipCounts]) -> FlipCounts:
    """Sum of counts; zeros if there are none."""
    listed = list(counts)
    return reduce(add, listed) if listed else NOTHING


def _merged(left: Mapping[Cell, Summed] | Mapping[str, Summed], right: Mapping) -> dict:  # type: ignore[type-arg]
    merged = {**left, **right}
    return {
        name: left[name] + right[name] if name in left and name in right else merged[name]
        for name in merged
    }


def _negative(comparison: Comparison) -> Iterator[tuple[float, Item]]:
    """Items that broke (or, if graded, got worse), each with the loss of its score, or 0."""
    first = next(iter(comparison.changes.values()), None)
    losses = np.zeros(comparison.total) if first is None else -first.gains
    for loss, item in zip(losses.tolist(), comparison.items(), strict=True):
        worse = first is not None and loss > first.dead_band
        if item.quadrant == Quadrant.NEGATIVE or (item.quadrant is None and worse):
            yield max(loss, 0.0), item
