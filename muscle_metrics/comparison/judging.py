"""Items that each of several joined runs got right, by their answers or by a recorded score."""

from __future__ import annotations

from functools import partial
from operator import attrgetter
from types import NoneType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from muscle_metrics.answers.columns import answer_column, is_missing, reference_columns
from muscle_metrics.answers.correctness import (
    Correctness,
    changed_answers,
    correctness_column,
    right_answers,
)
from muscle_metrics.comparison.keyed import KeyedAnswers, predictions_of
from muscle_metrics.comparison.metrics import (
    EXACT_MATCH,
    Recorded,
    check_judging,
    choose_metrics,
)
from muscle_metrics.comparison.task_flags import advise_scores
from muscle_metrics.comparison.unanswered import (
    UNBOUNDED,
    fill_missing,
    worst_recorded,
)
from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.flips.thresholds import RECORDED_TIE, reaches
from muscle_metrics.scorers import Scorer
from muscle_metrics.scorers.exact import answer_reader, exact_match
from muscle_metrics.words.place import list_names, show

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from muscle_metrics.answers.columns import Column, Key
    from muscle_metrics.comparison.metrics import Chosen, RecordedNames
    from muscle_metrics.runs.joining.pairing import JoinedRuns, Unanswered
    from muscle_metrics.runs.record import Record

__all__ = [
    "JudgedRuns",
    "is_exact_text",
    "judge_runs",
    "match_texts",
    "mixed_kinds",
    "recorded_names",
]

_CHOOSE_METRIC = "choose one with --metric (metric=)"

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


def recorded_names(joined: JoinedRuns) -> list[RecordedNames]:
    """Names of the scores that each run recorded.

    A baseline of answers holds our own verdicts under the name "exact_match". Beside a run that is
    judged by its answers they are no recorded score.
    """
    names = [{name for record in records for name in record.scores} for records in joined.records]
    runs = list(zip(names, joined.has_verdicts, strict=True))
    of_logs = any(EXACT_MATCH in found for found, is_ours in runs if not is_ours)
    by_answers = any(EXACT_MATCH not in found for found, _ in runs)
    if by_answers and not of_logs:
        names = [found - {EXACT_MATCH} for found in names]
    return list(zip(joined.names, names, strict=True))


