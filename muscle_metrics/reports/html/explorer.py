"""The items that changed, as the page lists them: as many as fit, of every slice."""

from __future__ import annotations

import hashlib
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.comparison.items import answer_text
from muscle_metrics.comparison.listed import hide_text_secrets, texts_of
from muscle_metrics.flips.counts import Quadrant
from muscle_metrics.gate.files import fits_line
from muscle_metrics.reports.html.difference import differing_words
from muscle_metrics.reports.html.environment import render
from muscle_metrics.reports.html.views import View, find_views, take_turns
from muscle_metrics.words.place import item_name
from muscle_metrics.words.secrets import hide_secrets

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from markupsafe import Markup

    from muscle_metrics.comparison.chains import Chain
    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.items import Item
    from muscle_metrics.comparison.listed import ItemTexts

__all__ = ["Explorer", "explore"]

MOST_LABELS = 200
# A text may be megabytes long: the runs hold all of it.
TEXT_LIMIT = 4000
# Room of the first view, as a multiple of the room of every other view.
FIRST_SHARE = 3
STATES = {
    Quadrant.NEGATIVE: ("right", "wrong"),
    Quadrant.POSITIVE: ("wrong", "right"),
    Quadrant.BOTH_WRONG: ("wrong", "wrong"),
    Quadrant.BOTH_RIGHT: ("right", "right"),
    None: ("before", "now"),
}


class Explorer(NamedTuple):
    """Views, and the slices (or tasks) by which a reader can narrow them.

    `listed` and `totals` count the items of every view by slice: those that fit, and all.
    `secrets` counts those that are hidden in texts of the logs; `problem` says why a log gave none.
    """

    views: list[View]
    kind: str
    labels: list[str]
    listed: list[Counter[str | None]]
    totals: list[Counter[str | None]]
    secrets: int = 0
    problem: str | None = None

    @property
    def left_out(self) -> int:
        """How many items did not fit, over all views."""
        return sum(view.left_out for view in self.views)

    @property
    def metrics(self) -> list[tuple[str | None, list[View]]]:
        """Views of each metric."""
        groups = groupby(self.views, key=lambda view: view.metric)
        return [(metric, list(views)) for metric, views in groups]


def explore(
    comparison: Comparison,
    *,
    most: int,
    room: int,
    labels: Sequence[str],
    pinned: Collection[str] = (),
    chain: Chain | None = None,
    script: bool = True,
) -> Explorer:
    """Sort the items that changed into views, and write those that fit.

    Parameters
    ----------
    comparison : Comparison
        Old against new.
    most : int
        Largest number of items of a view; slices share it.
    room : int
        Largest number of bytes of all items; the first view may fill at least half of it.
    labels : sequence of str
        Slices (or tasks, where there are no slices) a reader can choose, in their order.
    pinned : collection of str
        Ids that come first.
    chain : Chain, optional
        Versions of which `comparison` is the last update, over the same items.
    script : bool
        Whether the page has a script, by which items are marked.

    Returns
    -------
    Explorer
    """
    table = comparison.table
    sliced = any(table.slices)
    parts = table.slices if sliced else table.tasks
    numbers = {label: number for number, label in enumerate(labels[:MOST_LABELS])}
    items = list(comparison.items())
    again = None if chain is None or len(chain.names) < 3 else chain.flip_flops
    found = find_views(comparison, pinned=pinned, again=again)
    broken = {i for i, name in enumerate(table.ids) if name in pinned} if pinned else set()
    chosen = [take_turns(view.positions, parts, broken)[:most] for view in found]
    listed = sorted({position for positions in chosen for position in positions})
    read = texts_of(comparison, [items[position] for position in listed])
    hidden = dict(zip(listed, map(hide_text_secrets, read.items), strict=True))
    views: list[View] = []
    listed_by: list[Counter[str | None]] = []
    for view, positions in zip(found, chosen, strict=True):
        # Later views may use the room that earlier ones leave.
        weight = 1 if views else FIRST_SHARE
        share = room * weight // (weight + len(found) - len(views) - 1)
        written: dict[int, Markup] = {}
        used = 0
        for position in positions:
            label = numbers.get(parts[position] or "")
            texts = hidden[position].value
            text = _write_item(
                comparison, view, items[position], texts, position, label, chain, script
            )
            size = len(text.encode())
            if used + size > share:
                break
            used += size
            written[position] = text
        room -= used
        shown = tuple(written[i] for i in view.positions if i in written)
        views.append(view._replace(shown=shown))
        listed_by.append(Counter(parts[i] for i in written))
    totals = [Counter(parts[i] for i in view.positions) for view in views]
    secrets = sum(texts.number for texts in hidden.values())
    kind = "slice" if sliced else "task"
    return Explorer(views, kind, list(numbers), listed_by, totals, secrets, read.problem)


def _write_item(
    comparison: Comparison,
    view: View,
    item: Item,
    texts: ItemTexts,
    position: int,
    label: int | None,
    chain: Chain | None,
    script: bool,
) -> Markup:
    """Write an item: question, reference, both answers and which of their words differ."""
    if comparison.prompts is not None and view.metric is None:
        # A prompt is listed once, whichever of its generations is shown.
        item = item._replace(repeat=None)
    asked = comparison.table.asked
    prompt = None if asked is None else asked[position]
    responses = (texts.old_response, texts.new_response)
    before, after = ((response or "")[:TEXT_LIMIT] for response in responses)
    old, new = (answer_text(answer)[:TEXT_LIMIT] for answer in (item.old, item.new))
    return render(
        "item.html",
        view=view,
        item=item,
        states=STATES[item.quadrant],
        anchor=_anchor(item, view),
        position=position,
        script=script,
        # The page holds no secret, and a file of ids needs the id as it is.
        can_be_pinned=fits_line(item.id) and not hide_secrets(item.id).number,
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
        versions=[]
        if chain is None
        else list(zip(chain.names, chain.right[:, position].tolist(), strict=True)),
    )


def _anchor(item: Item, view: View) -> str:
    """Name of an item in links, the same on every page; an item may be in several views."""
    key = repr((item.task, item.id, item.repeat)).encode("utf-8", "backslashreplace")
    name = hashlib.blake2b(key, digest_size=6).hexdigest()
    return f"item-{name}" if view.name in {*Quadrant} else f"item-{name}-{view.name}"
