"""Correctness of the old model per item, for hosts that score the new model item by item."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from muscle_metrics.answers.scores import is_score
from muscle_metrics.comparison.judging import judge_runs
from muscle_metrics.errors import InputError, PairingError, UsageError
from muscle_metrics.flips.counts import Quadrant
from muscle_metrics.runs.joining.pairing import join_runs
from muscle_metrics.runs.read import read_run
from muscle_metrics.runs.record import Run
from muscle_metrics.words.place import describe, list_ids, list_names, show

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

__all__ = ["StoredCorrectness", "is_right", "quadrant_of", "read_correctness"]


@dataclass(frozen=True, slots=True)
class StoredCorrectness:
    """Whether the old model got each item right.

    Parameters
    ----------
    name : str
        Name of the old run.
    correctness : mapping of str to mapping
        By id, and by repeat or None, whether the old model was right.
    """

    name: str
    correctness: Mapping[str, Mapping[str | None, bool]]

    def of(self, item: str, repeat: str | None = None) -> bool:
        """Whether the old model got an item right.

        Parameters
        ----------
        item : str
            Id of the item.
        repeat : str, optional
            Which generation; an old run without repeats has one answer for all of them.

        Raises
        ------
        PairingError
            If the old run does not hold the item, or not this repeat of it: leaving it out would
            hide a flip.
        """
        found = self.correctness.get(item, {})
        if None in found:
            return found[None]
        if repeat not in found:
            which = "" if repeat is None else f" with repeat {show(repeat)}"
            raise PairingError(
                f"expected the item {show(item)}{which} in {show(self.name)}, got none among "
                f"{len(self.correctness)} ({list_ids(list(self.correctness))}): run both models on "
                f"the same items"
            )
        return found[repeat]


def read_correctness(
    old: Run | str | PathLike[str],
    *,
    metric: str | None = None,
    threshold: float | None = None,
    task: str | None = None,
) -> StoredCorrectness:
    """Judge every item of the old run.

    Parameters
    ----------
    old : Run, str or path
        A run, or a file that `read_run` recognises, such as a baseline.
    metric : str, optional
        The recorded score that decides correctness; needed if there are several.
    threshold : float, optional
        A score of at least this much is right; not needed where all are 0 or 1.
    task : str, optional
        The task to read; needed where there are several.

    Returns
    -------
    StoredCorrectness

    Raises
    ------
    InputError
        If the file cannot be read, or an item cannot be judged.
    UsageError
        If metric or threshold do not fit, or the task is not there or not clear.
    """
    run = old if isinstance(old, Run) else read_run(old)
    tasks = list(dict.fromkeys(record.task for record in run))
    if (task is None and len(tasks) > 1) or (task is not None and task not in tasks):
        raise UsageError(
            f"expected task= to be one of the tasks in {show(run.name)}, got {task!r}: there is "
            f"{list_names(list(map(str, tasks)))}"
        )
    chosen = replace(run, records=tuple(r for r in run if task is None or r.task == task))
    joined = join_runs((chosen, chosen))
    judged = judge_runs(joined, metric=metric, threshold=threshold)
    correctness: dict[str, dict[str | None, bool]] = defaultdict(dict)
    for record, right in zip(
        joined.records[0], judged.correctness(0, 1).old_right.tolist(), strict=True
    ):
        correctness[record.id][record.repeat] = right
    return StoredCorrectness(run.name, dict(correctness))


def is_right(score: object, name: str, threshold: float | None = None) -> bool:
    """Whether a score of the host says that an item is right.

    Parameters
    ----------
    score : bool or float
        Score of one item.
    name : str
        Name of the score in errors.
    threshold : float, optional
        A score of at least this much is right.

    Returns
    -------
    bool

    Raises
    ------
    InputError
        If the score is no number, or neither 0 nor 1 and there is no threshold.
    """
    number = score.item() if hasattr(score, "item") else score
    if not isinstance(number, bool | int | float) or not is_score(number):
        raise InputError(
            f"expected {name!r} to be a finite number, true or false, got {describe(score)}: "
            f"give every item a score"
        )
    if threshold is None and number not in (0, 1):
        raise InputError(
            f"expected {name!r} to be 0 or 1, got {number!r}: pass the threshold= from which an "
            f"item is right"
        )
    return bool(number) if threshold is None else number >= threshold


def quadrant_of(*, old_right: bool, new_right: bool) -> Quadrant:
    """Quadrant of one item."""
    if old_right:
        return Quadrant.BOTH_RIGHT if new_right else Quadrant.NEGATIVE
    return Quadrant.POSITIVE if new_right else Quadrant.BOTH_WRONG
