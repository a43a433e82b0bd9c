"""Which answers turned into which, where the answers are few."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.turns import flip_matrix

if TYPE_CHECKING:
    from muscle_metrics.comparison import Comparison

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
    """The flip matrix: counts with their share of the row, and the turns most above chance.

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
    >>> answers = {"old": ["A", "A", "B", "B"] * 2, "new": ["A", "B", "B", "B"] * 2}
    >>> table = answer_table(compare(**answers, references=["A"] * 8))
    >>> [(turn.old, turn.new, turn.items) for turn in table.turns]
    [('A', 'B', 2)]
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
    sums = matrix.counts.sum(axis=1)
    rows = [
        (answer, [(int(n), round(100 * int(n) / max(int(total), 1))) for n in counts])
        for answer, counts, total in zip(matrix.answers, matrix.counts, sums, strict=True)
    ]
    turns = [
        TurnRow(t.old, t.new, t.items, f"{t.expected:.1f}", f"{t.excess:+.1f}".replace("-", "−"))
        for t in matrix.turns()[:MOST_TURNS]
    ]
    return AnswerTable(list(matrix.answers), rows, turns, comparison.total - len(pairs))
