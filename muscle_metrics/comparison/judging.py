"""Items that each of several joined runs got right, by their answers or by a recorded score."""

from __future__ import annotations

from functools import partial
from operator import attrgetter
from types import NoneType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from muscle_metrics.answers.columns import answer_column, reference_columns
from muscle_metrics.answers.correctness import (
    Correctness,
    changed_answers,
    correctness_column,
    right_answers,
)
from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.flips.thresholds import RECORDED_TIE, reaches
from muscle_metrics.words.place import list_names, show
from muscle_metrics.words.suggestion import nearest_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from muscle_metrics.answers.columns import Column, Key
    from muscle_metrics.runs.joining.pairing import JoinedRuns
    from muscle_metrics.runs.record import Record

__all__ = ["EXACT_MATCH", "THRESHOLD_WITHOUT_SCORE", "JudgedRuns", "judge_runs", "predictions_of"]

EXACT_MATCH = "exact_match"
THRESHOLD_WITHOUT_SCORE = (
    "expected a recorded score to apply the threshold to, got runs compared by their answers: "
    "name the score with --score-field"
)
"""Error of a threshold without a recorded score."""

Flags = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float64]
Result = TypeVar("Result")


class JudgedRuns(NamedTuple):
    """Correctness, scores and answers of the same N items in every run, in one order.

    `right` is None where scores are graded and no threshold was given; `scores` where items were
    judged by their answers. `answers` holds None for a run whose answers were not recorded.
    `shown` holds the text for readers: the answer as written, or else the score.
    `higher_is_better` is the direction of the scores.
    """

    metric: str
    right: tuple[Flags, ...] | None
    scores: tuple[Scores, ...] | None
    answers: tuple[Column | None, ...]
    shown: tuple[tuple[Any, ...], ...]
    higher_is_better: bool = True

    def correctness(self, old: int, new: int) -> Correctness:
        """Correctness of the update from one run to another.

        Raises
        ------
        UsageError
            If scores are graded.
        """
        if self.right is None:
            raise UsageError(
                f"expected verdicts, or a threshold that makes scores right or wrong, got graded "
                f"scores {self.metric!r}: pass --threshold (threshold=)"
            )
        before, after = self.answers[old], self.answers[new]
        changed = None
        if before is not None and after is not None:
            changed = changed_answers(before, after)
        return Correctness(self.right[old], self.right[new], changed)


def judge_runs(
    joined: JoinedRuns,
    *,
    metric: str | None = None,
    key: Key = None,
    threshold: float | None = None,
    strict_threshold: bool = False,
    tie: float = RECORDED_TIE,
) -> JudgedRuns:
    """Judge every item of joined runs.

    Parameters
    ----------
    joined : JoinedRuns
        Two or more runs over the same items.
    metric : str, optional
        "exact_match" compares answers with references; any other name is a score that the runs
        recorded. By default the recorded score where there is one, else "exact_match".
    key : callable, optional
        Normalises answers and references before they are compared.
    threshold : float, optional
        A recorded score of at least this much is right, or of at most this much where lower is
        better. Not needed for booleans, or for scores that are all 0 or 1. Without one, graded
        scores are neither right nor wrong.
    strict_threshold : bool
        Whether a score must be better than the threshold instead.
    tie : float
        A score that differs from the threshold by at most this much equals it.

    Returns
    -------
    JudgedRuns

    Raises
    ------
    InputError
        If answers, references or scores are missing or cannot be compared.
    UsageError
        If the metric is not recorded or ambiguous, or a threshold has no score to apply to.
    """
    # One score marks a run as scored: an item without a score is missing, not judged by its text.
    scored = all(any(map(attrgetter("scores"), records)) for records in joined.records)
    if metric is None and not scored and joined.has_logs:
        raise UsageError(
            "expected a score for every item in the log of a harness, got none: say how its "
            "answers are judged with --metric (metric=), such as exact_match"
        )
    if metric == EXACT_MATCH or (metric is None and not scored):
        if threshold is not None:
            raise UsageError(THRESHOLD_WITHOUT_SCORE)
        return _by_answers(joined, key)
    is_right = None
    if threshold is not None:
        is_right = partial(reaches, threshold=threshold, tie=tie, strict=strict_threshold)
    return _by_scores(joined, metric, key, is_right)


def _by_answers(joined: JoinedRuns, key: Key) -> JudgedRuns:
    answers = _each(joined, partial(_recorded_answers, key=key))
    right = tuple(
        _recorded_correctness(records, run)
        if all(EXACT_MATCH in record.scores for record in records)
        else _right_answers(column, records, references, run, key)
        for run, column, records, references in zip(
            joined.names, answers, joined.records, joined.references, strict=True
        )
    )
    return JudgedRuns(EXACT_MATCH, right, None, answers, predictions_of(joined))


