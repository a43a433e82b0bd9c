"""ROUGE, equal to rouge-score in every bit, and faster.

Every distinct pair of texts is scored once, every distinct word is stemmed once, and numpy counts a
block of pairs at a time: shared n-grams by sorting, subsequences by rows of bits. The counts are
integers, so the scores are those of rouge-score to the last bit.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from muscle_metrics.errors import InputError, check_choice
from muscle_metrics.scorers.rouge_counts import Counts, count_pairs
from muscle_metrics.scorers.rouge_tokens import Reading, read_texts, read_tokens
from muscle_metrics.scorers.texts import (
    OverCap,
    Pairs,
    Scores,
    check_cap,
    pair_texts,
    refuse_long,
)
from muscle_metrics.scorers.tokenizers import Tokenizer, advise_tokenizer, find_tokenizer
from muscle_metrics.scorers.unread import SCORE_UNREAD, Unread, find_unread, refuse_unread
from muscle_metrics.words.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["ROUGE_VARIANTS", "OverCap", "Statistic", "rouge", "rouge_variants"]

Statistic: TypeAlias = Literal["fmeasure", "precision", "recall"]

ROUGE_VARIANTS = (*(f"rouge{order}" for order in range(1, 10)), "rougeL", "rougeLsum")

# Each distinct word is one of Unicode's 1 114 112 code points: enough for the words of two texts
# and for the stems of earlier ones.
_HIGHEST_CAP = 250_000

# The letters of words; two others are lowercased to i and k.
_LETTER = re.compile("[a-zA-Z0-9\u0130\u212a]")


def rouge(
    predictions: Any,
    references: Any,
    *,
    variant: str = "rouge1",
    stem: bool = False,
    statistic: Statistic = "fmeasure",
    tokenizer: Tokenizer = "rouge-score",
    max_tokens: int = 100_000,
    over_cap: OverCap = "raise",
    unread: Unread = "raise",
) -> Scores:
    """Share of n-grams, or of a longest common subsequence, that prediction and reference share.

    Equal to the last bit to ``rouge_score.rouge_scorer.RougeScorer`` 0.1.2.

    Parameters
    ----------
    predictions : sequence of str
        One text per item.
    references : sequence of (str or sequence of str)
        One reference per item, or a list of them: the one with the highest F-measure counts.
    variant : str
        ``rouge1`` to ``rouge9``, ``rougeL``, or ``rougeLsum``, which compares line by line.
        Texts are split at newlines only, never into sentences.
    stem : bool
        Compare Porter stems of the words over three characters; with the tokenizers ``rouge-score``
        and ``unicode``.
    statistic : {"fmeasure", "precision", "recall"}
        Precision is the share among the prediction's units, recall that among the reference's;
        the F-measure is their harmonic mean, and 0 where both are.
    tokenizer : str, callable, or object with a method ``tokenize``
        Splits a text into words. For ``rouge-score`` a word is a run of a-z and 0-9 in the
        lowercased text; for ``unicode`` a run of letters and digits of any script; ``character``
        is for scripts without spaces. Or another name in `TokenizerName`, or
        ``package.module:function``.
    max_tokens : int
        Texts of more words are not scored: time grows with the product of two lengths. At most
        250 000.
    over_cap : {"raise", "nan"}
        Whether an item with such a text is an error, or has the score nan.
    unread : {"raise", "score"}
        Whether texts whose words the tokenizer loses, and references of too few words for
        `variant`, are an error, or are scored as they are: rouge-score gives them 0.

    Returns
    -------
    numpy.ndarray
        One score per item, in [0, 1].

    Raises
    ------
    UsageError
        If an option is unknown or out of range.
    InputError
        If the texts are no texts, do not pair up, or are longer than `max_tokens`; if the
        tokenizer loses the words of some, or a reference has too few words for `variant`.

    References
    ----------
    Lin 2004, ROUGE: A Package for Automatic Evaluation of Summaries.

    Examples
    --------
    >>> rouge(["the cat sat"], ["a cat sat down"], variant="rouge2", statistic="recall")
    array([0.33333333])
    """
    return rouge_variants(
        predictions,
        references,
        (variant,),
        stem=stem,
        statistic=statistic,
        tokenizer=tokenizer,
        max_tokens=max_tokens,
        over_cap=over_cap,
        unread=unread,
    )[variant]


def rouge_variants(
    predictions: Any,
    references: Any,
    variants: Sequence[str],
    *,
    stem: bool = False,
    statistic: Statistic = "fmeasure",
    tokenizer: Tokenizer = "rouge-score",
    max_tokens: int = 100_000,
    over_cap: OverCap = "raise",
    unread: Unread = "raise",
) -> dict[str, Scores]:
    """Score several variants of ROUGE in one pass over the texts; otherwise as `rouge`.

    Old and new predictions of the same items cost one pass as well: pass one after the other,
    with the references twice.

    Returns
    -------
    dict of str to numpy.ndarray
        The scores by variant.
    """
    variants = tuple(dict.fromkeys(variants))
    for variant in variants:
        check_choice("variant", variant, ROUGE_VARIANTS)
    check_choice("statistic", statistic, get_args(Statistic))
    check_choice("unread", unread, get_args(Unread))
    check_cap(max_tokens, over_cap, _HIGHEST_CAP)
    read = _reader(stem, tokenizer, max_tokens)
    pairs = pair_texts(predictions, references)
    if unread == "raise":
        _check_scripts(variants[0], pairs, tokenizer)
    counts, known = count_pairs(pairs.distinct, variants, read)
    if over_cap == "raise":
        long = np.logical_or.reduceat(~known[pairs.position], pairs.first)
        refuse_long(np.flatnonzero(long).tolist(), max_tokens)
    if unread == "raise":
        for variant in variants:
            _check_references(variant, pairs, known & (counts[variant].expected == 0))
    return {variant: _best(pairs, counts[variant], known, statistic) for variant in counts}


def _check_scripts(variant: str, pairs: Pairs, tokenizer: Any) -> None:
    """Refuse texts whose words the tokenizer does not find, which would all score 0."""
    is_usual = tokenizer == "rouge-score"
    lost = find_unread(pairs.texts, _LETTER.findall if is_usual else find_tokenizer(tokenizer))
    reads = "its tokenizer reads a-z and 0-9 only, so " if is_usual else ""
    refuse_unread(
        "ROUGE",
        pairs,
        lost,
        lambda: f"{reads}{advise_tokenizer(variant, lost)}",
    )


def _check_references(variant: str, pairs: Pairs, empty: NDArray[np.bool_]) -> None:
    """Refuse items none of whose references has a unit that a prediction could share."""
    short = {pairs.distinct[place][1] for place in np.flatnonzero(empty).tolist()}
    texts = pairs.only_references({text for text in short if text.strip()})
    if texts:
        raise InputError(
            f"expected references of at least {variant.removeprefix('rouge')} words for {variant}, "
            f"got {counted(len(texts), 'shorter one')}, such as {texts[0][:40]!r}: use "
            "--metric rouge1 (metric='rouge1')",
            in_python=SCORE_UNREAD,
        )


def _best(pairs: Pairs, counts: Counts, known: NDArray[np.bool_], statistic: Statistic) -> Scores:
    shared, predicted, expected = counts
    precision = shared / np.maximum(predicted, 1)
    recall = shared / np.maximum(expected, 1)
    total = precision + recall
    fmeasure = np.divide(2 * precision * recall, total, np.zeros_like(total), where=total > 0)
    scores = {"fmeasure": fmeasure, "precision": precision, "recall": recall}[statistic]
    scores = np.where(known, scores, np.nan)
    return pairs.best(scores, by=np.where(known, fmeasure, np.nan))


def _reader(
    stem: bool, tokenizer: Any, most: int
) -> Callable[[Sequence[str]], list[Reading | None]]:
    if tokenizer == "rouge-score":
        return partial(read_texts, stem=stem, most=most)
    return partial(read_tokens, tokenize=find_tokenizer(tokenizer, stem=stem), most=most)
