"""Answers that have to agree: exactly, or in their words."""

from __future__ import annotations

import re
import string
from collections import Counter
from functools import cache
from typing import Any, get_args

import numpy as np

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.scorers.extraction import Extraction, extract_answer, extract_reference
from muscle_metrics.scorers.normalization import UnicodeForm, normalizer
from muscle_metrics.scorers.texts import Scores, pair_texts

__all__ = ["exact_match", "token_f1"]

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def exact_match(
    predictions: Any,
    references: Any,
    *,
    strip: bool = True,
    ignore_case: bool = False,
    ignore_punctuation: bool = False,
    ignore_articles: bool = False,
    normalize_whitespace: bool = False,
    unicode_form: UnicodeForm | None = None,
    extract: Extraction | None = None,
) -> Scores:
    r"""1 where the prediction equals a reference, else 0.

    Parameters
    ----------
    predictions : sequence of str
        One text per item.
    references : sequence of (str or sequence of str)
        One reference per item, or a list of which any counts.
    strip : bool
        Ignore white space at both ends.
    ignore_case, ignore_punctuation, ignore_articles, normalize_whitespace : bool
        What else may differ: case (by Unicode case folding); punctuation of any script; the
        English articles, and with them white space; how much white space parts two words.
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
        If the texts are no texts or do not pair up, or a reference has no answer to extract.

    Examples
    --------
    >>> exact_match(["Paris\n", "paris"], [["Paris", "Lutetia"], "Paris"])
    array([1., 0.])
    >>> exact_match(["so #### 1,000"], ["#### 1000"], extract="gsm8k-strict")
    array([1.])
    """
    if extract is not None and extract not in get_args(Extraction):
        raise UsageError(
            f"expected extract to be None or one of {list(get_args(Extraction))}, got {extract!r}"
        )
    normalize = normalizer(
        strip=strip,
        ignore_case=ignore_case,
        ignore_punctuation=ignore_punctuation,
        ignore_articles=ignore_articles,
        normalize_whitespace=normalize_whitespace,
        unicode_form=unicode_form,
    )
    pairs = pair_texts(predictions, references)

    @cache
    def answer(prediction: str) -> str | None:
        found = extract_answer(prediction, extract) if extract else prediction
        return None if found is None else normalize(found)

    @cache
    def accepted(reference: str) -> str:
        found = extract_reference(reference, extract) if extract else reference
        if found is None:
            raise InputError(
                f"expected an answer for extract={extract!r} in every reference, "
                f"got none in {reference[:60]!r}: compare without extract, or drop the item"
            )
        return normalize(found)

    return pairs.best(np.array([float(answer(p) == accepted(r)) for p, r in pairs.distinct]))


def token_f1(predictions: Any, references: Any) -> Scores:
    """Harmonic mean of the shares of words that prediction and reference have in common.

    Words are what is left after lower-casing and removing ASCII punctuation and English articles,
    as in the evaluation of SQuAD 2.0. Two texts without a word agree: their score is 1.

    Parameters
    ----------
    predictions : sequence of str
        One text per item.
    references : sequence of (str or sequence of str)
        One reference per item, or a list of which the best counts.

    Returns
    -------
    numpy.ndarray
        One score per item, in [0, 1].

    Raises
    ------
    InputError
        If the texts are no texts or do not pair up.

    References
    ----------
    Rajpurkar et al. 2016, SQuAD (arXiv 1606.05250), section 6.1; Rajpurkar et al. 2018, Know What
    You Don't Know (arXiv 1806.03822).

    Examples
    --------
    >>> token_f1(["the Normans"], [["Normans", "in France"]])
    array([1.])
    """
    pairs = pair_texts(predictions, references)
    words = cache(_count_words)
    return pairs.best(np.array([_f1(words(p), words(r)) for p, r in pairs.distinct]))


def _count_words(text: str) -> Counter[str]:
    return Counter(_ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split())


def _f1(predicted: Counter[str], expected: Counter[str]) -> float:
    if not predicted or not expected:
        return float(predicted == expected)
    shared = (predicted & expected).total()
    if not shared:
        return 0.0
    precision = shared / predicted.total()
    recall = shared / expected.total()
    return 2 * precision * recall / (precision + recall)
