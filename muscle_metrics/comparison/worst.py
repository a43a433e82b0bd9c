"""Items that an update harmed: those that broke, or got worse by a graded score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from muscle_metrics.errors import UsageError
from muscle_metrics.flips.counts import Quadrant

if TYPE_CHECKING:
    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.comparison.items import Item

__all__ = [
    "ONCE_IN_MEMORY",
    "changed_items",
    "check_listed_once",
    "count_worst",
    "described_prompt",
    "worst_items",
]

ONCE_IN_MEMORY = "leave out --engine, as repeats of a prompt are listed once, which needs memory"


def worst_items(comparison: Facts) -> list[Item]:
    """List the items that broke; where nothing is right or wrong, those that got worse.

    Of repeats each prompt with fewer right generations than before is listed once, by the first
    generation that broke.

    Parameters
    ----------
    comparison : Comparison or CountedComparison
        Old against new. An engine knows a sample.

    Raises
    ------
    UsageError
        If an engine counted repeats.

    Returns
    -------
    list of Item
        The largest loss of the first graded score first, of repeats the surest; else in the natural
        order of ids.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> texts = {"old": ["a b", "a b"], "new": ["a c", "c d"], "references": ["a b", "a b"]}
    >>> [item.id for item in worst_items(compare(**texts, metric="rouge1"))]
    ['1', '0']
    """
    held = comparison.in_memory
    if held is None:
        check_listed_once(comparison)
        return list(comparison.flips(Quadrant.NEGATIVE))
    items = list(held.items())
    return [items[position] for position in _positions(held, items)]


def changed_items(comparison: Facts) -> list[Item]:
    """List the items that broke, then those that got fixed; of repeats each prompt once.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> runs = {"old": ["A", "A", "B"], "new": ["B", "B", "A"], "references": ["A"] * 3}
    >>> comparison = compare(**runs, ids=["q", "q", "r"], repeats=[1, 2, 1])
    >>> [(item.id, item.repeat) for item in changed_items(comparison)]
    [('q', '1'), ('r', '1')]
    """
    prompts, held = comparison.prompts, comparison.in_memory
    if prompts is None or held is None:
        return list(comparison.flips())
    items = list(held.items())
    rows = [*prompts.rows(Quadrant.NEGATIVE), *prompts.rows(Quadrant.POSITIVE)]
    return [items[row] for row in rows]


def described_prompt(comparison: Facts, item: Item) -> dict[str, Any]:
    """Change of an item's prompt as the member "prompt" of plain data; none without repeats."""
    change = None if comparison.prompts is None else comparison.prompts.change_of(item)
    return {} if change is None else {"prompt": change.described()}


def check_listed_once(comparison: Facts) -> None:
    """Refuse to list flips of repeats that an engine counted: it would list every generation.

    Raises
    ------
    UsageError
        If an engine counted repeats.
    """
    if comparison.in_memory is None and comparison.is_repeated:
        raise UsageError(
            f"expected one generation of every prompt where an engine lists flips, got repeats: "
            f"{ONCE_IN_MEMORY}"
        )


def count_worst(comparison: Facts) -> int:
    """Count all items, or of repeats prompts, that broke or got worse, also those not known.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> count_worst(compare(old=["A", "A"], new=["B", "A"], references=["A", "A"]))
    1
    """
    if comparison.prompts is not None:
        return len(comparison.prompts.broke)
    if comparison.is_judged:
        return comparison.counts.negative
    return next(iter(comparison.changes.values())).negative_flip_rate.count or 0


def _positions(comparison: Comparison, items: list[Item]) -> list[int]:
    if comparison.prompts is not None:
        return comparison.prompts.rows(Quadrant.NEGATIVE)
    first = next(iter(comparison.changes.values()), None)
    gains = np.zeros(len(items)) if first is None else np.nan_to_num(first.gains)
    if comparison.is_judged or first is None:
        harmed = np.array([item.quadrant == Quadrant.NEGATIVE for item in items], dtype=bool)
    else:
        harmed = gains < -first.dead_band
    # A stable sort: items of one loss stay in the natural order of their ids.
    found: list[int] = [i for i in np.argsort(gains, kind="stable").tolist() if harmed[i]]
    return found
