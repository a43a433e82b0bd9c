"""The page of several candidates: which may ship, which differ, and which items they broke."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from muscle_metrics.comparison.candidate_text import (
    candidate_lines,
    remarks_by_candidate,
    title_of,
)
from muscle_metrics.comparison.items import answer_text
from muscle_metrics.comparison.listed import hide_text_secrets, texts_of
from muscle_metrics.comparison.secrets import hide_comparison_secrets
from muscle_metrics.comparison.uncertainty import rate_bounds
from muscle_metrics.errors import UsageError
from muscle_metrics.gate.verdict import hide_verdict_secrets
from muscle_metrics.reports.candidate_chart import candidate_chart
from muscle_metrics.reports.html.environment import render
from muscle_metrics.words.secrets import hide_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from muscle_metrics.comparison.candidates import Candidates
    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.items import Item
    from muscle_metrics.comparison.listed import ItemTexts
    from muscle_metrics.gate.candidates import CandidatesVerdict

__all__ = ["candidates_page"]

EXAMPLES = 100
TEXT_LIMIT = 4000
RATES = ("accuracy_change", "negative_flip_rate", "positive_flip_rate")


class _Answer(NamedTuple):
    """Answer of one candidate to an item."""

    name: str
    is_right: bool
    text: str
    is_given: bool
    option: str | None


class _ListedItem(NamedTuple):
    """An item that candidates broke, with all of their answers."""

    item: Item
    asked: str | None
    old: str
    reference: str
    answers: list[_Answer]


class _ItemList(NamedTuple):
    """Items that all candidates broke, or one of them alone; `title` is for readers."""

    title: str
    total: int
    items: list[_ListedItem]


def candidates_page(
    candidates: Candidates,
    *,
    verdict: CandidatesVerdict | None = None,
    examples: int = EXAMPLES,
    redact: bool = False,
    command: str | None = None,
) -> str:
    """Show candidates as one page to be opened, printed, sent or archived.

    Parameters
    ----------
    candidates : Candidates
        Old against each candidate.
    verdict : CandidatesVerdict, optional
        Which of them may ship, shown first.
    examples : int
        Largest number of items of each list; 0 lists none, and publishes no answers.
    redact : bool
        Whether to list items by their ids alone, without prompts, answers and references.
    command : str, optional
        The command that makes the page again.

    Returns
    -------
    str
        HTML that runs nothing, and without anything to be loaded from elsewhere.

    Raises
    ------
    UsageError
        If `examples` is negative.
    MissingDependencyError
        If jinja2 is not installed: ``pip install 'muscle-metrics[report]'``.

    Examples
    --------
    >>> from muscle_metrics import compare_candidates
    >>> rows = [{"id": 1, "prediction": "A", "reference": "A"}]
    >>> candidates_page(compare_candidates(rows, {"a": rows})).startswith("<!doctype html>")
    True
    """
    if examples < 0:
        raise UsageError(f"expected examples to be at least 0, got {examples!r}: 0 lists no items")
    found = {name: hide_comparison_secrets(one) for name, one in candidates.comparisons.items()}
    shown: dict[str, Comparison] = {name: hidden.value for name, hidden in found.items()}
    quotes = bool(examples) and not redact
    lists, problems = _item_lists(candidates, shown, examples, quotes=quotes)
    text = render(
        "candidates.html",
        script=None,
        old=_safe(candidates.old),
        title=_safe(title_of(candidates)),
        names=list(map(_safe, candidates.names)),
        verdict=verdict,
        shipped=[] if verdict is None else [_safe(name) for name in verdict.may_ship],
        said=[] if verdict is None else [_safe(line) for line in verdict.lines()],
        verdicts=[]
        if verdict is None
        else [hide_verdict_secrets(one) for one in verdict.verdicts.values()],
        rows=[(one.counts, *(rate_bounds(one, rate) for rate in RATES)) for one in shown.values()],
        front=[name in candidates.front for name in candidates.names],
        notes=[*map(_safe, remarks_by_candidate(shown, texts=quotes)), *problems],
        secrets=sum(hidden.number for hidden in found.values()),
        chart=candidate_chart(candidates),
        pairs=[
            pair._replace(first=_safe(pair.first), second=_safe(pair.second))
            for pair in candidates.pairs
        ],
        lines=list(map(_safe, candidate_lines(candidates))),
        histogram=_histogram(candidates),
        right=int(np.count_nonzero(candidates.old_right)),
        lists=lists,
        quotes=quotes,
        most=TEXT_LIMIT,
        signature=_safe(candidates.signature),
        command=None if command is None else _safe(command),
    )
    return str(text)


def _safe(text: str) -> str:
    """Text of a name or a line without secrets."""
    shown: str = hide_secrets(text).value
    return shown


def _histogram(candidates: Candidates) -> list[tuple[int, int]]:
    """Items that old got right, by how many candidates broke them."""
    number = candidates.broken_by[candidates.old_right]
    counts = np.bincount(number, minlength=len(candidates.names) + 1)
    return list(enumerate(counts.tolist()))


def _item_lists(
    candidates: Candidates, shown: Mapping[str, Comparison], most: int, *, quotes: bool
) -> tuple[list[_ItemList], list[str]]:
    names, broken, number = candidates.names, candidates.broken, candidates.broken_by
    flags: list[tuple[str, npt.NDArray[np.bool_]]] = []
    if len(names) > 1:
        flags.append(("Broken by every candidate", number == len(names)))
    flags += [
        (f"Broken by {_safe(name)} alone", broken[row] & (number == 1))
        for row, name in enumerate(names)
    ]
    rows = [np.flatnonzero(chosen).tolist() for _, chosen in flags]
    listed = sorted({row for chosen in rows for row in chosen[:most]})
    items, problems = _written(candidates, shown, listed, quotes=quotes)
    return [
        _ItemList(title, len(chosen), [items[row] for row in chosen[:most]])
        for (title, _), chosen in zip(flags, rows, strict=True)
    ], problems


def _written(
    candidates: Candidates, shown: Mapping[str, Comparison], rows: Sequence[int], *, quotes: bool
) -> tuple[dict[int, _ListedItem], list[str]]:
    """Items of some rows with the answers of all candidates, and why a log gave no texts."""
    problems: list[str] = []
    found: list[tuple[list[Item], list[ItemTexts], Comparison, list[int]]] = []
    keys = candidates.table.keys
    for one in shown.values():
        positions = {key: place for place, key in enumerate(one.table.keys)}
        places = [positions[keys[row]] for row in rows]
        every = list(one.items())
        items = [every[place] for place in places]
        read = texts_of(one, items if quotes else [])
        problems += [read.problem] if read.problem else []
        texts = [hide_text_secrets(text).value for text in read.items]
        found.append((items, texts, one, places))
    written = {}
    for number, row in enumerate(rows):
        items_of, texts_first, first, places = found[0]
        asked = first.table.asked
        question = texts_first[number].question if quotes else None
        if quotes and question is None and asked is not None:
            question = asked[places[number]]
        item = items_of[number]
        written[row] = _ListedItem(
            item,
            question and question[:TEXT_LIMIT],
            answer_text(item.old)[:TEXT_LIMIT] if quotes else "",
            answer_text(item.reference)[:TEXT_LIMIT] if quotes else "",
            [
                _Answer(
                    _safe(name),
                    bool(candidates.right[place, row]),
                    answer_text(items[number].new)[:TEXT_LIMIT] if quotes else "",
                    items[number].new is not None,
                    texts[number].new_option if quotes else None,
                )
                for place, (name, (items, texts, _, _)) in enumerate(
                    zip(candidates.names, found, strict=True)
                )
            ],
        )
    return written, list(dict.fromkeys(problems))
