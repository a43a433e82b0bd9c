"""The tasks and filters that a user chose of a log, and the run narrowed to them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from muscle_metrics.errors import UsageError
from muscle_metrics.words.escape import shorten, visible
from muscle_metrics.words.place import list_names, show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from muscle_metrics.runs.record import Run

__all__ = [
    "ByTask",
    "Choice",
    "by_task",
    "check_tasks",
    "filters_by_task",
    "named_tasks",
    "narrow_run",
    "parse_by_task",
]

ByTask: TypeAlias = str | Mapping[str, str] | None
"""One choice for all tasks, or one for each task or pattern of names."""

_PATTERN = "'mmlu_*'"
_FLAG = "--filter TASK=NAME (filter={...})"
_LONGEST = 60
_TASKS_SHOWN = 5


class Choice(NamedTuple):
    """Choices of a user; None where the user made none.

    Parameters
    ----------
    task : str, optional
        Only this task is read, or all tasks of a pattern such as ``mmlu_*``.
    filter : str or mapping of str to str, optional
        The filter whose answers are read, if a task has several; or one for each task or pattern.
    metric : str or mapping of str to str, optional
        The deciding score, for logs in which the prediction of a record depends on it; or one for
        each task or pattern.
    model : str, optional
        The model of a folder that holds several.
    fields : mapping of str to str, optional
        Fields of the log's rows by option: "slice_field", "group_field", "prompt_field".
    wanted : frozenset of str, optional
        Ids of the items whose texts are read as well.
    look : callable, optional
        Is shown every row that fields could be taken from.
    steps : str, optional
        Field of the log's rows that is kept as it is, as the steps of each item.
    """

    task: str | None = None
    filter: ByTask = None
    metric: ByTask = None
    model: str | None = None
    fields: Mapping[str, str] | None = None
    wanted: frozenset[str] | None = None
    look: Callable[[Mapping[str, object]], None] | None = None
    steps: str | None = None

    def wants(self, id_: str) -> bool:
        """Whether the texts of an item are read."""
        return self.wanted is not None and id_ in self.wanted

    def tasks(self, known: Iterable[str | None]) -> set[str | None]:
        """Those of some tasks that are read; none where the choice names no task of them."""
        return set(known) if self.task is None else {*named_tasks(self.task, known)}

    def metric_of(self, task: str | None) -> str | None:
        """Score that the user chose for a task."""
        return by_task(self.metric, [task]).get(task)


def named_tasks(pattern: str, tasks: Iterable[str | None]) -> list[str]:
    """List the tasks that a name or a pattern means; the name of a task is no pattern of others.

    Examples
    --------
    >>> named_tasks("mmlu_*", ["arc", "mmlu_law", "mmlu_art"])
    ['mmlu_law', 'mmlu_art']
    >>> named_tasks("quiz[a]", ["quiz[a]", "quiza"])
    ['quiz[a]']
    """
    known = [task for task in tasks if task is not None]
    return [pattern] if pattern in known else [t for t in known if fnmatchcase(t, pattern)]


def by_task(choice: ByTask, tasks: Iterable[str | None]) -> dict[str | None, str]:
    """Choice for each of some tasks: that for its name, else that of the first pattern.

    Examples
    --------
    >>> by_task({"mmlu_*": "acc", "mmlu_law": "acc_norm"}, ["mmlu_law", "mmlu_art", "arc"])
    {'mmlu_law': 'acc_norm', 'mmlu_art': 'acc'}
    """
    tasks = list(tasks)
    if choice is None or isinstance(choice, str):
        return {} if choice is None else dict.fromkeys(tasks, choice)
    chosen: dict[str | None, str] = {}
    for pattern in sorted(choice, key=lambda pattern: pattern not in tasks):
        for task in named_tasks(pattern, tasks):
            chosen.setdefault(task, choice[pattern])
    return chosen


def parse_by_task(texts: Sequence[str]) -> dict[str, str]:
    """Choices that a user wrote as TASK=NAME; a task may hold the sign itself.

    Raises
    ------
    UsageError
        If a text lacks the sign, or a task is named twice.

    Examples
    --------
    >>> parse_by_task(["gsm8k=exact_match", "quiz[shots=5]=acc"])
    {'gsm8k': 'exact_match', 'quiz[shots=5]': 'acc'}
    """
    pairs = [_split(text) for text in texts]
    tasks = [task for task, _ in pairs]
    if not all(task and name for task, name in pairs) or len(set(tasks)) < len(tasks):
        raise UsageError(
            f"expected TASK=NAME once for each task, got {list_names(texts)}: write all choices in "
            f"this form, or one name for all tasks"
        )
    return dict(pairs)


def _split(text: str) -> tuple[str, str]:
    """Split at the last sign that is not inside the options of the name."""
    end = text.rfind("(") if text.endswith(")") else len(text)
    task, _, name = text[:end].rpartition("=")
    return task, name + text[end:]


def check_tasks(
    choice: Mapping[str, str], tasks: Iterable[str | None], run: str, flag: str
) -> None:
    """Refuse a choice for a task that a run does not hold.

    Raises
    ------
    UsageError
        If a name or a pattern fits no task.
    """
    tasks = list(tasks)
    for pattern in choice:
        if not named_tasks(pattern, tasks):
            held = list_names(sorted(task for task in tasks if task is not None)) or "none"
            raise UsageError(
                f"expected {flag} to name tasks of {show(run)}, which are {held}, got "
                f"{show(pattern)}: choose one of them, or a pattern such as {_PATTERN}"
            )


def narrow_run(run: Run, choice: Choice) -> Run:
    """Keep the chosen tasks, and one filter per task: answers of two filters are never mixed.

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
    wanted = choice.tasks(found)
    tasks = [task for task in found if task in wanted]
    if choice.task is not None and not tasks:
        raise _unknown("task", choice.task, found, run)
    known = {name for task in tasks for name in found[task]}
    if isinstance(choice.filter, Mapping):
        check_tasks(choice.filter, tasks, run.name, _FLAG)
        for task, name in by_task(choice.filter, tasks).items():
            if name not in found[task]:
                raise _unknown_of_task(run, task, name, found[task])
    elif choice.filter is not None and choice.filter not in known:
        raise _unknown("filter", choice.filter, known, run)
    wishes = by_task(choice.filter, tasks)
    chosen = {task: _chosen_filter(run, task, found, wishes.get(task)) for task in tasks}
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


