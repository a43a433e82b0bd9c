"""The items that changed, in views a reader can choose from, as far as they fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from muscle_metrics.flips.counts import Quadrant
from muscle_metrics.reports.html.entries import describe_item
from muscle_metrics.words.escape import shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.items import Item
    from muscle_metrics.flips.changes import ScoreChanges
    from muscle_metrics.reports.html.entries import Entry

__all__ = ["Explorer", "View", "explore"]

MOST_LABELS = 200
LABEL_LIMIT = 60
# How much room the first view may take for each part that every other one may take.
FIRST_SHARE = 3


class View(NamedTuple):
    """Items that share a fate; `shown` holds them as the page writes them.

    Examples
    --------
    >>> View("negative", "Broke", "right, then wrong", "right", "wrong", 3, [], 3).left_out
    3
    """

    name: str
    title: str
    meaning: str
    old_state: str
    new_state: str
    total: int
    shown: list[str]
    left_out: int


class Explorer(NamedTuple):
    """Views, and the slices (or tasks) by which they can be narrowed.

    Examples
    --------
    >>> Explorer([], "slice", [], False).views
    []
    """

    views: list[View]
    kind: str
    labels: list[str]
    answers_unknown: bool

    @property
    def left_out(self) -> int:
        """How many items did not fit, over all views."""
        return sum(view.left_out for view in self.views)


def explore(
    comparison: Comparison,
    write: Callable[[Entry, View], str],
    *,
    most: int,
    room: int,
    labels: Sequence[str],
    pinned: Collection[str] = (),
) -> Explorer:
    """Sort the items that changed into views and write those that fit.

    Parameters
    ----------
    comparison : Comparison
        Old against new.
    write : callable
        Writes an entry of a view as the page shows it.
    most : int
        Largest number of items of a view.
    room : int
        Largest number of bytes of all items; what broke may fill at least half of it.
    labels : sequence of str
        Slices (or tasks, where there are no slices) a reader can choose, in their order.
    pinned : collection of str
        Ids that come first.

    Returns
    -------
    Explorer

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> comparison = compare(old=["A", "B"], new=["B", "A"], references=["A", "A"])
    >>> views = explore(comparison, lambda e, v: e.name, most=9, room=99, labels=[]).views
    >>> [(view.title, view.shown) for view in views]
    [('Broke', ['0']), ('Fixed', ['1']), ('Wrong in another way', []),
     ('Right in another way', [])]
    """
    sliced = any(comparison.table.slices)
    shown = list(labels[:MOST_LABELS])
    numbers = {label: number for number, label in enumerate(shown)}
    items = list(comparison.items())
    found = _views(comparison, items, pinned)
    views: list[View] = []
    for view, positions in found:
        # What one view leaves over, the later ones may use.
        weight = 1 if views else FIRST_SHARE
        share = room * weight // (weight + len(found) - len(views) - 1)
        written, used = [], 0
        for position in positions[:most]:
            item = items[position]
            label = numbers.get((item.slice if sliced else item.task) or "")
            text = write(describe_item(comparison, item, position, label), view)
            size = len(text.encode())
            if used + size > share:
                break
            used += size
            written.append(text)
        room -= used
        left_out = len(positions) - len(written)
        views.append(view._replace(total=len(positions), shown=written, left_out=left_out))
    unknown = comparison.correctness is not None and comparison.correctness.changed is None
    return Explorer(
        views,
        "slice" if sliced else "task",
        [shorten(label, LABEL_LIMIT) for label in shown],
        unknown,
    )


def _views(
    comparison: Comparison, items: Sequence[Item], pinned: Collection[str]
) -> list[tuple[View, list[int]]]:
    """List the views, and the positions of their items, pinned ones first."""
    if comparison.correctness is None:
        return _graded_views(next(iter(comparison.changes.values())))
    views = [
        _view("negative", "Broke", "right, then wrong", "right", "wrong"),
        _view("positive", "Fixed", "wrong, then right", "wrong", "right"),
    ]
    if comparison.correctness.changed is not None:
        another = "both times, with another answer"
        views += [
            _view("both_wrong", "Wrong in another way", f"wrong {another}", "wrong", "wrong"),
            _view("both_right", "Right in another way", f"right {another}", "right", "right"),
        ]
    positions: dict[str, list[int]] = {view.name: [] for view in views}
    for position, item in enumerate(items):
        flipped = item.quadrant in (Quadrant.NEGATIVE, Quadrant.POSITIVE)
        if flipped or item.changed:
            positions[str(item.quadrant)].append(position)
    return [
        (view, sorted(positions[view.name], key=lambda place: items[place].id not in pinned))
        for view in views
    ]


def _graded_views(changes: ScoreChanges) -> list[tuple[View, list[int]]]:
    gains = changes.gains
    order = np.argsort(gains, kind="stable")
    worse = [int(i) for i in order if gains[i] < -changes.dead_band]
    better = [int(i) for i in order[::-1] if gains[i] > changes.dead_band]
    return [
        (_view("negative", "Got worse", "the largest loss first", "before", "now"), worse),
        (_view("positive", "Got better", "the largest gain first", "before", "now"), better),
    ]


def _view(name: str, title: str, meaning: str, old_state: str, new_state: str) -> View:
    return View(name, title, meaning, old_state, new_state, 0, [], 0)
