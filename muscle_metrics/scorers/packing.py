"""Words as numbers, without a Python object for each of them."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Keys", "is_long", "pack_words", "unpack_words"]

Keys: TypeAlias = NDArray[np.uint64]

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


def is_long(keys: Keys) -> NDArray[np.bool_]:
    """Tell the numbers that only count longer words.

    Examples
    --------
    >>> is_long(pack_words(b"unbelievable a")[0])
    array([ True, False])
    """
    long: NDArray[np.bool_] = keys & 0xFF == 0
    return long


def unpack_words(keys: Keys) -> list[bytes]:
    """Give back the words that are their own numbers.

    Examples
    --------
    >>> unpack_words(pack_words(b"as it was")[0])
    [b'as', b'it', b'was']
    """
    words: list[bytes] = keys.astype("<u8").view(f"S{_OCTETS}").tolist()
    return words
