"""Which answers turned into which, where the answers are few."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from muscle_metrics.answers.flip_matrix import flip_matrix

if TYPE_CHECKING:
    from muscle_metrics.comparison.comparison import Comparison

__all__ = ["AnswerTable", "TurnRow", "answer_table"]

MOST_ANSWERS = 20
MOST_TURNS = 15
# With fewer items per answer than this, every answer is a set of its own.
LEAST_ITEMS = 4


class TurnRow(NamedTuple):
    """How often one answer turned into another, and how often it would by chance.

    Examples
    --------
    >>> TurnRow("A", "B", 3, "1.5", "+1.5").items
    3
    """

    old: str
    new: str
    items: int
    expected: str
    excess: str


class AnswerTable(NamedTuple):
    """The flip matrix, and the turns above chance.

    Each count comes with its depth of colour in percent: the share of its row, for changes of
    answer relative to the largest.

    Examples
    --------
    >>> AnswerTable(["A"], [("A", [(1, 100)])], [], 0).answers
    ['A']
    """

    answers: list[str]
    rows: list[tuple[str, list[tuple[int, int]]]]
    turns: list[TurnRow]
    left_out: int


def answer_table(comparison: Comparison) -> AnswerTable | None:
    """Flip matrix of a closed set of answers such as letters; None where answers are open.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> comparison = compare(old=list("AABB") * 3, new=list("BBBA") * 3, references=["A"] * 12)
    >>> [(turn.old, turn.new, turn.items) for turn in answer_table(comparison).turns]
    [('A', 'B', 6), ('B', 'A', 3)]
    """
    table = comparison.table
    pairs = [
        (old, new)
        for old, new in zip(table.old, table.new, strict=True)
        if old is not None and new is not None
    ]
    answers = {answer for pair in pairs for answer in pair if isinstance(answer, str)}
    is_text = all(isinstance(answer, str) for pair in pairs for answer in pair)
    if not (is_text and 1 < len(answers) <= min(MOST_ANSWERS, len(pairs) // LEAST_ITEMS)):
        return None
    matrix = flip_matrix(old=[old for old, _ in pairs], new=[new for _, new in pairs])
    depths = matrix.counts / matrix.counts.sum(axis=1, keepdims=True).clip(1)
    turned = ~np.eye(len(matrix.answers), dtype=bool)
    depths[turned] /= depths[turned].max() or 1.0
    rows = [
        (answer, [*zip(counts, depth, strict=True)])
        for answer, counts, depth in zip(
            matrix.answers,
            matrix.counts.tolist(),
            (100 * depths).round().astype(int).tolist(),
            strict=True,
        )
    ]
    turns = [
        TurnRow(t.old, t.new, t.items, f"{t.expected:.1f}", f"{t.excess:+.1f}".replace("-", "−"))
        for t in matrix.transitions()[:MOST_TURNS]
        if t.excess > 0
    ]
    return AnswerTable(list(matrix.answers), rows, turns, comparison.total - len(pairs))
