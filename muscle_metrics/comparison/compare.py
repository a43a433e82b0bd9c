"""Compare two columns of answers, or two recorded runs."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from muscle_metrics.answers.columns import check_lengths, is_missing
from muscle_metrics.answers.correctness import Correctness, judge_answers
from muscle_metrics.comparison.comparison import Comparison
from muscle_metrics.comparison.items import ItemTable, joined_table
from muscle_metrics.comparison.judging import EXACT_MATCH, JudgedRuns, judge_runs, predictions_of
from muscle_metrics.comparison.scoring import grade_texts
from muscle_metrics.comparison.signature import name_directions, name_metrics, name_recipe
from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.flips.changes import ScoreChanges, measure_changes
from muscle_metrics.flips.thresholds import RECORDED_TIE
from muscle_metrics.runs.joining.pairing import pair_runs
from muscle_metrics.runs.natural_order import sort_naturally

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from muscle_metrics.answers.columns import Key, Missing, Values
    from muscle_metrics.runs.joining.pairing import Conflict, JoinedRuns, MissingItems, Unanswered
    from muscle_metrics.runs.record import Run
    from muscle_metrics.scorers import Metric

    Options = Mapping[str, Mapping[str, Any]]

__all__ = ["compare", "compare_runs"]


def compare(
    *,
    old: Values,
    new: Values,
    references: Values,
    metric: Metric | Sequence[Metric] = EXACT_MATCH,
    options: Options | None = None,
    key: Key = None,
    threshold: float | None = None,
    strict_threshold: bool = False,
    tie: float | None = None,
    minimum_effect: float = 0.0,
    missing: Missing = "error",
    ids: Sequence[object] | None = None,
    slices: Sequence[object] | None = None,
    groups: Sequence[object] | None = None,
    prompts: Sequence[object] | None = None,
    names: tuple[str, str] = ("old", "new"),
) -> Comparison:
    """Compare the answers of two models to the same items.

    Parameters
    ----------
    old, new : sequence or array, shape (N,)
        Answers of the old and of the new model; entry i of both belongs to item i.
    references : sequence or array, shape (N,)
        The right answer of every item, or a list of accepted ones.
    metric : str, callable, or several
        "exact_match" marks answers right or wrong; any other scorer grades texts.
    options : mapping of str to mapping, optional
        Options by metric, such as ``{"rouge1": {"stem": True}}``.
    key : callable, optional
        Normalises answers and references before they are compared; scorers see texts as they are.
    threshold : float, optional
        Without "exact_match", a score of the first metric of at least this much is right, or of at
        most this much where lower is better; up to `tie`.
    strict_threshold : bool
        Whether a score must be better than the threshold instead, by more than `tie`.
    tie : float, optional
        Scores that differ by at most this much are the same; by default as the scorer says.
    minimum_effect : float
        A change of a score of at most this much does not matter.
    missing : {"error", "wrong"}
        Whether a None or NaN answer is refused or counts as a wrong answer.
    ids : sequence, shape (N,), optional
        Names of the items; their positions by default.
    slices : sequence, shape (N,), optional
        The slice each item belongs to, such as its category.
    groups : sequence, shape (N,), optional
        The passage or prompt an item shares with others, whose errors are then not independent.
    prompts : sequence, shape (N,), optional
        Questions to the models, for reports.
    names : tuple of str
        Names of the two models.

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
    metrics = _listed(metric)
    judged = judge_answers(old=old, new=new, references=references, key=key, missing=missing)
    total = len(judged.old_right)
    texts = [str(identifier) for identifier in (range(total) if ids is None else ids)]
    labels, members = _labels(slices, total), _labels(groups, total)
    asked = _labels(prompts, total)
    check_lengths(old=range(total), ids=texts, slices=labels, groups=members, prompts=asked)
    if len(set(texts)) < total:
        repeated, times = Counter(texts).most_common(1)[0]
        raise InputError(
            f"expected one id per item, got {repeated!r} {times} times and {len(set(texts))} "
            f"different ids for {total} items: give repeats of an item ids of their own"
        )
    positions = {text: position for position, text in enumerate(texts)}
    order = np.array([positions[text] for text in sort_naturally(texts)], dtype=np.intp)
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
        asked=_picked(asked, order),
    )
    changes = grade_texts(
        old=table.old,
        new=table.new,
        references=table.references,
        metrics=[one for one in metrics if one != EXACT_MATCH],
        options=options,
        tie=tie,
        minimum_effect=minimum_effect,
    )
    correctness: Correctness | None = judged.take(order)
    if EXACT_MATCH not in metrics:
        correctness = _first_correctness(changes, threshold, strict_threshold)
    elif threshold is not None:
        raise UsageError(
            "expected a graded metric to apply the threshold to, got exact_match, which tells "
            "right from wrong itself: drop one of them"
        )
    return Comparison(
        names=names,
        table=table,
        correctness=correctness,
        changes=changes,
        dropped={},
        fingerprints=({}, {}),
        recipe=name_recipe(
            name_metrics(
                [EXACT_MATCH] * (EXACT_MATCH in metrics) + [*changes],
                threshold,
                strict=strict_threshold,
                higher_is_better=_direction(*changes.values()),
            ),
            key,
            missing=missing,
        ),
    )


