"""Making comparisons: from columns of answers, or from two recorded runs."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from muscle_metrics.answers import check_lengths, is_missing
from muscle_metrics.changes import ScoreChanges, measure_changes
from muscle_metrics.comparison import Comparison
from muscle_metrics.errors import InputError
from muscle_metrics.items import ItemTable, joined_table
from muscle_metrics.runs.judging import EXACT_MATCH, JudgedRuns, judge_runs
from muscle_metrics.runs.natural_order import natural_order
from muscle_metrics.runs.pairing import pair_runs
from muscle_metrics.signature import choices
from muscle_metrics.verdicts import judge_answers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from muscle_metrics.answers import Key, Missing, Values
    from muscle_metrics.runs.pairing import Conflict, MissingItems, Unanswered
    from muscle_metrics.runs.record import Run

__all__ = ["compare", "compare_runs"]


def compare(
    *,
    old: Values,
    new: Values,
    references: Values,
    key: Key = None,
    missing: Missing = "error",
    ids: Sequence[object] | None = None,
    slices: Sequence[object] | None = None,
    groups: Sequence[object] | None = None,
    names: tuple[str, str] = ("old", "new"),
) -> Comparison:
    """Compare the answers of two models to the same items.

    Parameters
    ----------
    old, new : sequence or array, shape (N,)
        Answers of the old and of the new model; entry i of both belongs to item i.
    references : sequence or array, shape (N,)
        The right answer of every item, or a list of accepted ones.
    key : callable, optional
        Normalises answers and references before they are compared.
    missing : {"error", "wrong"}
        Whether a None or NaN answer is refused or counts as a wrong answer.
    ids : sequence, shape (N,), optional
        What items are called; their positions by default.
    slices : sequence, shape (N,), optional
        The slice each item belongs to, such as its category.
    groups : sequence, shape (N,), optional
        The passage or prompt an item shares with others, whose errors are then not independent.
    names : tuple of str
        What the two models are called.

    Returns
    -------
    Comparison
        Prints as a table.

    Raises
    ------
    InputError
        If the columns cannot be compared, or ids repeat.

    Examples
    --------
    >>> answers = {"old": ["A", "B"], "new": ["A", "C"], "references": ["A", "B"]}
    >>> list(compare(**answers, slices=["x", "y"]).slices)
    ['y', 'x']
    """
    verdicts = judge_answers(old=old, new=new, references=references, key=key, missing=missing)
    total = len(verdicts.old_right)
    texts = [str(identifier) for identifier in (range(total) if ids is None else ids)]
    labels, members = _labels(slices, total), _labels(groups, total)
    check_lengths(old=range(total), ids=texts, slices=labels, groups=members)
    if len(set(texts)) < total:
        repeated, times = Counter(texts).most_common(1)[0]
        raise InputError(
            f"expected one id per item, got {repeated!r} {times} times and {len(set(texts))} "
            f"different ids for {total} items: give repeats of an item ids of their own"
        )
    order = np.array(sorted(range(total), key=lambda i: natural_order(texts[i])), dtype=np.intp)
    nothing = (None,) * total
    table = ItemTable(
        ids=_picked(texts, order),
        tasks=nothing,
        repeats=nothing,
        slices=_picked(labels, order),
        groups=_picked(members, order),
        old=_picked(old, order),
        new=_picked(new, order),
        references=_picked(references, order),
    )
    return Comparison(
        names=names,
        table=table,
        verdicts=verdicts.take(order),
        changes={},
        dropped={},
        fingerprints=({}, {}),
        recipe=choices(EXACT_MATCH, key, missing=missing),
    )


def compare_runs(
    old: Run,
    new: Run,
    *,
    metric: str | None = None,
    key: Key = None,
    threshold: float | None = None,
    strict_threshold: bool = False,
    tie: float = 1e-6,
    minimum_effect: float = 0.0,
    missing: MissingItems = "error",
    conflict: Conflict = "error",
    unanswered: Unanswered = "error",
) -> Comparison:
    """Compare two recorded runs, joined by the ids of their items.

    Parameters
    ----------
    old, new : Run
        As read by `read_run`.
    metric : str, optional
        "exact_match", or a score that the runs recorded.
    key : callable, optional
        Normalises answers and references before they are compared.
    threshold : float, optional
        A recorded score of at least this much is right. Without one, graded scores give score
        changes and no flips.
    strict_threshold : bool
        Whether a score must exceed the threshold instead.
    tie : float
        Recorded scores that differ by at most this much are the same score.
    minimum_effect : float
        A change of a recorded score of at most this much does not matter.
    missing : {"error", "drop"}
        What to do with items that only one run holds.
    conflict : {"error", "drop", "own", "first", "last"}
        Which reference judges items whose references differ between the runs.
    unanswered : {"error", "wrong", "drop"}
        What to do with items to which a run recorded no answer.

    Returns
    -------
    Comparison
        Prints as a table; what was dropped is counted in it.

    Raises
    ------
    InputError
        If the runs cannot be compared.
    UsageError
        If options do not fit the runs.

    Examples
    --------
    >>> from muscle_metrics.runs import Record, Run
    >>> old = Run(records=(Record(id="q1", prediction="A", reference="A"),), name="v1")
    >>> new = Run(records=(Record(id="q1", prediction="B", reference="A"),), name="v2")
    >>> compare_runs(old, new).counts.negative
    1
    """
    joined = pair_runs(old, new, missing=missing, conflict=conflict, unanswered=unanswered)
    judged = judge_runs(
        joined, metric=metric, key=key, threshold=threshold, strict_threshold=strict_threshold
    )
    graded = judged.scores is not None and (judged.right is None or threshold is not None)
    changes = {judged.metric: _changes(judged, tie, minimum_effect)} if graded else {}
    return Comparison(
        names=(joined.names[0], joined.names[1]),
        table=joined_table(joined, judged.shown),
        verdicts=None if judged.right is None else judged.verdicts(0, 1),
        changes=changes,
        dropped=joined.dropped,
        fingerprints=(old.fingerprint, new.fingerprint),
        recipe=choices(
            _named(judged.metric, threshold, strict_threshold),
            key,
            missing=missing,
            conflict=conflict,
            unanswered=unanswered,
        ),
    )


def _changes(judged: JudgedRuns, tie: float, minimum_effect: float) -> ScoreChanges:
    old, new = judged.scores or ()
    return measure_changes(
        old=old,
        new=new,
        tie=tie,
        minimum_effect=minimum_effect,
        low=-math.inf,
        high=math.inf,
    )


def _named(metric: str, threshold: float | None, strict: bool) -> str:
    return metric if threshold is None else f"{metric} {'>' if strict else '>='} {threshold!r}"


def _labels(values: Sequence[object] | None, total: int) -> list[str | None]:
    if values is None:
        return [None] * total
    return [None if is_missing(value) else str(value) for value in values]


def _picked(values: Any, order: npt.NDArray[np.intp]) -> tuple[Any, ...]:
    plain = values.tolist() if hasattr(values, "tolist") else list(values)
    return tuple(None if is_missing(plain[i]) else plain[i] for i in order)
