"""Several runs of the same items, joined: versions in a row, or candidates beside one old run."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from muscle_metrics.comparison.keyed import with_silence
from muscle_metrics.comparison.per_task import settle_scores
from muscle_metrics.comparison.unanswered import needs_of
from muscle_metrics.runs.joining.pairing import join_runs
from muscle_metrics.runs.joining.references import refuse_own_answers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from muscle_metrics.runs.joining.pairing import (
        Conflict,
        JoinedRuns,
        MissingItems,
        Unanswered,
    )
    from muscle_metrics.runs.record import Run
    from muscle_metrics.scorers import Metric

    # One metric, or several.
    Chosen = TypeVar("Chosen", bound=Metric | Sequence[Metric] | None)

__all__ = ["join_versions"]


def join_versions(
    runs: Sequence[Run],
    *,
    metric: Chosen | Mapping[str, str],
    key: Callable[[Any], Any] | None,
    missing: MissingItems,
    conflict: Conflict,
    unanswered: Unanswered,
) -> tuple[JoinedRuns, Chosen | None]:
    """Join two or more runs, the old one first, by the options of `compare_runs`.

    Returns
    -------
    JoinedRuns
        The items that all of them share.
    metric
        As `settle_scores` leaves it.

    Raises
    ------
    InputError
        If the runs hold other items or other questions, also where two newer ones differ.
    UsageError
        If a run is judged by its own answers, or lacks the score of a task.
    """
    for run in runs[1:]:
        refuse_own_answers(run.name, run.own_field)
    settled, chosen = settle_scores(runs, metric)
    settled = with_silence(settled, key)
    joined = join_runs(
        settled,
        missing=missing,
        conflict=conflict,
        unanswered=unanswered,
        needs=needs_of(settled, chosen),
    )
    return joined, chosen
