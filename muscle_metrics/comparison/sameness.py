"""Whether two runs are equal on every item: then nothing was compared that could have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

if TYPE_CHECKING:
    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.counted import CountedComparison
    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.flips.counts import FlipCounts
    from muscle_metrics.flips.score_totals import ScoreTotals

__all__ = ["EQUAL_RUNS", "runs_are_equal"]

EQUAL_RUNS = "the two runs are equal on every item"


def runs_are_equal(comparison: Facts) -> bool:
    """Whether both runs gave the same answer to every item, with the same correctness and scores.

    An engine knows answers only as far as it counted which of them changed.

    Parameters
    ----------
    comparison : Comparison or CountedComparison
        Old against new.

    Returns
    -------
    bool

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> runs_are_equal(compare(old=["A", "B"], new=["A", "B"], references=["A", "C"]))
    True
    >>> runs_are_equal(compare(old=["A", "B"], new=["A", "D"], references=["A", "C"]))
    False
    """
    held = comparison.in_memory
    if held is not None:
        return _held_equal(held)
    # Of texts that are graded, counts do not tell whether answers of one score differ.
    if cast("CountedComparison", comparison).answers_changed:
        return False
    scores: list[ScoreTotals] = list(comparison.changes.values())  # type: ignore[arg-type]
    counted = not comparison.is_judged or _counted_equal(comparison.counts)
    # Squares: gains and losses of one size would cancel.
    return counted and all(not changes.change_squares.units for changes in scores)


def _held_equal(comparison: Comparison) -> bool:
    table, correctness = comparison.table, comparison.correctness
    return (
        table.old == table.new
        and (correctness is None or np.array_equal(correctness.old_right, correctness.new_right))
        and all(
            np.array_equal(changes.old, changes.new, equal_nan=True)
            for changes in comparison.changes.values()
        )
    )


def _counted_equal(counts: FlipCounts) -> bool:
    changed = (counts.both_right_changed, counts.wrong_changed)
    return not (counts.negative or counts.positive or any(changed))
