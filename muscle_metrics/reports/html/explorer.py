"""The items that changed, in views a reader can choose from, as far as they fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from muscle_metrics.flips import Quadrant
from muscle_metrics.reports.escape import shorten
from muscle_metrics.reports.flips import item_name
from muscle_metrics.reports.html.difference import Part, differing_words
from muscle_metrics.reports.html.wording import brief, score

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from muscle_metrics.changes import ScoreChanges
    from muscle_metrics.comparison import Comparison
    from muscle_metrics.items import Item

__all__ = ["Entry", "Explorer", "Passage", "View", "explore"]

# A text may be megabytes long; whoever wants all of it has the runs.
TEXT_LIMIT = 4000
LINE_LIMIT = 90
MOST_LABELS = 200
LABEL_LIMIT = 60


class Passage(NamedTuple):
    """A text in parts, and what has to be said about it.

    Examples
    --------
    >>> Passage([], "no answer").note
    'no answer'
    """

    parts: list[Part]
    note: str


class Entry(NamedTuple):
    """One item; `label` numbers its slice among those a reader can choose.

    Examples
    --------
    >>> entry = Entry("7", "law", 1, "A", "B", "2 + 2?", None, None, None, None, [])
    >>> entry.slice
    'law'
    """

    name: str
    slice: str | None
    label: int | None
    old_line: str
    new_line: str
    prompt_line: str
    prompt: Passage | None
    reference: Passage | None
    old: Passage | None
    new: Passage | None
    scores: list[tuple[str, str, str, str]]


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
    views = []
    weights = [3, 1, 1, 1]
    for view, positions in _views(comparison, items, pinned):
        weight, *weights = weights
        # What one view leaves over, the later ones may use.
        share = room * weight // (weight + sum(weights))
        written, used = [], 0
        for position in positions[:most]:
            item = items[position]
            label = numbers.get((item.slice if sliced else item.task) or "")
            text = write(_entry(comparison, item, position, label), view)
            used += len(text.encode())
            if used > share:
                used -= len(text.encode())
                break
            written.append(text)
        room -= used
        left_out = len(positions) - len(written)
        views.append(view._replace(total=len(positions), shown=written, left_out=left_out))
    unknown = comparison.verdicts is not None and comparison.verdicts.changed is None
    return Explorer(
        views,
        "slice" if sliced else "task",
        [shorten(label, LABEL_LIMIT) for label in shown],
        unknown,
    )


def _views(
    comparison: Comparison, items: Sequence[Item], pinned: Collection[str]
) -> list[tuple[View, list[int]]]:
    if comparison.verdicts is None:
        return _graded_views(next(iter(comparison.changes.values())))

    def found(quadrant: Quadrant, *, changed: bool = False) -> list[int]:
        positions = [
            position
            for position, item in enumerate(items)
            if item.quadrant == quadrant and (item.changed or not changed)
        ]
        return sorted(positions, key=lambda position: items[position].id not in pinned)

    views = [
        (
            _view("negative", "Broke", "right, then wrong", "right", "wrong"),
            found(Quadrant.NEGATIVE),
        ),
        (
            _view("positive", "Fixed", "wrong, then right", "wrong", "right"),
            found(Quadrant.POSITIVE),
        ),
    ]
    if comparison.verdicts.changed is not None:
        views += [
            (
                _view(
                    "both_wrong",
                    "Wrong in another way",
                    "wrong both times, with another answer",
                    "wrong",
                    "wrong",
                ),
                found(Quadrant.BOTH_WRONG, changed=True),
            ),
            (
                _view(
                    "both_right",
                    "Right in another way",
                    "right both times, with another answer",
                    "right",
                    "right",
                ),
                found(Quadrant.BOTH_RIGHT, changed=True),
            ),
        ]
    return views


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


def _entry(comparison: Comparison, item: Item, position: int, label: int | None) -> Entry:
    asked = comparison.table.asked
    prompt = None if asked is None else asked[position]
    old, new = _text(item.old), _text(item.new)
    parts = differing_words(old[:TEXT_LIMIT], new[:TEXT_LIMIT])
    return Entry(
        name=brief(item_name(item)),
        slice=brief(item.slice or item.task or "") or None,
        label=label,
        old_line=_line(item.old),
        new_line=_line(item.new),
        prompt_line="" if prompt is None else _line(prompt),
        prompt=None if prompt is None else _passage(prompt),
        reference=None if item.reference is None else _passage(item.reference),
        old=_passage(item.old, parts[0]),
        new=_passage(item.new, parts[1]),
        scores=_scores(comparison.changes, position),
    )


def _passage(value: Any, parts: list[Part] | None = None) -> Passage:
    if value is None:
        return Passage([], "no answer")
    text = _text(value)
    if not text:
        return Passage([], "empty text")
    note = f"first {TEXT_LIMIT:,} of {len(text):,} characters" if len(text) > TEXT_LIMIT else ""
    return Passage([Part(text[:TEXT_LIMIT], False)] if parts is None else parts, note)


def _line(value: Any) -> str:
    if value is None:
        return "no answer"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = " ".join(_text(value)[: 10 * LINE_LIMIT].split())
    return shorten(text, LINE_LIMIT) or "empty"


def _text(value: Any) -> str:
    """Whole text of an answer, or of all accepted ones."""
    if value is None:
        return ""
    parts = value if isinstance(value, (list, tuple)) else [value]
    return " | ".join(map(str, parts))


def _scores(changes: Mapping[str, ScoreChanges], position: int) -> list[tuple[str, str, str, str]]:
    return [
        (
            brief(metric),
            score(float(change.old[position])),
            score(float(change.new[position])),
            score(float(change.deltas[position]), sign=True),
        )
        for metric, change in changes.items()
    ]