def _unknown_of_task(
    run: Run, task: str | None, name: str, filters: list[str | None]
) -> UsageError:
    return UsageError(
        f"expected a filter of the task {show(str(task))} of {show(run.name)}, which has "
        f"{list_names(list(map(str, filters)))}, got {show(name)}: choose one of them with {_FLAG}"
    )


def filters_by_task(run: Run) -> dict[str | None, list[str | None]]:
    """List the filters of every task, in the order in which the log names them."""
    found: dict[str | None, dict[str | None, None]] = {}
    for record in run:
        found.setdefault(record.task, {})[record.filter] = None
    return {task: list(names) for task, names in found.items()}


def _chosen_filter(
    run: Run,
    task: str | None,
    found: Mapping[str | None, list[str | None]],
    wanted: str | None,
) -> str | None:
    """Filter of a task: its only one, or the one that the user chose."""
    filters = found[task]
    if len(filters) == 1:
        return filters[0]
    if wanted in filters:
        return wanted
    where = show(run.name) if task is None else f"the task {show(task)} of {show(run.name)}"
    raise UsageError(
        f"expected one filter in {where}, got {list_names(list(map(str, filters)))}: they are "
        f"never mixed, choose one{_flags_of_filters(found)} (filter=)"
    )


def _flags_of_filters(found: Mapping[str | None, list[str | None]]) -> str:
    """Write flags that choose the first filter of every task that has several."""
    several = {
        task: filters[0] for task, filters in found.items() if task is not None and len(filters) > 1
    }
    if not several or len({tuple(filters) for filters in found.values()}) == 1:
        return " with --filter"
    flags = [f"--filter {_quoted(f'{task}={name}')}" for task, name in several.items()]
    more = ["..."] * (len(flags) > _TASKS_SHOWN)
    return f" for each task, such as {' '.join([*flags[:_TASKS_SHOWN], *more])}"


def _quoted(name: str) -> str:
    return shorten(visible(shlex.quote(name)), _LONGEST)
