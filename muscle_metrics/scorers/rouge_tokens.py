"""Words of texts, as rouge-score finds them, one letter of a private alphabet per distinct word.

A text whose words are single letters is an ordinary string. It takes one to four bytes a word,
goes to numpy as an array of code points, and suits the bit-parallel search for subsequences.
No Python object is made per word: words of up to eight bytes are integers, and each distinct word
is stemmed once in the life of a process.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import cache
from itertools import compress, islice
from threading import Lock
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Keys",
    "Reading",
    "Tokenize",
    "letter_codes",
    "number_keys",
    "read_texts",
    "read_tokens",
]

Keys: TypeAlias = NDArray[np.uint64]

Reading: TypeAlias = tuple[str, list[str]]
"""The letters of a text, and those of each of its lines."""

Tokenize: TypeAlias = Callable[[str], Iterable[Hashable]]

_LINE_END = b"|"
_BYTES_OF_A_KEY = 8
_MASKS = np.array([(1 << 8 * size) - 1 for size in range(_BYTES_OF_A_KEY + 1)], np.uint64)
# The golden ratio times 2**64: the factor of Fibonacci hashing, and odd, so that no key is lost.
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
# The number of a word of which the stemmer leaves nothing.
_NO_STEM = -1
_MOST_STEMS_KEPT = 1 << 18


def read_texts(texts: Sequence[str], *, stem: bool, most: int) -> list[Reading | None]:
    """Spell texts, all with the same alphabet; None for a text of more than `most` words.

    A word is a run of a-z and 0-9 in the lowercased text. With `stem`, words of one Porter stem
    share a letter.
    """
    to_words = _word_bytes()
    # A text of n words has at least 2 * n - 1 characters.
    fits = [len(text) <= 2 * most or len(_clean(text, to_words).split()) <= most for text in texts]
    newline = ord("\n")
    to_lines = to_words[:newline] + _LINE_END + to_words[newline + 1 :]
    lines = _spell_lines(_clean("\n".join(compress(texts, fits)), to_lines), stem)
    if len(lines) == len(texts) and all(fits):
        return [(line, [line]) for line in lines]
    left = iter(lines)
    return [
        _take_lines(left, text.count("\n") + 1) if fit else None
        for text, fit in zip(texts, fits, strict=True)
    ]


@cache
def _word_bytes() -> bytes:
    """For `bytes.translate`: bytes of rouge-score's words stay, all others become spaces."""
    from rouge_score.tokenize import VALID_TOKEN_RE

    return bytes(byte if VALID_TOKEN_RE.match(chr(byte)) else ord(" ") for byte in range(256))


def _clean(text: str, kept: bytes) -> bytes:
    return text.lower().encode("utf-8", "surrogatepass").translate(kept)


def _spell_lines(text: bytes, stem: bool) -> list[str]:
    keys, long_words = _pack_words(text.replace(_LINE_END, b" %b " % _LINE_END))
    numbers, distinct = number_keys(keys)
    letters = _number_stems(distinct, long_words) if stem else np.arange(1, len(distinct) + 1)
    letters[distinct == ord(_LINE_END)] = 0
    spelled = letters[numbers]
    if _NO_STEM in letters:
        spelled = spelled[spelled != _NO_STEM]
    return spelled.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass").split("\0")


def _take_lines(lines: Iterator[str], count: int) -> Reading:
    own = [line for line in islice(lines, count) if line]
    return "".join(own), own


