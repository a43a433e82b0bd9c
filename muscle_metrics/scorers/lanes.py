"""Unions of subsequences between short sentences: one machine word per pair of sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from muscle_metrics.scorers.overlap import Bags
from muscle_metrics.scorers.subsequences import pick_subsequence
from muscle_metrics.scorers.words import letter_codes

__all__ = ["LONGEST", "short_unions"]

LONGEST = 64
"""Most words a sentence may have: the bits of the widest machine word."""

Integers: TypeAlias = NDArray[np.int64]
Letters: TypeAlias = NDArray[np.uint32]
Sentences: TypeAlias = Sequence[str]

_LANES_AT_ONCE = 1024
# Neither is a letter, and they differ: a blank equals nothing.
_BLANK_CANDIDATE, _BLANK_REFERENCE = 0xFFFFFFFE, 0xFFFFFFFF


def short_unions(candidates: Sequence[Sentences], references: Sequence[Sentences]) -> Bags:
    """As `union_words`, for sentences of at most `LONGEST` words.

    Examples
    --------
    >>> union = short_unions([["abfgh", "achie"], ["x"]], [["abcde"], ["xy", "yx"]])
    >>> "".join(map(chr, union.grams)), union.sizes.tolist()
    ('abcexx', [4, 2])
    """
    # A blank after the candidate's last word would count as a word, one before the first is idle.
    left, left_lengths = _table(candidates, _BLANK_CANDIDATE, from_right=True)
    right, right_lengths = _table(references, _BLANK_REFERENCE, from_right=False)
    ours, theirs = _pair_sentences(candidates, references)
    found = np.zeros(len(right), "<u8")
    for width, lanes in _batches(left_lengths[ours], right_lengths[theirs]):
        columns = int(left_lengths[ours[lanes]].max())
        candidate = left[ours[lanes], LONGEST - columns :]
        picked = _pick(candidate, right[theirs[lanes], :width])
        np.bitwise_or.at(found, theirs[lanes], picked.astype(found.dtype))
    bits = np.unpackbits(found.view(np.uint8).reshape(-1, 8), axis=1, bitorder="little")
    owners = np.repeat(np.arange(len(references)), list(map(len, references)))
    sizes = np.bincount(owners, bits.sum(axis=1), len(references))
    return Bags(right[bits.astype(bool)], sizes.astype(np.int64))


def _table(texts: Sequence[Sentences], blank: int, *, from_right: bool) -> tuple[Letters, Integers]:
    """One row of letters per sentence, filled up with blanks, and the length of each."""
    codes, lengths = letter_codes(list(chain.from_iterable(texts)))
    column = np.arange(LONGEST)
    inside = (column[::-1] if from_right else column) < lengths[:, None]
    table = np.full(inside.shape, blank, np.uint32)
    table[inside] = codes
    return table, lengths


def _pair_sentences(
    candidates: Sequence[Sentences], references: Sequence[Sentences]
) -> tuple[Integers, Integers]:
    """Row of the candidate sentence and of the reference sentence, for every lane."""
    ours = np.fromiter(map(len, candidates), np.int64, len(candidates))
    theirs = np.fromiter(map(len, references), np.int64, len(references))
    sizes = ours * theirs
    lane = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    across = np.repeat(np.maximum(ours, 1), sizes)
    first_ours = np.repeat(np.cumsum(ours) - ours, sizes)
    first_theirs = np.repeat(np.cumsum(theirs) - theirs, sizes)
    return first_ours + lane % across, first_theirs + lane // across


def _batches(left: Integers, right: Integers) -> Iterator[tuple[int, Integers]]:
    """Lanes whose reference fits the same machine word, those with like candidates together."""
    for above, width in pairwise((0, 8, 16, 32, 64)):
        lanes = np.flatnonzero((left > 0) & (right > above) & (right <= width))
        lanes = lanes[np.argsort(left[lanes], kind="stable")]
        for start in range(0, len(lanes), _LANES_AT_ONCE):
            yield width, lanes[start : start + _LANES_AT_ONCE]


def _pick(candidate: Letters, reference: Letters) -> NDArray[Any]:
    """Words of each row of the reference in its subsequence with that of the candidate, as bits."""
    width = reference.shape[1]
    equal = np.ascontiguousarray(candidate.T)[:, :, None] == reference
    matches = np.packbits(equal, axis=-1, bitorder="little").view(f"<u{width // 8}")[..., 0]
    full = np.full_like(matches[0], (1 << width) - 1)

    def smear(bits: NDArray[Any]) -> NDArray[Any]:
        shift = 1
        while shift < width:
            bits = bits | (bits >> shift)
            shift *= 2
        return bits

    picked: NDArray[Any] = pick_subsequence(matches, lambda row: row, smear, full, len(matches))
    return picked
