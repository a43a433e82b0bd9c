"""Items without an answer: how many in each run, and how many of them broke."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from muscle_metrics.comparison.unanswered import is_unanswered
from muscle_metrics.words.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.facts import Facts

__all__ = ["Silence", "count_silence", "silence_lines"]


@dataclass(frozen=True, slots=True)
class Silence:
    """Numbers of items without an answer.

    Parameters
    ----------
    old, new : int
        Of each run.
    broken : int, optional
        Of items that broke, those that the new run does not answer; None where nothing is right or
        wrong.
    """

    old: int
    new: int
    broken: int | None = None


def count_silence(comparison: Comparison) -> Silence | None:
    """Count the items without an answer; None where a run recorded scores alone.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> answers = {"old": ["A", "A"], "new": ["A", None], "references": ["A", "A"]}
    >>> count_silence(compare(**answers, missing="wrong"))
    Silence(old=0, new=1, broken=1)
    """
    table, correctness = comparison.table, comparison.correctness
    if correctness is not None and correctness.changed is None:
        return None
    old, new = is_unanswered(table.old), is_unanswered(table.new)
    if correctness is None:
        # Where no run recorded answers, the table shows scores in their place.
        texts = (
            any(isinstance(value, str) for value in column) for column in (table.old, table.new)
        )
        return Silence(int(old.sum()), int(new.sum())) if all(texts) else None
    broken = correctness.old_right & ~correctness.new_right & new
    return Silence(int(old.sum()), int(new.sum()), int(np.count_nonzero(broken)))


def silence_lines(comparison: Facts) -> Iterator[str]:
    """Say how many items have no answer; nothing where all have one.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> answers = {"old": ["A", "A"], "new": ["A", None], "references": ["A", "A"]}
    >>> list(silence_lines(compare(**answers, missing="wrong")))
    ['no answer: 0 in old, 1 in new; of 1 item that broke, 1 has no answer']
    """
    found = comparison.silence
    if found is None or not (found.old or found.new):
        return
    line = f"no answer: {found.old} in old, {found.new} in new"
    if found.broken is not None and comparison.counts.negative:
        verb = "has" if found.broken == 1 else "have"
        broke = counted(comparison.counts.negative, "item")
        line += f"; of {broke} that broke, {found.broken} {verb} no answer"
    yield line
