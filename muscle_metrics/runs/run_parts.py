"""Parts of one run: the files or folders in which a harness wrote its tasks, one for each task.

A folder above them may hold several models, and one task of a model more than once. Neither is
merged, or taken for the other, without a word.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.errors import InputError
from muscle_metrics.runs.fingerprints import FAULTS
from muscle_metrics.runs.log_fields import digest
from muscle_metrics.runs.logs import only_model
from muscle_metrics.runs.record import Run
from muscle_metrics.words.place import list_names, show

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from muscle_metrics.runs.choice import Choice

__all__ = ["RunPart", "join_parts", "parts_of_one_model"]

_NAME_IT = "name the one you mean"


class RunPart(NamedTuple):
    """A file or folder with one task of one model; None where its log does not name them."""

    path: Path
    task: str | None
    model: str | None


def parts_of_one_model(
    found: Sequence[RunPart], root: Path, choice: Choice, kind: str
) -> list[RunPart]:
    """Choose the parts of one model and of the chosen tasks, in the order of tasks.

    Parameters
    ----------
    found : sequence of RunPart
        All parts in a folder.
    root : Path
        The folder, to which messages name their places.
    choice : Choice
        The model, and the tasks.
    kind : str
        Kind of a part, for messages, such as "HELM run".

    Raises
    ------
    InputError
        If there are several models and none was chosen, or one task of a model has several parts.
    """
    models = sorted({part.model or "" for part in found})
    if len(models) > 1 or choice.model is not None:
        model = only_model(
            models, choice.model, f"{kind}s of one model", "name the file or folder of one"
        )
        found = [part for part in found if (part.model or "") == model]
    by_task: dict[str | None, RunPart] = {}
    for part in found:
        first = by_task.setdefault(part.task, part)
        if first is not part:
            places = list_names([str(one.path.relative_to(root)) for one in (first, part)])
            task = "without a named task" if part.task is None else f"of the task {show(part.task)}"
            raise InputError(f"expected one {kind} {task}, got {places}: {_NAME_IT}")
    tasks = choice.tasks(by_task) or {*by_task}
    return [by_task[task] for task in sorted(tasks, key=str)]


def join_parts(runs: Sequence[Run], name: str) -> Run:
    """Make one run of the runs of single tasks, which is the only one as it is.

    Facts that differ by task become one digest; faults keep the task in which they are.
    """
    if len(runs) == 1:
        return replace(runs[0], name=name)
    facts: dict[str, dict[str, str]] = {}
    for run in runs:
        for part, text in run.fingerprint.items():
            facts.setdefault(part, {})[str(run.records[0].task)] = text
    joined = {part: _joined(part, by_task, len(runs)) for part, by_task in facts.items()}
    return Run(
        tuple(record for run in runs for record in run),
        name,
        MappingProxyType(joined),
        frozenset().union(*(run.lower_is_better for run in runs)),
        main_first=all(run.main_first for run in runs),
    )


def _joined(part: str, by_task: dict[str, str], total: int) -> str:
    if part in FAULTS:
        return ", ".join(f"{task}: {text}" for task, text in by_task.items())
    if len({*by_task.values()}) == 1 and len(by_task) == total:
        return next(iter(by_task.values()))
    return digest(by_task)
