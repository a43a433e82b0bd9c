"""Changes of behaviour as lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.comparison.trajectories import KINDS
from muscle_metrics.words.escape import brief, one_line, shorten
from muscle_metrics.words.numbers import percent, percent_range
from muscle_metrics.words.place import item_name
from muscle_metrics.words.secrets import hide_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muscle_metrics.comparison.trajectories import BehaviourChange, Trajectories

__all__ = ["trajectory_lines"]

NAME_LIMIT = 400
CALLS_LIMIT = 1000
OUTCOMES = {
    "both_right": "right in both",
    "both_wrong": "wrong in both",
    "negative": "broke",
    "positive": "got fixed",
}


def trajectory_lines(found: Trajectories, most: int = 0) -> list[str]:
    r"""Lines of changes of behaviour, with at most so many items, behaviour flips first.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> from muscle_metrics.comparison.trajectories import compare_trajectories
    >>> comparison = compare(old=["A"], new=["A"], references=["A"])
    >>> steps = ([{"name": name, "arguments": {}}] for name in ("add", "sum"))
    >>> old, new = ({(None, "0", None): calls} for calls in steps)
    >>> found = compare_trajectories(comparison, old=old, new=new)
    >>> print(*trajectory_lines(found, 1), sep="\n")
    behaviour: 100.00% of the items whose outcome stayed have other calls of tools (1 of 1; 95 % ...
      other tools 1, other arguments 0, other order 0
    items that broke or got fixed with other calls of tools: 0 of 0
    other calls of tools: all 1
      0
        outcome    right in both
        old        add()
        new        sum()
        reason     name sum instead of add
    """
    return list(_lines(found, most))


def _lines(found: Trajectories, most: int) -> Iterator[str]:
    stayed, flipped, bounds = found.stayed, found.flipped, found.bounds
    if bounds is None:
        yield "behaviour: no item whose outcome stayed"
    else:
        yield (
            f"behaviour: {percent(stayed)} of the items whose outcome stayed have other calls of "
            f"tools ({stayed.count} of {stayed.total}; 95 % interval {percent_range(bounds.ends)}, "
            f"{bounds.method})"
        )
        yield "  " + ", ".join(f"other {kind} {found.count(kind)}" for kind in KINDS)
    yield (
        f"items that broke or got fixed with other calls of tools: {flipped.count} of "
        f"{flipped.total}"
    )
    shown = found.changes[:most]
    if shown:
        total = len(found.changes)
        which = f"all {total}" if len(shown) == total else f"the first {len(shown)} of {total}"
        yield f"other calls of tools: {which}"
    for one in shown:
        yield from _block(one)


def _block(change: BehaviourChange) -> Iterator[str]:
    item = change.item
    yield f"  {_safe(brief(item_name(item.task, item.id, item.repeat), NAME_LIMIT))}"
    yield f"    outcome    {OUTCOMES[str(item.quadrant)]}"
    for name, calls in (("old", change.old), ("new", change.new)):
        yield f"    {name}        {_safe(' -> '.join(calls) or 'no call')}"
    yield f"    reason     {_safe(change.reason)}"


def _safe(text: str) -> str:
    return one_line(shorten(hide_secrets(text).value, CALLS_LIMIT))
