"""The three integers behind a ROUGE score, for a block of pairs of texts at a time.

Shared n-grams are counted by sorting. Longest common subsequences are read off rows of bits: along
a row of the table of subsequence lengths a step is 0 or 1, so a row is a word of bits, one per word
of the reference sentence, and 0 where the length grows (Crochemore et al. 2001, Information
Processing Letters 80, 279-285). One row follows from the one above in four operations. The same
operations serve an array of machine words (many short sentences at once) and a Python integer
(sentences of any length, side by side).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache, reduce
from itertools import accumulate, chain, pairwise
from math import isqrt
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from muscle_metrics.scorers.rouge_tokens import Reading, letter_codes, number_keys
from muscle_metrics.scorers.texts import TextPair, cut_blocks

__all__ = ["Counts", "count_pairs"]

Bits: TypeAlias = Any
"""A Python integer, or an array of unsigned integers."""

Integers: TypeAlias = NDArray[np.int64]
Letters: TypeAlias = NDArray[np.uint32]
Read: TypeAlias = Callable[[Sequence[str]], list[Reading | None]]
Sentences: TypeAlias = Sequence[str]

# Some twenty thousand words: arrays of a block should fit the processor's cache.
_BLOCK_CHARACTERS = 1 << 17
_UNREAD: Reading = ("", [])

# Most words of a sentence in one machine word, and most pairs of sentences compared at once.
_LONGEST_LANE = 64
_MOST_LANES = 1024
# Blanks are no letters, and differ by side: no blank equals a letter or the other blank.
_BLANK_CANDIDATE, _BLANK_REFERENCE = 0xFFFFFFFE, 0xFFFFFFFF


class Counts(NamedTuple):
    """How many units two texts share, and how many each has, for many pairs.

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
        Put pairs with the same reference side by side, so that it is read once.
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
        self._bags = _Bags(*letter_codes(predicted)), _Bags(*letter_codes(expected))

    def count_windows(self, order: int) -> Counts:
        left, right = _slide_windows(*self._bags, order)
        return Counts(_count_overlap(left, right), left.sizes, right.sizes)

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
    union = _union_words([predicted[k] for k in several], [expected[k] for k in several])
    words = _Bags(*letter_codes([columns.predicted[k] for k in several]))
    shared = common.shared.copy()
    shared[several] = _count_overlap(words, union)
    return common._replace(shared=shared)


class _Bags(NamedTuple):
    """The n-grams of many texts, one text after the other, and the number of them in each text.

    Two n-grams are equal exactly where their numbers are.
    """

    grams: NDArray[np.integer[Any]]
    sizes: Integers


def _slide_windows(left: _Bags, right: _Bags, order: int) -> tuple[_Bags, _Bags]:
    """Turn the words of texts into their runs of `order` words, numbered alike on both sides."""
    if order == 1:
        return left, right
    words = np.concatenate([left.grams, right.grams]).astype(np.uint64)
    sizes = np.concatenate([left.sizes, right.sizes])
    span = words.max(initial=0) + np.uint64(1)
    grams = words
    for step in range(1, order):
        if (int(grams.max(initial=0)) + 1) * int(span) >= 1 << 40:
            grams = number_keys(grams)[0].astype(np.uint64)
        grams = grams[:-1] * span + words[step:]
    # A window that begins less than `order` words before the end of a text runs over it.
    late = np.cumsum(sizes)[:, None] - np.arange(1, order)
    inside = np.ones(len(words), bool)
    inside[late[late >= 0]] = False
    grams = grams[inside[: len(grams)]]
    sizes = np.maximum(sizes - (order - 1), 0)
    texts = len(left.sizes)
    border = int(sizes[:texts].sum())
    return _Bags(grams[:border], sizes[:texts]), _Bags(grams[border:], sizes[texts:])


def _count_overlap(left: _Bags, right: _Bags) -> Integers:
    """Sum over distinct n-grams of the smaller of its two counts, text by text."""
    width = int(max(left.grams.max(initial=0), right.grams.max(initial=0))).bit_length()
    # Pair of texts, n-gram and side in one number: runs of equal numbers are counts.
    pairs = np.arange(len(left.sizes), dtype=np.uint64) << np.uint64(width)
    grams = np.concatenate([left.grams, right.grams]).astype(np.uint64)
    grams |= np.concatenate([np.repeat(pairs, left.sizes), np.repeat(pairs, right.sizes)])
    grams <<= np.uint64(1)
    grams[len(left.grams) :] |= np.uint64(1)
    grams.sort()
    changes = grams[1:] != grams[:-1]
    starts = np.flatnonzero(np.append(np.ones(min(len(grams), 1), bool), changes))
    runs, counts = grams[starts], np.diff(starts, append=len(grams))
    # An n-gram of the left text comes right before the same one of the right text.
    both = np.flatnonzero(runs[1:] ^ runs[:-1] == 1)
    pair = (runs[both] >> np.uint64(width + 1)).astype(np.intp)
    shared = np.minimum(counts[both], counts[both + 1])
    return np.bincount(pair, shared, len(pairs)).astype(np.int64)


