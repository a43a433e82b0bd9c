"""What was counted of joined items: how many carry which marks, by slice and group."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from muscle_metrics.comparison.totals import Cell, Totals
from muscle_metrics.flips.counting import tally_flips
from muscle_metrics.scale.joining import FLAWS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from muscle_metrics.comparison.flip_sample import FlipSample
    from muscle_metrics.flips.counts import FlipCounts
    from muscle_metrics.scale.joining import Joining

__all__ = ["MARKS", "Marks", "Tally"]

MARKS = (*FLAWS, "in_old", "in_new", "old_right", "new_right", "changed", "graded")
"""What may hold for an item; every name is a column of the judged items."""

OF_JUDGEMENT = frozenset({"unreferenced", "kinds_differ"})

Marks = frozenset[str]
Carried = tuple[str | None, str | None, Marks]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Joined items counted by their labels and marks; `a + b` holds the items of both.

    Parameters
    ----------
    items : mapping of (slice, group, marks) to int
        How many items of a slice and a group carry exactly these marks.
    recorded : tuple of int
        How many rows the old and the new run have.
    sample : FlipSample
        Some of the negative flips.

    Examples
    --------
    >>> from muscle_metrics.comparison.flip_sample import FlipSample
    >>> one = Tally(
    ...     items={(None, None, frozenset({"in_old", "in_new", "old_right"})): 3},
    ...     recorded=(3, 3),
    ...     sample=FlipSample(size=10, seed=0, flips={}),
    ... )
    >>> (one + one).shared
    6
    """

    items: Mapping[Carried, int]
    recorded: tuple[int, int]
    sample: FlipSample

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            items=Counter(self.items) + Counter(other.items),
            recorded=(
                self.recorded[0] + other.recorded[0],
                self.recorded[1] + other.recorded[1],
            ),
            sample=self.sample + other.sample,
        )

    def count(self, *marks: str, without: str = "") -> int:
        """Count items that carry all of these marks, and not that one."""
        wanted = frozenset(marks)
        return sum(
            items
            for (*_, held), items in self.items.items()
            if wanted <= held and without not in held
        )

    def flaws(self, joining: Joining) -> frozenset[str]:
        """Flaws that any item carries; those of a judgement only if it is judged."""
        # Nothing is right or wrong by graded scores, and so no answer is compared.
        judged = frozenset() if self.is_graded(joining) else OF_JUDGEMENT
        carried = {name for name in FLAWS if self.count(name)} - OF_JUDGEMENT
        return frozenset(carried | {name for name in judged if self.count_kept(joining, name)})

    def is_graded(self, joining: Joining) -> bool:
        """Whether recorded scores say how good an item is, and nothing says what is right."""
        is_open = joining.by_score and joining.threshold is None
        return is_open and bool(self.count_kept(joining, "graded"))

    def count_kept(self, joining: Joining, *marks: str) -> int:
        """Count items that carry all of these marks and are compared."""
        left_out = joining.left_out()
        return sum(
            items
            for (*_, held), items in self.items.items()
            if held.issuperset(marks) and not held & left_out
        )

    @property
    def shared(self) -> int:
        """Number of items that both runs have."""
        return self.count("in_old", "in_new")

    @property
    def may_repeat(self) -> bool:
        """Whether ids may stand more than once in a run.

        In a join every row stands once, unless its id repeats on the other side; what only one
        side holds may repeat unseen.
        """
        joined = (self.count("in_old"), self.count("in_new"))
        return joined != self.recorded or bool(self.count("only_old") or self.count("only_new"))

    def dropped(self, joining: Joining) -> dict[str, int]:
        """How many items the options leave out, by reason."""
        counts = {"only in new": self.count("only_new"), "only in old": self.count("only_old")}
        drops = joining.conflict == "drop"
        if drops:
            counts["conflicting references"] = self.count("conflicting")
        if joining.unanswered == "drop":
            counts["unanswered"] = self.count("unanswered", without="conflicting" if drops else "")
        return {reason: count for reason, count in sorted(counts.items()) if count}

    def totals(self, joining: Joining) -> Totals:
        """Count the items that are compared, by slice and group."""
        left_out = joining.left_out()
        kept: dict[Cell, list[tuple[Marks, int]]] = defaultdict(list)
        for (part, group, marks), items in self.items.items():
            if not marks & left_out:
                kept[Cell(None, part, group)].append((marks, items))
        cells = {cell: _counts(held, joining.has_answers) for cell, held in kept.items()}
        total = sum(counts.total for counts in cells.values())
        return Totals(items=total, cells=cells, scores={}, sample=self.sample)


def _counts(kept: Iterable[tuple[Marks, int]], has_answers: bool) -> FlipCounts:
    marks, items = zip(*kept, strict=True)

    def column(mark: str) -> list[bool]:
        return [mark in held for held in marks]

    return tally_flips(
        old_right=column("old_right"),
        new_right=column("new_right"),
        changed=column("changed") if has_answers else None,
        weights=items,
    )
