"""Files of lighteval in a folder: details of one task each, and the results of their evaluation.

::

    <output>/details/<model>/<time>/details_<task>_<time>.parquet
    <output>/results/<model>/results_<time>.json
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.runs.files.json_object import read_json_object
from muscle_metrics.runs.files.parquet import read_parquet
from muscle_metrics.runs.identity import Identity, newest_files
from muscle_metrics.runs.log_fields import digest, object_at
from muscle_metrics.runs.logs import ErrorsAt, TaskFile, only_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from muscle_metrics.runs.choice import Choice

__all__ = ["DETAILS", "Details", "choose_details", "holds_details", "results_path", "task_member"]

DETAILS = re.compile(
    r"details_(.+)_([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}-[0-9]{2}-[0-9.]+)\.parquet", re.DOTALL
)
# Where details are below the folder of a time, a model, an organisation, or the whole output.
_USUAL = ("", "*/", "*/*/", "details/*/*/", "details/*/*/*/")
# At any depth: details that lie deeper must not be left out without a word.
_BELOW = (*_USUAL, "**/")
# Fields of a document that decide what the model was asked.
_ASKED = (
    "doc.id",
    "doc.query",
    "doc.instruction",
    "doc.generation_size",
    "doc.stop_sequences",
    "model_response.input",
    "example",
    "full_prompt",
)
_CHOOSE = "name one details_*.parquet, or the folder of one time"


class Details(NamedTuple):
    """Details to read, the results of each time, and what was left out."""

    files: list[TaskFile]
    results: Mapping[str, Mapping[str, object]]
    skipped: str | None


def holds_details(folder: Path) -> bool:
    """Tell whether a folder holds details in one of the usual places."""
    return any(_find_details(folder, _USUAL))


def _find_details(folder: Path, places: tuple[str, ...] = _BELOW) -> Iterator[TaskFile]:
    seen: set[Path] = set()
    for below in places:
        for path in sorted(folder.glob(f"{below}details_*.parquet")):
            named = DETAILS.fullmatch(path.name)
            if named and path not in seen:
                seen.add(path)
                yield TaskFile(path, named[1], named[2])


def choose_details(path: Path, choice: Choice) -> Details:
    """Choose the newest details of each task of one model.

    Parameters
    ----------
    path : Path
        One file of details, or a folder.
    choice : Choice
        With a task, only its files are chosen, if a name of a file holds it.

    Raises
    ------
    InputError
        If there are several models or configurations, or their results are missing.
    """
    if not path.is_dir():
        named = DETAILS.fullmatch(path.name)
        found = [TaskFile(path, named[1], named[2]) if named else TaskFile(path, "", "")]
    else:
        found = [*_find_details(path)]
        models = sorted({_model(details.path, path) for details in found})
        model = only_model(
            models, choice.model, "details of one model", "name the folder of the one you mean"
        )
        found = [details for details in found if _model(details.path, path) == model]
    tasks = choice.tasks(details.task for details in found)
    found = [details for details in found if details.task in tasks] or found
    results = {details.time: _read_results(details) for details in found}

    def identity_of(details: TaskFile) -> Identity | None:
        about = results[details.time]
        return _identity(details, about, is_rerun=len(results) > 1) if about else None

    chosen, skipped = newest_files(found, identity_of, _CHOOSE)
    return Details(chosen, results, skipped)


def results_path(details: TaskFile) -> Path | None:
    """Path of the results of some details: details/MODEL/ and results/MODEL/ are in one folder."""
    model = details.path.parent.parent
    for folder in model.parents:
        if folder.name == "details":
            results = folder.parent / "results" / model.relative_to(folder)
            path = results / f"results_{details.time}.json"
            return path if path.is_file() else None
    return None


def task_member(members: Mapping[str, object], field: str, task: str) -> object:
    """Value of a task in a member of results, where the task sum|0 is written sum:0 or sum|0."""
    by_task = object_at(members, field)
    return by_task.get(task.replace("|", ":"), by_task.get(task))


def _read_results(details: TaskFile) -> Mapping[str, object]:
    path = results_path(details)
    return read_json_object(path) if path else {}


def _identity(details: TaskFile, results: Mapping[str, object], *, is_rerun: bool) -> Identity:
    with ErrorsAt(results_path(details) or details.path):
        general = object_at(results, "config_general")
        model = {
            "model": general.get("model_name"),
            "arguments": general.get("model_config"),
            "model_sha": general.get("model_sha"),
            "model_dtype": general.get("model_dtype"),
        }
        task = {
            "max_samples": general.get("max_samples"),
            "few_shot_seeds": general.get("num_fewshot_seeds"),
            "task_version": task_member(results, "versions", details.task),
            "task_config": task_member(results, "config_tasks", details.task),
            "prompts": _digest_of_prompts(details.path) if is_rerun else None,
        }
        return Identity(model, task)


def _digest_of_prompts(path: Path) -> str:
    rows = [digest(_asked(row)) for _, row in read_parquet(path, _ASKED)]
    return digest(sorted(rows))


def _asked(row: Mapping[str, object]) -> list[object]:
    """Values of a row by the paths in `_ASKED`; the reader may return more of a nested column."""
    values = []
    for path in _ASKED:
        value: object = row
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        values.append(value)
    return values


def _model(details: Path, folder: Path) -> str:
    """Folder of the model that wrote some details, relative to the folder that the user named."""
    model = details.parent.parent
    return str(model.relative_to(folder)) if model.is_relative_to(folder) else str(model)
