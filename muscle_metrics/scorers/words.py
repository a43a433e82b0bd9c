"""Texts as ROUGE reads them: one letter of a private alphabet per distinct word.

A text whose words are single letters is an ordinary string. It takes one to four bytes a word,
goes to numpy as an array of code points, and is what a bit-parallel subsequence is fastest on.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import compress, islice
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from muscle_metrics.scorers.packing import pack_words
from muscle_metrics.scorers.stems import NO_STEM, number_stems

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Reading", "Tokenize", "letter_codes", "read_texts", "read_tokens"]

Reading: TypeAlias = tuple[str, list[str]]
"""The letters of a text, and those of each of its lines."""

Tokenize: TypeAlias = Callable[[str], Iterable[Hashable]]

# A word is a run of a-z and 0-9: all else parts words, and so does every byte beyond ASCII.
_IN_WORDS = b"abcdefghijklmnopqrstuvwxyz0123456789"
_PARTS = bytes(byte if byte in _IN_WORDS else ord(" ") for byte in range(256))
_LINE_END = b"|"
_LINES = _PARTS[: ord("\n")] + _LINE_END + _PARTS[ord("\n") + 1 :]


def read_texts(texts: Sequence[str], *, stem: bool, most: int) -> list[Reading | None]:
    """Spell texts, all with the same alphabet; None for a text of more than `most` words.

    A word is a run of a-z and 0-9 in the lowercased text. With `stem`, words of one Porter stem
    share a letter.

    Examples
    --------
    >>> texts = ["The cats sat.", "the CAT, sitting", "a b c d"]
    >>> (one, _), (two, _), three = read_texts(texts, stem=True, most=3)
    >>> one[:2] == two[:2], one[2] == two[2], three
    (True, False, None)
    """
    # A text of n words has at least 2 * n - 1 characters.
    fits = [len(text) <= 2 * most or len(_clean(text, _PARTS).split()) <= most for text in texts]
    lines = _spell_lines(_clean("\n".join(compress(texts, fits)), _LINES), stem)
    if len(lines) == len(texts) and all(fits):
        return [(line, [line]) for line in lines]
    left = iter(lines)
    return [
        _take_lines(left, text.count("\n") + 1) if fit else None
        for text, fit in zip(texts, fits, strict=True)
    ]


def _clean(text: str, kept: bytes) -> bytes:
    return text.lower().encode("utf-8", "surrogatepass").translate(kept)


def _spell_lines(text: bytes, stem: bool) -> list[str]:
    import pandas as pd

    keys, long_words = pack_words(text.replace(_LINE_END, b" %b " % _LINE_END))
    codes, distinct = pd.factorize(keys)
    letters = number_stems(distinct, long_words) if stem else np.arange(1, len(distinct) + 1)
    letters[distinct == ord(_LINE_END)] = 0
    spelled = letters[codes]
    if NO_STEM in letters:
        spelled = spelled[spelled != NO_STEM]
    return spelled.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass").split("\0")


def _take_lines(lines: Iterator[str], count: int) -> Reading:
    own = [line for line in islice(lines, count) if line]
    return "".join(own), own


def read_tokens(texts: Sequence[str], *, tokenize: Tokenize, most: int) -> list[Reading | None]:
    r"""Spell texts whose words are the tokens of a tokenizer; otherwise as `read_texts`.

    A tokenizer may look across lines, so the letters of a text need not be those of its lines.

    Examples
    --------
    >>> read_tokens(["to be", "be\nto", "to be or not to be"], tokenize=str.split, most=5)
    [('\x01\x02', ['\x01\x02']), ('\x02\x01', ['\x02', '\x01']), None]
    """
    letters: dict[Hashable, str] = {}

    def spell(tokens: Iterable[Hashable]) -> str:
        return "".join([letters.setdefault(token, chr(len(letters) + 1)) for token in tokens])

    readings: list[Reading | None] = []
    for text in texts:
        tokens = list(tokenize(text))
        if len(tokens) > most:
            readings.append(None)
        else:
            lines = [spell(tokenize(line)) for line in text.split("\n") if line]
            readings.append((spell(tokens), lines))
    return readings


def letter_codes(texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Code points of spelled texts, one text after the other, and the length of each.

    Examples
    --------
    >>> codes, lengths = letter_codes(["ab", "", "c"])
    >>> codes.tolist(), lengths.tolist()
    ([97, 98, 99], [2, 0, 1])
    """
    encoded = "".join(texts).encode("utf-32-le", "surrogatepass")
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    return np.frombuffer(encoded, "<u4").astype(np.uint32, copy=False), lengths
