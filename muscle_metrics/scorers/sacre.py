"""BLEU, chrF and TER of single items, as sacrebleu computes them, on its scale of 0 to 100.

The three metrics are made for corpora: the score of one item is noisy, and the mean of the items is
not the score of the corpus.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from muscle_metrics.errors import (
    MissingDependencyError,
    UsageError,
    check_choice,
)
from muscle_metrics.scorers.signature import changed_options
from muscle_metrics.scorers.texts import (
    OverCap,
    Scores,
    check_cap,
    check_texts,
    pair_texts,
    refuse_long,
)
from muscle_metrics.scorers.unread import Unread, find_unread, refuse_unread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "SacreTokenizer",
    "SmoothMethod",
    "WordTokenizer",
    "bleu",
    "chrf",
    "essential_of_bleu",
    "essential_of_chrf",
    "sacre_tokenizer",
    "ter",
]

SmoothMethod: TypeAlias = Literal["exp", "floor", "add-k", "none"]
WordTokenizer: TypeAlias = Literal[
    "13a",
    "char",
    "flores101",
    "flores200",
    "intl",
    "ja-mecab",
    "ko-mecab",
    "spBLEU-1K",
    "spm",
    "zh",
]
SacreTokenizer: TypeAlias = Literal[WordTokenizer, "none"]
Item: TypeAlias = tuple[str, tuple[str, ...]]

DEFAULT_TOKENIZER: SacreTokenizer = "13a"
# What sacrebleu's tokenizers import; it has extras for two of them.
_PACKAGES = {
    "ja-mecab": "sacrebleu[ja]",
    "ko-mecab": "sacrebleu[ko]",
    **dict.fromkeys(("spm", "flores101", "flores200", "spBLEU-1K"), "sentencepiece"),
}
# Time of TER grows with the square of the words: seconds for two texts of a hundred random ones.
_HIGHEST_CAP = 10_000
_HIGHEST_ORDER = 100
_READS_ALL = "use --metric chrf (metric='chrf'), which reads every script"


def bleu(
    predictions: Any,
    references: Any,
    *,
    tokenize: SacreTokenizer = DEFAULT_TOKENIZER,
    lowercase: bool = False,
    smooth_method: SmoothMethod = "exp",
    smooth_value: float | None = None,
    unread: Unread = "raise",
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
        One of sacrebleu's tokenizers: ``zh`` for Chinese, ``ja-mecab`` for Japanese, ``ko-mecab``
        for Korean, ``char`` for any script; ``13a`` makes one word of a Chinese sentence. Those of
        sentencepiece download a model, unless it is there.
    lowercase : bool
        Ignore case.
    smooth_method : {"exp", "floor", "add-k", "none"}
        Replacement of a precision of 0, as in sacrebleu.
    smooth_value : float, optional
        Above 0, for ``floor`` (at most 1, by default 0.1) and ``add-k`` (by default 1).
    unread : {"raise", "score"}
        Whether texts whose words the tokenizer loses are an error, or are scored as they are, as
        sacrebleu does.

    Returns
    -------
    numpy.ndarray
        One score per item, in [0, 100].

    Raises
    ------
    UsageError
        If an option is unknown, out of range or has no effect.
    MissingDependencyError
        If a package of the tokenizer is not installed.
    InputError
        If the texts are no texts or do not pair up, or the tokenizer makes one word of a sentence.

    References
    ----------
    Papineni et al. 2002; Post 2018, A Call for Clarity in Reporting BLEU Scores.

    Examples
    --------
    >>> bleu(["the cat sat"], ["the cat sat down"]).round(2)
    array([71.65])
    """
    from sacrebleu.metrics.bleu import BLEU

    check_choice("tokenize", tokenize, get_args(SacreTokenizer))
    _check_flags(lowercase=lowercase)
    _check_smoothing(smooth_method, smooth_value)
    metric = _with_tokenizer(
        tokenize,
        lambda: BLEU(
            tokenize=tokenize,
            lowercase=lowercase,
            smooth_method=smooth_method,
            smooth_value=smooth_value,
            effective_order=True,
        ),
    )
    of_language = (
        "take a tokenizer of the language, as in --metric 'bleu(tokenize=zh)' (metric=), or "
        "ja-mecab, ko-mecab or char"
    )
    _check_words("bleu", metric.tokenizer, predictions, references, of_language, unread)
    # A perfect match may come out a rounding above the end of the range.
    return _score_items(metric, predictions, references).clip(0, 100)


