"""Digits, signs, spaces and fractions of every script and of LaTeX, in their ASCII spelling."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

__all__ = ["in_ascii"]

_MINUS = "\N{MINUS SIGN}\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{FIGURE DASH}\N{EN DASH}"
_MINUS += "\N{EM DASH}\N{HORIZONTAL BAR}\N{SMALL HYPHEN-MINUS}\N{HEAVY MINUS SIGN}"
_APOSTROPHES = "\N{RIGHT SINGLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}\N{PRIME}"
_APOSTROPHES += "\N{LEFT SINGLE QUOTATION MARK}\N{ARABIC THOUSANDS SEPARATOR}"
_SLASHES = "\N{FRACTION SLASH}\N{DIVISION SLASH}"
_TIMES = "\N{MULTIPLICATION X}\N{N-ARY TIMES OPERATOR}\N{DOT OPERATOR}\N{BULLET OPERATOR}"
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_LOWERED = "₀₁₂₃₄₅₆₇₈₉"

_SMALL_FRACTION = re.compile(rf"([{_RAISED}]{{1,20}})[/{_SLASHES}]([{_LOWERED}]{{1,20}})")
_POWER = re.compile(rf"([⁺⁻]?)([{_RAISED}]+)")
# Stands before a fraction of one character: a digit before it makes a mixed number.
_MARK = "\ue000"
_BEHIND_A_DIGIT = re.compile(rf"(?<=[0-9]){_MARK}")
_PLAIN_RAISED = str.maketrans(_RAISED + _LOWERED, "0123456789" * 2)

_ARGUMENT = r"[^\S\n]{0,9}\{([^{}]*)\}"
_TEXT = re.compile(
    r"\\(?:text(?:bf|rm|it|tt|sf|normal)?|math(?:rm|bf|it|sf|tt)|mbox|hbox|boldsymbol|bm|boxed"
    rf"|fbox|emph|underline|operatorname){_ARGUMENT}"
)
_LATEX = (
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\{\.\}"), "."),
    (re.compile(r"\\!"), ""),
    (re.compile(r"\\[,;:> ]|\\(?:thinspace|enspace)(?![A-Za-z])\s?|(?<=\d)~(?=[\d\\])"), " "),
    (re.compile(r"\^\s?(?:\\circ(?![A-Za-z])|\{\s?\\circ\s?\})|\\degree(?![A-Za-z])"), "°"),
    (re.compile(r"\\(?:times|cdot|ast)(?![A-Za-z])"), "×"),
    (re.compile(r"\\(?:neq?|not\s?=)(?![A-Za-z])"), "≠"),
    (
        re.compile(r"\\(?:approx|simeq|sim|equiv|implies|(?:long)?[rR]ightarrow)(?![A-Za-z])"),
        "=",
    ),
    (re.compile(r"\\div(?![A-Za-z])"), "÷"),
    (re.compile(r"\\(?:left|right|big|Big|bigg|Bigg|displaystyle|quad|qquad)(?![A-Za-z])"), " "),
    (re.compile(r"\\[()\[\]]"), " "),
    (re.compile(r"\\\\"), "\n"),
    (re.compile(r"\\([$%#&])"), r"\1"),
    (re.compile(r"\\(?:boxed|fbox)\s?(?=[-+]?\d)"), ""),
    (re.compile(r"\\pi(?![A-Za-z])"), "π"),
)
_NESTED = 3
# Digits of all scripts lie below.
_LAST_DIGIT = 0x20000
_POWER_OF_PYTHON = re.compile(r"(?<=[0-9])\*\*(?=-?[0-9])(?![0-9.,]{1,40}\*\*)")
_EMPHASIS = re.compile(r"\*\*+|`+|(?<![^\s*])__(?=\S)|(?<=[^\s_])__(?![^\s.,;:!?)])")


def in_ascii(text: str, *, decimal: str = "point") -> str:
    r"""Spell digits, signs and spaces of every script in ASCII, and LaTeX in plain text.

    Parameters
    ----------
    text : str
        Any text.
    decimal : {"point", "comma"}
        The decimal mark that stands for the Arabic one.

    Returns
    -------
    str
        Letters stay as they are. A raised number is a power: "10²" is "10^2".

    Examples
    --------
    >>> in_ascii("−１８½ km² of \\boxed{12{,}000}")
    '-18 1/2 km^2 of 12,000'
    """
    if not text.isascii():
        text = _SMALL_FRACTION.sub(_small_fraction, text)
        text = _POWER.sub(_power, text)
        text = _BEHIND_A_DIGIT.sub(" ", text.translate(_table(decimal))).replace(_MARK, "")
    if "\\" in text or "{" in text:
        text = _without_latex(text)
    if "*" in text or "`" in text or "__" in text:
        text = _EMPHASIS.sub("", _POWER_OF_PYTHON.sub("^", text))
    return text


def _without_latex(text: str) -> str:
    for pattern, plain in _LATEX:
        text = pattern.sub(plain, text)
    for _ in range(_NESTED):
        text, changes = _TEXT.subn(r"\1", text)
        if not changes:
            break
    return text


def _small_fraction(found: re.Match[str]) -> str:
    return f"{_MARK}{found[1]}/{found[2]}".translate(_PLAIN_RAISED)


def _power(found: re.Match[str]) -> str:
    sign = "-" if found[1] == "⁻" else ""
    return f"^{sign}{found[2].translate(_PLAIN_RAISED)}"


@lru_cache(64)
def _table(decimal: str) -> dict[int, str]:
    """Characters that mean the same as one or several of ASCII."""
    table: dict[int, str] = {}
    for code in range(0x80, _LAST_DIGIT):
        character = chr(code)
        kind = unicodedata.category(character)
        if kind == "Nd":
            table[code] = str(unicodedata.decimal(character))
        elif kind == "Zs":
            table[code] = " "
        elif kind == "Cf":
            table[code] = ""  # marks of direction, joiners, soft hyphens
        elif 0xFF01 <= code <= 0xFF5E:
            table[code] = chr(code - 0xFEE0)
        elif kind == "No":
            spelled = unicodedata.normalize("NFKC", character).replace("\N{FRACTION SLASH}", "/")
            if "/" in spelled[1:-1]:
                table[code] = f"{_MARK}{spelled}"
    table.update(dict.fromkeys(map(ord, _MINUS), "-"))
    table.update(dict.fromkeys(map(ord, _APOSTROPHES), "'"))
    table.update(dict.fromkeys(map(ord, _SLASHES), "/"))
    table.update(dict.fromkeys(map(ord, _TIMES), "×"))
    table.update({ord("\N{ARABIC DECIMAL SEPARATOR}"): "," if decimal == "comma" else "."})
    table.update({ord("\N{ARABIC PERCENT SIGN}"): "%", ord("\N{SMALL PERCENT SIGN}"): "%"})
    return table
