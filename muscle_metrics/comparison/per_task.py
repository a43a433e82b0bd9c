"""One score for each task of a suite: the one that the user chose, or its first one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from muscle_metrics.comparison.task_flags import quoted
from muscle_metrics.errors import UsageError
from muscle_metrics.runs.choice import by_task, check_tasks, parse_by_task
from muscle_metrics.runs.fingerprints import FIRST_SCORES
from muscle_metrics.scorers.table import names_scorer
from muscle_metrics.words.escape import shorten, visible
from muscle_metrics.words.place import list_names, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from muscle_metrics.runs.record import Record, Run
    from muscle_metrics.scorers import Metric

    # One metric, or several.
    Chosen = TypeVar("Chosen", bound=Metric | Sequence[Metric] | None)
    Scores = dict[str | None, dict[str, None]]

__all__ = ["names_task", "settle_scores"]

FLAG = "--metric TASK=NAME (metric={...})"
_TASKS_SHOWN = 8
_LONGEST = 60


def settle_scores(
    runs: Sequence[Run], metric: Chosen | Mapping[str, str]
) -> tuple[list[Run], Chosen | None]:
    """Leave each task the one score that decides, where that is chosen task by task.

    Parameters
    ----------
    runs : sequence of Run
        Oldest first: where nobody chose, the old run decides for all.
    metric : str, callable, several, mapping of str to str, or None
        With a mapping, the score of each task or pattern of tasks; so do texts ``TASK=NAME``.

    Returns
    -------
    list of Run
        The runs; of each task one score is left.
    metric
        None where scores were chosen by task: each task has only one.

    Raises
    ------
    UsageError
        If a mapping names a task or a score that a run does not hold.

    Examples
    --------
    >>> from muscle_metrics.runs.record import Record, Run
    >>> item = Record("1", scores={"acc": 1.0, "acc_norm": 0.0}, task="arc")
    >>> (run,), metric = settle_scores([Run((item,), "v1")], {"arc": "acc_norm"})
    >>> run.records[0].scores, metric
    ({'acc_norm': 0.0}, None)
    """
    choices = _choices(metric, runs)
    if metric is None and not any(map(_has_several, runs)):
        return list(runs), None
    if not (metric is None or choices or isinstance(metric, Mapping)):
        return list(runs), metric
    for run in runs:
        _check(run, choices)
    listed = {task: [*scores] for task, scores in _scores_by_task(runs[0].records).items()}
    chosen = by_task(choices, listed)
    open_tasks = [t for t, scores in listed.items() if len(scores) > 1 and t not in chosen]
    if open_tasks and not runs[0].main_first:
        # Nothing says which score is meant: judging refuses the run, and names them.
        return list(runs), None
    deciding = {t: chosen.get(t) or scores[0] for t, scores in listed.items() if scores}
    for run in runs:
        # A new run that recorded another score alone would be compared by that one.
        _check_scores(run, {task: deciding[task] for task in open_tasks})
    settled = [_narrowed(run, deciding) for run in runs]
    if open_tasks:
        facts = {**runs[0].fingerprint, FIRST_SCORES: _described(listed, open_tasks)}
        settled[0] = replace(settled[0], fingerprint=MappingProxyType(facts))
    return settled, None


def names_task(text: str) -> bool:
    """Whether a metric is written as TASK=NAME; options of a scorer hold the sign as well.

    Examples
    --------
    >>> names_task("gsm8k=acc"), names_task("rouge1(stem=true)"), names_task("acc")
    (True, False, False)
    """
    return "=" in text and not names_scorer(text)


def _choices(metric: object, runs: Sequence[Run]) -> Mapping[str, str]:
    """Choices by task, also of texts such as gsm8k=acc; a recorded score may have such a name."""
    if isinstance(metric, Mapping):
        return metric
    texts = [metric] if isinstance(metric, str) else metric
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        return {}
    recorded = {name for run in runs for record in run.records for name in record.scores}
    is_by_task = any(names_task(text) and text not in recorded for text in texts)
    return parse_by_task(texts) if is_by_task else {}


def _scores_by_task(records: Sequence[Record]) -> Scores:
    """Names of the scores of each task, in the order in which most items list them.

    An item leaves out a score that is undefined for it, also where it is the first one.
    """
    orders: dict[str | None, Counter[tuple[str, ...]]] = {}
    for record in records:
        orders.setdefault(record.task, Counter())[tuple(record.scores)] += 1
    return {
        task: dict.fromkeys(name for order, _ in found.most_common() for name in order)
        for task, found in orders.items()
    }


def _has_several(run: Run) -> bool:
    return any(len(record.scores) > 1 for record in run.records)


def _check(run: Run, choices: Mapping[str, str]) -> None:
    """Refuse a choice of a task or a score that a run does not hold."""
    listed = _scores_by_task(run.records)
    check_tasks(choices, listed, run.name, FLAG)
    _check_scores(run, by_task(choices, listed))


def _check_scores(run: Run, wanted: Mapping[str | None, str]) -> None:
    listed = _scores_by_task(run.records)
    for task, name in wanted.items():
        if task in listed and name not in listed[task]:
            advice = (
                f"compare this task alone by the scorer, with --task {quoted(str(task))} (task=) "
                f"and --metric {quoted(name)} (metric=)"
                if names_scorer(name)
                else f"choose one with {FLAG}"
            )
            raise UsageError(
                f"expected one of the scores of the task {show(str(task))} of {show(run.name)}, "
                f"which are {list_names([*listed[task]]) or 'none'}, got {show(name)}: {advice}"
            )


def _narrowed(run: Run, chosen: Mapping[str | None, str]) -> Run:
    """Keep one score of each item; a task that lacks it keeps all, and is refused later."""
    if not _has_several(run):
        return run
    listed = _scores_by_task(run.records)
    known = {task: name for task, name in chosen.items() if name in listed.get(task, ())}
    records = tuple(
        replace(record, scores=_only(record.scores, known[record.task]))
        if record.task in known and len(listed[record.task]) > 1
        else record
        for record in run.records
    )
    return replace(run, records=records)


def _only(scores: Mapping[str, float], name: str) -> Mapping[str, float]:
    return {name: scores[name]} if name in scores else {}


def _described(listed: Mapping[str | None, list[str]], tasks: Sequence[str | None]) -> str:
    """Name the first score of tasks, and the others that they could be compared by."""
    named = []
    for task in tasks[:_TASKS_SHOWN]:
        first, *others = map(_short, listed[task])
        named.append(f"{_short(task)} by {first} (also {', '.join(others)})")
    more = len(tasks) - _TASKS_SHOWN
    return ", ".join(named) + (f" and {more} more tasks" if more > 0 else "")


def _short(name: str | None) -> str:
    return "the log" if name is None else shorten(visible(name), _LONGEST)