def chrf(
    predictions: Any,
    references: Any,
    *,
    char_order: int = 6,
    word_order: int = 0,
    beta: float = 2,
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
        Longest n-grams of characters, at least 1, and of words; at most 100.
    beta : float
        Recall counts `beta` times as much as precision; above 0.
    lowercase, whitespace, eps_smoothing : bool
        Ignore case; let n-grams contain white space; smooth as the original script does.

    Returns
    -------
    numpy.ndarray
        One score per item, in [0, 100].

    Raises
    ------
    UsageError
        If an option is out of range.
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

    _check_order("char_order", char_order, 1)
    _check_order("word_order", word_order, 0)
    if not (_is_number(beta) and 0 < beta < math.inf):
        raise UsageError(f"expected beta to be a number above 0, got {beta!r}: pass 2, as usual")
    _check_flags(lowercase=lowercase, whitespace=whitespace, eps_smoothing=eps_smoothing)
    metric = CHRF(
        char_order=char_order,
        word_order=word_order,
        beta=beta,  # type: ignore[arg-type]  # sacrebleu squares it
        lowercase=lowercase,
        whitespace=whitespace,
        eps_smoothing=eps_smoothing,
    )
    # As for BLEU.
    return _score_items(metric, predictions, references).clip(0, 100)


def ter(
    predictions: Any,
    references: Any,
    *,
    normalized: bool = False,
    no_punct: bool = False,
    asian_support: bool = False,
    case_sensitive: bool = False,
    max_tokens: int = 500,
    over_cap: OverCap = "raise",
    unread: Unread = "raise",
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
        How texts are cut into words, as in sacrebleu. Chinese and Japanese need both `normalized`
        and `asian_support`.
    max_tokens : int
        Texts of more words are not scored: time grows with the product of two lengths. At most
        10 000.
    over_cap : {"raise", "nan"}
        Whether an item with such a text is an error, or has the score nan.
    unread : {"raise", "score"}
        Whether texts whose words the tokenizer loses are an error, or are scored as they are, as
        sacrebleu does.

    Returns
    -------
    numpy.ndarray
        One score per item, from 0 for equal texts; there is no upper bound.

    Raises
    ------
    UsageError
        If an option is out of range or has no effect.
    InputError
        If the texts are no texts, do not pair up, are longer than `max_tokens`, or have sentences
        that are cut into no words.

    References
    ----------
    Snover et al. 2006, A Study of Translation Edit Rate with Targeted Human Annotation.

    Examples
    --------
    >>> ter(["the cat sat"], ["the cat sits there"])
    array([50.])
    """
    from sacrebleu.metrics.ter import TER

    check_cap(max_tokens, over_cap, _HIGHEST_CAP)
    _check_flags(
        normalized=normalized,
        no_punct=no_punct,
        asian_support=asian_support,
        case_sensitive=case_sensitive,
    )
    if asian_support and not (normalized or no_punct):
        raise UsageError(
            "expected normalized=True or no_punct=True beside asian_support=True, got neither: "
            "alone it changes nothing, so pass normalized=True as well"
        )
    metric = TER(
        normalized=normalized,
        no_punct=no_punct,
        asian_support=asian_support,
        case_sensitive=case_sensitive,
    )
    in_characters = (
        "cut Chinese and Japanese into characters, with --metric "
        "'ter(normalized=true, asian_support=true)' (metric=)"
    )
    _check_words("ter", metric.tokenizer, predictions, references, in_characters, unread)

    def is_long(item: Item) -> bool:
        return any(len(metric.tokenizer(text).split()) > max_tokens for text in (item[0], *item[1]))

    return _score_items(metric, predictions, references, is_long, max_tokens, over_cap)


def essential_of_bleu(options: Mapping[str, Any]) -> dict[str, str]:
    """Describe the options of `bleu`, tokenizer and smoothing always."""
    return changed_options(bleu, options, always=("smooth_method", "tokenize"))


def essential_of_chrf(options: Mapping[str, Any]) -> dict[str, str]:
    """Describe the options of `chrf`, orders and beta always."""
    return changed_options(chrf, options, always=("beta", "char_order", "word_order"))


def sacre_tokenizer(name: SacreTokenizer) -> Callable[[str], str]:
    """Make a tokenizer of sacrebleu, which puts spaces between the words of a text.

    Raises
    ------
    MissingDependencyError
        If a package of the tokenizer is not installed.
    UsageError
        If a model that the tokenizer downloads cannot be had.

    Examples
    --------
    >>> sacre_tokenizer("zh")("我去了。")
    '我 去 了 。'
    """
    from sacrebleu.metrics.bleu import BLEU

    made: Callable[[str], str] = _with_tokenizer(name, lambda: BLEU(tokenize=name).tokenizer)
    return made


def _with_tokenizer(name: SacreTokenizer, make: Callable[[], Any]) -> Any:
    """Make a metric, or say which packages its tokenizer needs."""
    try:
        return make()
    except (ImportError, RuntimeError, AssertionError) as error:
        if name not in _PACKAGES:
            raise
        # MeCab without a dictionary, or with another, is as good as missing.
        raise MissingDependencyError(
            f"expected the packages of the tokenizer {name!r}, which are not installed or do not "
            f"work: pip install '{_PACKAGES[name]}'"
        ) from error
    except OSError as error:
        raise UsageError(
            f"expected the model of the tokenizer {name!r}, which sacrebleu downloads, got "
            f"{' '.join(str(error).split())}: connect once, or use another tokenizer"
        ) from error


def _check_words(
    metric: str,
    tokenizer: Callable[[str], str],
    predictions: Any,
    references: Any,
    advice: str,
    unread: Unread,
) -> None:
    """Refuse texts of which a tokenizer makes no words, or one word of a sentence."""
    check_choice("unread", unread, get_args(Unread))
    if unread == "raise":
        pairs = pair_texts(predictions, references)
        lost = find_unread(pairs.texts, lambda text: tokenizer(text).split())
        refuse_unread(metric, pairs, lost, f"{advice}, or {_READS_ALL}")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _check_order(name: str, value: object, least: int) -> None:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not (is_whole and least <= value <= _HIGHEST_ORDER):  # type: ignore[operator]
        raise UsageError(
            f"expected {name} to be a whole number between {least} and {_HIGHEST_ORDER}, "
            f"got {value!r}"
        )


def _check_flags(**flags: object) -> None:
    for name, value in flags.items():
        if not isinstance(value, bool):
            raise UsageError(f"expected {name} to be True or False, got {value!r}: pass a boolean")


def _check_smoothing(method: SmoothMethod, value: object) -> None:
    check_choice("smooth_method", method, get_args(SmoothMethod))
    if value is None:
        return
    if method not in ("floor", "add-k"):
        raise UsageError(
            f"expected smooth_value only with smooth_method 'floor' or 'add-k', got {value!r} "
            f"with {method!r}: pass smooth_method as well"
        )
    highest = 1 if method == "floor" else math.inf
    if not (_is_number(value) and 0 < value <= highest and value < math.inf):  # type: ignore[operator]
        limit = "above 0 and at most 1" if method == "floor" else "above 0"
        raise UsageError(
            f"expected smooth_value to be a number {limit}, got {value!r}: leave it out, as usual"
        )


def _score_items(
    metric: Any,
    predictions: Any,
    references: Any,
    is_long: Callable[[Item], bool] = lambda _: False,
    max_tokens: int = 0,
    over_cap: OverCap = "nan",
) -> Scores:
    """Score each distinct item once; those over a cap are refused or nan."""
    items: list[Item] = list(zip(*check_texts(predictions, references), strict=True))
    distinct = dict.fromkeys(items)
    long = set(filter(is_long, distinct))
    if over_cap == "raise":
        refuse_long([k for k, item in enumerate(items) if item in long], max_tokens)
    scores = {
        item: math.nan if item in long else metric.sentence_score(*item).score for item in distinct
    }
    return np.array([scores[item] for item in items], np.float64)
