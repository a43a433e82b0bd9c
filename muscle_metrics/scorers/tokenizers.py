"""Tokenizers by name, so that ROUGE and token F1 read every script.

All of them read the text in lower case, in time linear in its length.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Callable, Hashable, Iterable
from functools import cache, partial
from typing import Any, Literal, TypeAlias, cast, get_args

from muscle_metrics.errors import UsageError
from muscle_metrics.scorers.custom import import_function
from muscle_metrics.scorers.exact import normalizer
from muscle_metrics.scorers.sacre import WordTokenizer, sacre_tokenizer
from muscle_metrics.scorers.unread import find_unread, kinds_of
from muscle_metrics.words.suggestion import nearest_name

__all__ = ["STEMMED", "Cut", "Tokenizer", "TokenizerName", "advise_tokenizer", "find_tokenizer"]

Cut: TypeAlias = Callable[[str], Iterable[Hashable]]
"""From a text to its words."""

TokenizerName: TypeAlias = Literal[
    "rouge-score",
    "squad",
    "unicode",
    "character",
    "mlqa-ar",
    "mlqa-de",
    "mlqa-en",
    "mlqa-es",
    "mlqa-hi",
    "mlqa-vi",
    "mlqa-zh",
    WordTokenizer,
]
"""rouge-score: runs of a-z and 0-9. squad: between spaces, without ASCII punctuation and English
articles. unicode: runs of letters and digits of any script. character: the same, but each character
of a script without spaces alone. mlqa-...: as the evaluation of MLQA. The others are sacrebleu's.
"""

Tokenizer: TypeAlias = TokenizerName | Cut
"""A name, ``package.module:function``, or a callable from a text to its words."""

STEMMED = ("rouge-score", "unicode")
"""Tokenizers whose words have Porter stems."""

_MLQA = "mlqa-"
# https://github.com/facebookresearch/MLQA, mlqa_evaluation_v1.py at commit 5ef5c731. Its pattern of
# Arabic is `\sال^|ال`, of which the first half never matches.
_ARTICLES = {
    "ar": "ال",
    "de": r"\b(?:ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b",
    "en": r"\b(?:a|an|the)\b",
    "es": r"\b(?:un|una|unos|unas|el|la|los|las)\b",
    "vi": r"\b(?:của|là|cái|chiếc|những)\b",
}
_MLQA_CHINESE = re.compile("([\u4e00-\u9fa5])")

_NO_ASCII_PUNCTUATION = str.maketrans("", "", string.punctuation)
_without_punctuation = normalizer(ignore_punctuation=True)
_folded = normalizer(unicode_form="NFKC", ignore_case=True)
_ROUGE_WORD = re.compile("[a-z0-9]+")
# Runs of kinds of characters, as `kinds_of` tells them.
_WORDS = {"unicode": re.compile("[los][losm]*"), "character": re.compile("sm*|[lo][lom]*")}


def find_tokenizer(tokenizer: Any, *, stem: bool = False, articles: bool = False) -> Cut:
    """Find a tokenizer by name or path.

    Parameters
    ----------
    tokenizer : str, callable, or object with a method ``tokenize``
        One of `TokenizerName`, or ``package.module:function``.
    stem : bool
        Whether words over three characters are replaced by their Porter stems.
    articles : bool
        Whether articles stay among the words, for tokenizers that leave them out.

    Raises
    ------
    UsageError
        If there is no such tokenizer, or it has no stems.
    MissingDependencyError
        If a package of the tokenizer is not installed.

    Examples
    --------
    >>> find_tokenizer("unicode")("Москва, 2-я улица")
    ['москва', '2', 'я', 'улица']
    >>> find_tokenizer("character")("我去iPhone店")
    ['我', '去', 'iphone', '店']
    >>> find_tokenizer("mlqa-de")("Der Hund und das Haus")
    ['hund', 'und', 'haus']
    """
    if isinstance(tokenizer, str) and ":" in tokenizer:
        tokenizer = import_function(tokenizer)
    cut = _named(tokenizer, articles) if isinstance(tokenizer, str) else None
    if stem and tokenizer not in STEMMED:
        raise UsageError(
            f"expected stem=True with one of the tokenizers {list(STEMMED)}, got {tokenizer!r}: "
            "drop stem, or let your tokenizer stem"
        )
    cut = cut or cast("Cut", getattr(tokenizer, "tokenize", tokenizer))
    if not callable(cut):
        raise UsageError(
            f"expected a tokenizer of {list(get_args(TokenizerName))}, a callable, or an object "
            f"with a method 'tokenize', got {tokenizer!r}: name one, such as 'unicode'"
        )
    return partial(_stemmed, cut) if stem else cut


def _named(name: str, articles: bool) -> Cut:
    if name == "rouge-score":
        return lambda text: _ROUGE_WORD.findall(text.lower())
    if name in _WORDS:
        return partial(_cut_runs, pattern=_WORDS[name])
    if name == "squad":
        pattern = None if articles else re.compile(_ARTICLES["en"])
        return partial(_cut_squad, articles=pattern)
    if name not in get_args(TokenizerName):
        near = nearest_name(name, get_args(TokenizerName))
        raise UsageError(
            f"expected a tokenizer of {list(get_args(TokenizerName))}, or "
            f"'package.module:function', got {name!r}: "
            f"{f'did you mean {near!r}?' if near else 'choose one of them'}"
        )
    if name.startswith(_MLQA):
        language = name.removeprefix(_MLQA)
        pattern = None if articles or language not in _ARTICLES else re.compile(_ARTICLES[language])
        return partial(_cut_mlqa, articles=pattern, is_chinese=language == "zh")
    spaced = sacre_tokenizer(cast("WordTokenizer", name))
    return lambda text: spaced(text.lower()).split()


def _cut_squad(text: str, articles: re.Pattern[str] | None) -> list[str]:
    text = text.lower().translate(_NO_ASCII_PUNCTUATION)
    return (articles.sub(" ", text) if articles else text).split()


def _cut_mlqa(text: str, articles: re.Pattern[str] | None, *, is_chinese: bool) -> list[str]:
    text = _without_punctuation(text.lower())
    text = articles.sub(" ", text) if articles else text
    return (_MLQA_CHINESE.sub(r" \1 ", text) if is_chinese else text).split()


def _cut_runs(text: str, pattern: re.Pattern[str]) -> list[str]:
    """Cut a text in one spelling: case folded, compatible forms alike, without invisible marks."""
    if text.isascii():
        return _ROUGE_WORD.findall(text.lower())
    # Folding may undo a normal form, and a normal form may bring capitals: twice is stable.
    text = _folded(_folded(text.translate(_SEEN)))
    return [text[run.start() : run.end()] for run in pattern.finditer(kinds_of(text))]


class _Seen(dict[int, int | None]):
    """For `str.translate`: None for joiners, soft hyphens, directions and forms of emoji."""

    def __missing__(self, code: int) -> int | None:
        category = unicodedata.category(chr(code))
        is_form = 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF
        self[code] = None if is_form or category in ("Cf", "Me") else code
        return self[code]


_SEEN = _Seen()


def _stemmed(cut: Cut, text: str) -> list[str]:
    words = map(str, cut(text))
    return [_stem(word) if len(word) > 3 else word for word in words]


@cache
def _stemmer() -> Any:
    from nltk.stem.porter import PorterStemmer

    return PorterStemmer()


def _stem(word: str) -> str:
    return str(_stemmer().stem(word))


def advise_tokenizer(metric: str, texts: Iterable[str]) -> str:
    """Name the option of a metric that reads texts which its tokenizer does not read.

    Examples
    --------
    >>> advise_tokenizer("rouge1", ["Москва"])
    "use --metric 'rouge1(tokenizer=unicode)' (metric=), or --metric chrf (metric='chrf')"
    """
    texts = list(texts)
    chrf = "--metric chrf (metric='chrf')"
    for name in _WORDS:
        if not find_unread(texts, find_tokenizer(name)):
            return f"use --metric '{metric}(tokenizer={name})' (metric=), or {chrf}"
    return f"use {chrf}"