def judge_runs(
    joined: JoinedRuns,
    *,
    metric: str | Chosen | None = None,
    key: Key = None,
    answers: KeyedAnswers | None = None,
    threshold: float | None = None,
    strict_threshold: bool = False,
    tie: float = RECORDED_TIE,
    unanswered: Unanswered = "error",
    score_range: tuple[float, float] = UNBOUNDED,
) -> JudgedRuns:
    """Judge every item of joined runs.

    Parameters
    ----------
    joined : JoinedRuns
        Two or more runs over the same items.
    metric : str, Recorded or Scorer, optional
        A score that the runs recorded, or "exact_match", which compares answers with references
        where no run recorded a score of that name. By default the recorded score where there is
        one, else "exact_match".
    key : callable, optional
        Normalises answers and references before they are compared.
    answers : KeyedAnswers, optional
        The answers after the key, to share them between metrics.
    threshold : float, optional
        A recorded score of at least this much is right, or of at most this much where lower is
        better. Not needed for booleans, or for scores that are all 0 or 1. Without one, graded
        scores are neither right nor wrong.
    strict_threshold : bool
        Whether a score must be better than the threshold instead.
    tie : float
        A score that differs from the threshold by at most this much equals it.
    unanswered : {"error", "wrong", "drop"}
        Whether an item without the score has the worst score, by "wrong", or is refused.
    score_range : tuple of float
        Least and largest value of a recorded score, of which the worse is the worst score.

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
    answers = KeyedAnswers(joined, key) if answers is None else answers
    chosen = metric
    if not isinstance(chosen, Recorded | Scorer):
        (chosen,) = choose_metrics(
            chosen, recorded=recorded_names(joined), has_logs=joined.has_logs
        )
        check_judging([chosen], threshold=threshold, strict_threshold=strict_threshold)
    if isinstance(chosen, Recorded):
        is_right = None
        if threshold is not None:
            is_right = partial(reaches, threshold=threshold, tie=tie, strict=strict_threshold)
        is_complete = unanswered != "wrong"
        names = _each(joined, partial(_score_names, metric=chosen.name, is_complete=is_complete))
        return _by_scores(joined, names, answers, is_right, score_range)
    if chosen.kind == "graded":
        raise UsageError(
            f"expected exact_match or a recorded score here, got the scorer {chosen.name!r}: "
            f"compare two runs by it, or record its scores"
        )
    return _by_answers(joined, chosen, answers)


def _by_answers(joined: JoinedRuns, scorer: Scorer, answers: KeyedAnswers) -> JudgedRuns:
    right, columns = [], []
    runs = zip(joined.names, joined.records, joined.has_verdicts, strict=True)
    for number, (run, records, has_verdicts) in enumerate(runs):
        if has_verdicts:
            _check_same_reading(scorer, run)
            right.append(correctness_column([r.scores[EXACT_MATCH] for r in records], name=run))
            columns.append(_recorded_answers(answers, number))
            continue
        _check_references(joined.references[number], run)
        predictions = answers.predictions[number]
        if is_exact_text(scorer) or {*map(type, predictions)} <= {NoneType}:
            column = _all_answers(answers, number)
            accepted = reference_columns(list(answers.references[number]), items=len(column))
            right.append(right_answers(column, accepted, name=run))
        else:
            found, column = match_texts(scorer, predictions, answers.references[number], name=run)
            right.append(found)
        columns.append(column)
    shown = predictions_of(joined)
    return JudgedRuns(scorer.name, tuple(right), None, tuple(columns), shown)


def _check_same_reading(scorer: Scorer, run: str) -> None:
    if not is_exact_text(scorer):
        raise UsageError(
            f"expected no options of exact_match beside {show(run)}, whose answers were judged "
            f"without them, got {list_names(sorted(scorer.options))}: compare with the run itself, "
            f"or drop them"
        )


def is_exact_text(scorer: Scorer) -> bool:
    """Whether answers are compared as they are, so that they may be numbers as well."""
    return scorer.function is exact_match and not scorer.options


def match_texts(
    scorer: Scorer, answers: Sequence[Any], references: Sequence[Any], *, name: str
) -> tuple[Flags, Column]:
    """Which answers are right by a scorer with options, and the parts that it compares.

    Parameters
    ----------
    scorer : Scorer
        One whose scores are 0 or 1.
    answers : sequence of (str or None), shape (N,)
        A missing answer is wrong; it is not the empty text.
    references : sequence, shape (N,)
        One reference per item, or a list of accepted ones.
    name : str
        Name of the run in errors.

    Returns
    -------
    right : numpy.ndarray of bool, shape (N,)
    compared : numpy.ndarray, shape (N,)
        What *changed* is decided by: the answers that were extracted, None where there is none.
    """
    there = np.array([not is_missing(answer) for answer in answers], dtype=bool)
    texts = [answer if given else "" for answer, given in zip(answers, there, strict=True)]
    right = correctness_column(scorer(texts, references), name=name) & there
    is_ours = scorer.function is exact_match
    read = answer_reader(**scorer.options) if is_ours else lambda text: text
    parts = [read(text) if given else None for text, given in zip(texts, there, strict=True)]
    return right, answer_column(parts, name=name, missing="wrong")


def _by_scores(
    joined: JoinedRuns,
    chosen: Sequence[Sequence[str]],
    keyed: KeyedAnswers,
    is_right: Callable[..., Flags] | None,
    score_range: tuple[float, float],
) -> JudgedRuns:
    values = [
        [record.scores.get(name) for name, record in zip(names, records, strict=True)]
        for names, records in zip(chosen, joined.records, strict=True)
    ]
    # A missing score is nan here; recorded scores are finite.
    columns = [np.asarray(column, dtype=np.float64) for column in values]
    silent = tuple(map(np.isnan, columns))
    distinct = list(dict.fromkeys(name for names in chosen for name in names))
    higher_is_better = _direction(distinct, joined.lower_is_better)
    kinds = [bool((np.isin(c, (0, 1)) | np.isnan(c)).all()) for c in columns]
    is_verdict = all(kinds)
    if kinds[0] and not is_verdict and is_right is None and score_range == UNBOUNDED:
        raise mixed_kinds(", ".join(distinct), joined.names[kinds.index(False)])
    worst = 0.0
    if any(column.any() for column in silent) and not (is_verdict and is_right is None):
        worst = worst_recorded(
            ", ".join(distinct),
            is_verdict=is_verdict,
            higher_is_better=higher_is_better,
            score_range=score_range,
        )
    scores = tuple(fill_missing(column, worst) for column in columns)
    right: tuple[Flags, ...] | None = None
    if is_right is not None:
        right = tuple(is_right(column, higher_is_better=higher_is_better) for column in scores)
    elif is_verdict:
        right = tuple(column == higher_is_better for column in scores)
    elif any(len(set(names)) > 1 for names in chosen):
        raise UsageError(
            f"expected one kind of score in all tasks, got {list_names(distinct)}, some of them "
            f"graded: choose a task with --task (task=)"
        )
    if right is not None:
        # A missing score is never right, whatever the threshold.
        right = tuple(column & ~missing for column, missing in zip(right, silent, strict=True))
    answers = tuple(_recorded_answers(keyed, number) for number in range(len(joined.names)))
    recorded = all(column is not None for column in answers)
    shown = predictions_of(joined) if recorded else tuple(map(tuple, values))
    named = dict.fromkeys(", ".join(dict.fromkeys(names)) for names in chosen)
    return JudgedRuns(" -> ".join(named), right, scores, answers, shown, higher_is_better)


def mixed_kinds(score: str, run: str) -> InputError:
    """Make the error for scores that are all 0 or 1 in the old run, and graded in a newer one.

    A newer run must not turn verdicts into grades: then nothing would be right or wrong.
    """
    return InputError(
        f"expected scores of one kind, got 0 and 1 alone for {score!r} in the old run and others "
        f"in {show(run)}: say which are right with --threshold (threshold=), or that they are "
        f"graded with --score-range LOW HIGH (score_range=)"
    )


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


def _score_names(
    records: Sequence[Record], run: str, metric: str | None, *, is_complete: bool
) -> list[str]:
    """Score that each item is compared by: the chosen one, or the only one of its task.

    Every item must have it if `is_complete`, else at least one item of every task.
    """
    by_task: dict[str | None, dict[str, None]] = {}
    for record in records:
        by_task.setdefault(record.task, {}).update(dict.fromkeys(record.scores))
    names = sorted({name for found in by_task.values() for name in found})
    if not names:
        raise UsageError(
            f"expected a score {metric!r} in every run, got none in {show(run)}: name its field "
            f"with --score-field (score_field=), or choose another with --metric (metric=)"
        )
    if metric is not None and metric not in names:
        raise UsageError(
            f"expected a score {metric!r} in every run, got only {list_names(names)} in "
            f"{show(run)}: choose one that all runs have with --metric (metric=)"
        )
    several = metric is None and any(len(found) > 1 for found in by_task.values())
    if several:
        raise UsageError(
            f"expected one score to compare by, got {list_names(names)} in {show(run)}: "
            f"{advise_scores(by_task) if len(by_task) > 1 else _CHOOSE_METRIC}"
        )
    lacking = [
        str(task)
        for task, found in by_task.items()
        if (metric not in found if metric is not None else not found)
    ]
    if lacking:
        score = f"a score {metric!r}" if metric else "a score"
        raise UsageError(
            f"expected {score} in every task of {show(run)}, got none in {list_names(lacking)}: "
            f"{advise_scores(by_task)}"
        )
    only = {task: metric or next(iter(found), "") for task, found in by_task.items()}
    chosen = [only[record.task] for record in records]
    missing = [
        name for name, record in zip(chosen, records, strict=True) if name not in record.scores
    ]
    if missing and is_complete:
        raise InputError(
            f"expected a score {missing[0]!r} for every item of {show(run)}, got none for "
            f"{len(missing)} of {len(records)}: score these items, drop them from both runs, or "
            f'count them as wrong with --unanswered wrong (unanswered="wrong")'
        )
    return chosen


def _recorded_answers(answers: KeyedAnswers, run: int) -> Column | None:
    predictions = list(map(attrgetter("prediction"), answers.joined.records[run]))
    if {*map(type, predictions)} <= {NoneType}:
        return None
    return _all_answers(answers, run)


def _all_answers(answers: KeyedAnswers, run: int) -> Column:
    name = answers.joined.names[run]
    return answer_column(answers.predictions[run], name=name, missing="wrong")


def _check_references(references: Sequence[object], run: str) -> None:
    if NoneType in {*map(type, references)}:
        absent = sum(reference is None for reference in references)
        raise InputError(
            f"expected a reference for every item of {show(run)}, got none for {absent} of "
            f"{len(references)}: name its field with --reference-field, or give --reference FILE"
        )
