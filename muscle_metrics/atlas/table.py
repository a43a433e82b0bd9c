"""The counted updates, which of them are comparable, and their table for readers."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.errors import UsageError
from muscle_metrics.flips.counts import FlipCounts
from muscle_metrics.flips.rate_table import RATES
from muscle_metrics.words.place import show

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ALL",
    "LEAST_ITEMS",
    "LEAST_UPDATES",
    "Task",
    "Update",
    "check_like",
    "comparable",
    "frame",
    "read_table",
    "updates",
]

ALL = "all"
# Rates of fewer items are noise. With fewer updates, none of them is usual.
LEAST_ITEMS = 200
LEAST_UPDATES = 5

_FOLDER = Path(__file__).parent
_COUNTS = ("both_right", "negative", "positive", "both_wrong", "wrong_changed")


class Task(NamedTuple):
    """A benchmark, how an answer is found to be right, and the repository that holds the answers.

    Examples
    --------
    >>> updates()[0].task.family
    'knowledge'
    """

    task: str
    family: str
    right_by: str
    repository: str
    commit: str
    licence: str


class Update(NamedTuple):
    """One pair of runs on one task.

    `kind` is what differs between them, such as "version" or "rerun". `flag` says why a row is not
    comparable; it is empty where the row is.

    Examples
    --------
    >>> updates()[1].old, updates()[1].counts.negative
    ('Meta-Llama-3-8B', 1026)
    """

    kind: str
    flag: str
    task: Task
    old: str
    new: str
    counts: FlipCounts


def read_table(name: str) -> list[dict[str, str]]:
    """Rows of a table of the package.

    Parameters
    ----------
    name : {"updates", "tasks", "sampled"}
        Name of the file.

    Examples
    --------
    >>> read_table("sampled")[0]["task"]
    'lcb-codegen-2402'
    """
    with (_FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def updates() -> tuple[Update, ...]:
    """Every pair of the atlas, those with a flag too.

    Examples
    --------
    >>> len(updates())
    403
    """
    tasks = {row["task"]: Task(**row) for row in read_table("tasks")}
    return tuple(
        Update(
            row["kind"],
            row["flag"],
            tasks[row["task"]],
            row["old"],
            row["new"],
            FlipCounts(**{name: int(row[name]) for name in _COUNTS if row[name]}),
        )
        for row in read_table("updates")
    )


def comparable(*kinds: str, like: str = ALL) -> list[Update]:
    """Pairs without a flag and with at least 200 items.

    Parameters
    ----------
    *kinds : str
        What differs between the runs: "version", "rerun", "rerun+harness", "size" and others.
    like : str
        A family or a task; "all" for every one.

    Examples
    --------
    >>> len(comparable("version")), len(comparable("version", like="mmlu-pro"))
    (122, 6)
    """
    return [
        update
        for update in updates()
        if update.kind in kinds
        and not update.flag
        and update.counts.total >= LEAST_ITEMS
        and like in (ALL, update.task.family, update.task.task)
    ]


def check_like(like: str) -> str:
    """Return `like` if it is "all", or a family or task with enough version updates.

    Raises
    ------
    UsageError
        If it is not.

    Examples
    --------
    >>> check_like("mmlu-pro")
    'mmlu-pro'
    """
    names = _names()
    if like not in names:
        given = show(like) if isinstance(like, str) else f"a value of type {type(like).__name__}"
        raise UsageError(
            f"expected a family or task of the atlas with at least {LEAST_UPDATES} version "
            f"updates, got {given}: pass --like (like=) with one of {', '.join(names)}"
        )
    return like


@cache
def _names() -> tuple[str, ...]:
    tasks = {update.task for update in updates()}
    groups = [*sorted({task.family for task in tasks}), *sorted(task.task for task in tasks)]
    enough = [name for name in groups if len(comparable("version", like=name)) >= LEAST_UPDATES]
    return (ALL, *enough)


def frame() -> pd.DataFrame:
    """Tabulate the atlas: a row for each pair, with counts, rates and sources.

    Returns
    -------
    pandas.DataFrame
        403 rows. `kind` is what differs between the runs. `flag` is empty, or says why the row is
        not comparable: "format" (answers broke in form), "suspect" (a doubtful source), or
        "sensitivity" (the same runs read in another way). Then the columns `family`, `task`, `old`,
        `new` and `items`, the counts of `FlipCounts`, its rates in [0, 1] (NaN where undefined or
        unknown), and `right_by`, `repository`, `commit` and `licence` of the source. Its answers
        fall under that licence; the counts are ours.

    Examples
    --------
    >>> row = frame().query("task == 'mmlu-pro' and new == 'Meta-Llama-3_1-8B'").iloc[0]
    >>> int(row["items"]), int(row["negative"]), float(row["conditional_negative_flip_rate"])
    (12029, 1026, 0.2495...)
    """
    import pandas as pd

    rows = [
        {
            "kind": update.kind,
            "flag": update.flag,
            "family": update.task.family,
            "task": update.task.task,
            "old": update.old,
            "new": update.new,
            "items": update.counts.total,
            **{name: getattr(update.counts, name) for name in _COUNTS},
            **{name: float(getattr(update.counts, name)) for name in RATES},
            **update.task._asdict(),
        }
        for update in updates()
    ]
    return pd.DataFrame(rows).astype({"wrong_changed": "Int64"})
