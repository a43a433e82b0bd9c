"""Score joined items in chunks: each chunk is compared, summed and dropped."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from operator import add, not_
from typing import TYPE_CHECKING, Any

from muscle_metrics.comparison.flip_sample import FlipSample
from muscle_metrics.comparison.totals import Totals
from muscle_metrics.comparison.unanswered import UNBOUNDED, with_range
from muscle_metrics.errors import UsageError
from muscle_metrics.flips.counts import FlipCounts
from muscle_metrics.scale.chunks import (
    COLUMNS,
    Chunk,
    Grading,
    compare_chunk,
    compare_lost,
    take_rows,
)
from muscle_metrics.scale.database import reading
from muscle_metrics.scale.losses import LOSSES
from muscle_metrics.scorers import resolve_scorer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.scale.joining import Joining
    from muscle_metrics.scorers import Metric, Scorer

__all__ = ["StreamedTotals", "resolve_rowwise_scorer", "stream_totals"]

# Rows of a chunk, whose texts are in memory together.
CHUNK = 1 << 13


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamedTotals:
    """Totals of the compared items, and of the lost ones; `a + b` holds the items of both.

    Parameters
    ----------
    sound : Totals
        Items that are compared and not lost.
    rejudged : Totals
        Items that are compared, though another reference than OLD's own judges them.
    lost : Totals
        All lost items as if NEW had got them wrong.
    """

    sound: Totals
    rejudged: Totals
    lost: Totals

    def __add__(self, other: StreamedTotals) -> StreamedTotals:
        return StreamedTotals(
            sound=self.sound + other.sound,
            rejudged=self.rejudged + other.rejudged,
            lost=self.lost + other.lost,
        )

    @property
    def observed(self) -> Totals:
        """Totals of the items that are compared."""
        return self.sound + self.rejudged

    @property
    def worst(self) -> Totals:
        """Totals in which NEW got every lost item wrong, with the flips that were observed."""
        return replace(self.sound + self.lost, sample=self.observed.sample)

    @property
    def fixed(self) -> Totals:
        """Totals in which every lost item was wrong, and got fixed; scores fell as in the worst."""
        cells = {cell: _all_fixed(counts) for cell, counts in self.lost.cells.items()}
        return replace(self.sound + replace(self.lost, cells=cells), sample=self.observed.sample)


def _all_fixed(counts: FlipCounts) -> FlipCounts:
    """Count every item as wrong before and right now; their answers stay unknown if they are."""
    changed = None if counts.wrong_changed is None else 0
    return FlipCounts(
        both_right=0,
        negative=0,
        positive=counts.total,
        both_wrong=0,
        both_right_changed=changed,
        wrong_changed=changed,
    )


def stream_totals(
    database: Any, joining: Joining, *, is_graded: bool, worst: float, items: int
) -> StreamedTotals:
    """Sum up the items that are compared or lost, scored chunk by chunk in constant memory.

    `is_graded` says that the recorded scores are graded, without a threshold for correctness;
    `worst` is the recorded score of an item that has none; `items` counts those compared or lost,
    in all databases.
    """
    choices = joining.choices
    scorers = [resolve_rowwise_scorer(one) for one in joining.judging.graders]
    # Scores of lost items add to those of others only if their ranges are the same.
    fallback = choices.score_range if choices.unanswered == "wrong" else UNBOUNDED
    grading = Grading(
        joining=joining,
        # The model of a neural metric is loaded once, not with every chunk.
        scorers=[with_range(scorer.loaded(), fallback) for scorer in scorers],
        is_graded=is_graded,
        worst=worst,
        items=items,
    )
    columns = (*COLUMNS, *joining.columns_read)
    query = f"""
        SELECT {", ".join(columns)} FROM (
            SELECT *, {joining.kept} AS is_kept, {" OR ".join(LOSSES)} AS is_lost
            FROM ({joining.items})
        ) WHERE is_kept OR is_lost
    """
    with reading():
        chunks = _chunks(database.execute(query), columns)
    return reduce(add, (_sum_chunk(chunk, grading) for chunk in chunks), _sum_chunk({}, grading))


def _sum_chunk(chunk: Chunk, grading: Grading) -> StreamedTotals:
    lost = take_rows(chunk, chunk.get("is_lost", ()))
    return StreamedTotals(
        sound=_total(take_rows(chunk, map(not_, chunk.get("is_lost", ()))), grading, compare_chunk),
        rejudged=_total(take_rows(lost, lost.get("is_kept", ())), grading, compare_chunk),
        lost=_total(lost, grading, compare_lost),
    )


def _total(
    chunk: Chunk, grading: Grading, compare: Callable[[Chunk, Grading], Comparison]
) -> Totals:
    size, seed = grading.joining.choices.sample_size, grading.joining.choices.seed
    if not chunk.get("key"):
        sample = FlipSample(size=size, seed=seed, flips={})
        return Totals(items=0, cells={}, scores={}, sample=sample)
    return Totals.of(compare(chunk, grading), sample_size=size, seed=seed)


def resolve_rowwise_scorer(metric: Metric, **options: Any) -> Scorer:
    """Find a scorer whose scores do not depend on which items are scored together.

    Raises
    ------
    UsageError
        If the metric or an option is unknown, or weighs tokens by the texts at hand.
    """
    scorer = resolve_scorer(metric, **options)
    if scorer.options.get("idf") is True:
        raise UsageError(
            "expected idf=False or a list of documents where texts are scored part by part, got "
            "True: its token weights would differ from part to part"
        )
    return scorer


def _chunks(result: Any, columns: Sequence[str]) -> Iterator[Chunk]:
    while rows := result.fetchmany(CHUNK):
        yield dict(zip(columns, zip(*rows, strict=True), strict=True))
