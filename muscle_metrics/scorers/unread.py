"""Texts that a tokenizer does not read: a metric would score any two of them alike, and so 0.

A word is read if the tokenizer makes a token of it. Letters with accents may be lost within a word
of Latin script, as rouge-score does ("café" becomes "caf"), but not a whole word. Letters of any
other script count one by one. A long run of a script without spaces is no word: as one token it
matches only itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Sequence, Set
from functools import cache
from typing import TYPE_CHECKING, Literal, TypeAlias

from muscle_metrics.errors import InputError
from muscle_metrics.words.numbers import counted

if TYPE_CHECKING:
    from muscle_metrics.scorers.texts import Pairs

__all__ = ["SCORE_UNREAD", "Tokenize", "Unread", "find_unread", "kinds_of", "refuse_unread"]

Tokenize: TypeAlias = Callable[[str], Iterable[Hashable | None]]
"""From a text to its tokens; None stands for a token that means "unknown"."""

Unread: TypeAlias = Literal["raise", "score"]
"""Whether texts that a metric does not read are an error, or are scored as they are."""

SCORE_UNREAD = "score them all the same (unread='score')"
"""The way out for those who know that a metric does not read their texts."""

# A text is unread if more than this share of its letters and digits is lost.
MOST_LOST = 0.25
# Chinese, Japanese and Thai words seldom have more characters; sentences do.
LONGEST_WORD = 7

_LATIN_BLOCKS = ((0x0, 0x2FF), (0x1E00, 0x1EFF), (0x2C60, 0x2C7F), (0xA720, 0xA7FF))
_WITHOUT_SPACES = (
    *("CJK ", "IDEOGRAPHIC ", "HIRAGANA ", "KATAKANA", "HALFWIDTH KATAKANA", "BOPOMOFO ", "YI "),
    *("THAI ", "LAO ", "KHMER ", "MYANMAR ", "TIBETAN ", "TAI ", "NEW TAI ", "JAVANESE "),
    *("BALINESE ", "SUNDANESE ", "NUSHU ", "TANGUT "),
)
# Runs of letters of one kind, in a text that `_Kinds` has translated.
_RUN = re.compile(r"[os][osm]*|l[lm]*")
_ASCII_WORD = re.compile(r"[a-zA-Z0-9]")
# Anything but Latin letters, common punctuation, symbols and emoji.
_FOREIGN = re.compile(r"[^\0-\u02ff\u2000-\u20cf\u2150-\u2bff\ufe00-\ufe0f\U0001f000-\U0001faff]")


class _Kinds(dict[int, str]):
    """For `str.translate`: the kind of each character.

    l is a letter of Latin script or a digit, o a letter or digit of another script, s a letter of
    a script without spaces, m a mark on the letter before it.
    """

    def __missing__(self, code: int) -> str:
        self[code] = _kind(chr(code))
        return self[code]


def _kind(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] == "M":
        return "m"
    if category[0] not in "LN":
        return " "
    # Such as ² and ½.
    if category in ("No", "Nl"):
        return "l"
    if any(low <= ord(character) <= high for low, high in _LATIN_BLOCKS):
        return "l"
    return "s" if unicodedata.name(character, "").startswith(_WITHOUT_SPACES) else "o"


_KINDS = _Kinds()


def kinds_of(text: str) -> str:
    """Kind of each character of a text, one letter for each.

    Returns
    -------
    str
        l for letters of Latin script and digits, s for letters of scripts without spaces, o for
        those of others, m for marks on the letter before them; a space for all else.

    Examples
    --------
    >>> kinds_of("5 cafés, 日本")
    'l lllll  ss'
    """
    return text.translate(_KINDS)


def find_unread(texts: Iterable[str], tokenize: Tokenize) -> set[str]:
    """Find the texts of which a tokenizer loses too much.

    Parameters
    ----------
    texts : iterable of str
        Distinct texts.
    tokenize : callable
        The tokenizer; it is asked about single words, too.

    Returns
    -------
    set of str
        Texts without a token, blank ones left out; and those of which more than a quarter of the
        letters and digits is lost.

    Examples
    --------
    >>> words = re.compile("[a-z0-9]+").findall
    >>> sorted(find_unread(["", "...", "un café à Paris", "да 2024", "日本 2024"], words))
    ['...', 'да 2024', '日本 2024']
    """

    @cache
    def lost_share(word: str) -> float:
        tokens = list(tokenize(word))
        return tokens.count(None) / len(tokens) if tokens else 1.0

    return {text for text in texts if _is_unread(text, list(tokenize(text)), lost_share)}


def _is_unread(
    text: str, tokens: Sequence[Hashable | None], lost_share: Callable[[str], float]
) -> bool:
    unknown = tokens.count(None)
    if unknown == len(tokens):
        return not text.isspace() and text != ""
    if not unknown and not _FOREIGN.search(text):
        return False
    kinds = kinds_of(text)
    letters = len(kinds) - kinds.count(" ") - kinds.count("m")
    lost = sum(map(_uncut, tokens)) if "s" in kinds else 0.0
    for run in _RUN.finditer(kinds):
        word = text[run.start() : run.end()]
        size = len(run[0]) - run[0].count("m")
        # Single letters such as "à" are words of Western languages, and lost as rouge-score does.
        if run[0][0] != "l" or (size > 1 and (unknown or not _ASCII_WORD.search(word))):
            lost += size * lost_share(word)
    return lost > MOST_LOST * letters


def _uncut(token: Hashable | None) -> int:
    """Count the letters of a script without spaces in a token, if they are more than a word."""
    if not isinstance(token, str) or token.isascii():
        return 0
    letters = kinds_of(token).count("s")
    return letters if letters > LONGEST_WORD else 0


def refuse_unread(
    metric: str,
    pairs: Pairs,
    unread: Set[str],
    advice: str | Callable[[], str],
    *,
    in_python: str = "",
    unmatched: Set[str] = frozenset(),
) -> None:
    """Refuse items of which a metric reads no reference, or not the words of the prediction.

    A prediction without a letter or digit, such as "...", is read as having no words. A reference
    like that can never be matched.

    Parameters
    ----------
    metric : str
        Name of the metric.
    pairs : Pairs
        The texts.
    unread : set of str
        The texts that the metric does not read.
    advice : str or callable
        What to do, or a function that finds it out.
    in_python : str
        What to do with an option that has no flag.
    unmatched : set of str
        Further texts that are no use as a reference.

    Raises
    ------
    InputError
        If there are any, with their number.
    """
    references = pairs.only_references(unread | unmatched)
    spoken = {text for text in unread if _has_letters(text)}
    predictions = list(dict.fromkeys(text for text, _ in pairs.distinct if text in spoken))
    lost = [
        counted(len(texts), name)
        for name, texts in (("reference", references), ("prediction", predictions))
        if texts
    ]
    if lost:
        first = [*references, *predictions][0]
        way_out = advice() if callable(advice) else advice
        raise InputError(
            f"expected texts that {metric} reads, got {' and '.join(lost)} whose words its "
            f"tokenizer loses, such as {first[:40]!r}: {way_out}",
            in_python=", or ".join(filter(None, (in_python, SCORE_UNREAD))),
        )


def _has_letters(text: str) -> bool:
    return any(unicodedata.category(character)[0] in "LN" for character in text)
