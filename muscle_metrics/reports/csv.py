"""Every item of a comparison as CSV in which a spreadsheet finds no formula."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from muscle_metrics.comparison.items import answer_text
from muscle_metrics.comparison.secrets import hide_comparison_secrets
from muscle_metrics.words.escape import distinct, spreadsheet, terminal
from muscle_metrics.words.secrets import without_secrets

if TYPE_CHECKING:
    from muscle_metrics.comparison.comparison import Comparison

__all__ = ["items_csv"]


def items_csv(comparison: Comparison) -> str:
    """Write all items as CSV, in the natural order of ids.

    Parameters
    ----------
    comparison : Comparison
        Old against new.

    Returns
    -------
    str
        One line per item after a line of names, in UTF-8. Id, task and repeat are as given, because
        they join the table to others; elsewhere secrets are hidden. Texts are on one line, and
        start with an apostrophe where a spreadsheet would take them for a formula. Scores are
        numbers.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> print(items_csv(compare(old=["A"], new=["=1+1"], references=["A"])))
    id,task,repeat,slice,quadrant,changed,prompt,reference,old,new
    0,,,,negative,True,,A,A,'=1+1
    """
    comparison = hide_comparison_secrets(comparison).value
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    head = ["id", "task", "repeat", "slice", "quadrant", "changed", "prompt", "reference"]
    scores = list(comparison.changes.items())
    metrics = [f"{age} {terminal(metric)}" for metric, _ in scores for age in ("old", "new")]
    reading = None if comparison.reading is None else comparison.reading.reading
    explains = reading is not None and reading.explains
    mismatches = ["old mismatch", "new mismatch"] if explains else []
    writer.writerow([*head, "old", "new", *mismatches, *metrics])
    asked = comparison.table.asked or [None] * comparison.total
    for position, item in enumerate(comparison.items()):
        names = [name and distinct(name) for name in (item.id, item.task, item.repeat)]
        names.append(item.slice and distinct(without_secrets(item.slice)))
        texts = [asked[position], item.reference, item.old, item.new]
        if reading is not None and explains:
            found = (reading.mismatch(answer, item.reference) for answer in (item.old, item.new))
            texts += [why and without_secrets(why) for why in found]
        graded = [
            float(column[position])
            for _, changes in scores
            for column in (changes.old, changes.new)
        ]
        writer.writerow([*map(_cell, (*names, item.quadrant, item.changed, *texts)), *graded])
    return file.getvalue()


def _cell(value: Any) -> Any:
    """Keep numbers and empty cells; write any other value as text."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return spreadsheet(answer_text(value))
