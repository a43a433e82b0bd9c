"""Advice for runs of several tasks with different scores: the flags that choose one for each."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from muscle_metrics.words.escape import shorten, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["advise_scores", "quoted"]

_TASKS_SHOWN = 5
_METRICS_SHOWN = 4
_LONGEST = 60


def advise_scores(metrics: Mapping[str | None, Iterable[str]]) -> str:
    """List the flags that compare each task by one of its scores.

    Parameters
    ----------
    metrics : mapping of (str or None) to iterable of str
        Names of the scores of each task; a task without any is compared by its answers, alone.

    Examples
    --------
    >>> advise_scores({"arc": ["acc", "acc_norm"], "gsm8k": ["exact_match"]})
    'choose one for each task, with --metric arc=acc (or acc_norm) --metric gsm8k=exact_match \
(metric={...})'
    """
    named = {task: list(names) for task, names in metrics.items() if task is not None}
    flags = [_flag(task, names) for task, names in named.items() if names]
    silent = [f"--task {quoted(task)} --metric exact_match" for task in named if not named[task]]
    ways = []
    if flags:
        ways.append(f"choose one for each task, with {_cut(flags, ' ')} (metric={{...}})")
    if silent:
        ways.append(f"compare a task without scores alone, with {_cut(silent, ', ')} (task=)")
    return ", or ".join(ways)


def _flag(task: str, names: list[str]) -> str:
    others = " or ".join(quoted(name) for name in names[1:_METRICS_SHOWN])
    return f"--metric {quoted(f'{task}={names[0]}')}{f' (or {others})' if others else ''}"


def _cut(flags: list[str], between: str) -> str:
    return between.join([*flags[:_TASKS_SHOWN], *["..."] * (len(flags) > _TASKS_SHOWN)])


def quoted(name: str) -> str:
    """Name as a shell takes it; a name of any length or script stays on one line.

    Examples
    --------
    >>> print(quoted("rouge1(stem=true)"))
    'rouge1(stem=true)'
    """
    return shorten(visible(shlex.quote(name)), _LONGEST)
