"""Items that an update harmed: those that broke, or got worse by a graded score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from muscle_metrics.flips.counts import Quadrant

if TYPE_CHECKING:
    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.comparison.items import Item

__all__ = ["count_worst", "worst_items"]


def worst_items(comparison: Facts) -> list[Item]:
    """List the items that broke; where nothing is right or wrong, those that got worse.

    Parameters
    ----------
    comparison : Comparison or CountedComparison
        Old against new. An engine knows a sample.

    Returns
    -------
    list of Item
        The largest loss of the first graded score first; else in the natural order of ids.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> texts = {"old": ["a b", "a b"], "new": ["a c", "c d"], "references": ["a b", "a b"]}
    >>> [item.id for item in worst_items(compare(**texts, metric="rouge1"))]
    ['1', '0']
    """
    held = comparison.in_memory
    if held is None:
        return list(comparison.flips(Quadrant.NEGATIVE))
    items = list(held.items())
    return [items[position] for position in _positions(held, items)]


def count_worst(comparison: Facts) -> int:
    """Count all items that broke, or got worse, however many of them are known.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> count_worst(compare(old=["A", "A"], new=["B", "A"], references=["A", "A"]))
    1
    """
    if comparison.is_judged:
        return comparison.counts.negative
    return next(iter(comparison.changes.values())).negative_flip_rate.count or 0


def _positions(comparison: Comparison, items: list[Item]) -> list[int]:
    first = next(iter(comparison.changes.values()), None)
    gains = np.zeros(len(items)) if first is None else np.nan_to_num(first.gains)
    if comparison.is_judged or first is None:
        harmed = np.array([item.quadrant == Quadrant.NEGATIVE for item in items], dtype=bool)
    else:
        harmed = gains < -first.dead_band
    # A stable sort: items of one loss stay in the natural order of their ids.
    found: list[int] = [i for i in np.argsort(gains, kind="stable").tolist() if harmed[i]]
    return found
