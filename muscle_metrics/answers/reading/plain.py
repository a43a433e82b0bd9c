"""Readers that take a whole text, or one line of it, and ignore some of its differences."""

from __future__ import annotations

import re
import string
import unicodedata
from typing import Final, Literal, TypeAlias

from muscle_metrics.answers.reading.reader import Reader

__all__ = ["READERS", "UnicodeForm", "in_form", "single_spaces", "squad", "without_articles"]

_ARTICLES = re.compile(r"\b(?:a|an|the)\b", re.IGNORECASE)
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
_MOST_MARKS = 30

UnicodeForm: TypeAlias = Literal["NFC", "NFD", "NFKC", "NFKD"]


def single_spaces(text: str) -> str:
    """Put one space for each stretch of white space, and none at the ends."""
    return " ".join(text.split())


def without_articles(text: str) -> str:
    """Put a space for each English article."""
    return _ARTICLES.sub(" ", text)


def squad(text: str) -> str:
    """Lower-case words without ASCII punctuation and English articles, as SQuAD compares them.

    Examples
    --------
    >>> squad("The  U.S.A.")
    'usa'
    """
    return single_spaces(without_articles(text.lower().translate(_NO_PUNCTUATION)))


def in_form(text: str, form: UnicodeForm) -> str:
    """Normalize in pieces: ordering a run of combining marks takes the square of its length.

    No script stacks more than 30 (Unicode Standard Annex 15, Stream-Safe Text Format).
    """
    if text.isascii():
        return text
    cuts = [0]
    marks = 0
    for position, character in enumerate(text):
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks > _MOST_MARKS:
            cuts.append(position)
            marks = 1
    pieces = zip(cuts, [*cuts[1:], len(text)], strict=True)
    return "".join(unicodedata.normalize(form, text[start:stop]) for start, stop in pieces)


def _nfkc(text: str) -> str:
    return in_form(text, "NFKC")


def _first_line(text: str) -> str | None:
    return next((line.strip() for line in text.splitlines() if line.strip()), None)


def _last_line(text: str) -> str | None:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), None)


def _only_line(text: str) -> str | None:
    """Take the one line of a reference; None where several could be meant."""
    lines = text.strip().splitlines()
    return lines[0].strip() if len(lines) == 1 else None


READERS: Final = (
    Reader(
        name="strip",
        does="the text without white space at both ends",
        prediction=str.strip,
        reference=str.strip,
    ),
    Reader(
        name="casefold",
        does="the text without its case, by Unicode case folding",
        prediction=str.casefold,
        reference=str.casefold,
    ),
    Reader(
        name="nfkc",
        does="the text in the normal form NFKC: one spelling of wide letters and accents",
        prediction=_nfkc,
        reference=_nfkc,
    ),
    Reader(
        name="squad",
        does="its words in lower case without ASCII punctuation and English articles, as SQuAD",
        prediction=squad,
        reference=squad,
    ),
    Reader(
        name="first-line",
        does="the first line that is not blank; a reference must have one line",
        prediction=_first_line,
        reference=_only_line,
    ),
    Reader(
        name="last-line",
        does="the last line that is not blank; a reference must have one line",
        prediction=_last_line,
        reference=_only_line,
    ),
)
