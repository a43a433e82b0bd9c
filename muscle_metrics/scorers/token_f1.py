"""F1 of the words that two texts share, as in SQuAD and MLQA."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from muscle_metrics.errors import check_choice
from muscle_metrics.scorers.texts import Scores, pair_texts
from muscle_metrics.scorers.tokenizers import Tokenizer, advise_tokenizer, find_tokenizer
from muscle_metrics.scorers.unread import Unread, find_unread, refuse_unread

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["token_f1"]


def token_f1(
    predictions: Any,
    references: Any,
    *,
    tokenizer: Tokenizer = "squad",
    unread: Unread = "raise",
) -> Scores:
    """Harmonic mean of the shares of words that prediction and reference have in common.

    By default words are read after lower-casing and removing ASCII punctuation and English
    articles, as in the evaluation of SQuAD 2.0. A blank reference agrees with a text without words:
    their score is 1.

    Parameters
    ----------
    predictions : sequence of str
        One text per item.
    references : sequence of (str or sequence of str)
        One reference per item, or a list of which the best counts.
    tokenizer : str or callable
        A name in `TokenizerName`, such as ``mlqa-de`` for the evaluation of MLQA in German,
        ``unicode`` for words of any script, ``character`` for scripts without spaces;
        ``package.module:function``; or a callable from a text to its words.
    unread : {"raise", "score"}
        Whether references without a word, and sentences that are not cut into words, are an error,
        or are scored as they are.

    Returns
    -------
    numpy.ndarray
        One score per item, in [0, 1].

    Raises
    ------
    UsageError
        If the tokenizer is unknown.
    InputError
        If the texts are no texts or do not pair up; or if no reference of an item has a word, such
        as "A", or a text of a script without spaces is one long word.

    References
    ----------
    Rajpurkar et al. 2016, SQuAD (arXiv 1606.05250), section 6.1; Rajpurkar et al. 2018, Know What
    You Don't Know (arXiv 1806.03822); Lewis et al. 2020, MLQA (arXiv 1910.07475).

    Examples
    --------
    >>> token_f1(["the Normans"], [["Normans", "in France"]])
    array([1.])
    >>> token_f1(["der Hund"], ["Ein Hund!"], tokenizer="mlqa-de")
    array([1.])
    """
    check_choice("unread", unread, get_args(Unread))
    cut = find_tokenizer(tokenizer)
    pairs = pair_texts(predictions, references)

    @cache
    def words(text: str) -> Counter[Hashable]:
        return Counter(cut(text))

    # As in the evaluation of SQuAD: such a reference counts only if it is blank.
    wordless = {text for _, text in pairs.distinct if not words(text) and text.strip()}
    if unread == "raise":
        lost = find_unread(pairs.texts, find_tokenizer(tokenizer, articles=True))
        refuse_unread(
            "token_f1",
            pairs,
            lost,
            lambda: advise_tokenizer("token_f1", lost | wordless),
            unmatched=wordless,
        )
    return pairs.best(
        np.array([0.0 if r in wordless else _f1(words(p), words(r)) for p, r in pairs.distinct])
    )


def _f1(predicted: Counter[Hashable], expected: Counter[Hashable]) -> float:
    if not predicted or not expected:
        return float(predicted == expected)
    shared = (predicted & expected).total()
    if not shared:
        return 0.0
    precision = shared / predicted.total()
    recall = shared / expected.total()
    return 2 * precision * recall / (precision + recall)
