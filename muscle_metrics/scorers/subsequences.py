"""The longest common subsequence that rouge-score picks, read off rows of bits.

Along a row of the table of subsequence lengths a step is 0 or 1, so a row is a word of bits, one
per word of the reference sentence: 0 where the length grows (Crochemore et al. 2001, Information
Processing Letters 80, 279-285). One row follows from the one above in four operations, and the
same operations serve an array of machine words (many short sentences at once) and a Python
integer (sentences of any length, side by side).
"""

from __future__ import annotations

from functools import reduce
from itertools import accumulate
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["Bits", "pick_subsequence"]

Bits: TypeAlias = Any
"""A Python integer, or an array of unsigned integers."""


def pick_subsequence(
    candidate: Sequence[Any] | NDArray[Any],
    match: Callable[[Any], Bits],
    smear: Callable[[Bits], Bits],
    full: Bits,
    stride: int,
) -> Bits:
    """Mark the words of the reference in one longest common subsequence with the candidate.

    Which of several longest subsequences is picked matters, because ROUGE-Lsum counts their
    union. As in rouge-score, the walk back through the table takes a match wherever it stands on
    one, gives up the candidate's word where the table has just grown, and else gives up the
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
        A bit for each word of the reference. Reference sentences that stand side by side are
        parted by a bit that is not in it.
    stride : int
        Rows are computed again from every `stride`-th, so that few are held at a time.

    Examples
    --------
    The last word of ``xyx`` matches both words of ``xx``: the second one is picked.

    >>> where = {"x": 0b11, "y": 0b00}
    >>> bin(pick_subsequence("yx", where.get, lambda b: (1 << b.bit_length()) - 1, 0b11, 2))
    '0b10'
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
