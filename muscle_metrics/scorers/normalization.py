"""What two answers may differ in and still be the same answer."""

from __future__ import annotations

import re
import unicodedata
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["UnicodeForm", "normalizer"]

UnicodeForm: TypeAlias = Literal["NFC", "NFD", "NFKC", "NFKD"]

_ARTICLES = re.compile(r"\b(?:a|an|the)\b", re.IGNORECASE)
_ASCII_SYMBOLS = "$+<=>^`|~"
_MOST_MARKS = 30


def normalizer(
    *,
    strip: bool,
    ignore_case: bool,
    ignore_punctuation: bool,
    ignore_articles: bool,
    normalize_whitespace: bool,
    unicode_form: UnicodeForm | None,
) -> Callable[[str], str]:
    """Build the function that removes from a text what is not to count; linear in its length.

    Raises
    ------
    UsageError
        If the Unicode form is unknown.

    Examples
    --------
    >>> normal = normalizer(
    ...     strip=True,
    ...     ignore_case=True,
    ...     ignore_punctuation=True,
    ...     ignore_articles=True,
    ...     normalize_whitespace=True,
    ...     unicode_form="NFC",
    ... )
    >>> normal("The  Seine, a river.")
    'seine river'
    """
    if unicode_form is not None and unicode_form not in get_args(UnicodeForm):
        raise UsageError(
            f"expected unicode_form to be None or one of {list(get_args(UnicodeForm))}, "
            f"got {unicode_form!r}"
        )
    steps: list[Callable[[str], str]] = []
    if unicode_form is not None:
        steps.append(partial(_in_form, form=unicode_form))
    if ignore_case:
        steps.append(str.casefold)
    if ignore_punctuation:
        steps.append(_without_punctuation)
    if ignore_articles:
        steps.append(partial(_ARTICLES.sub, " "))
    if strip:
        steps.append(str.strip)
    if normalize_whitespace or ignore_articles:
        steps.append(_with_single_spaces)

    def normalize(text: str) -> str:
        for step in steps:
            text = step(text)
        return text

    return normalize


def _with_single_spaces(text: str) -> str:
    return " ".join(text.split())


class _Kept(dict[int, int | None]):
    """For `str.translate`: a character itself, or None for punctuation."""

    def __missing__(self, code: int) -> int | None:
        character = chr(code)
        punctuation = unicodedata.category(character)[0] == "P" or character in _ASCII_SYMBOLS
        self[code] = None if punctuation else code
        return self[code]


_KEPT = _Kept()


def _without_punctuation(text: str) -> str:
    return text.translate(_KEPT)


def _in_form(text: str, form: UnicodeForm) -> str:
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
