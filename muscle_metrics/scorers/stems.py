"""Porter stems as numbers: every distinct word is stemmed once in the life of a process."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from muscle_metrics.scorers.packing import Name, word_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["NO_STEM", "number_stems"]

NO_STEM = -1
"""The number of a word of which the stemmer leaves nothing."""

_MOST_WORDS_KEPT = 1 << 18


def number_stems(names: Sequence[Name]) -> NDArray[np.int64]:
    """Give words numbers from 1 on, alike where they have one stem.

    As in rouge-score, words of up to three characters are their own stems. Numbers of two calls
    have nothing in common.

    Examples
    --------
    >>> one, two, three = number_stems([b"abilities", b"ability", b"able"])
    >>> bool(one == two), bool(one == three)
    (True, False)
    """
    with _LOCK:
        if len(_NUMBERS) > _MOST_WORDS_KEPT:
            _NUMBERS.forget()
        return np.fromiter(map(_NUMBERS.__getitem__, names), np.int64, len(names))


class _Numbers(dict[Name, int]):
    """The number of each word met so far."""

    def __init__(self) -> None:
        super().__init__()
        self.forget()

    def forget(self) -> None:
        self.clear()
        self._of_stem = {"": NO_STEM}

    def __missing__(self, name: Name) -> int:
        word = word_of(name).decode()
        stem = _stemmer().stem(word) if len(word) > 3 else word
        number = self[name] = self._of_stem.setdefault(stem, len(self._of_stem))
        return number


@cache
def _stemmer() -> Any:
    from nltk.stem.porter import PorterStemmer

    return PorterStemmer()


_NUMBERS = _Numbers()
_LOCK = Lock()
