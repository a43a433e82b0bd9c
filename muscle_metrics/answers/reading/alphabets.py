"""Letters of options in every script: which letter of an item's options a written letter names."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["LATIN", "SCRIPTS", "letter_names"]

LATIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

# The first options as schools of a language letter them; the first is A. Marathi letters its third
# option by the first letter of Hindi: name its letters with `choices`.
SCRIPTS = (
    ("أ", "ب", "ج", "د", "ه"),  # Arabic
    ("ا", "ب", "ج", "د", "هـ"),
    ("الف", "ب", "ج", "د"),  # Persian, Urdu
    ("ক", "খ", "গ", "ঘ", "ঙ"),  # Bengali, then names of Latin letters
    ("এ", "বি", "সি", "ডি"),
    ("অ", "ব"),
    ("क", "ख", "ग", "घ", "ङ"),  # Hindi, then two ways to write Latin letters
    ("अ", "ब", "स", "द"),
    ("ए", "बी", "सी", "डी"),
    ("А", "Б", "В", "Г", "Д", "Е"),  # Cyrillic
    ("Α", "Β", "Γ", "Δ", "Ε"),  # Greek
    ("א", "ב", "ג", "ד", "ה"),  # Hebrew
    ("가", "나", "다", "라", "마"),  # Korean
    ("ア", "イ", "ウ", "エ", "オ"),  # Japanese
    ("甲", "乙", "丙", "丁", "戊"),  # Chinese
    ("ก", "ข", "ค", "ง", "จ"),  # Thai
    ("ა", "ბ", "გ", "დ", "ე"),  # Georgian
    ("Ա", "Բ", "Գ", "Դ", "Ե"),  # Armenian
)
# Letters that are drawn as a Latin one.
_DRAWN = MappingProxyType(
    {
        **dict(zip("АВСЕНІЈКМОРЅТХУ", "ABCEHIJKMOPSTXY", strict=True)),
        **dict(zip("асеіјорѕху", "aceijopsxy", strict=True)),
        **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True)),
        "ο": "o",
    }
)
_BLOCKS = (0xFF21, 0xFF41, 0x24B6, 0x24D0, 0x1D400, 0x1D41A, 0x1D5D4, 0x1D5EE)


@lru_cache(64)
def letter_names(choices: str | None) -> Mapping[str, str]:
    """Written letters, each with the letter of the item's options that it names.

    A letter of another script names an option by its place among the options of that script, or
    because it is drawn as the option's letter. Where these are two options, it names none.

    Parameters
    ----------
    choices : str or None
        Letters of the options, such as "ABCD"; None means A to Z.

    Raises
    ------
    UsageError
        If there is no letter, letters repeat, or they are no letters.

    Examples
    --------
    >>> names = letter_names("ABCD")
    >>> names["b"], names["Ｂ"], names["Б"], names.get("В"), names.get("E")
    ('B', 'B', 'B', None, None)
    >>> letter_names("АБВГ")["В"] == "В"
    True
    """
    letters = LATIN if choices is None else _checked(choices)
    named: dict[str, set[str]] = {}
    for written, meant in _spellings():
        for letter in _cases(meant):
            if letter.upper() in letters:
                named.setdefault(written, set()).add(letter.upper())
    for letter in letters:
        for written in _cases(letter):
            named[written] = {letter}
    return MappingProxyType(
        {written: meant.pop() for written, meant in named.items() if len(meant) == 1}
    )


def _checked(choices: object) -> str:
    if not isinstance(choices, str):
        choices = repr(choices)
    letters = unicodedata.normalize("NFKC", choices).upper()
    if not letters.isalpha() or len(set(letters)) < len(letters):
        raise UsageError(
            f"expected different letters as choices of letter or letters, got "
            f"{choices!r}: name those of the options, as in letter(choices=ABCD)"
        )
    return letters


def _spellings() -> Iterator[tuple[str, str]]:
    """Every pair of letters of which one may be written for the other."""
    for script in SCRIPTS:
        for written, meant in zip(script, LATIN, strict=False):
            for one in _cases(written):
                yield one, meant
                yield meant, one
    for drawn, latin in _DRAWN.items():
        yield drawn, latin
        yield latin, drawn
    for start in _BLOCKS:
        for place, latin in enumerate(LATIN):
            yield chr(start + place), latin


def _cases(letter: str) -> set[str]:
    """Both cases of a letter."""
    return {letter, letter.upper(), letter.lower()}
