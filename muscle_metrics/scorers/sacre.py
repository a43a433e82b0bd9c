"""BLEU, chrF and TER of single items, as sacrebleu computes them, on its scale of 0 to 100.

The three metrics are made for corpora: the score of one item is noisy, and the mean of the items is
not the score of the corpus.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from muscle_metrics.errors import check_choice
from muscle_metrics.scorers.signature import changed_options
from muscle_metrics.scorers.texts import Scores, check_texts

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SmoothMethod", "bleu", "chrf", "essential_of_bleu", "essential_of_chrf", "ter"]

SmoothMethod: TypeAlias = Literal["exp", "floor", "add-k", "none"]

DEFAULT_TOKENIZER = "13a"


def bleu(
    predictions: Any,
    references: Any,
    *,
    tokenize: str = DEFAULT_TOKENIZER,
    lowercase: bool = False,
    smooth_method: SmoothMethod = "exp",
    smooth_value: float | None = None,
) -> Scores:
    """Sentence BLEU: geometric mean of n-gram precisions, times a penalty for brevity.

    Equal to ``sacrebleu.sentence_bleu``, with its effective order: only n-gram orders up to the
    length of the prediction count.

    Parameters
    ----------
    predictions : sequence of str
        One text per item.
    references : sequence of (str or sequence of str)
        One reference per item, or a list of them: an n-gram may match in any, and the closest
        length sets the penalty.
    tokenize : str
        One of sacrebleu's tokenizers. Some of them download a model.
    lowercase : bool
        Ignore case.
    smooth_method, smooth_value
        Replacement of a precision of 0, as in sacrebleu.

    Returns
    -------
    numpy.ndarray
        One score per item, in [0, 100].

    Raises
    ------
    UsageError
        If the tokenizer or the smoothing method is unknown.
    InputError
        If the texts are no texts or do not pair up.

    References
    ----------
    Papineni et al. 2002; Post 2018, A Call for Clarity in Reporting BLEU Scores.

    Examples
    --------
    >>> bleu(["the cat sat"], ["the cat sat down"]).round(2)
    array([71.65])
    """
    from sacrebleu.metrics.bleu import BLEU

    check_choice("tokenize", tokenize, sorted(BLEU.TOKENIZERS))
    check_choice("smooth_method", smooth_method, get_args(SmoothMethod))
    metric = BLEU(
        tokenize=tokenize,
        lowercase=lowercase,
        smooth_method=smooth_method,
        smooth_value=smooth_value,
        effective_order=True,
    )
    # A perfect match may come out a rounding above the end of the range.
    return _score_items(metric, predictions, references).clip(0, 100)


def chrf(
    predictions: Any,
    references: Any,
    *,
    char_order: int = 6,
    word_order: int = 0,
    beta: int = 2,
    lowercase: bool = False,
    whitespace: bool = False,
    eps_smoothing: bool = False,
) -> Scores:
    """Sentence chrF: F-score of character n-grams; chrF++ with `word_order` 2.

    Equal to ``sacrebleu.sentence_chrf``.

    Parameters
    ----------
    predictions : sequence of str
        One text per item.
    references : sequence of (str or sequence of str)
        One reference per item, or a list of which the best counts.
    char_order, word_order : int
        Longest n-grams of characters and of words.
    beta : int
        Recall counts `beta` times as much as precision.
    lowercase, whitespace, eps_smoothing : bool
        Ignore case; let n-grams contain white space; smooth as the original script does.

    Returns
    -------
    numpy.ndarray
        One score per item, in [0, 100].

    Raises
    ------
    InputError
        If the texts are no texts or do not pair up.

    References
    ----------
    Popović 2015, chrF: character n-gram F-score for automatic MT evaluation; Popović 2017.

    Examples
    --------
    >>> chrf(["the cat sat"], ["the cat sits"]).round(2)
    array([61.03])
    """
    from sacrebleu.metrics.chrf import CHRF

    metric = CHRF(
        char_order=char_order,
        word_order=word_order,
        beta=beta,
        lowercase=lowercase,
        whitespace=whitespace,
        eps_smoothing=eps_smoothing,
    )
    return _score_items(metric, predictions, references)


def ter(
    predictions: Any,
    references: Any,
    *,
    normalized: bool = False,
    no_punct: bool = False,
    asian_support: bool = False,
    case_sensitive: bool = False,
) -> Scores:
    """Edits and shifts that turn the prediction into a reference, per 100 reference words.

    Lower is better. Equal to ``sacrebleu.sentence_ter``.

    Parameters
    ----------
    predictions : sequence of str
        One text per item.
    references : sequence of (str or sequence of str)
        One reference per item, or a list of them: fewest edits, over their mean length.
    normalized, no_punct, asian_support, case_sensitive : bool
        How texts are cut into words, as in sacrebleu.

    Returns
    -------
    numpy.ndarray
        One score per item, from 0 for equal texts; there is no upper bound.

    Raises
    ------
    InputError
        If the texts are no texts or do not pair up.

    References
    ----------
    Snover et al. 2006, A Study of Translation Edit Rate with Targeted Human Annotation.

    Examples
    --------
    >>> ter(["the cat sat"], ["the cat sits there"])
    array([50.])
    """
    from sacrebleu.metrics.ter import TER

    metric = TER(
        normalized=normalized,
        no_punct=no_punct,
        asian_support=asian_support,
        case_sensitive=case_sensitive,
    )
    return _score_items(metric, predictions, references)


def essential_of_bleu(options: Mapping[str, Any]) -> dict[str, str]:
    """Describe the options of `bleu`, tokenizer and smoothing always."""
    return changed_options(bleu, options, always=("smooth_method", "tokenize"))


def essential_of_chrf(options: Mapping[str, Any]) -> dict[str, str]:
    """Describe the options of `chrf`, orders and beta always."""
    return changed_options(chrf, options, always=("beta", "char_order", "word_order"))


def _score_items(metric: Any, predictions: Any, references: Any) -> Scores:
    """Score each distinct item once."""
    items = list(zip(*check_texts(predictions, references), strict=True))
    scores = {item: metric.sentence_score(*item).score for item in dict.fromkeys(items)}
    return np.array([scores[item] for item in items], np.float64)
