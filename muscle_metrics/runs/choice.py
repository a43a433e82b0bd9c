"""The task and filter that a user chose of a log, and the run narrowed to them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.errors import UsageError
from muscle_metrics.words.place import list_names, show

if TYPE_CHECKING:
    from collections.abc import Iterable

    from muscle_metrics.runs.record import Run

__all__ = ["Choice", "filters_by_task", "narrow_run"]


class Choice(NamedTuple):
    """Choices of a user; None where the user made none.

    Parameters
    ----------
    task : str, optional
        Only this task is read.
    filter : str, optional
        The filter whose answers are read, if a task has several.
    metric : str, optional
        The deciding score, for logs in which the prediction of a record depends on it.
    """

    task: str | None = None
    filter: str | None = None
    metric: str | None = None


def narrow_run(run: Run, choice: Choice) -> Run:
    """Keep the chosen task, and one filter per task: answers of two filters are never mixed.

    Parameters
    ----------
    run : Run
        The whole log.
    choice : Choice
        The parts to keep.

    Returns
    -------
    Run
        Records without a filter, one for each item.

    Raises
    ------
    UsageError
        If the run lacks the task or the filter, or a task has several filters and none was chosen.
    """
    found = filters_by_task(run)
    tasks = list(found) if choice.task is None else [choice.task]
    if choice.task is not None and choice.task not in found:
        raise _unknown("task", choice.task, found, run)
    known = {name for task in tasks for name in found[task]}
    if choice.filter is not None and choice.filter not in known:
        raise _unknown("filter", choice.filter, known, run)
    chosen = {task: _chosen_filter(run, task, found[task], choice.filter) for task in tasks}
    if known <= {None} and choice.task is None:
        return run
    records = tuple(
        replace(record, filter=None)
        for record in run
        if record.task in chosen and record.filter == chosen[record.task]
    )
    return replace(run, records=records)


def _unknown(part: str, given: str, known: Iterable[str | None], run: Run) -> UsageError:
    """Make the error for a task or filter that a log does not hold."""
    flag, names = f"--{part} ({part}=)", sorted(name for name in known if name is not None)
    if not names:
        return UsageError(
            f"expected no {flag} for {show(run.name)}, which names no {part}, got {show(given)}: "
            f"drop it"
        )
    return UsageError(
        f"expected {flag} to be one of those in {show(run.name)}, got {show(given)}: "
        f"choose {list_names(names)}"
    )


def filters_by_task(run: Run) -> dict[str | None, list[str | None]]:
    """List the filters of every task, in the order in which the log names them."""
    found: dict[str | None, dict[str | None, None]] = {}
    for record in run:
        found.setdefault(record.task, {})[record.filter] = None
    return {task: list(names) for task, names in found.items()}


def _chosen_filter(
    run: Run, task: str | None, filters: list[str | None], wanted: str | None
) -> str | None:
    """Filter of a task: its only one, or the one that the user chose."""
    if len(filters) == 1:
        return filters[0]
    if wanted in filters:
        return wanted
    where = show(run.name) if task is None else f"the task {show(task)} of {show(run.name)}"
    raise UsageError(
        f"expected one filter in {where}, got {list_names(list(map(str, filters)))}: they are "
        f"never mixed, choose one with --filter (filter=)"
    )
