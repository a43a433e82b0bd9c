"""The items that changed, in views that a reader chooses from, as far as they fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from muscle_metrics.comparison.items import answer_text
from muscle_metrics.comparison.listed import hide_text_secrets, texts_of
from muscle_metrics.flips.counts import Quadrant
from muscle_metrics.reports.html.difference import differing_words
from muscle_metrics.reports.html.environment import render
from muscle_metrics.words.place import item_name

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from markupsafe import Markup

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.items import Item
    from muscle_metrics.comparison.listed import ItemTexts
    from muscle_metrics.flips.changes import ScoreChanges

__all__ = ["Explorer", "View", "explore"]

MOST_LABELS = 200
# A text may be megabytes long: the runs hold all of it.
TEXT_LIMIT = 4000
# Room of the first view, as a multiple of the room of every other view.
FIRST_SHARE = 3


class View(NamedTuple):
    """Items that changed in the same way.

    Parameters
    ----------
    name : str
        Class of the view in the page.
    title, meaning : str
        The change, as a title and in words.
    old_state, new_state : str
        Names of both answers.
    positions : list of int
        Its items, in the order in which they are listed.
    shown : tuple of Markup
        The items that fit, as the page writes them.
    """

    name: str
    title: str
    meaning: str
    old_state: str
    new_state: str
    positions: list[int]
    shown: tuple[Markup, ...] = ()

    @property
    def total(self) -> int:
        """Number of its items."""
        return len(self.positions)

    @property
    def left_out(self) -> int:
        """How many of its items did not fit."""
        return self.total - len(self.shown)


class Explorer(NamedTuple):
    """Views, and the slices (or tasks) by which a reader can narrow them.

    `secrets` counts those that are hidden in texts of the logs, and `problem` says why a log gave
    no texts.
    """

    views: list[View]
    kind: str
    labels: list[str]
    secrets: int = 0
    problem: str | None = None

    @property
    def left_out(self) -> int:
        """How many items did not fit, over all views."""
        return sum(view.left_out for view in self.views)


def explore(
    comparison: Comparison,
    *,
    most: int,
    room: int,
    labels: Sequence[str],
    pinned: Collection[str] = (),
) -> Explorer:
    """Sort the items that changed into views, and write those that fit.

    Parameters
    ----------
    comparison : Comparison
        Old against new.
    most : int
        Largest number of items of a view.
    room : int
        Largest number of bytes of all items; the first view may fill at least half of it.
    labels : sequence of str
        Slices (or tasks, where there are no slices) a reader can choose, in their order.
    pinned : collection of str
        Ids that come first.

    Returns
    -------
    Explorer
    """
    sliced = any(comparison.table.slices)
    numbers = {label: number for number, label in enumerate(labels[:MOST_LABELS])}
    items = list(comparison.items())
    found = _views(comparison, items, pinned)
    listed = sorted({position for view in found for position in view.positions[:most]})
    read = texts_of(comparison, [items[position] for position in listed])
    hidden = dict(zip(listed, map(hide_text_secrets, read.items), strict=True))
    views: list[View] = []
    for view in found:
        # Later views may use the room that earlier ones leave.
        weight = 1 if views else FIRST_SHARE
        share = room * weight // (weight + len(found) - len(views) - 1)
        shown: list[Markup] = []
        used = 0
        for position in view.positions[:most]:
            item = items[position]
            label = numbers.get((item.slice if sliced else item.task) or "")
            text = _write_item(comparison, view, item, hidden[position].value, position, label)
            size = len(text.encode())
            if used + size > share:
                break
            used += size
            shown.append(text)
        room -= used
        views.append(view._replace(shown=tuple(shown)))
    secrets = sum(texts.number for texts in hidden.values())
    kind = "slice" if sliced else "task"
    return Explorer(views, kind, list(numbers), secrets, read.problem)


def _write_item(
    comparison: Comparison,
    view: View,
    item: Item,
    texts: ItemTexts,
    position: int,
    label: int | None,
) -> Markup:
    """Write an item: question, reference, both answers and which of their words differ."""
    asked = comparison.table.asked
    prompt = None if asked is None else asked[position]
    responses = (texts.old_response, texts.new_response)
    before, after = ((response or "")[:TEXT_LIMIT] for response in responses)
    old, new = (answer_text(answer)[:TEXT_LIMIT] for answer in (item.old, item.new))
    return render(
        "item.html",
        view=view,
        item=item,
        label=label,
        texts=texts,
        number=texts.number and item_name(item.task, texts.number, item.repeat),
        prompt=None if prompt == texts.question else prompt,
        segments=differing_words(old, new),
        responses=differing_words(before, after),
        most=TEXT_LIMIT,
        scores=[
            (metric, *map(float, (c.old[position], c.new[position], c.deltas[position])))
            for metric, c in comparison.changes.items()
        ],
    )


def _views(comparison: Comparison, items: Sequence[Item], pinned: Collection[str]) -> list[View]:
    if comparison.correctness is None:
        return _graded_views(next(iter(comparison.changes.values())))
    positions: dict[str, list[int]] = {quadrant.value: [] for quadrant in Quadrant}
    for position, item in enumerate(items):
        flipped = item.quadrant in (Quadrant.NEGATIVE, Quadrant.POSITIVE)
        if flipped or item.changed:
            positions[str(item.quadrant)].append(position)
    for view in positions.values():
        view.sort(key=lambda position: items[position].id not in pinned)

    def view_of(name: str, title: str, meaning: str, old: str, new: str) -> View:
        return View(name, title, meaning, old, new, positions[name])

    views = [
        view_of("negative", "Broke", "right, then wrong", "right", "wrong"),
        view_of("positive", "Fixed", "wrong, then right", "wrong", "right"),
    ]
    if comparison.correctness.changed is not None:
        another = "both times, with another answer"
        views += [
            view_of("both_wrong", "Wrong in another way", f"wrong {another}", "wrong", "wrong"),
            view_of("both_right", "Right in another way", f"right {another}", "right", "right"),
        ]
    return views


def _graded_views(changes: ScoreChanges) -> list[View]:
    gains = changes.gains
    order = np.argsort(gains, kind="stable").tolist()
    worse = [i for i in order if gains[i] < -changes.dead_band]
    better = [i for i in order[::-1] if gains[i] > changes.dead_band]
    return [
        View("negative", "Got worse", "the largest loss first", "before", "now", worse),
        View("positive", "Got better", "the largest gain first", "before", "now", better),
    ]
