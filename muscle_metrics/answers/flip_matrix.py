"""The flip matrix: counts of each old answer against each new one, in a closed set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from muscle_metrics.answers.columns import answer_column, check_kinds, check_lengths
from muscle_metrics.answers.reading.reading import with_answer
from muscle_metrics.errors import InputError

if TYPE_CHECKING:
    from muscle_metrics.answers.columns import Key, Values

__all__ = ["FlipMatrix", "Transition", "flip_matrix"]


class Transition(NamedTuple):
    """How many items changed from one answer to another, and how many would by chance."""

    old: Any
    new: Any
    items: int
    expected: float

    @property
    def excess(self) -> float:
        """Number of items beyond the expected number for independent answers."""
        return self.items - self.expected


class FlipMatrix(NamedTuple):
    """Counts of old answer against new answer.

    `counts` has shape (A, A) with rows by old and columns by new answer, in the order of `answers`.

    Examples
    --------
    >>> matrix = flip_matrix(old=["A", "A", "B"], new=["A", "B", "B"])
    >>> matrix.answers, matrix.counts.tolist()
    (('A', 'B'), [[1, 1], [0, 1]])
    """

    answers: tuple[Any, ...]
    counts: npt.NDArray[np.int64]

    @property
    def expected(self) -> npt.NDArray[np.float64]:
        """Counts if the new answer did not depend on the old one, shape (A, A)."""
        rows, columns = self.counts.sum(axis=1), self.counts.sum(axis=0)
        expected: npt.NDArray[np.float64] = np.outer(rows, columns) / self.counts.sum()
        return expected

    def transitions(self) -> list[Transition]:
        """List the changes of answer that happened, the most above chance first."""
        expected = self.expected
        transitions = [
            Transition(
                self.answers[i], self.answers[j], int(self.counts[i, j]), float(expected[i, j])
            )
            for i, j in zip(*np.nonzero(self.counts), strict=True)
            if i != j
        ]
        return sorted(transitions, key=lambda t: (-t.excess, str(t.old), str(t.new)))


def flip_matrix(
    *,
    old: Values,
    new: Values,
    key: Key = None,
    answer: str | None = None,
    most_answers: int = 100,
) -> FlipMatrix:
    """Count the transitions between answers of a closed set, such as letters or labels.

    Parameters
    ----------
    old, new : sequence or array, shape (N,)
        Answers of the old and of the new model.
    key : callable, optional
        Normalises answers before they are compared.
    answer : str, optional
        Readers of answers, such as "strip, casefold", after the key.
    most_answers : int
        Largest number of different answers; beyond it the set is not closed.

    Returns
    -------
    FlipMatrix

    Raises
    ------
    InputError
        If the columns cannot be compared, or hold too many different answers.

    Examples
    --------
    >>> matrix = flip_matrix(old=list("AAAB"), new=list("ABBB"))
    >>> matrix.transitions()[0]
    Transition(old='A', new='B', items=2, expected=2.25)
    """
    key = with_answer(key, answer)
    before = answer_column(old, name="old", key=key)
    after = answer_column(new, name="new", key=key)
    total = check_lengths(old=before, new=after)
    check_kinds(before, after, names=("old", "new"))
    answers = sorted({*before.tolist(), *after.tolist()})
    if len(answers) > most_answers:
        raise InputError(
            f"expected a closed set of at most {most_answers} answers, got {len(answers)} "
            f"different ones in {total} items: raise most_answers, or cut them down with key="
        )
    places = {answer: place for place, answer in enumerate(answers)}
    rows = np.array([places[answer] for answer in before.tolist()])
    columns = np.array([places[answer] for answer in after.tolist()])
    flat = np.bincount(rows * len(answers) + columns, minlength=len(answers) ** 2)
    return FlipMatrix(tuple(answers), flat.reshape(len(answers), len(answers)))
