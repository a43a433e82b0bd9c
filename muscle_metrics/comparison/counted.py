"""A comparison that an engine counted: every rate, but no list of items."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from muscle_metrics.comparison.facts import UNKNOWN_ANSWERS, Facts, no_threshold
from muscle_metrics.comparison.items import items_of_quadrants
from muscle_metrics.comparison.signature import join_facts
from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.evidence.units import (
    CELLS_OF,
    Cells,
    Part,
    Possible,
    Regression,
    Units,
)
from muscle_metrics.flips.counts import FlipCounts, Quadrant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from muscle_metrics.comparison.answer_forms import AnswerForms
    from muscle_metrics.comparison.items import Item
    from muscle_metrics.comparison.reading_facts import ReadingFacts
    from muscle_metrics.comparison.totals import Cell, Totals
    from muscle_metrics.evidence.units import Event, Kind, Named
    from muscle_metrics.flips.score_totals import ScoreTotals

__all__ = ["CountedComparison"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CountedComparison(Facts):
    """Changes by an update, counted over more items than fit into memory.

    It has the counts, slices, tasks and tables of `Comparison`. `flips` gives a sample.

    Parameters
    ----------
    names : tuple of str
        Names of the old and of the new run.
    totals : Totals
        Counts, exact sums and a sample of flips.
    dropped : mapping of str to int
        How many items were left out, by reason.
    recipe : mapping of str to str
        Options that the numbers depend on; the signature lists them.
    is_repeated, is_grouped : bool
        Whether prompts were answered several times, and whether items come in groups.
    lost : mapping of str to int
        How many items of the old run the new run lost, by reason.
    worst : Totals, optional
        Totals in which the new model got every lost item wrong; None if nothing is lost.
    fixed : Totals, optional
        Totals in which every lost item was wrong, and got fixed; None if nothing is lost.
    labels_from_new : frozenset of str
        Which of references, slices and groups only the new run names.
    relabelled : mapping of str to int
        How many items have another slice or another group in the new run; those of old count.
    reading : ReadingFacts, optional
        In how many answers the readers of answers found nothing; None without readers.
    answers_changed : int, optional
        How many answers differ between the runs, whatever their scores; None if that is unknown.
    digest : str, optional
        Hash of the items and their correctness, as in the signature of a comparison in memory.
    listed : tuple of Item, optional
        Every flip, in the natural order of ids, where the engine kept more than the sample.
    forms : AnswerForms, optional
        Forms of both runs' answers; None without answers, and for totals of shards.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> from muscle_metrics.scale import Totals
    >>> shard = Totals.of(compare(old=["A"], new=["B"], references=["A"]))
    >>> CountedComparison(names=("v1", "v2"), totals=shard, dropped={}, recipe={}).counts.negative
    1
    """

    names: tuple[str, str]
    totals: Totals
    dropped: Mapping[str, int]
    recipe: Mapping[str, str]
    is_repeated: bool = False
    is_grouped: bool = False
    lost: Mapping[str, int] = field(default_factory=dict)
    worst: Totals | None = None
    fixed: Totals | None = None
    labels_from_new: frozenset[str] = frozenset()
    relabelled: Mapping[str, int] = field(default_factory=dict)
    reading: ReadingFacts | None = None
    answers_changed: int | None = None
    digest: str | None = None
    listed: tuple[Item, ...] | None = None
    forms: AnswerForms | None = None

    @property
    def total(self) -> int:
        """Number of items, N."""
        return self.totals.items

    @property
    def is_judged(self) -> bool:
        """Whether it is known which items are right."""
        return bool(self.totals.cells)

    @property
    def is_clustered(self) -> bool:
        """Whether rows depend on each other, as repeats of a prompt or items of a group do."""
        grouped = self.is_grouped or any(cell.group is not None for cell in self.totals.cells)
        return self.is_repeated or grouped

    @property
    def knows_units(self) -> bool:
        """Whether `units` can count over all that makes rows depend on each other.

        Prompts with several generations are not counted, unless each is in a group.
        """
        return not self.is_repeated or all(cell.group is not None for cell in self.totals.cells)

    @property
    def answer_forms(self) -> AnswerForms | None:
        """Forms of both runs' answers, and in which form items broke; None without answers."""
        return self.forms

    @property
    def in_memory(self) -> None:
        """None: the engine keeps no items."""

    @property
    def fingerprints(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Empty: plain rows record no facts about their model."""
        return {}, {}

    @cached_property
    def worst_case(self) -> CountedComparison:
        """The comparison in which the new model got every lost item wrong."""
        if self.worst is None:
            return self
        return replace(self, totals=self.worst, worst=None, fixed=None)

    @property
    def fixed_case(self) -> CountedComparison:
        """The comparison in which every lost item was wrong, and got fixed."""
        if self.worst is None:
            return self
        if self.fixed is None:
            raise UsageError(
                "expected totals in which every lost item got fixed, beside those in which it "
                "broke, got none: count the runs again with --engine (fixed=)"
            )
        return replace(self, totals=self.fixed, worst=None, fixed=None)

    @property
    def changes(self) -> Mapping[str, ScoreTotals]:
        """Changes of graded scores, by metric."""
        return self.totals.scores

    @property
    def signature(self) -> str:
        """One line with the options and the input of the numbers."""
        sample = self.totals.sample
        facts = {} if self.digest is None else {"input": self.digest}
        if self.digest is None or (sample.size and self.listed is None):
            facts["flips"] = f"sample of at most {sample.size} a slice, seed {sample.seed}"
        return join_facts(self.recipe, self.total, self.dropped, **facts)

    def part_names(self, kind: Kind) -> list[str]:
        """Names of all slices or tasks, sorted."""
        return sorted(part.name for part in self._cells_by_part if part.kind == kind)

    def units(self, event: Event, part: Part | None = None) -> Units:
        """Count an event over groups or items, in all items or in one part."""
        if isinstance(event, Possible):
            changes = self.changes[event.metric]
            return Units(np.array([float(changes.possible)]), np.array([changes.total]))
        if isinstance(event, Regression):
            return self._regressed(event)
        cells = self.totals.cells
        chosen = cells if part is None else self._cells_by_part[part]
        # In a part without a group each item is one of its own, as it is in memory.
        grouped = self.is_clustered
        return _sum_cells(((cell, cells[cell]) for cell in chosen), event, grouped=grouped)

    def flips(self, *quadrants: Quadrant | str) -> Iterator[Item]:
        """Items of the sample that broke, the worst first; or all flips, where they are listed.

        Parameters
        ----------
        *quadrants : Quadrant or str
            Only "negative" of a sample: the engine samples no other flips.

        Raises
        ------
        UsageError
            If another quadrant is given.
        """
        if self.listed is not None:
            return items_of_quadrants(self.listed, quadrants)
        if set(quadrants) - {Quadrant.NEGATIVE}:
            raise UsageError(
                f"expected the quadrant 'negative' of counted runs, got "
                f"{sorted(map(str, quadrants))}: compare the runs in memory to see others"
            )
        return iter(self.totals.sample.items())

    @cached_property
    def _cells_by_part(self) -> Mapping[Part, list[Cell]]:
        members: dict[Part, list[Cell]] = defaultdict(list)
        for cell in self.totals.cells:
            if cell.task is not None:
                members[Part("task", cell.task)].append(cell)
            if cell.slice is not None:
                members[Part("slice", cell.slice)].append(cell)
        return members

    def _count(self) -> FlipCounts:
        if not self.is_judged:
            raise no_threshold()
        return self.totals.counts

    def _count_by(self, kind: Kind) -> dict[str, FlipCounts]:
        return self.totals.slices if kind == "slice" else self.totals.tasks

    def _regressed(self, event: Regression) -> Units:
        changes = self.changes[event.metric]
        if event.minimum_effect > changes.minimum_effect:
            raise UsageError(
                f"expected runs counted with the minimum effect of the policy, "
                f"{event.minimum_effect!r}, got {changes.minimum_effect!r}: compare them with it"
            )
        if self.is_clustered:
            raise UsageError(
                f"expected independent items for the scores of {event.metric!r} where an engine "
                f"counts the runs, got groups: leave out --engine"
            )
        return Units(np.array([float(changes.negative)]), np.array([changes.total]))


def _sum_cells(
    cells: Iterable[tuple[Cell, FlipCounts]], event: Named | Cells, *, grouped: bool
) -> Units:
    """Sum an event over groups; an item without a group is a unit of its own."""
    sums: dict[str, int] = defaultdict(int)
    sizes: dict[str, int] = defaultdict(int)
    plus, minus, alone = 0, 0, 0
    for cell, counts in cells:
        more, less = _changes(counts, event)
        if cell.group is None:
            plus, minus, alone = plus + more, minus + less, alone + counts.total
        else:
            sums[cell.group] += more - less
            sizes[cell.group] += counts.total
    if not grouped:
        return Units(np.array([float(plus - minus)]), np.array([alone]))
    singles = np.repeat([1.0, -1.0, 0.0], [plus, minus, alone - plus - minus])
    return Units(
        np.concatenate([np.array([*sums.values()], dtype=np.float64), singles]),
        np.array([*sizes.values(), *[1] * alone], dtype=np.intp),
        "groups",
    )


def _changes(counts: FlipCounts, event: Named | Cells) -> tuple[int, int]:
    """Numbers of items that add 1 to the sum of an event, and that subtract 1."""
    if event == "loss":
        return counts.negative, counts.positive
    cells = event if isinstance(event, Cells) else CELLS_OF[event]
    numbers = [getattr(counts, name) for name in cells.names]
    if None in numbers:
        raise InputError(UNKNOWN_ANSWERS)
    return sum(numbers), 0
