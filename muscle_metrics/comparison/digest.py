"""A hash of the items of a comparison that does not depend on their order, or on who counted them.

Every item has a number, by a hash of its key. Numbers of items with the same marks are summed, so
that shards and engines add them, and a hash of all sums is the digest.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["DIGITS", "Sums", "digest", "sum_items"]

DIGITS = 12
"""Hexadecimal digits of the hash of an item, and of a digest."""

Sums = dict[str, tuple[int, int]]
"""By marks of items, such as "101": how many items have them, and the sum of their numbers."""


def sum_items(keys: Sequence[str], columns: Iterable[npt.NDArray[np.generic] | None]) -> Sums:
    """Sum the numbers of items by their marks.

    Parameters
    ----------
    keys : sequence of str
        Key of every item.
    columns : iterable of array or None, each of shape (N,) or (T, N)
        Flags, which are marks; None where one is unknown; scores, which are hashed with the key.

    Examples
    --------
    >>> sums = sum_items(["b", "a"], [np.array([True, False]), None])
    >>> sums == sum_items(["a", "b"], [np.array([False, True]), None])
    True
    """
    marks: list[npt.NDArray[np.uint8]] = []
    scores: list[npt.NDArray[np.float64]] = []
    for column in columns:
        if column is None:
            marks.append(np.full((1, len(keys)), ord("?"), dtype=np.uint8))
        elif column.dtype == np.bool_:
            marks.append(np.atleast_2d(column).astype(np.uint8) + ord("0"))
        else:
            scores.append(np.atleast_2d(column).astype(np.float64))
    graded = np.concatenate(scores).T.copy() if scores else np.empty((len(keys), 0))
    numbers = np.array(
        [_number(key, row.tobytes()) for key, row in zip(keys, graded, strict=True)],
        dtype=np.uint64,
    )
    if not marks:
        return {"": (len(keys), _total(numbers))}
    table = np.concatenate(marks).T.copy()
    texts, members = np.unique(table.view(f"S{table.shape[1]}"), return_inverse=True)
    held = [members.ravel() == position for position in range(len(texts))]
    return {
        text.decode(): (int(np.count_nonzero(rows)), _total(numbers[rows]))
        for text, rows in zip(texts.tolist(), held, strict=True)
    }


def digest(sums: Mapping[str, tuple[int, int]]) -> str:
    """Hash the sums of all items.

    Examples
    --------
    >>> digest(sum_items(["a"], [])) == digest(sum_items(["b"], []))
    False
    """
    wrapped = sorted((marks, count, total % 2**64) for marks, (count, total) in sums.items())
    return hashlib.sha256(json.dumps(wrapped).encode()).hexdigest()[:DIGITS]


def _number(key: str, scores: bytes) -> int:
    # An engine computes the same in SQL, where there are no scores.
    return int(hashlib.sha256(key.encode() + scores).hexdigest()[:DIGITS], 16)


def _total(numbers: npt.NDArray[np.uint64]) -> int:
    return int(numbers.sum(dtype=np.uint64))