def _by_scores(
    joined: JoinedRuns,
    metric: str | None,
    key: Key,
    is_right: Callable[..., Flags] | None,
) -> JudgedRuns:
    chosen = _each(joined, partial(_score_names, metric=metric))
    values = [
        [record.scores[name] for name, record in zip(names, records, strict=True)]
        for names, records in zip(chosen, joined.records, strict=True)
    ]
    scores = tuple(np.asarray(column, dtype=np.float64) for column in values)
    distinct = list(dict.fromkeys(name for names in chosen for name in names))
    higher_is_better = _direction(distinct, joined.lower_is_better)
    right: tuple[Flags, ...] | None = None
    if is_right is not None:
        right = tuple(is_right(column, higher_is_better=higher_is_better) for column in scores)
    elif all(np.isin(column, (0, 1)).all() for column in scores):
        right = tuple(column == higher_is_better for column in scores)
    elif any(len(set(names)) > 1 for names in chosen):
        raise UsageError(
            f"expected one kind of score in all tasks, got {list_names(distinct)}, some of them "
            f"graded: choose a task with --task (task=)"
        )
    answers = _each(joined, partial(_recorded_answers, key=key))
    recorded = all(column is not None for column in answers)
    shown = predictions_of(joined) if recorded else tuple(map(tuple, values))
    named = dict.fromkeys(", ".join(dict.fromkeys(names)) for names in chosen)
    return JudgedRuns(" -> ".join(named), right, scores, answers, shown, higher_is_better)


def _direction(names: Sequence[str], lower_is_better: frozenset[str]) -> bool:
    """Whether higher is better in all of the scores, or in none."""
    lower = [name for name in names if name in lower_is_better]
    if lower and len(lower) < len(names):
        raise UsageError(
            f"expected scores of one direction, got {list_names(lower)} better when lower beside "
            f"others: choose a task with --task (task=)"
        )
    return not lower


def _each(
    joined: JoinedRuns, function: Callable[[Sequence[Record], str], Result]
) -> tuple[Result, ...]:
    return tuple(map(function, joined.records, joined.names))


def _score_names(records: Sequence[Record], run: str, metric: str | None) -> list[str]:
    """Score that each item is compared by: the chosen one, or the only one of its task."""
    by_task: dict[str | None, dict[str, None]] = {}
    for record in records:
        by_task.setdefault(record.task, {}).update(dict.fromkeys(record.scores))
    names = sorted({name for found in by_task.values() for name in found})
    if metric is not None and metric not in names:
        near = nearest_name(metric, [EXACT_MATCH, *names])
        raise UsageError(
            f"expected metric to be one of {[EXACT_MATCH, *names]}, as {show(run)} recorded, "
            f"got {metric!r}{f': did you mean {near!r}?' if near else ''}"
        )
    several = metric is None and any(len(found) > 1 for found in by_task.values())
    if several:
        raise UsageError(
            f"expected one score to compare by, got {names} in {show(run)}: "
            f"choose one with --metric (metric=)"
        )
    lacking = [str(task) for task, found in by_task.items() if metric and metric not in found]
    if lacking:
        raise UsageError(
            f"expected a score {metric!r} in every task of {show(run)}, got none in "
            f"{list_names(lacking)}: choose a task with --task (task=)"
        )
    only = {task: metric or next(iter(found), "") for task, found in by_task.items()}
    chosen = [only[record.task] for record in records]
    missing = [
        name for name, record in zip(chosen, records, strict=True) if name not in record.scores
    ]
    if missing:
        raise InputError(
            f"expected a score {missing[0]!r} for every item of {show(run)}, got none for "
            f"{len(missing)} of {len(records)}: drop these items from both runs or score them"
        )
    return chosen


def _recorded_answers(records: Sequence[Record], run: str, key: Key) -> Column | None:
    predictions = list(map(attrgetter("prediction"), records))
    if {*map(type, predictions)} <= {NoneType}:
        return None
    return answer_column(predictions, name=run, key=key, missing="wrong")


def _recorded_correctness(records: Sequence[Record], run: str) -> Flags:
    return correctness_column([record.scores[EXACT_MATCH] for record in records], name=run)


def _right_answers(
    answers: Column | None,
    records: Sequence[Record],
    references: Sequence[object],
    run: str,
    key: Key,
) -> Flags:
    _check_references(references, run)
    if answers is None:
        return np.zeros(len(records), dtype=bool)
    accepted = reference_columns(list(references), items=len(records), key=key)
    return right_answers(answers, accepted, name=run)


def _check_references(references: Sequence[object], run: str) -> None:
    if NoneType in {*map(type, references)}:
        absent = sum(reference is None for reference in references)
        raise InputError(
            f"expected a reference for every item of {show(run)}, got none for {absent} of "
            f"{len(references)}: name its field with --reference-field, or give --reference FILE"
        )


def predictions_of(joined: JoinedRuns) -> tuple[tuple[Any, ...], ...]:
    """Answers of every run as they were recorded, run by run."""
    return tuple(tuple(map(attrgetter("prediction"), records)) for records in joined.records)
