"""A comparison without its texts: what remains tells lengths, and which texts are the same."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from muscle_metrics.comparison.comparison import Comparison

__all__ = ["redacted"]

DIGITS = 8


def redacted(comparison: Comparison) -> Comparison:
    """Replace every prompt, answer and reference by its length and a hash.

    The key of the hash is drawn from all texts together: whoever has only the report cannot try
    out which short answer a hash belongs to, and the same comparison gives the same hashes.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> table = redacted(compare(old=["A"], new=["B"], references=["A"])).table
    >>> table.old == table.references, table.old[0].startswith("[1 character, ")
    (True, True)
    """
    table = comparison.table
    columns = [table.old, table.new, table.references, table.asked or ()]
    conceal = _concealer(value for column in columns for value in column)
    old, new, references, asked = (tuple(map(conceal, column)) for column in columns)
    return replace(
        comparison,
        table=replace(
            table,
            old=old,
            new=new,
            references=references,
            asked=None if table.asked is None else asked,
        ),
    )


def _concealer(values: Iterable[Any]) -> Callable[[Any], Any]:
    key = hashlib.sha256()
    for value in values:
        key.update(repr(value).encode("utf-8", "backslashreplace") + b"\0")
    secret = key.digest()

    def conceal(value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, (list, tuple)):
            return [conceal(part) for part in value]
        text = str(value)
        characters = f"{len(text)} character{'' if len(text) == 1 else 's'}"
        content = text.encode("utf-8", "backslashreplace")
        digest = hashlib.blake2b(content, key=secret, digest_size=DIGITS // 2).hexdigest()
        return f"[{characters}, {digest}]"

    return conceal
