"""The order of ids that a reader expects: 2 before 10, and never that of a file."""

from __future__ import annotations

import re

__all__ = ["natural_order"]

_DIGITS = re.compile(r"([0-9]+)")


def natural_order(text: str) -> tuple[tuple[object, ...], str]:
    """Key to sort text by in which runs of digits count as numbers.

    Texts with the same numbers, such as ``1`` and ``01``, are ordered as text.

    Examples
    --------
    >>> sorted(["item-10", "item-2", "item-1"], key=natural_order)
    ['item-1', 'item-2', 'item-10']
    """
    parts: list[object] = []
    for index, part in enumerate(_DIGITS.split(text)):
        if index % 2:
            # Length, then digits: the order of numbers, without converting thousands of digits.
            digits = part.lstrip("0")
            parts.append((len(digits), digits))
        else:
            parts.append(part)
    return tuple(parts), text
