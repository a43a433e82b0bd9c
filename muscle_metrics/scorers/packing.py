"""Words as numbers, without a Python object for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["name_words", "pack_words", "word_of"]

Keys: TypeAlias = NDArray[np.uint64]
Name: TypeAlias = int | bytes

_OCTETS = 8
_MASKS = np.array([(1 << 8 * octets) - 1 for octets in range(_OCTETS + 1)], np.uint64)


def pack_words(text: bytes) -> tuple[Keys, list[bytes]]:
    """Turn the words of a text, parted by spaces, into one number each.

    A word of at most eight bytes is its own number, read as a little-endian integer. The numbers
    of longer words end in a zero byte, which no text may contain, and count the distinct ones.

    Returns
    -------
    numpy.ndarray
        One number per word, equal exactly where the words are.
    list of bytes
        The distinct longer words, in the order of their numbers.

    Examples
    --------
    >>> pack_words(b" a b unbelievable a ")
    (array([97, 98,  0, 97], dtype=uint64), [b'unbelievable'])
    """
    padded = b" " + text + b" " * _OCTETS
    inside = np.frombuffer(padded, np.uint8) != ord(" ")
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    starts, ends = edges[::2], edges[1::2]
    lengths = ends - starts
    windows = np.ndarray(len(padded) - _OCTETS + 1, "<u8", padded, strides=(1,))
    keys = windows[starts] & _MASKS[np.minimum(lengths, _OCTETS)]
    number: dict[bytes, int] = {}
    long = np.flatnonzero(lengths > _OCTETS)
    spans = zip(starts[long].tolist(), ends[long].tolist(), strict=True)
    keys[long] = [number.setdefault(padded[start:end], len(number)) << 8 for start, end in spans]
    return keys, list(number)


def name_words(keys: Keys, long_words: Sequence[bytes]) -> list[Name]:
    """Replace the numbers that only count longer words by the words themselves.

    Examples
    --------
    >>> name_words(*pack_words(b"unbelievable a"))
    [b'unbelievable', 97]
    """
    names: list[Name] = keys.tolist()
    for place in np.flatnonzero(keys & 0xFF == 0).tolist():
        names[place] = long_words[int(keys[place]) >> 8]
    return names


def word_of(name: Name) -> bytes:
    """Give back the word of a name.

    Examples
    --------
    >>> word_of(97), word_of(b"unbelievable")
    (b'a', b'unbelievable')
    """
    return name if isinstance(name, bytes) else name.to_bytes(_OCTETS, "little").rstrip(b"\0")
