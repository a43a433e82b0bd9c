"""Exact match of texts, or of the final answer inside a longer text.

Every pattern is linear: none can match one stretch of text in two ways.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from muscle_metrics.answers.reading.plain import UnicodeForm, in_form
from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.scorers.texts import Scores, pair_texts
from muscle_metrics.words.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Extraction",
    "UnicodeForm",
    "answer_reader",
    "exact_match",
    "extract_answer",
    "extract_reference",
    "normalizer",
]

Extraction: TypeAlias = Literal["gsm8k-strict", "gsm8k-flexible", "choice"]

_ARTICLES = re.compile(r"\b(?:a|an|the)\b", re.IGNORECASE)
_ASCII_SYMBOLS = "$+<=>^`|~"

# A minus right behind a word is a hyphen or a subtraction: "5-10" ends in 10.
_NUMBER = r"(?:(?<![\w.)])-)?+\$?+(?:[0-9]++(?:,[0-9]{3}(?![0-9]))*+(?:\.[0-9]++)?+|\.[0-9]++)"
_ANY_NUMBER = re.compile(_NUMBER)
_MARKED_NUMBER = re.compile(rf"#### ?({_NUMBER})")

_STATED_LETTER = re.compile(r"\b[Aa]nswer(?: is)?+[ :*(\[]{0,4}+([A-Z])\b")
_FIRST_LETTER = re.compile(r"[*(\[]{0,4}+([A-Za-z])(?:[*)\].:\n]|$)")
_BRACKETED_LETTER = re.compile(r"\(([A-Z])\)")


def exact_match(
    predictions: Any,
    references: Any,
    *,
    strip: bool = False,
    ignore_case: bool = False,
    ignore_punctuation: bool = False,
    ignore_articles: bool = False,
    normalize_whitespace: bool = False,
    unicode_form: UnicodeForm | None = None,
    extract: Extraction | None = None,
) -> Scores:
    r"""1 where the prediction equals a reference, else 0.

    Without options the texts must be the same, white space at their ends included, as everywhere
    in this package.

    Parameters
    ----------
    predictions : sequence of str
        One text per item.
    references : sequence of (str or sequence of str)
        One reference per item, or a list of which any counts.
    strip : bool
        Ignore white space at both ends.
    ignore_case, ignore_punctuation, ignore_articles, normalize_whitespace : bool
        Further differences to ignore: case (by Unicode case folding); punctuation of any script;
        the English articles, and with them white space; the length of white space between words.
    unicode_form : {"NFC", "NFD", "NFKC", "NFKD"}, optional
        Compare texts in this normal form.
    extract : {"gsm8k-strict", "gsm8k-flexible", "choice"}, optional
        Compare only the final answers found by `extract_answer`. A prediction without one is
        wrong. Numbers are compared as numbers.

    Returns
    -------
    numpy.ndarray
        One score per item, 0 or 1.

    Raises
    ------
    UsageError
        If an option is unknown.
    InputError
        If the texts are no texts or do not pair up, a reference has no answer to extract, or the
        options leave nothing of a reference.

    Examples
    --------
    >>> exact_match(["Paris", "Paris\n"], [["Paris", "Lutetia"], "Paris"])
    array([1., 0.])
    >>> exact_match(["Paris\n"], ["Paris"], strip=True)
    array([1.])
    >>> exact_match(["so #### 1,000"], ["#### 1000"], extract="gsm8k-strict")
    array([1.])
    """
    if extract is not None and extract not in get_args(Extraction):
        raise UsageError(
            f"expected extract to be None or one of {list(get_args(Extraction))}, got {extract!r}"
        )
    differences: dict[str, Any] = {
        "strip": strip,
        "ignore_case": ignore_case,
        "ignore_punctuation": ignore_punctuation,
        "ignore_articles": ignore_articles,
        "normalize_whitespace": normalize_whitespace,
        "unicode_form": unicode_form,
    }
    normalize = normalizer(**differences)
    answer = cache(answer_reader(extract=extract, **differences))
    pairs = pair_texts(predictions, references)

    @cache
    def accepted(reference: str) -> str:
        found = extract_reference(reference, extract) if extract else reference
        if found is None:
            raise InputError(
                f"expected an answer for extract={extract!r} in every reference, "
                f"got none in {reference[:60]!r}: compare without extract, or drop the item"
            )
        return normalize(found)

    # "" from "a" or "..." would match every answer that options leave nothing of.
    emptied = {text for _, text in pairs.distinct if not accepted(text) and text.strip()}
    hopeless = pairs.only_references(emptied)
    if hopeless:
        raise InputError(
            f"expected options of exact_match that leave something of every reference, got "
            f"{counted(len(hopeless), 'reference')} of which they leave nothing, such as "
            f"{hopeless[0][:40]!r}: compare with fewer options, such as without ignore_articles "
            "(options=)"
        )
    return pairs.best(
        np.array([float(r not in emptied and answer(p) == accepted(r)) for p, r in pairs.distinct])
    )


def answer_reader(
    *, extract: Extraction | None = None, **differences: Any
) -> Callable[[str], str | None]:
    """Make the function that finds the part of a prediction which `exact_match` compares.

    Parameters
    ----------
    extract, **differences
        Options of `exact_match`.

    Returns
    -------
    callable
        Takes a prediction; gives None where it holds no answer to extract.

    Examples
    --------
    >>> answer_reader(extract="choice")("The answer is (B).")
    'B'
    >>> answer_reader(strip=True, ignore_case=True)(" Yes ")
    'yes'
    """
    normalize = normalizer(**differences)

    def read(prediction: str) -> str | None:
        found = extract_answer(prediction, extract) if extract else prediction
        return None if found is None else normalize(found)

    return read


def normalizer(
    *,
    strip: bool = False,
    ignore_case: bool = False,
    ignore_punctuation: bool = False,
    ignore_articles: bool = False,
    normalize_whitespace: bool = False,
    unicode_form: UnicodeForm | None = None,
) -> Callable[[str], str]:
    """Build the function that removes ignored differences from a text, in linear time.

    Raises
    ------
    UsageError
        If the Unicode form is unknown.
    """
    if unicode_form is not None and unicode_form not in get_args(UnicodeForm):
        raise UsageError(
            f"expected unicode_form to be None or one of {list(get_args(UnicodeForm))}, "
            f"got {unicode_form!r}"
        )
    steps: list[Callable[[str], str]] = []
    if unicode_form is not None:
        steps.append(partial(in_form, form=unicode_form))
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
    # Strict takes the first: after its answer a model may make up the next problem.
    return _spell_number(found[0] if kind == "gsm8k-strict" else found[-1])


def extract_reference(text: str, kind: Extraction) -> str | None:
    """Find the answer in a reference, which may be the bare answer."""
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
