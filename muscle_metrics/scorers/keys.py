"""Functions for ``--key`` (``key=``) that bring answers and references into one form.

Each takes an answer and returns it normalised; what is no text is returned unchanged.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, TypeVar

from muscle_metrics.scorers.exact import extract_answer

if TYPE_CHECKING:
    from muscle_metrics.scorers.exact import Extraction

__all__ = ["letter", "number", "plain"]

Answer = TypeVar("Answer")


def plain(answer: Answer) -> Answer | str:
    """Ignore case, the length of white space, and ASCII punctuation at both ends.

    Examples
    --------
    >>> plain(" New  York. "), plain(7)
    ('new york', 7)
    """
    if not isinstance(answer, str):
        return answer
    return " ".join(answer.casefold().split()).strip(string.punctuation + " ")


def letter(answer: Answer) -> Answer | str:
    """Letter of the choice that a text ends in or starts with; the text itself without one.

    Examples
    --------
    >>> letter("(C) is tempting, but the answer is (B)."), letter("none of them")
    ('B', 'none of them')
    """
    return _found(answer, "choice")


def number(answer: Answer) -> Answer | str:
    """Last number in a text, in one spelling; the text itself without one.

    Examples
    --------
    >>> number("5 - 3 = 2, so she pays $1,200.50."), number("nothing")
    ('1200.5', 'nothing')
    """
    return _found(answer, "gsm8k-flexible")


def _found(answer: Answer, kind: Extraction) -> Answer | str:
    if not isinstance(answer, str):
        return answer
    found = extract_answer(answer, kind)
    return answer if found is None else found
