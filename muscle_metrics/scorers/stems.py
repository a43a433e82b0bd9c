"""Porter stems as numbers: every distinct word is stemmed once in the life of a process."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from muscle_metrics.scorers.packing import Keys, is_long, unpack_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["NO_STEM", "number_stems"]

NO_STEM = -1
"""The number of a word of which the stemmer leaves nothing."""

_MOST_WORDS_KEPT = 1 << 18


def number_stems(keys: Keys, long_words: Sequence[bytes]) -> NDArray[np.int64]:
    """Give packed words numbers from 1 on, alike where they have one stem.

    As in rouge-score, words of up to three characters are their own stems. Numbers of two calls
    have nothing in common.

    Parameters
    ----------
    keys : numpy.ndarray
        Distinct words, as `pack_words` makes them.
    long_words : sequence of bytes
        The longer ones among them.

    Examples
    --------
    >>> from muscle_metrics.scorers.packing import pack_words
    >>> one, two, three = number_stems(*pack_words(b"abilities ability able"))
    >>> bool(one == two), bool(one == three)
    (True, False)
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
        self._numbers = np.array([NO_STEM])
        self._of_long_word: dict[bytes, int] = {}
        self._of_stem = {"": NO_STEM}

    def look_up(self, keys: Keys, long_words: Sequence[bytes]) -> NDArray[np.int64]:
        if len(self._keys) + len(self._of_long_word) > _MOST_WORDS_KEPT:
            self._forget()
        for word in long_words:
            if word not in self._of_long_word:
                self._of_long_word[word] = self._number(word)
        long = is_long(keys)
        short = keys[~long]
        place = np.searchsorted(self._keys, short)
        unknown = short[self._keys[place] != short]
        if len(unknown):
            self._learn(np.sort(unknown))
            place = np.searchsorted(self._keys, short)
        numbers = np.empty(len(keys), np.int64)
        numbers[~long] = self._numbers[place]
        numbers[long] = [self._of_long_word[word] for word in long_words]
        return numbers

    def _learn(self, keys: Keys) -> None:
        place = np.searchsorted(self._keys, keys)
        numbers = [self._number(word) for word in unpack_words(keys)]
        self._keys = np.insert(self._keys, place, keys)
        self._numbers = np.insert(self._numbers, place, numbers)

    def _number(self, word: bytes) -> int:
        text = word.decode()
        stem = _stemmer().stem(text) if len(text) > 3 else text
        return self._of_stem.setdefault(stem, len(self._of_stem))


@cache
def _stemmer() -> Any:
    from nltk.stem.porter import PorterStemmer

    return PorterStemmer()


_STEMS = _Stems()
_LOCK = Lock()
