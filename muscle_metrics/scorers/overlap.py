"""How many n-grams two texts share, for many pairs of texts at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Bags", "count_overlap", "slide_windows"]


class Bags(NamedTuple):
    """The n-grams of many texts, one text after the other.

    Attributes
    ----------
    grams : numpy.ndarray
        One number per n-gram, equal exactly where the n-grams are.
    sizes : numpy.ndarray
        How many of them each text has.
    """

    grams: NDArray[np.integer[Any]]
    sizes: NDArray[np.int64]


def slide_windows(left: Bags, right: Bags, order: int) -> tuple[Bags, Bags]:
    """Turn the words of texts into their runs of `order` words, numbered alike on both sides.

    Examples
    --------
    >>> one = Bags(np.array([4, 5, 4, 5]), np.array([3, 1]))
    >>> two = Bags(np.array([5, 4]), np.array([2, 0]))
    >>> left, right = slide_windows(one, two, 2)
    >>> left.sizes.tolist(), right.sizes.tolist(), bool(left.grams[1] == right.grams[0])
    ([2, 0], [1, 0], True)
    """
    if order == 1:
        return left, right
    import pandas as pd

    words = np.concatenate([left.grams, right.grams]).astype(np.int64)
    sizes = np.concatenate([left.sizes, right.sizes])
    span = int(words.max(initial=0)) + 1
    grams = words
    for step in range(1, order):
        if (int(grams.max(initial=0)) + 1) * span >= 1 << 40:
            grams = pd.factorize(grams)[0]
        grams = grams[:-1] * span + words[step:]
    # A window that begins less than `order` words before the end of a text runs over it.
    late = np.cumsum(sizes)[:, None] - np.arange(1, order)
    inside = np.ones(len(words), bool)
    inside[late[late >= 0]] = False
    grams = grams[inside[: len(grams)]]
    sizes = np.maximum(sizes - (order - 1), 0)
    texts = len(left.sizes)
    border = int(sizes[:texts].sum())
    return Bags(grams[:border], sizes[:texts]), Bags(grams[border:], sizes[texts:])


def count_overlap(left: Bags, right: Bags) -> NDArray[np.int64]:
    """Sum over distinct n-grams of the smaller of its two counts, for each pair of texts.

    Parameters
    ----------
    left, right : Bags
        As many texts on either side; text k is compared with text k.

    Examples
    --------
    >>> one = Bags(np.array([7, 7, 8]), np.array([2, 1]))
    >>> two = Bags(np.array([7, 7, 7]), np.array([3, 0]))
    >>> count_overlap(one, two)
    array([2, 0])
    """
    import pandas as pd

    # Pair and n-gram in one number: the same n-gram in another pair is another one.
    grams = np.concatenate([left.grams, right.grams], dtype=np.uint64, casting="unsafe")
    width = int(grams.max(initial=0)).bit_length()
    pairs = np.arange(len(left.sizes), dtype=np.uint64) << width
    grams |= np.concatenate([np.repeat(pairs, left.sizes), np.repeat(pairs, right.sizes)])
    codes, distinct = pd.factorize(grams)
    border = len(left.grams)
    shared = np.minimum(
        np.bincount(codes[:border], minlength=len(distinct)),
        np.bincount(codes[border:], minlength=len(distinct)),
    )
    return np.bincount(distinct >> width, shared, len(pairs)).astype(np.int64)
