r"""The reader of what stands in the last ``\boxed{...}`` of an answer."""

from __future__ import annotations

import re
from collections import deque
from typing import Final

from muscle_metrics.answers.reading.blocks import without_reasoning
from muscle_metrics.answers.reading.reader import Reader

__all__ = ["READERS", "Box", "last_box"]

_BRACES = re.compile(r"(\\+f?boxed\s{0,9}\{)|(\\*)([{}])")
_BARE = re.compile(r"\\f?boxed\s{1,9}([^\s{}$\\]{1,100}+)")


class Box(str):
    """Content of a box, and where it starts and ends in its text."""

    __slots__ = ("end", "start")

    start: int
    end: int


def last_box(text: str) -> Box | None:
    r"""Content of the last closed ``\boxed{...}`` or ``\fbox{...}``, with any braces inside.

    Of a box in a box it is the outer one. ``\boxed 5`` without braces counts too.

    Examples
    --------
    >>> last_box(r"$\boxed{1}$, no, $\boxed{\frac{1}{2}}$.")
    '\\frac{1}{2}'
    """
    if "box" not in text:
        return None
    opened: list[tuple[int, int] | None] = []
    found: tuple[int, int, int] | None = None
    for brace in _BRACES.finditer(text):
        if brace[1]:
            opened.append((brace.start(), brace.end()))
        elif len(brace[2]) % 2:
            continue  # "\{" is a brace to be printed
        elif brace[3] == "{":
            opened.append(None)
        elif opened:
            top = opened.pop()
            if top is not None:
                found = (*top, brace.start(3))
    bare = next(iter(deque(_BARE.finditer(text), maxlen=1)), None)
    if bare is not None and (found is None or bare.start() > found[2]):
        return _box(text, bare.start(), bare.start(1), bare.end(1))
    return None if found is None else _box(text, *found)


def _box(text: str, start: int, inner: int, end: int) -> Box:
    box = Box(text[inner:end])
    box.start, box.end = start, end
    return box


def _boxed(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    text = without_reasoning(value)
    box = None if text is None else last_box(text)
    content = None if box is None else " ".join(box.split())
    return rf"\boxed{{{content}}}" if content else None


def _reference(value: object) -> str | None:
    if isinstance(value, str) and last_box(value) is None:
        return _boxed(rf"\boxed{{{value}}}")
    return _boxed(value)


READERS: Final = (
    Reader(
        name="boxed",
        does=r"the last \boxed{...}, with its braces; a reference without one is boxed whole",
        prediction=_boxed,
        reference=_reference,
    ),
)
