"""Old against new over the same items: counts, rates, slices and the items that flipped."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from muscle_metrics.answers.correctness import Correctness
from muscle_metrics.comparison.answer_forms import count_forms
from muscle_metrics.comparison.facts import UNKNOWN_ANSWERS, Facts, no_threshold
from muscle_metrics.comparison.items import Item, ItemTable, items_of_quadrants
from muscle_metrics.comparison.near_misses import find_better_reading
from muscle_metrics.comparison.prompts import prompts_of
from muscle_metrics.comparison.signature import signature_line
from muscle_metrics.errors import InputError
from muscle_metrics.evidence.units import CELLS_OF, Cells, Possible, Regression, Units
from muscle_metrics.flips.counting import label_correctness, tally_correctness
from muscle_metrics.flips.counts import FlipCounts, Quadrant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from os import PathLike

    import pandas as pd

    from muscle_metrics.answers.reading.reading import Reading
    from muscle_metrics.comparison.answer_forms import AnswerForms
    from muscle_metrics.comparison.prompts import Prompts
    from muscle_metrics.comparison.reading_facts import ReadingFacts
    from muscle_metrics.comparison.saved import SavedComparison
    from muscle_metrics.evidence.units import Event, Kind, Part
    from muscle_metrics.flips.changes import ScoreChanges
    from muscle_metrics.runs.details import Details
    from muscle_metrics.runs.origin import Origin
    from muscle_metrics.runs.rereading import Key

__all__ = ["Comparison"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Comparison(Facts):
    """Changes by an update: every count, the rates derived from them, and the items.

    Made by `compare` and `compare_runs`. Items come in the natural order of their ids, so that the
    order of rows in a file changes nothing.

    Parameters
    ----------
    names : tuple of str
        Names of the old and of the new run.
    table : ItemTable
        The N items.
    correctness : Correctness or None
        Correctness of every item; None for graded scores without a threshold.
    changes : mapping of str to ScoreChanges
        Changes of graded scores, by metric.
    dropped : mapping of str to int
        How many items were left out, by reason.
    fingerprints : tuple of mapping
        Other facts that the old and the new run recorded, such as model and dataset.
    recipe : mapping of str to str
        Options that the numbers depend on; the signature lists them.
    lost : mapping of str to int
        How many items of the old run the new run lost, by reason.
    worst : Comparison, optional
        The comparison in which the new model got every lost item wrong; None if nothing is lost.
    labels_from_new : frozenset of str
        Which of references, slices and groups only the new run names.
    relabelled : mapping of str to int
        How many items have another slice or another group in the new run; those of old count.
    origins : tuple of (Origin or None)
        Logs of harnesses that the runs were read from, for texts of listed items.
    reading : ReadingFacts, optional
        In how many answers the readers of answers found nothing; None without readers.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> comparison = compare(old=["A", "B"], new=["A", "C"], references=["A", "B"])
    >>> comparison.counts.negative, [item.id for item in comparison.flips()]
    (1, ['1'])
    """

    names: tuple[str, str]
    table: ItemTable
    correctness: Correctness | None
    # `field()`: without it the property of the base would be the default value.
    changes: Mapping[str, ScoreChanges] = field()
    dropped: Mapping[str, int]
    fingerprints: tuple[Mapping[str, str], Mapping[str, str]] = field()
    recipe: Mapping[str, str]
    lost: Mapping[str, int] = field(default_factory=dict)
    worst: Comparison | None = None
    labels_from_new: frozenset[str] = frozenset()
    relabelled: Mapping[str, int] = field(default_factory=dict)
    origins: tuple[Origin | None, ...] = ()
    reading: ReadingFacts | None = None

    @property
    def total(self) -> int:
        """Number of items, N."""
        return len(self.table.ids)

    @property
    def is_judged(self) -> bool:
        """Whether it is known which items are right."""
        return self.correctness is not None

    @property
    def is_repeated(self) -> bool:
        """Whether any prompt was answered several times."""
        return self.table.is_repeated

    @property
    def is_clustered(self) -> bool:
        """Whether rows depend on each other, as repeats of a prompt or items of a group do."""
        return self.table.is_clustered

    @property
    def knows_units(self) -> bool:
        """Whether `units` can count over all that makes rows depend on each other: always."""
        return True

    @property
    def in_memory(self) -> Comparison:
        """The comparison itself: its items are in memory."""
        return self

    @property
    def worst_case(self) -> Comparison:
        """The comparison in which the new model got every lost item wrong."""
        return self if self.worst is None else self.worst

    @property
    def fixed_case(self) -> Comparison:
        """The comparison in which every lost item was wrong, and got fixed."""
        worst = self.worst_case
        if worst is self or worst.correctness is None:
            return worst
        old, new, changed = worst.correctness
        lost = worst.is_lost
        return replace(worst, correctness=Correctness(old & ~lost, new | lost, changed))

    @property
    def is_lost(self) -> npt.NDArray[np.bool_]:
        """Which items are lost: the last ones of a worst case, and none of any other."""
        number = sum(self.lost.values()) if self.worst is None else 0
        flags: npt.NDArray[np.bool_] = np.arange(self.total) >= self.total - number
        return flags

    @cached_property
    def answer_forms(self) -> AnswerForms | None:
        """Forms of both runs' answers, and in which form items broke; None without answers."""
        return count_forms(self)

    @cached_property
    def prompts(self) -> Prompts | None:
        """Prompts that were answered several times, and which of them changed; else None."""
        return prompts_of(self)

    @cached_property
    def better_reading(self) -> Reading | None:
        """Readers that make much more of old right; to try them takes time."""
        return find_better_reading(self)

    @cached_property
    def texts_read(self) -> dict[Origin, Mapping[Key, Details]]:
        """Texts that were read from the logs for listed items; several reports list the same."""
        return {}

    @cached_property
    def signature(self) -> str:
        """One line with the options and the input of the numbers."""
        flags = self.correctness or ()
        scores = [column for c in self.changes.values() for column in (c.old, c.new)]
        return signature_line(
            self.recipe, keys=self.table.keys, columns=[*flags, *scores], dropped=self.dropped
        )

    def part_names(self, kind: Kind) -> list[str]:
        """Names of all slices or tasks, sorted."""
        return sorted(self._rows_by(kind))

    def rows(self, part: Part | None) -> npt.NDArray[np.intp]:
        """Positions of the items of one part, or of all items."""
        if part is None:
            return np.arange(self.total)
        return self._rows_by(part.kind)[part.name]

    def units(self, event: Event, part: Part | None = None) -> Units:
        """Count an event over groups, prompts or items, in all items or in one part."""
        values, unit = self.values(event), self.table.unit
        if part is None and unit == "items":
            return Units.of(values, (), unit)
        rows = self.rows(part)
        labels = () if unit == "items" else self.table.unit_numbers[rows]
        return Units.of(values[rows], labels, unit)

    def values(self, event: Event) -> npt.NDArray[np.bool_] | npt.NDArray[np.int64]:
        """Value of every item in the sum of an event: 0, 1, or -1 for a fixed item."""
        if isinstance(event, Regression):
            return self.changes[event.metric].with_effect(event.minimum_effect).regressed()
        if isinstance(event, Possible):
            return self.changes[event.metric].with_effect(event.minimum_effect).can_regress()
        if event == "inconsistent" and self.correctness is None:
            raise InputError(UNKNOWN_ANSWERS)
        correctness = self._known_correctness()
        if event == "loss":
            return np.subtract(correctness.old_right, correctness.new_right, dtype=np.int64)
        cells = event if isinstance(event, Cells) else CELLS_OF[event]
        flags: npt.NDArray[np.bool_] = np.zeros(self.total, dtype=bool)
        for name in cells.names:
            flags |= _flags_of(correctness, name)
        return flags

    def items(self) -> Iterator[Item]:
        """Every item, in the natural order of ids."""
        unknown: list[None] = [None] * self.total
        if self.correctness is None:
            return iter(self.table.rows(unknown, unknown))
        labels = label_correctness(self.correctness)
        quadrants = [Quadrant(name) for name in labels.quadrants.tolist()]
        changed = unknown if labels.changed is None else labels.changed.tolist()
        return iter(self.table.rows(quadrants, changed))

    def flips(self, *quadrants: Quadrant | str) -> Iterator[Item]:
        """Items in the given quadrants; by default those that broke, then those that got fixed.

        Parameters
        ----------
        *quadrants : Quadrant or str
            Names such as "negative".

        Yields
        ------
        Item

        Raises
        ------
        UsageError
            If a quadrant is unknown.
        """
        return items_of_quadrants(list(self.items()), quadrants)

    def to_frame(self) -> pd.DataFrame:
        """One row per item: the fields of `Item`, and the old and new score of every metric.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        frame = pd.DataFrame.from_records(list(self.items()), columns=list(Item._fields))
        frame["quadrant"] = [None if q is None else str(q) for q in frame["quadrant"]]
        for metric, changes in self.changes.items():
            frame[f"old {metric}"] = changes.old
            frame[f"new {metric}"] = changes.new
        return frame

    @staticmethod
    def from_json(source: str | PathLike[str]) -> SavedComparison:
        """Read back what `to_json` or ``compare --json`` wrote.

        Parameters
        ----------
        source : str or path
            A file, or the JSON itself.

        Returns
        -------
        SavedComparison
            Counts, rates, slices, tasks and flips, which print and tabulate again; no items that
            did not flip, and so no gate.

        Raises
        ------
        InputError
            If it is no JSON of a comparison, or its counts and rates disagree.
        """
        from muscle_metrics.comparison.saved import read_saved

        return read_saved(source)

    def _repr_html_(self) -> str:
        from muscle_metrics.comparison.notebook import comparison_html

        return comparison_html(self)

    def _count(self) -> FlipCounts:
        return tally_correctness(self._known_correctness())

    def _count_by(self, kind: Kind) -> dict[str, FlipCounts]:
        correctness = self._known_correctness()
        return {
            name: tally_correctness(correctness.take(rows))
            for name, rows in self._rows_by(kind).items()
        }

    def _rows_by(self, kind: Kind) -> dict[str, npt.NDArray[np.intp]]:
        return self.table.rows_of_slices if kind == "slice" else self.table.rows_of_tasks

    def _known_correctness(self) -> Correctness:
        if self.correctness is None:
            raise no_threshold()
        return self.correctness


def _flags_of(correctness: Correctness, count: str) -> npt.NDArray[np.bool_]:
    """Which items are in one of the counts of `FlipCounts`."""
    old, new, changed = correctness
    flags: npt.NDArray[np.bool_] = {
        "both_right": old & new,
        "both_right_changed": old & new,
        "negative": old & ~new,
        "positive": ~old & new,
        "both_wrong": ~old & ~new,
        "wrong_changed": ~old & ~new,
    }[count]
    if not count.endswith("_changed"):
        return flags
    if changed is None:
        raise InputError(UNKNOWN_ANSWERS)
    return flags & changed
