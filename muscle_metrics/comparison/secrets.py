"""A comparison whose texts may be published: without secrets, or without any text."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from muscle_metrics.words.numbers import counted
from muscle_metrics.words.secrets import Hidden, hide_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from muscle_metrics.comparison.comparison import Comparison

__all__ = ["hide_comparison_secrets", "redact_comparison", "secret_names"]

TEXT_COLUMNS = ("old", "new", "references", "asked")
DIGITS = 8


def hide_comparison_secrets(comparison: Comparison) -> Hidden:
    """Replace secrets in every prompt, answer, reference and fingerprint.

    Names of items and slices stay: two of them that differ in a secret alone would become one.
    Whoever shows a name hides its secrets.
    """
    table = comparison.table
    columns = {name: hide_secrets(getattr(table, name)) for name in TEXT_COLUMNS}
    fingerprints = [
        {name: hide_secrets(text) for name, text in fingerprint.items()}
        for fingerprint in comparison.fingerprints
    ]
    found = [columns, *fingerprints]
    count = sum(hidden.number for values in found for hidden in values.values())
    if not count:
        return Hidden(comparison, 0)
    values, old, new = ({name: one.value for name, one in texts.items()} for texts in found)
    shown = replace(comparison, table=replace(table, **values), fingerprints=(old, new))
    return Hidden(shown, count)


def secret_names(comparison: Comparison) -> int:
    """Count the secrets in the names of items, tasks, repeats, slices and groups."""
    table = comparison.table
    columns = (table.ids, table.tasks, table.repeats, table.slices, table.groups)
    names = {name for column in columns for name in column if name}
    return sum(hide_secrets(name).number for name in names)


def redact_comparison(comparison: Comparison) -> Comparison:
    """Replace every prompt, answer and reference by its length and a hash.

    The key of the hash comes from all texts together. A reader of the report alone cannot guess a
    short answer and check its hash; the same comparison gives the same hashes.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> table = redact_comparison(compare(old=["A"], new=["B"], references=["A"])).table
    >>> table.old == table.references, table.old[0].startswith("[1 character, ")
    (True, True)
    """
    table = comparison.table
    columns = {name: getattr(table, name) or () for name in TEXT_COLUMNS}
    conceal = _concealer(value for column in columns.values() for value in column)
    # Prompts may not be recorded at all: None stays None.
    concealed: dict[str, Any] = {
        name: tuple(map(conceal, column)) or None for name, column in columns.items()
    }
    # Without origins: nothing reads a text of the logs again.
    return replace(comparison, table=replace(table, **concealed), origins=())


def _concealer(values: Iterable[Any]) -> Callable[[Any], Any]:
    key = hashlib.sha256()
    for value in values:
        key.update(repr(value).encode("utf-8", "backslashreplace") + b"\0")
    secret = key.digest()

    def conceal(value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, (list, tuple)):
            return [conceal(one) for one in value]
        text = str(value)
        content = text.encode("utf-8", "backslashreplace")
        digest = hashlib.blake2b(content, key=secret, digest_size=DIGITS // 2).hexdigest()
        return f"[{counted(len(text), 'character')}, {digest}]"

    return conceal
