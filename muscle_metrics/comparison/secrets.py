"""Keys and passwords in a comparison, hidden before its texts are published."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from muscle_metrics.words.secrets import Hidden, hide_secrets

if TYPE_CHECKING:
    from muscle_metrics.comparison.comparison import Comparison

__all__ = ["hide_comparison_secrets"]

TEXT_COLUMNS = ("old", "new", "references", "asked")


def hide_comparison_secrets(comparison: Comparison) -> Hidden:
    """Replace secrets in every prompt, answer, reference and recorded circumstance.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> comparison = compare(old=["hf_" + "a1" * 9], new=["B"], references=["A"])
    >>> hidden = hide_comparison_secrets(comparison)
    >>> hidden.number, hidden.value.table.old
    (1, ('[hidden secret]',))
    """
    table = comparison.table
    columns = {name: hide_secrets(getattr(table, name)) for name in TEXT_COLUMNS}
    circumstances = [
        {part: hide_secrets(text) for part, text in fingerprint.items()}
        for fingerprint in comparison.fingerprints
    ]
    found = [*columns.values(), *(one for parts in circumstances for one in parts.values())]
    count = sum(part.number for part in found)
    if not count:
        return Hidden(comparison, 0)
    old, new = ({name: one.value for name, one in parts.items()} for parts in circumstances)
    values = {name: column.value for name, column in columns.items()}
    shown = replace(comparison, table=replace(table, **values), fingerprints=(old, new))
    return Hidden(shown, count)
