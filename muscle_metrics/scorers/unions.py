"""The unions of longest common subsequences that ROUGE-Lsum counts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import isqrt
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from muscle_metrics.scorers.lanes import LONGEST, short_unions
from muscle_metrics.scorers.overlap import Bags
from muscle_metrics.scorers.subsequences import pick_subsequence
from muscle_metrics.scorers.words import letter_codes

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["union_words"]

Sentences: TypeAlias = Sequence[str]

_BLANK = 0xFFFFFFFF
_MOST_LANES = 1024


def union_words(candidates: Sequence[Sentences], references: Sequence[Sentences]) -> Bags:
    """Words of each reference text that some candidate sentence shares with it.

    Parameters
    ----------
    candidates, references : sequence of sequence of str
        For each pair of texts its sentences, spelled with one letter per word.

    Returns
    -------
    Bags
        For each pair the words of every reference sentence that belong to its longest common
        subsequence with at least one candidate sentence.

    References
    ----------
    Lin 2004, ROUGE: A Package for Automatic Evaluation of Summaries, section 3.2.

    Examples
    --------
    >>> union = union_words([["abfgh", "achie"]], [["abcde"]])
    >>> "".join(map(chr, union.grams))
    'abce'
    """
    short: list[int] = []
    words: list[NDArray[Any]] = []
    owners: list[NDArray[np.int64]] = []
    for pair, (candidate, reference) in enumerate(zip(candidates, references, strict=True)):
        if _is_short(candidate, reference):
            short.append(pair)
        else:
            words.append(_long_union(candidate, reference))
            owners.append(np.full(len(words[-1]), pair))
    found = short_unions([candidates[k] for k in short], [references[k] for k in short])
    words.append(found.grams)
    owners.append(np.repeat(np.array(short, np.int64), found.sizes))
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    return Bags(np.concatenate(words)[order], np.bincount(owner, minlength=len(references)))


def _is_short(candidate: Sentences, reference: Sentences) -> bool:
    """Whether one machine word per pair of sentences is possible, and the faster way."""
    longest = max(map(len, (*candidate, *reference)), default=0)
    return longest <= LONGEST and len(candidate) * len(reference) <= _MOST_LANES


def _long_union(candidate: Sentences, reference: Sentences) -> NDArray[np.uint32]:
    """Union for one pair of texts, the reference sentences side by side in one integer."""
    codes, lengths = letter_codes(reference)
    number = np.repeat(np.arange(len(reference)), lengths)
    # A blank after each sentence keeps it apart from the next.
    place = np.arange(len(codes)) + number
    line = np.full(len(codes) + len(reference), _BLANK, np.uint32)
    line[place] = codes
    sentence = np.full(len(line), -1)
    sentence[place] = number
    shifts = [1 << k for k in range(int(lengths.max(initial=0)).bit_length())]
    within = [_to_integer(sentence[:-shift] == sentence[shift:]) for shift in shifts]

    def smear(bits: int) -> int:
        for shift, mask in zip(shifts, within, strict=True):
            bits |= (bits >> shift) & mask
        return bits

    @lru_cache(1024)
    def match(letter: str) -> int:
        return _to_integer(line == ord(letter))

    full = _to_integer(sentence >= 0)
    union = 0
    for words in set(candidate):
        union |= pick_subsequence(words, match, smear, full, isqrt(len(words)) + 1)
    return line[_to_bits(union, len(line))]


def _to_integer(bits: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")


def _to_bits(integer: int, count: int) -> NDArray[np.bool_]:
    octets = np.frombuffer(integer.to_bytes(count // 8 + 1, "little"), np.uint8)
    return np.unpackbits(octets, count=count, bitorder="little").astype(bool)
