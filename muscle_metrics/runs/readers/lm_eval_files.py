"""Files of lm-evaluation-harness in a folder, and which of them are one evaluation of one model.

A samples file holds one task of one evaluation. Its results, written at the same time, hold the
identity: model, arguments, chat template, few-shot examples, limit, and the task's configuration.

::

    <model>/samples_<task>_<time>.jsonl   results_<time>.json      lm-eval
    samples_<task>_<time>.json                                     Open LLM Leaderboard 2
    <model>/<time>_samples_<task>.jsonl   <time>_results.json      lmms-eval
    <model arguments>_<task>.jsonl        results.json             lm-eval before 0.4.3
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from muscle_metrics.errors import FileError
from muscle_metrics.runs.files.json_object import read_json_object
from muscle_metrics.runs.identity import Identity, newest_files
from muscle_metrics.runs.logs import TaskFile, only_model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from muscle_metrics.runs.choice import Choice

__all__ = [
    "Evaluations",
    "choose_files",
    "files_without_time",
    "holds_samples",
    "is_results",
    "without_addresses",
]

_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}-[0-9]{2}-[0-9.]+"
_NAMES = (
    re.compile(rf"samples_(?P<task>.+)_(?P<time>{_TIME})\.jsonl?"),
    re.compile(r"(?P<time>[0-9]{8}_[0-9]{6})_samples_(?P<task>.+)\.jsonl"),
)
_RESULTS = re.compile(
    rf"results_(?P<time>{_TIME})\.json|(?P<lmms>[0-9]{{8}}_[0-9]{{6}})_results\.json"
)
# Where samples are below the folder of a model, of an output, or of several outputs.
_USUAL = ("", "*/", "*/*/")
# At any depth: samples that lie deeper must not be left out without a word.
_BELOW = (*_USUAL, "**/")
_OLD_RESULTS = "results.json"
_PATTERNS = ("samples_*.json*", "*_samples_*.jsonl")
# A function without source code is written with its address, which differs in every process.
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_ONE_FOLDER = "the folder of one model with samples_*.jsonl"
_CHOOSE = "name one samples file, or the results_*.json of one evaluation"


class Evaluations(NamedTuple):
    """Files to read, the results beside them, and what was left out.

    Parameters
    ----------
    files : list of TaskFile
        One file per task.
    results : mapping of str to mapping
        Results by time; empty where there are none.
    skipped : str or None
        The older files of a rerun, by name.
    lost : list of str
        Tasks of the newest evaluation whose samples files are missing.
    """

    files: list[TaskFile]
    results: Mapping[str, Mapping[str, Any]]
    skipped: str | None
    lost: list[str]


def holds_samples(path: Path) -> bool:
    """Tell whether a folder, or one below it, holds samples files by name."""
    return any(_files_in(path, below) for below in _USUAL)


def is_results(path: Path) -> bool:
    """Tell whether a file is named as results, with samples of the same time beside it."""
    return bool(_of_results(path))


def choose_files(path: Path, choice: Choice) -> Evaluations:
    """Choose the files of one model: of each task the newest, where older ones are its reruns.

    Parameters
    ----------
    path : Path
        The folder of a model, or one above it that holds one model only; the results of an
        evaluation; or one samples file of any name.
    choice : Choice
        Only files of its task are chosen, and so only these need one configuration.

    Raises
    ------
    InputError
        If there are several models or configurations, or files whose configuration is unknown.
    """
    if not path.is_dir():
        found = _of_results(path) or [_named(path) or TaskFile(path, "", "")]
    else:
        found = _files_of_one_model(path, choice.model)
    tasks = choice.tasks(file.task for file in found)
    wanted = [file for file in found if file.task in tasks] or found
    results = {file.time: _results_beside(file) for file in wanted}

    def identity_of(file: TaskFile) -> Identity | None:
        about = results[file.time]
        return Identity(_of_model(about), _of_task(about, file.task)) if about else None

    chosen, skipped = newest_files(wanted, identity_of, _CHOOSE)
    is_whole = choice.task is None and (path.is_dir() or is_results(path))
    lost = _lost_tasks(found, results) if is_whole else []
    return Evaluations(chosen, results, skipped, lost)


def without_addresses(value: object) -> object:
    """Return a value of a configuration without the addresses of functions in its texts.

    Examples
    --------
    >>> without_addresses(["functools.partial(<function f at 0x7f1c>, n=2)", 3])
    ['functools.partial(<function f>, n=2)', 3]
    """
    if isinstance(value, str):
        return _ADDRESS.sub("", value)
    if isinstance(value, dict):
        return {name: without_addresses(part) for name, part in value.items()}
    return [without_addresses(part) for part in value] if isinstance(value, list) else value


def _of_model(results: Mapping[str, Any]) -> dict[str, object]:
    """Part of the identity that all tasks of one run share."""
    config = _object(results, "config")
    return {
        "model": results.get("model_name"),
        "provider": [results.get("model_source"), config.get("model")],
        "arguments": _arguments(config.get("model_args")),
        "chat_template": results.get("chat_template_sha", results.get("chat_template")),
        "system_instruction": results.get(
            "system_instruction_sha", results.get("system_instruction")
        ),
        "multiturn": results.get("fewshot_as_multiturn"),
    }


def _of_task(results: Mapping[str, Any], task: str) -> dict[str, object]:
    """Part of the identity that all files of one task share."""
    config = _object(results, "config")
    seeds = {name: value for name, value in config.items() if name.endswith("_seed")}
    return {
        "few_shot": _object(results, "n-shot").get(task),
        "items": _object(_object(results, "n-samples"), task).get("effective"),
        "limit": config.get("limit"),
        "seeds": seeds,
        "generation": config.get("gen_kwargs"),
        "task_version": _object(results, "versions").get(task),
        "task_hash": _object(results, "task_hashes").get(task),
        "task_config": without_addresses(_object(results, "configs").get(task)),
    }


def _arguments(value: object) -> object:
    """Arguments of a model by name, so that a message names the one that differs."""
    if not isinstance(value, str):
        return value
    parts = [part.partition("=") for part in value.split(",")]
    return {name: text for name, _, text in parts}


def _object(results: Mapping[str, Any], member: str) -> Mapping[str, Any]:
    found = results.get(member)
    return found if isinstance(found, dict) else {}


def _results_beside(file: TaskFile) -> Mapping[str, Any]:
    for name in (f"results_{file.time}.json", f"{file.time}_results.json"):
        path = file.path.with_name(name)
        if file.time and path.is_file():
            return read_json_object(path)
    return {}


def _lost_tasks(files: Sequence[TaskFile], results: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """List the tasks of the newest evaluation whose samples files are missing."""
    sizes = _object(results[max(results)], "n-samples")
    return sorted(set(sizes) - {file.task for file in files})


def _files_of_one_model(path: Path, model: str | None) -> list[TaskFile]:
    """Files in the folder of a model; or those of a model that shares its folder with others."""
    by_folder: dict[str, list[TaskFile]] = {}
    for file in {file.path: file for below in _BELOW for file in _files_in(path, below)}.values():
        by_folder.setdefault(str(file.path.parent.relative_to(path)), []).append(file)
    by_folder = by_folder or files_without_time(path)
    if model is not None and len(by_folder) == 1:
        (files,) = by_folder.values()
        recorded = {file: _results_beside(file).get("model_name") for file in files}
        names = sorted({name for name in recorded.values() if isinstance(name, str)})
        name = only_model(names, model, _ONE_FOLDER, _CHOOSE)
        return [file for file in files if recorded[file] == name]
    name = only_model(
        sorted(by_folder),
        model,
        _ONE_FOLDER,
        "name the folder of a model that was evaluated with --log_samples, or a results_*.json",
    )
    return by_folder[name]


def _files_in(folder: Path, below: str = "") -> list[TaskFile]:
    paths = {path for pattern in _PATTERNS for path in folder.glob(below + pattern)}
    return [file for path in sorted(paths) if (file := _named(path)) is not None]


def files_without_time(folder: Path) -> dict[str, list[TaskFile]]:
    """List files that are named by their model and their task, which results.json lists."""
    by_model: dict[str, list[TaskFile]] = {}
    about = folder / _OLD_RESULTS
    if about.is_file():
        try:
            tasks = sorted(_object(read_json_object(about), "results"), key=len, reverse=True)
        except FileError:
            return {}
        for path in sorted(folder.glob("*.jsonl")):
            task = next((task for task in tasks if path.stem.endswith(f"_{task}")), None)
            if task is not None:
                model = path.stem.removesuffix(f"_{task}")
                by_model.setdefault(model, []).append(TaskFile(path, task, ""))
    return by_model


def _named(path: Path) -> TaskFile | None:
    """Task and time in the name of a file; None where the harness did not name it."""
    for pattern in _NAMES:
        found = pattern.fullmatch(path.name)
        if found:
            return TaskFile(path, found["task"], found["time"])
    return None


def _of_results(path: Path) -> list[TaskFile]:
    """List the samples files of the evaluation whose results a path names."""
    found = _RESULTS.fullmatch(path.name)
    if not found:
        return []
    time = found["time"] or found["lmms"]
    return [file for file in _files_in(path.parent) if file.time == time]
