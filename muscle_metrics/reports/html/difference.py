"""The words in which two texts differ."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Segment", "differing_words"]

# Scripts that put no blanks between words are compared letter by letter.
_LETTERS = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_LETTERS}]\s*|[^\s{_LETTERS}]+\s*|\s+")
# Longer texts are marked as a whole, and so are texts that share too few words: marks around the
# common words of two unrelated texts are hard to read.
MOST_WORDS = 1000
LEAST_SHARED = 0.25


class Segment(NamedTuple):
    """Words in a row that are all in the other text, or all not."""

    text: str
    differs: bool


def differing_words(old: str, new: str) -> tuple[list[Segment], list[Segment]]:
    """Split two texts into segments; those that do not differ are in both, in the same order.

    Parameters
    ----------
    old, new : str
        Any texts.

    Returns
    -------
    tuple of list of Segment
        Segments of `old` and of `new`; joined, they are the text. Texts that differ always have a
        segment that differs.

    Examples
    --------
    >>> differing_words("one two", "one three")
    ([Segment(text='one ', differs=False), Segment(text='two', differs=True)],
     [Segment(text='one ', differs=False), Segment(text='three', differs=True)])
    """
    from rapidfuzz.distance import Indel

    if old == new:
        return _whole(old, differs=False), _whole(new, differs=False)
    befores, afters = _WORD.findall(old), _WORD.findall(new)
    if max(len(befores), len(afters)) > MOST_WORDS:
        return _whole(old), _whole(new)
    words = [word.strip() for word in befores], [word.strip() for word in afters]
    steps = Indel.opcodes(*words)
    shared = sum(step.src_end - step.src_start for step in steps if step.tag == "equal")
    if shared < LEAST_SHARED * min(map(len, words)) or all(step.tag == "equal" for step in steps):
        return _whole(old), _whole(new)
    before, after = [], []
    for step in steps:
        differs = step.tag != "equal"
        before += _whole("".join(befores[step.src_start : step.src_end]), differs=differs)
        after += _whole("".join(afters[step.dest_start : step.dest_end]), differs=differs)
    return before, after


def _whole(text: str, *, differs: bool = True) -> list[Segment]:
    return [Segment(text, differs)] if text else []
