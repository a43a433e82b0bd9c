"""The reader of yes and no, in the languages that multilingual benchmarks use."""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from muscle_metrics.answers.reading.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["READERS", "yes_or_no"]

# Language: yes; no. A word that means the one here and the other elsewhere is left out.
_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "en": ("yes yeah yep yup true", "no nope nah false"),
        "ar": ("نعم أجل", "لا كلا"),
        "bn": ("হ্যাঁ", "না"),
        "cs": ("ano", "ne"),
        "da": ("ja", "nej"),
        "de": ("ja jawohl", "nein"),
        "el": ("ναι", "όχι"),
        "es": ("sí", "no"),
        "fa": ("بله آری", "خیر نه"),
        "fi": ("kyllä", "ei"),
        "fr": ("oui", "non"),
        "he": ("כן", "לא"),
        "hi": ("हाँ हां", "नहीं"),
        "hu": ("igen", "nem"),
        "id": ("ya", "tidak bukan"),
        "it": ("sì", "no"),
        "ja": ("はい", "いいえ"),
        "ko": ("네 예", "아니요 아니오"),
        "nl": ("ja", "nee"),
        "pl": ("tak", "nie"),
        "pt": ("sim", "não"),
        "ru": ("да", "нет"),
        "sv": ("ja", "nej"),
        "sw": ("ndiyo", "hapana"),
        "th": ("ใช่", "ไม่ใช่ ไม่"),
        "tr": ("evet", "hayır"),
        "uk": ("так", "ні"),
        "ur": ("ہاں", "نہیں"),
        "vi": ("có đúng", "không"),
        "zh": ("是 是的 对", "不 不是 否 不对"),
    }
)
_YES, _NO = (
    frozenset(
        unicodedata.normalize("NFC", word)
        for both in _WORDS.values()
        for word in both[side].split()
    )
    for side in (0, 1)
)
_LONGEST = 12
_EDGES = r"\s*_`\"'“”‘’«»()\[\]{}<>.,;:!?¡¿…。，、；：！？؟।–—/\\|#$=-"
# No longer than needed to know that it is too long: text without spaces is one word.
_WORD = re.compile(rf"[{_EDGES}]*+([^{_EDGES}]{{1,{_LONGEST + 1}}}+)")
_LAST_WORD = re.compile(rf"([^{_EDGES}]++)[{_EDGES}]*+\Z")
_STATED = re.compile(
    r"\b(?:answer(?: is)?+|antwort(?: ist)?+|respuesta(?: es)?+|réponse(?: est)?+|resposta(?: é)?+"
    r"|risposta(?: è)?+|ответ)(?=[\s:*])|答案|回答|答え",
    re.IGNORECASE,
)
# "Yes and no" and "yes/no" are no answer.
_JOINED = re.compile(
    r"[\s*_]*+(?:,?\s?(?:and|or|und|oder|et|ou|y|o|e|и|или)\s|[/|])", re.IGNORECASE
)
_TAIL = 60
# A text of a megabyte may repeat one word.
_MOST_STATED = 1000


def yes_or_no(text: str) -> str | None:
    """Read an answer as "yes" or "no": by what it states, by its first word, or by its last one.

    Examples
    --------
    >>> yes_or_no("Yes, there is no doubt."), yes_or_no("**Нет**, это другой город.")
    ('yes', 'no')
    >>> yes_or_no("Yes and no."), yes_or_no("It depends.")
    (None, None)
    """
    for stated in reversed(deque(_STATED.finditer(text), maxlen=_MOST_STATED)):
        found = _at(text, stated.end())
        if found is not None:
            return found or None
    found = _at(text, 0)
    if found is not None:
        return found or None
    tail = text.rstrip()[-_TAIL:]
    last = _LAST_WORD.search(tail)
    if last is None:
        return None
    before = _LAST_WORD.search(_JOINED.sub(" ", tail[: last.start()]) + " ")
    found = _meaning(last[1])
    opposite = before is not None and _meaning(before[1]) not in (None, found)
    return None if opposite else found


def _at(text: str, position: int) -> str | None:
    """Meaning of the word at a position; "" where it stands for both, None for any other word."""
    word = _WORD.match(text, position)
    found = _meaning(word[1]) if word else None
    if word is None or found is None:
        return None
    joined = _JOINED.match(text, word.end())
    other = _WORD.match(text, joined.end()) if joined else None
    return "" if other and _meaning(other[1]) not in (None, found) else found


def _meaning(word: str) -> str | None:
    if len(word) > _LONGEST:
        return None
    word = unicodedata.normalize("NFC", word.casefold())
    return "yes" if word in _YES else "no" if word in _NO else None


def _only(text: str) -> str | None:
    """Read a reference, which is one word; a sentence is more than yes or no, and Y is a letter."""
    word = _WORD.match(text)
    if word is None or _WORD.match(text, word.end()):
        return None
    return _meaning(word[1])


READERS: Final = (
    Reader(
        name="yes-no",
        does="yes or no, in 30 languages: as stated, as the first word, or as the last one",
        prediction=yes_or_no,
        reference=_only,
    ),
)
