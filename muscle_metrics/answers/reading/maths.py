"""The reader of mathematics, which are compared by math-verify."""

from __future__ import annotations

import logging
import re
import unicodedata
from functools import lru_cache
from typing import Final

from muscle_metrics.answers.reading.blocks import without_reasoning
from muscle_metrics.answers.reading.boxes import last_box
from muscle_metrics.answers.reading.maths_worker import SECONDS, Worker
from muscle_metrics.answers.reading.numbers import last_number
from muscle_metrics.answers.reading.reader import Reader

__all__ = ["READERS", "math_expression", "same_math"]

_LONGEST = 10_000
_LONGEST_TAIL = 3_000
_LONGEST_BARE = 500
_CACHED = 10_000

# 12{,}000 and 12\,000; math-verify reads 12.
_THOUSANDS = re.compile(
    r"(?<=\d)(?:\{,\}|,?\\!|\\[,; ]|[\N{THIN SPACE}\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}'’_])"
    r"(?=\d{3}(?!\d))"
)
_LAKH = re.compile(r"(?<![\d,.])[1-9]\d?(?:,\d\d){1,9},\d{3}(?![\d,])")
_POWER = re.compile("[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_HALF = re.compile("[¼½¾⅐-⅞]")
_SIGNS = str.maketrans(
    {
        "−": "-",
        "–": "-",
        "π": r"\pi ",
        "∞": r"\infty ",
        "≤": r"\leq ",
        "≥": r"\geq ",
        "≠": r"\neq ",
        "∪": r"\cup ",
        "∩": r"\cap ",
        "∈": r"\in ",
        "×": r"\times ",
        "·": r"\cdot ",
        "√": r"\sqrt ",
        "±": r"\pm ",
        "°": r"^\circ ",
    }
)
_PLAIN_NUMBER = re.compile(r"[-+]?[\d., ]+%?")
_WRAPPED = re.compile(r"\\boxed\{(.*)\}|\$([^$]*)\$", re.DOTALL)
_IDLE_SPACE = re.compile(r"(?<=[,;=])\s+|\s+(?=[,;=])")
_DELIMITED = re.compile(r"\$|\\\(|\\\[|\\f?boxed")
# Prose has words of two letters or more; names of functions, and commands of LaTeX, are none.
_PROSE = re.compile(
    r"(?<![\\A-Za-z])(?!(?:sqrt|sin|cos|tan|log|ln|exp|pi|oo|and|or)\b)[^\W\d_]{2,}"
)
_BRACED_TEXT = re.compile(r"\\(?:text\w*|math\w*|mbox|operatorname|begin|end)\s?\{[^{}]*\}")
_STATED = re.compile(r"answer\s(?:is|:)\s*:?\s*([^\n]{1,200}?)\.?\s*(?:\n|$)", re.IGNORECASE)

_worker = Worker()
_log = logging.getLogger(__name__)


def math_expression(value: object) -> str | None:
    r"""Read the expression that an answer states, in a spelling that math-verify parses.

    The last ``\boxed{...}`` counts where there is one; else what math-verify extracts. LaTeX
    without dollar signs is read as if it had them. Prose without any LaTeX is read as `last_number`
    does.

    Parameters
    ----------
    value : object
        A text, or a number from JSON. A boolean is no expression.

    Returns
    -------
    str or None
        None for an answer that math-verify cannot parse, or not in 5 seconds of processor time, so
        that it counts as unread and not as wrong.

    Raises
    ------
    MissingDependencyError
        If math-verify is not installed.

    Examples
    --------
    >>> math_expression(r"So $\boxed{\frac{1}{2}}$ of them.")
    '\\boxed{\\frac{1}{2}}'
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = last_number(value)
    if not isinstance(value, str):
        return None
    text = without_reasoning(value)
    prepared = None if text is None else _prepared(text)
    return None if prepared is None else _parsed(prepared)


@lru_cache(maxsize=_CACHED)
def _parsed(text: str) -> str | None:
    short: str | None = _worker.ask("parse", text)
    # What is read must read as itself.
    return text if short is not None and _prepared(short) != short else short


@lru_cache(maxsize=_CACHED)
def same_math(prediction: str, reference: str) -> bool:
    r"""Whether two expressions are equal, as math-verify finds; the reference is its gold answer.

    An equality that takes more than 5 seconds of processor time counts as none, with a warning in
    the log.

    Parameters
    ----------
    prediction, reference : str
        As `math_expression` gives them.

    Examples
    --------
    >>> same_math(r"\boxed{\frac{2}{4}}", r"\boxed{0.5}")
    True
    """
    # "1,2" is a number without LaTeX and a list with it, and the same list where both write it.
    if _unwrapped(prediction) == _unwrapped(reference):
        return True
    answer = _worker.ask("verify", reference, prediction)
    if answer is None:
        _log.warning(
            "math-verify did not compare %.80r with %.80r in %s s: counted as different",
            prediction,
            reference,
            SECONDS,
        )
    return bool(answer)


def _unwrapped(text: str) -> str:
    found = _WRAPPED.fullmatch(text)
    return _IDLE_SPACE.sub("", (found[1] or found[2] or "") if found else text)


def _prepared(text: str) -> str | None:
    """Cut out the part of a text that states its answer, spelled as math-verify expects it."""
    if len(text) > _LONGEST:
        box = last_box(text)
        text = text[-_LONGEST_TAIL:] if box is None else rf"\boxed{{{box}}}"
        if len(text) > _LONGEST:
            return None
    if _DELIMITED.search(text):
        return _spelled(text)
    bare = _bare(text)
    if bare is None:
        # Without LaTeX, math-verify takes a number out of a time or a ratio.
        found = last_number(text)
        return rf"\boxed{{{found}}}" if found else None
    bare = _spelled(bare)
    # "1 000" and "1,5" are numbers without LaTeX, and lists with it.
    return bare if _PLAIN_NUMBER.fullmatch(bare) else rf"\boxed{{{bare}}}"


def _bare(text: str) -> str | None:
    """Find an expression without dollar signs: the text, or what "the answer is" states."""
    stated: list[str] = _STATED.findall(text)
    for part in (text, *stated[-1:]):
        part = part.strip().lstrip("#+ ").rstrip(".")
        if 0 < len(part) <= _LONGEST_BARE and not _PROSE.search(_BRACED_TEXT.sub("", part)):
            return part
    return None


def _spelled(text: str) -> str:
    text = text.strip()
    if not text.isascii():
        text = _POWER.sub(_power, _HALF.sub(_fraction, text))
        text = re.sub(r"\d", lambda digit: str(int(digit[0])), text)
        text = text.translate(_SIGNS)
    text = _THOUSANDS.sub("", text)
    return _LAKH.sub(lambda number: number[0].replace(",", ""), text)


def _fraction(found: re.Match[str]) -> str:
    top, _, bottom = unicodedata.normalize("NFKC", found[0]).partition("\N{FRACTION SLASH}")
    return rf"\frac{{{top}}}{{{bottom}}}" if bottom else found[0]


def _power(found: re.Match[str]) -> str:
    return f"^{{{unicodedata.normalize('NFKC', found[0]).replace('−', '-')}}}"


READERS: Final = (
    Reader(
        name="math",
        does="the expression that an answer states, compared by math-verify (extra math)",
        prediction=math_expression,
        reference=math_expression,
        same=same_math,
    ),
)
