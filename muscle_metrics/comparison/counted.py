"""A comparison of which only totals are kept: every rate, no list of items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from muscle_metrics._version import __version__
from muscle_metrics.comparison.plain_data import (
    SCHEMA_VERSION,
    described_changes,
    described_counts,
    json_text,
)
from muscle_metrics.errors import UsageError
from muscle_metrics.flips.counts import FlipCounts, Quadrant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from muscle_metrics.comparison.items import Item
    from muscle_metrics.comparison.totals import Totals
    from muscle_metrics.flips.score_totals import ScoreTotals

__all__ = ["CountedComparison"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountedComparison:
    """What an update changed, counted over more items than fit into memory.

    It reads like `Comparison`: the same counts, slices, tasks and tables. `flips` gives a sample.

    Parameters
    ----------
    names : tuple of str
        What the old and the new run are called.
    totals : Totals
        Counts, exact sums and a sample of flips.
    dropped : mapping of str to int
        How many items were left out, by reason.
    recipe : mapping of str to str
        The choices the numbers depend on; part of the signature.
    is_repeated, is_grouped : bool
        Whether prompts were answered several times, and whether items come in groups.

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
    def counts(self) -> FlipCounts:
        """Numbers of items in the four quadrants."""
        if not self.is_judged:
            raise UsageError(
                "expected a threshold that makes graded scores right or wrong, got none: pass "
                "threshold= (--threshold), or read the score changes"
            )
        return self.totals.counts

    @property
    def slices(self) -> dict[str, FlipCounts]:
        """Counts of every slice, the one that lost most accuracy first."""
        return self.totals.slices

    @property
    def tasks(self) -> dict[str, FlipCounts]:
        """Counts of every task, the one that lost most accuracy first."""
        return self.totals.tasks

    @property
    def fingerprints(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """What the runs recorded about how they were made: plain rows record nothing."""
        return {}, {}

    @property
    def changes(self) -> Mapping[str, ScoreTotals]:
        """By metric, what graded scores gained and lost."""
        return self.totals.scores

    @property
    def signature(self) -> str:
        """One line that says how the numbers were made."""
        parts = {
            "muscle-metrics": __version__,
            **self.recipe,
            "items": str(self.total),
            **{f"dropped ({reason})": str(n) for reason, n in self.dropped.items() if n},
            "flips": f"sample of at most {self.totals.sample.size} a slice, seed "
            f"{self.totals.sample.seed}",
        }
        return "; ".join(f"{name} {value}" for name, value in parts.items())

    def flips(self, *quadrants: Quadrant | str) -> Iterator[Item]:
        """Items of the sample that broke, the worst first.

        Parameters
        ----------
        *quadrants : Quadrant or str
            "negative" alone: no others are sampled.

        Raises
        ------
        UsageError
            If another quadrant is asked for.
        """
        if set(quadrants) - {Quadrant.NEGATIVE}:
            raise UsageError(
                f"expected the quadrant 'negative' of counted runs, got "
                f"{sorted(map(str, quadrants))}: compare the runs in memory to see others"
            )
        return iter(self.totals.sample.items())

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data; the keys are those of `Comparison.to_dict`."""
        content: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "signature": self.signature,
            "old": self.names[0],
            "new": self.names[1],
            "dropped": dict(self.dropped),
            "scores": {name: described_changes(part) for name, part in self.changes.items()},
        }
        if not self.is_judged:
            return content
        return {
            **content,
            **described_counts(self.counts),
            "slices": {name: described_counts(counts) for name, counts in self.slices.items()},
            "tasks": {name: described_counts(counts) for name, counts in self.tasks.items()},
            "flips": [{**item._asdict(), "quadrant": str(item.quadrant)} for item in self.flips()],
        }

    def to_json(self, indent: int | None = 2) -> str:
        """`to_dict` as JSON with sorted keys."""
        return json_text(self.to_dict(), indent)

    def __str__(self) -> str:
        from muscle_metrics.comparison.text import comparison_text

        return comparison_text(self)

    def __repr__(self) -> str:
        rate = f"NFR {self.counts.negative_flip_rate}" if self.is_judged else "graded"
        return f"<Comparison of {self.total} items, counted: {rate}>"
