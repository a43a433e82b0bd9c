"""One item as the page shows it: prompt, reference, and both answers side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from muscle_metrics.reports.flips import item_name
from muscle_metrics.reports.html.difference import Part, differing_words
from muscle_metrics.reports.html.wording import brief, score
from muscle_metrics.words.escape import shorten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.items import Item
    from muscle_metrics.flips.changes import ScoreChanges

__all__ = ["Entry", "Passage", "describe_item"]

# A text may be megabytes long; whoever wants all of it has the runs.
TEXT_LIMIT = 4000
LINE_LIMIT = 90


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


def describe_item(
    comparison: Comparison, item: Item, position: int, label: int | None = None
) -> Entry:
    """Describe an item of a comparison, both answers and which of their words differ.

    Parameters
    ----------
    comparison : Comparison
        Old against new.
    item : Item
        One of its items.
    position : int
        Where it stands among them.
    label : int, optional
        Number of its slice among those a reader can choose.

    Returns
    -------
    Entry

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> comparison = compare(old=["a b"], new=["a c"], references=["a b"])
    >>> describe_item(comparison, next(comparison.items()), 0).new.parts
    [Part(text='a ', differs=False), Part(text='c', differs=True)]
    """
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
