"""Advice for runs of several tasks with different scores: the flags that compare each task."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from muscle_metrics.words.escape import shorten, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["one_task_at_a_time"]

_TASKS_SHOWN = 5
_METRICS_SHOWN = 4
_LONGEST = 60


def one_task_at_a_time(metrics: Mapping[str | None, Iterable[str]]) -> str:
    """List the flags that compare each task by one of its scores.

    Parameters
    ----------
    metrics : mapping of (str or None) to iterable of str
        Names of the scores of each task.

    Examples
    --------
    >>> one_task_at_a_time({"arc": ["acc", "acc_norm"], "gsm8k": ["exact_match"]})
    'compare one task at a time, with --task arc --metric acc (or acc_norm), \
--task gsm8k --metric exact_match (task=, metric=)'
    """
    named = [(task, list(names)) for task, names in metrics.items() if task is not None]
    shown = [f"--task {_quoted(task)}{_metric(names)}" for task, names in named[:_TASKS_SHOWN]]
    more = ["..."] * (len(named) > _TASKS_SHOWN)
    return f"compare one task at a time, with {', '.join([*shown, *more])} (task=, metric=)"


def _metric(names: list[str]) -> str:
    if not names:
        # Nothing was recorded for this task: its answers are compared with references.
        return " --metric exact_match"
    others = " or ".join(_quoted(name) for name in names[1:_METRICS_SHOWN])
    return f" --metric {_quoted(names[0])}{f' (or {others})' if others else ''}"


def _quoted(name: str) -> str:
    """Name as a shell takes it; a name of any length or script stays on one line."""
    return shorten(visible(shlex.quote(name)), _LONGEST)
