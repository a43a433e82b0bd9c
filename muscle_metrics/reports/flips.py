"""The negative flips that a report lists: which come first, and what is said of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from muscle_metrics.comparison.items import Item
from muscle_metrics.flips.counts import Quadrant
from muscle_metrics.words.escape import shorten, terminal
from muscle_metrics.words.secrets import hide_secrets

if TYPE_CHECKING:
    from collections.abc import Collection

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.scale import CountedComparison

__all__ = ["FirstFlips", "first_flips", "flip_lines", "item_name", "value_text"]

# A payload may be megabytes long; whoever wants all of it has the runs.
TEXT_LIMIT = 200


class FirstFlips(NamedTuple):
    """The first negative flips, how many there are in all, and secrets hidden in the first."""

    items: list[Item]
    total: int
    secrets: int = 0

    @property
    def title(self) -> str:
        """How many are listed, of how many."""
        hidden = f"; secrets hidden: {self.secrets}" if self.secrets else ""
        if len(self.items) == self.total:
            return f"negative flips: all {self.total}{hidden}"
        return f"negative flips: the first {len(self.items)} of {self.total}{hidden}"


def first_flips(
    comparison: Comparison | CountedComparison | None, most: int, pinned: Collection[str] = ()
) -> FirstFlips:
    """Negative flips in the natural order of ids, those that must not break before all others.

    What looks like a key or a password is hidden, for reports are published.

    Parameters
    ----------
    comparison : Comparison, CountedComparison or None
        None where the runs could not be compared.
    most : int
        How many to list.
    pinned : collection of str
        Ids that come first.

    Returns
    -------
    FirstFlips
        Empty where scores are graded and no threshold says which are right.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> comparison = compare(old=["A", "B"], new=["B", "A"], references=["A", "B"])
    >>> first_flips(comparison, 1).title
    'negative flips: the first 1 of 2'
    """
    if comparison is None or not comparison.is_judged:
        return FirstFlips([], 0)
    flips = list(comparison.flips(Quadrant.NEGATIVE))
    flips.sort(key=lambda item: item.id not in pinned)
    shown = [hide_secrets(tuple(item)) for item in flips[:most]]
    secrets = sum(part.number for part in shown)
    return FirstFlips(
        [Item._make(part.value) for part in shown], comparison.counts.negative, secrets
    )


def flip_lines(flips: FirstFlips) -> list[str]:
    r"""Say what broke, one line per item and a title, for a terminal or a log.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> comparison = compare(old=["A"], new=["B"], references=["A"])
    >>> print("\n".join(flip_lines(first_flips(comparison, 5))))
    negative flips: all 1
      0: right A, now B, reference A
    """
    if not flips.items:
        return []
    return [flips.title, *map(_line, flips.items)]


def item_name(item: Item) -> str:
    """Name an item by all that tells it apart.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> item_name(next(compare(old=["A"], new=["B"], references=["A"]).items()))
    '0'
    """
    return "/".join(part for part in (item.task, item.id, item.repeat) if part is not None)


def value_text(value: Any, absent: str = "not recorded") -> str:
    """Text of an answer or a reference, cut to a length that a report can hold.

    Examples
    --------
    >>> value_text(["Cairo", "Al-Qahira"]), value_text(None)
    ('Cairo | Al-Qahira', 'not recorded')
    """
    if value is None:
        return absent
    parts = value if isinstance(value, (list, tuple)) else [value]
    return shorten(" | ".join(str(part)[: TEXT_LIMIT + 1] for part in parts), TEXT_LIMIT)


def _line(item: Item) -> str:
    where = f" ({shorten(item.slice, TEXT_LIMIT)})" if item.slice else ""
    text = (
        f"{shorten(item_name(item), TEXT_LIMIT)}{where}: right {value_text(item.old)}, "
        f"now {value_text(item.new, 'no answer')}, reference {value_text(item.reference)}"
    )
    # Indented, so that no item can look like a verdict.
    return f"  {terminal(text)}"
