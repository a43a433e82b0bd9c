"""The page on which a person labels a sheet: one file, blind, that exports the sheet again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.comparison.items import answer_text
from muscle_metrics.labels.sheet import COLUMNS, WORDS, sheet_rows
from muscle_metrics.reports.html.difference import Segment, differing_words
from muscle_metrics.reports.html.environment import render, script_of
from muscle_metrics.words.place import item_name
from muscle_metrics.words.secrets import without_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muscle_metrics.labels.design import Design
    from muscle_metrics.labels.items import LabelItems
    from muscle_metrics.labels.sheet import Label, SheetRow

__all__ = ["label_page"]

# Words of longer answers are not compared: a page must open soon.
MOST_COMPARED = 4000


class _Shown(NamedTuple):
    """A row as the page shows it: whole texts, and the cells that the sheet holds of them."""

    number: int
    cells: list[str]
    name: str
    prompt: str | None
    reference: str | None
    segments: list[list[Segment]]
    is_equal: bool
    words: dict[str, str]
    note: str


def label_page(
    items: LabelItems,
    design: Design,
    labels: Mapping[int, tuple[Label, str]] | None = None,
    *,
    file: str = "sheet.csv",
) -> str:
    """Write the page of a design, with the parameters of `make_sheet`.

    Parameters
    ----------
    items : LabelItems
        Old and new answers.
    design : Design
        Which rows to draw.
    labels : mapping of int to (Label, str), optional
        Labels and notes that are known already, by the position of the item.
    file : str
        Name of the sheet that the page exports.

    Returns
    -------
    str
        HTML that asks for nothing elsewhere. It does not say which answer is new, and its sheet has
        the cells of `make_sheet`, so that the same checks hold.

    Raises
    ------
    MissingDependencyError
        If jinja2 is not installed: ``pip install 'muscle-metrics[report]'``.

    Examples
    --------
    >>> from muscle_metrics import plan_labels
    >>> old = [{"id": "1", "prediction": "yes"}, {"id": "2", "prediction": "no"}]
    >>> new = [{"id": "1", "prediction": "Yes."}, {"id": "2", "prediction": "no"}]
    >>> plan = plan_labels(old, new, budget=2, seed=7)
    >>> label_page(plan.items, plan.design)[:15]
    '<!doctype html>'
    """
    rows = [_shown(items, row) for row in sheet_rows(items, design, labels or {})]
    return str(
        render(
            "labels.html",
            rows=rows,
            file=file,
            digest=design.digest,
            columns=COLUMNS,
            words={word: _written(word, means) for word, means in WORDS.items()},
            script=script_of("labels.js"),
        )
    )


def _shown(items: LabelItems, row: SheetRow) -> _Shown:
    task, name = items.identities[row.position]
    reference = items.joined.references[0][row.position]
    first, second = (without_secrets(answer_text(answer)) for answer in row.answers)
    cells = dict(zip(COLUMNS, row.cells, strict=True))
    return _Shown(
        number=row.number,
        cells=row.cells,
        name=item_name(task, name, None),
        prompt=items.prompts[row.position],
        reference=None if reference is None else answer_text(reference),
        segments=_compared(first, second),
        is_equal=cells["answer_a"] == cells["answer_b"],
        words={"a": cells["right_a"], "b": cells["right_b"]},
        note=cells["note"].removeprefix("'"),
    )


def _compared(first: str, second: str) -> list[list[Segment]]:
    """Segments of both texts; none is marked where they share too little."""
    if max(len(first), len(second)) <= MOST_COMPARED:
        found = differing_words(first, second)
        if any(not segment.differs for segments in found for segment in segments):
            return list(found)
    return [[Segment(text, differs=False)] if text else [] for text in (first, second)]


def _written(word: str, means: bool | None) -> str:
    """Write a label as the sheet does; an empty cell is none, and ? is one."""
    return word if means is None else "yes" if means else "no"