def read_tokens(texts: Sequence[str], *, tokenize: Tokenize, most: int) -> list[Reading | None]:
    """Spell texts whose words are the tokens of a tokenizer; otherwise as `read_texts`.

    A tokenizer may look across lines, so the letters of a text need not be those of its lines.
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
    """Code points of spelled texts, one text after the other, and the length of each."""
    encoded = "".join(texts).encode("utf-32-le", "surrogatepass")
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    return np.frombuffer(encoded, "<u4").astype(np.uint32, copy=False), lengths


def number_keys(keys: Keys) -> tuple[NDArray[np.int64], Keys]:
    """Give keys numbers from 0 on, equal ones alike, and return the key of each number.

    As ``np.unique`` with the inverse, but in any order and several times as fast: numpy sorts
    integers in place much faster than it finds their order.
    """
    bits = len(keys).bit_length()
    low = np.uint64((1 << bits) - 1)
    # Upper bits: a hash of the key. Lower bits: where the key is.
    tagged = np.sort(keys * _SPREAD & ~low | np.arange(len(keys), dtype=np.uint64))
    order = (tagged & low).astype(np.intp)
    ordered = keys[order]
    changes = ordered[1:] != ordered[:-1]
    if np.any(changes & ((tagged[1:] ^ tagged[:-1]) <= low)):
        # Two keys share a hash, so equal keys need not be neighbours.
        distinct, numbers = np.unique(keys, return_inverse=True)
        return numbers.astype(np.int64), distinct
    first = np.append(np.ones(min(len(keys), 1), bool), changes)
    numbers = np.empty(len(keys), np.int64)
    numbers[order] = np.cumsum(first) - 1
    return numbers, ordered[first]


def _pack_words(text: bytes) -> tuple[Keys, list[bytes]]:
    """Turn the words of a text between spaces into one key each, and list the long words.

    A word of at most eight bytes is its own key, read as a little-endian integer. The keys of
    longer words end in a zero byte, which no text may contain, and count the distinct ones.
    """
    padded = b" " + text + b" " * _BYTES_OF_A_KEY
    inside = np.frombuffer(padded, np.uint8) != ord(" ")
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    starts, ends = edges[::2], edges[1::2]
    lengths = ends - starts
    windows = np.ndarray(len(padded) - _BYTES_OF_A_KEY + 1, "<u8", padded, strides=(1,))
    keys = windows[starts] & _MASKS[np.minimum(lengths, _BYTES_OF_A_KEY)]
    number: dict[bytes, int] = {}
    long = np.flatnonzero(lengths > _BYTES_OF_A_KEY)
    spans = zip(starts[long].tolist(), ends[long].tolist(), strict=True)
    keys[long] = [number.setdefault(padded[start:end], len(number)) << 8 for start, end in spans]
    return keys, list(number)


def _number_stems(keys: Keys, long_words: Sequence[bytes]) -> NDArray[np.int64]:
    """Give distinct words numbers from 1 on, alike where they have one stem.

    Numbers of two calls have nothing in common.
    """
    with _LOCK:
        return _STEMS.look_up(keys, long_words)


class _Stems:
    """The number of each word met so far: short words in sorted arrays, longer ones by name."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        # No word is as high as the last key, so that every search ends on a key.
        self._keys = np.array([np.iinfo(np.uint64).max])
        self._numbers = np.array([_NO_STEM])
        self._of_long_word: dict[bytes, int] = {}
        self._of_stem: dict[tuple[str, ...], int] = {(): _NO_STEM}

    def look_up(self, keys: Keys, long_words: Sequence[bytes]) -> NDArray[np.int64]:
        if len(self._keys) + len(self._of_long_word) > _MOST_STEMS_KEPT:
            self._forget()
        long = keys & 0xFF == 0
        short = keys[~long]
        place = np.searchsorted(self._keys, short)
        unknown = short[self._keys[place] != short]
        if len(unknown):
            self._learn(np.sort(unknown))
            place = np.searchsorted(self._keys, short)
        numbers = np.empty(len(keys), np.int64)
        numbers[~long] = self._numbers[place]
        numbers[long] = [self._number_long(long_words[key >> 8]) for key in keys[long].tolist()]
        return numbers

    def _learn(self, keys: Keys) -> None:
        place = np.searchsorted(self._keys, keys)
        words: list[bytes] = keys.astype("<u8").view(f"S{_BYTES_OF_A_KEY}").tolist()
        self._keys = np.insert(self._keys, place, keys)
        self._numbers = np.insert(self._numbers, place, list(map(self._number, words)))

    def _number_long(self, word: bytes) -> int:
        if word not in self._of_long_word:
            self._of_long_word[word] = self._number(word)
        return self._of_long_word[word]

    def _number(self, word: bytes) -> int:
        # One token, or none where the stemmer leaves nothing of the word.
        stem = tuple(_stemming_tokenizer().tokenize(word.decode()))
        return self._of_stem.setdefault(stem, len(self._of_stem))


@cache
def _stemming_tokenizer() -> Any:
    from rouge_score.tokenizers import DefaultTokenizer

    return DefaultTokenizer(use_stemmer=True)


_STEMS = _Stems()
_LOCK = Lock()