def compare_runs(
    old: Run,
    new: Run,
    *,
    metric: Metric | Sequence[Metric] | None = None,
    options: Options | None = None,
    key: Key = None,
    threshold: float | None = None,
    strict_threshold: bool = False,
    tie: float | None = None,
    minimum_effect: float = 0.0,
    score_range: tuple[float, float] = (-math.inf, math.inf),
    missing: MissingItems = "error",
    conflict: Conflict = "error",
    unanswered: Unanswered = "error",
) -> Comparison:
    """Compare two recorded runs, joined by the ids of their items.

    Parameters
    ----------
    old, new : Run
        As read by `read_run`.
    metric : str, callable, or several, optional
        "exact_match", a score that the runs recorded, or a scorer that grades their texts. By
        default the recorded score where there is one, else "exact_match". The first one that marks
        items right or wrong decides the flips.
    options : mapping of str to mapping, optional
        Options by metric, such as ``{"rouge1": {"stem": True}}``.
    key : callable, optional
        Normalises answers and references before they are compared; scorers see texts as they are.
    threshold : float, optional
        A score of at least this much is right, or of at most this much where lower is better; up
        to `tie`. Without one, graded scores give score changes and no flips.
    strict_threshold : bool
        Whether a score must be better than the threshold instead, by more than `tie`.
    tie : float, optional
        Scores that differ by at most this much are the same; by default 1e-6 for recorded ones,
        else as the scorer says.
    minimum_effect : float
        A change of a score of at most this much does not matter.
    score_range : tuple of float
        Least and largest value that a recorded score can take.
    missing : {"error", "drop"}
        What to do with items that only one run holds.
    conflict : {"error", "drop", "own", "first", "last"}
        Which reference judges items whose references differ between the runs.
    unanswered : {"error", "wrong", "drop"}
        What to do with items to which a run recorded no answer.

    Returns
    -------
    Comparison
        Prints as a table; dropped items are counted in it.

    Raises
    ------
    InputError
        If the runs cannot be compared.
    UsageError
        If options do not fit the runs.

    Examples
    --------
    >>> from muscle_metrics.runs.record import Record, Run
    >>> old = Run(records=(Record(id="q1", prediction="A", reference="A"),), name="v1")
    >>> new = Run(records=(Record(id="q1", prediction="B", reference="A"),), name="v2")
    >>> compare_runs(old, new).counts.negative
    1
    """
    joined = pair_runs(old, new, missing=missing, conflict=conflict, unanswered=unanswered)
    recorded, graders = _split_metrics(joined, metric)
    judged = [
        judge_runs(
            joined,
            metric=name,
            key=key,
            threshold=None if name == EXACT_MATCH and graders else threshold,
            strict_threshold=strict_threshold,
            tie=RECORDED_TIE if tie is None else tie,
        )
        for name in recorded
    ]
    shown = judged[0].shown if judged else predictions_of(joined)
    table = joined_table(joined, shown)
    changes = {
        run.metric: _recorded_changes(
            run, RECORDED_TIE if tie is None else tie, minimum_effect, score_range
        )
        for run in judged
        if run.scores is not None and (run.right is None or threshold is not None)
    }
    changes |= grade_texts(
        old=table.old,
        new=table.new,
        references=table.references,
        metrics=graders,
        options=options,
        tie=tie,
        minimum_effect=minimum_effect,
    )
    correctness = next((run.correctness(0, 1) for run in judged if run.right is not None), None)
    if correctness is None:
        correctness = _first_correctness(changes, threshold, strict_threshold)
    names = list(dict.fromkeys([*(run.metric for run in judged), *changes]))
    return Comparison(
        names=(joined.names[0], joined.names[1]),
        table=table,
        correctness=correctness,
        changes=changes,
        dropped=joined.dropped,
        fingerprints=(old.fingerprint, new.fingerprint),
        recipe=name_recipe(
            name_metrics(
                names,
                threshold,
                strict=strict_threshold,
                higher_is_better=_direction(*judged, *changes.values()),
            ),
            key,
            missing=missing,
            conflict=conflict,
            unanswered=unanswered,
            **name_directions(joined.lower_is_better.intersection(names)),
        ),
    )


def _listed(metric: Metric | Sequence[Metric]) -> list[Metric]:
    return list(metric) if isinstance(metric, (list, tuple)) else [cast("Metric", metric)]


def _split_metrics(
    joined: JoinedRuns, metric: Metric | Sequence[Metric] | None
) -> tuple[list[str | None], list[Metric]]:
    """Split metrics into those that the runs recorded, and those that grade their texts."""
    if metric is None:
        return [None], []
    scores = {name for records in joined.records for record in records for name in record.scores}
    known = {EXACT_MATCH, *scores}
    listed = _listed(metric)
    recorded: list[str | None] = [m for m in listed if isinstance(m, str) and m in known]
    return recorded, [m for m in listed if not (isinstance(m, str) and m in known)]


def _first_correctness(
    changes: Mapping[str, ScoreChanges], threshold: float | None, strict: bool
) -> Correctness | None:
    if threshold is None or not changes:
        return None
    return next(iter(changes.values())).correctness(threshold=threshold, strict=strict)


def _direction(*judged: JudgedRuns | ScoreChanges) -> bool:
    """Whether higher is better in the first of these, which a threshold applies to."""
    return not judged or judged[0].higher_is_better


def _recorded_changes(
    judged: JudgedRuns, tie: float, minimum_effect: float, score_range: tuple[float, float]
) -> ScoreChanges:
    old, new = judged.scores or ()
    low, high = score_range
    return measure_changes(
        old=old,
        new=new,
        tie=tie,
        minimum_effect=minimum_effect,
        low=low,
        high=high,
        higher_is_better=judged.higher_is_better,
    )


def _labels(values: Sequence[object] | None, total: int) -> list[str | None]:
    if values is None:
        return [None] * total
    return [None if is_missing(value) else str(value) for value in values]


def _picked(values: Any, order: npt.NDArray[np.intp]) -> tuple[Any, ...]:
    plain = values.tolist() if hasattr(values, "tolist") else list(values)
    return tuple(None if is_missing(plain[i]) else plain[i] for i in order)
