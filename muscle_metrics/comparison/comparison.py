"""Old against new over the same items: counts, rates, slices and the items that flipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from muscle_metrics.comparison.items import Item, ItemTable, positions_by_label
from muscle_metrics.comparison.plain_data import (
    SCHEMA_VERSION,
    described_changes,
    described_counts,
    json_text,
)
from muscle_metrics.comparison.signature import signature_line
from muscle_metrics.errors import UsageError
from muscle_metrics.flips.counting import label_correctness, tally_correctness
from muscle_metrics.flips.counts import FlipCounts, Quadrant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from muscle_metrics.answers.correctness import Correctness
    from muscle_metrics.flips.changes import ScoreChanges

__all__ = ["Comparison"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """What an update changed: every count, the rates derived from them, and the items.

    Made by `compare` and `compare_runs`. Items stand in the natural order of their ids, so that
    the order of rows in a file changes nothing.

    Parameters
    ----------
    names : tuple of str
        What the old and the new run are called.
    table : ItemTable
        The N items.
    correctness : Correctness or None
        Rightness and change of every item; None where scores are graded and no threshold says
        which are right.
    changes : mapping of str to ScoreChanges
        By metric, what graded scores gained and lost.
    dropped : mapping of str to int
        How many items were left out, by reason.
    fingerprints : tuple of mapping
        What else the old and the new run recorded about how they were made.
    recipe : mapping of str to str
        The choices the numbers depend on; part of the signature.

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
    changes: Mapping[str, ScoreChanges]
    dropped: Mapping[str, int]
    fingerprints: tuple[Mapping[str, str], Mapping[str, str]]
    recipe: Mapping[str, str]

    @property
    def total(self) -> int:
        """Number of items, N."""
        return len(self.table.ids)

    @property
    def is_judged(self) -> bool:
        """Whether it is known which items are right."""
        return self.correctness is not None

    @property
    def is_clustered(self) -> bool:
        """Whether rows depend on each other, as repeats of a prompt or items of a group do."""
        return self.table.is_clustered

    @property
    def counts(self) -> FlipCounts:
        """Numbers of items in the four quadrants."""
        return tally_correctness(self._judged())

    @property
    def slices(self) -> dict[str, FlipCounts]:
        """Counts of every slice, the one that lost most accuracy first; empty without slices."""
        return self._counts_by(self.table.slices)

    @property
    def tasks(self) -> dict[str, FlipCounts]:
        """Counts of every task, the one that lost most accuracy first; empty without tasks."""
        return self._counts_by(self.table.tasks)

    @property
    def signature(self) -> str:
        """One line that says how the numbers were made, and from what."""
        flags = self.correctness or ()
        scores = [column for c in self.changes.values() for column in (c.old, c.new)]
        return signature_line(
            self.recipe, ids=self.table.ids, columns=[*flags, *scores], dropped=self.dropped
        )

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
        known = [quadrant.value for quadrant in Quadrant]
        for quadrant in quadrants:
            if quadrant not in known:
                raise UsageError(f"expected a quadrant to be one of {known}, got {quadrant!r}")
        wanted = [str(q) for q in quadrants or (Quadrant.NEGATIVE, Quadrant.POSITIVE)]
        items = list(self.items())
        return (item for name in wanted for item in items if item.quadrant == name)

    def to_frame(self) -> pd.DataFrame:
        """One row per item: what `Item` holds, and the old and new score of every metric.

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

    def to_dict(self) -> dict[str, Any]:
        """Everything but the items that did not flip, as plain data: no nan, undefined is None.

        Returns
        -------
        dict
            With `schema_version`, which rises when a name changes its meaning.
        """
        content: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "signature": self.signature,
            "old": self.names[0],
            "new": self.names[1],
            "dropped": dict(self.dropped),
            "scores": {name: described_changes(changes) for name, changes in self.changes.items()},
        }
        if self.correctness is None:
            return content
        return {
            **content,
            **described_counts(self.counts),
            "slices": {name: described_counts(counts) for name, counts in self.slices.items()},
            "tasks": {name: described_counts(counts) for name, counts in self.tasks.items()},
            "flips": [{**item._asdict(), "quadrant": str(item.quadrant)} for item in self.flips()],
        }

    def to_json(self, indent: int | None = 2) -> str:
        """`to_dict` as JSON with sorted keys; the same comparison gives the same bytes.

        Parameters
        ----------
        indent : int, optional
            As in `json.dumps`.

        Returns
        -------
        str
        """
        return json_text(self.to_dict(), indent)

    def __str__(self) -> str:
        from muscle_metrics.comparison.text import comparison_text

        return comparison_text(self)

    def __repr__(self) -> str:
        rate = "graded" if self.correctness is None else f"NFR {self.counts.negative_flip_rate}"
        return f"<Comparison of {self.total} items: {rate}>"

    def _repr_html_(self) -> str:
        from muscle_metrics.comparison.notebook import comparison_html

        return comparison_html(self)

    def _judged(self) -> Correctness:
        if self.correctness is None:
            raise UsageError(
                "expected a threshold that makes graded scores right or wrong, got none: pass "
                "threshold= (--threshold), or read the score changes"
            )
        return self.correctness

    def _counts_by(self, labels: Sequence[str | None]) -> dict[str, FlipCounts]:
        correctness = self._judged()
        counts = {
            label: tally_correctness(correctness.take(positions))
            for label, positions in positions_by_label(labels).items()
        }
        return dict(
            sorted(counts.items(), key=lambda pair: (float(pair[1].accuracy_change), pair[0]))
        )
