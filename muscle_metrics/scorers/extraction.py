"""The final answer inside a longer text: a number, or the letter of a choice.

Every pattern is linear: none can match one stretch of text in two ways.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

__all__ = ["Extraction", "extract_answer", "extract_reference"]

Extraction: TypeAlias = Literal["gsm8k-strict", "gsm8k-flexible", "choice"]

# A minus right behind a word is a hyphen or a subtraction: "5-10" ends in 10.
_NUMBER = r"(?:(?<![\w.)])-)?+\$?+(?:[0-9]++(?:,[0-9]{3}(?![0-9]))*+(?:\.[0-9]++)?+|\.[0-9]++)"
_ANY_NUMBER = re.compile(_NUMBER)
_MARKED_NUMBER = re.compile(rf"#### ?({_NUMBER})")

_STATED_LETTER = re.compile(r"\b[Aa]nswer(?: is)?+[ :*(\[]{0,4}+([A-Z])\b")
_FIRST_LETTER = re.compile(r"[*(\[]{0,4}+([A-Za-z])(?:[*)\].:\n]|$)")
_BRACKETED_LETTER = re.compile(r"\(([A-Z])\)")


def extract_answer(text: str, kind: Extraction) -> str | None:
    """Find the final answer in a model's output, or None.

    Parameters
    ----------
    text : str
        The output.
    kind : {"gsm8k-strict", "gsm8k-flexible", "choice"}
        The number after ``####``, as GSM8K's own solutions end; the last number; or the letter of
        a choice: after the last "answer is" or "answer:", else at the very beginning as in
        ``B`` or ``(b) because``, else the last one in round brackets.

    Returns
    -------
    str or None
        A number is returned in one spelling, so that ``$1,000.00`` is ``1000``; a letter in
        upper case.

    Examples
    --------
    >>> extract_answer("5 - 3 = 2, so she pays $1,200.50. #### 1200.5", "gsm8k-strict")
    '1200.5'
    >>> extract_answer("(C) is tempting, but the answer is (B).", "choice")
    'B'
    """
    if kind == "choice":
        return _find_letter(text)
    found = (_MARKED_NUMBER if kind == "gsm8k-strict" else _ANY_NUMBER).findall(text)
    if not found:
        return None
    # Strict takes the first: what follows the marked answer is the next problem, made up.
    return _spell_number(found[0] if kind == "gsm8k-strict" else found[-1])


def extract_reference(text: str, kind: Extraction) -> str | None:
    """Find the answer in a reference, which may be the bare answer.

    Examples
    --------
    >>> extract_reference("18", "gsm8k-strict"), extract_reference("... #### 18", "gsm8k-flexible")
    ('18', '18')
    """
    if kind == "choice":
        return _find_letter(text)
    return extract_answer(text, "gsm8k-strict") or extract_answer(text, "gsm8k-flexible")


def _find_letter(text: str) -> str | None:
    stated = _STATED_LETTER.findall(text)
    if stated:
        return str(stated[-1])
    first = _FIRST_LETTER.match(text.strip())
    if first:
        return first[1].upper()
    bracketed = _BRACKETED_LETTER.findall(text)
    return str(bracketed[-1]) if bracketed else None


def _spell_number(text: str) -> str:
    sign = "-" if text.startswith("-") else ""
    whole, _, fraction = text.lstrip("-$").replace(",", "").partition(".")
    whole, fraction = whole.lstrip("0") or "0", fraction.rstrip("0")
    magnitude = f"{whole}.{fraction}" if fraction else whole
    return magnitude if magnitude == "0" else sign + magnitude