def _union_words(candidates: Sequence[Sentences], references: Sequence[Sentences]) -> _Bags:
    """Words of each reference text that some candidate sentence shares with it.

    A word counts if it is in the longest common subsequence of its sentence and at least one
    candidate sentence (Lin 2004, section 3.2). Sentences are spelled with one letter per word.
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
    found = _short_unions([candidates[k] for k in short], [references[k] for k in short])
    words.append(found.grams)
    owners.append(np.repeat(np.array(short, np.int64), found.sizes))
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    return _Bags(np.concatenate(words)[order], np.bincount(owner, minlength=len(references)))


def _is_short(candidate: Sentences, reference: Sentences) -> bool:
    """Whether one machine word per pair of sentences is possible, and the faster way."""
    longest = max(map(len, (*candidate, *reference)), default=0)
    return longest <= _LONGEST_LANE and len(candidate) * len(reference) <= _MOST_LANES


def _long_union(candidate: Sentences, reference: Sentences) -> NDArray[np.uint32]:
    """Union for one pair of texts, the reference sentences side by side in one integer."""
    codes, lengths = letter_codes(reference)
    number = np.repeat(np.arange(len(reference)), lengths)
    # A blank after each sentence separates it from the next.
    place = np.arange(len(codes)) + number
    line = np.full(len(codes) + len(reference), _BLANK_REFERENCE, np.uint32)
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
        union |= _pick_subsequence(words, match, smear, full, isqrt(len(words)) + 1)
    return line[_to_bits(union, len(line))]


def _to_integer(bits: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")


def _to_bits(integer: int, count: int) -> NDArray[np.bool_]:
    octets = np.frombuffer(integer.to_bytes(count // 8 + 1, "little"), np.uint8)
    return np.unpackbits(octets, count=count, bitorder="little").astype(bool)


def _short_unions(candidates: Sequence[Sentences], references: Sequence[Sentences]) -> _Bags:
    """As `_union_words`, for sentences of at most `_LONGEST_LANE` words."""
    # A blank after the candidate's last word would count as a word, one before the first is idle.
    left, left_lengths = _table(candidates, _BLANK_CANDIDATE, from_right=True)
    right, right_lengths = _table(references, _BLANK_REFERENCE, from_right=False)
    ours, theirs = _pair_sentences(candidates, references)
    found = np.zeros(len(right), "<u8")
    for width, lanes in _batches(left_lengths[ours], right_lengths[theirs]):
        columns = int(left_lengths[ours[lanes]].max())
        candidate = left[ours[lanes], _LONGEST_LANE - columns :]
        picked = _pick(candidate, right[theirs[lanes], :width])
        np.bitwise_or.at(found, theirs[lanes], picked.astype(found.dtype))
    bits = np.unpackbits(found.view(np.uint8).reshape(-1, 8), axis=1, bitorder="little")
    owners = np.repeat(np.arange(len(references)), list(map(len, references)))
    sizes = np.bincount(owners, bits.sum(axis=1), len(references))
    return _Bags(right[bits.astype(bool)], sizes.astype(np.int64))


def _table(texts: Sequence[Sentences], blank: int, *, from_right: bool) -> tuple[Letters, Integers]:
    """One row of letters per sentence, filled up with blanks, and the length of each."""
    codes, lengths = letter_codes(list(chain.from_iterable(texts)))
    column = np.arange(_LONGEST_LANE)
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
    """Lanes whose references fit the same machine word, in order of their candidates' lengths."""
    for above, width in pairwise((0, 8, 16, 32, 64)):
        lanes = np.flatnonzero((left > 0) & (right > above) & (right <= width))
        lanes = lanes[np.argsort(left[lanes], kind="stable")]
        for start in range(0, len(lanes), _MOST_LANES):
            yield width, lanes[start : start + _MOST_LANES]


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

    picked: NDArray[Any] = _pick_subsequence(matches, lambda row: row, smear, full, len(matches))
    return picked


def _pick_subsequence(
    candidate: Sequence[Any] | NDArray[Any],
    match: Callable[[Any], Bits],
    smear: Callable[[Bits], Bits],
    full: Bits,
    stride: int,
) -> Bits:
    """Mark the words of the reference in one longest common subsequence with the candidate.

    Which of several longest subsequences is picked matters, because ROUGE-Lsum counts their
    union. As in rouge-score, the walk back through the table takes every match that it
    meets, gives up the candidate's word where the table has just grown, and else gives up the
    reference's word.

    Parameters
    ----------
    candidate : sequence or numpy.ndarray
        The candidate's words.
    match : callable
        From a word of the candidate to a bit for each equal word of the reference.
    smear : callable
        Sets all bits below the highest one, in each sentence of the reference.
    full : Bits
        A bit for each word of the reference. Sentences side by side are separated by a bit that
        is not in it.
    stride : int
        Rows are computed again from every `stride`-th, so that few are in memory at a time.
    """

    def grow(row: Bits, word: Any) -> Bits:
        matches = match(word)
        return ((row + (row & matches)) | (row & ~matches)) & full

    blocks = [candidate[start : start + stride] for start in range(0, len(candidate), stride)]
    entries = list(accumulate(blocks, lambda row, block: reduce(grow, block, row), initial=full))
    picked = full & ~full
    reach = full
    for entry, block in zip(entries[-2::-1], reversed(blocks), strict=True):
        rows = list(accumulate(block, grow, initial=entry))
        for row, word in zip(rows[:0:-1], reversed(block), strict=True):
            matches = match(word)
            # The walk goes on from the next match or growth among the words within reach.
            reach = smear((matches | ~row) & reach)
            taken = reach & ~(reach >> 1) & matches
            picked = picked | taken
            reach = reach ^ taken
    return picked
