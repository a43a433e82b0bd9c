"""The three integers behind a ROUGE score, for a block of pairs of texts at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from muscle_metrics.scorers.overlap import Bags, count_overlap, slide_windows
from muscle_metrics.scorers.texts import TextPair, cut_blocks
from muscle_metrics.scorers.unions import union_words
from muscle_metrics.scorers.words import Reading, letter_codes

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Counts", "count_pairs"]

Integers: TypeAlias = NDArray[np.int64]
Read: TypeAlias = Callable[[Sequence[str]], list[Reading | None]]

# Some twenty thousand words: arrays of a block should fit the processor's cache.
_BLOCK_CHARACTERS = 1 << 17
_UNREAD: Reading = ("", [])


class Counts(NamedTuple):
    """How many units two texts share, and how many each has, for many pairs.

    Attributes
    ----------
    shared, predicted, expected : numpy.ndarray
        Units are n-grams, or words (of a longest common subsequence).
    """

    shared: Integers
    predicted: Integers
    expected: Integers


def count_pairs(
    pairs: Sequence[TextPair], variants: Sequence[str], read: Read
) -> tuple[dict[str, Counts], NDArray[np.bool_]]:
    """Count every variant for many (prediction, reference) pairs, in bounded memory.

    Parameters
    ----------
    pairs : sequence of (str, str)
        Those with one reference should stand side by side: it is then read once.
    variants : sequence of str
        Names in `ROUGE_VARIANTS`.
    read : callable
        Spells texts with one letter per word, or gives None for one that is too long.

    Returns
    -------
    dict of str to Counts
        By variant.
    numpy.ndarray
        Whether the counts are known: both texts of the pair were read.

    Examples
    --------
    >>> spell = lambda texts: [(text, [text]) for text in texts]
    >>> counts, known = count_pairs([("abc", "ac")], ["rouge1", "rougeL"], spell)
    >>> counts["rougeL"].shared.tolist(), known.tolist()
    ([2], [True])
    """
    known: list[bool] = []
    parts: dict[str, list[Counts]] = {variant: [] for variant in variants}
    for where in cut_blocks(pairs, _BLOCK_CHARACTERS):
        block = pairs[where]
        texts = list(dict.fromkeys(chain.from_iterable(block)))
        readings = dict(zip(texts, read(texts), strict=True))
        unread = {text for text, reading in readings.items() if reading is None}
        known += [unread.isdisjoint(pair) for pair in block]
        predicted = [readings[prediction] or _UNREAD for prediction, _ in block]
        expected = [readings[reference] or _UNREAD for _, reference in block]
        for variant, counts in _count_block(predicted, expected, variants):
            parts[variant].append(counts)
    joined = {
        variant: Counts(*map(np.concatenate, zip(*blocks, strict=True)))
        for variant, blocks in parts.items()
    }
    return joined, np.array(known)


def _count_block(
    predicted: list[Reading], expected: list[Reading], variants: Sequence[str]
) -> Iterator[tuple[str, Counts]]:
    whole = _Columns([words for words, _ in predicted], [words for words, _ in expected])
    for variant in variants:
        if variant == "rougeL":
            yield variant, whole.common_words
        elif variant == "rougeLsum":
            ours, theirs = [lines for _, lines in predicted], [lines for _, lines in expected]
            yield variant, _count_unions(whole, ours, theirs)
        else:
            yield variant, whole.count_windows(int(variant.removeprefix("rouge")))


class _Columns:
    """Spelled predictions, and beside them their references."""

    def __init__(self, predicted: list[str], expected: list[str]) -> None:
        self.predicted = predicted
        self.expected = expected
        self._bags = Bags(*letter_codes(predicted)), Bags(*letter_codes(expected))

    def count_windows(self, order: int) -> Counts:
        left, right = slide_windows(*self._bags, order)
        return Counts(count_overlap(left, right), left.sizes, right.sizes)

    @cached_property
    def common_words(self) -> Counts:
        """Lengths of the longest common subsequences."""
        from rapidfuzz.distance import LCSseq
        from rapidfuzz.process import cpdist

        lengths = cpdist(self.predicted, self.expected, scorer=LCSseq.similarity, dtype=np.int64)
        return Counts(lengths, *(bags.sizes for bags in self._bags))


def _count_unions(
    whole: _Columns, predicted: Sequence[list[str]], expected: Sequence[list[str]]
) -> Counts:
    """Count line by line, no word more often than the prediction has it."""
    joined = list(map("".join, predicted)), list(map("".join, expected))
    # A tokenizer may look across lines.
    columns = whole if joined == (whole.predicted, whole.expected) else _Columns(*joined)
    # Where both texts are one line, the union is that of one subsequence.
    common = columns.common_words
    several = [
        pair
        for pair, (ours, theirs) in enumerate(zip(predicted, expected, strict=True))
        if len(ours) > 1 or len(theirs) > 1
    ]
    if not several:
        return common
    union = union_words([predicted[k] for k in several], [expected[k] for k in several])
    words = Bags(*letter_codes([columns.predicted[k] for k in several]))
    shared = common.shared.copy()
    shared[several] = count_overlap(words, union)
    return common._replace(shared=shared)
