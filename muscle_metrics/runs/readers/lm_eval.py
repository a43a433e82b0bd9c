"""lm-evaluation-harness: the folder of a run, one samples file, or the results in memory."""

from __future__ import annotations

import re
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from muscle_metrics.errors import FileError, InputError
from muscle_metrics.runs.choice import Choice, narrow_run
from muscle_metrics.runs.columns import MissingFieldError
from muscle_metrics.runs.files.json_object import read_json_object
from muscle_metrics.runs.readers.lm_eval_lines import read_sample_lines
from muscle_metrics.runs.readers.lm_eval_results import describe_results, directions_of, model_of
from muscle_metrics.runs.readers.lm_eval_rows import (
    Sample,
    is_sample,
    needs_choices,
    number_samples,
    read_sample,
)
from muscle_metrics.runs.record import Run
from muscle_metrics.words.escape import visible
from muscle_metrics.words.place import line_of, list_names

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from muscle_metrics.runs.files.glimpse import Glimpse
    from muscle_metrics.runs.record import Record

__all__ = ["read", "recognise", "run_from_lm_eval"]

_SAMPLES = re.compile(r"samples_(.+)_([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}-[0-9]{2}-[0-9.]+)\.jsonl")
# Parts of a results file that hold one value per task.
_BY_TASK = ("configs", "higher_is_better", "n-samples", "n-shot", "versions")
_OF_RUN = ("date", "lm_eval_version", "model_name")


class _File(NamedTuple):
    path: Path
    task: str
    time: str


class _Task(NamedTuple):
    name: str
    samples: list[Sample]
    results: Mapping[str, Any]


def recognise(glimpse: Glimpse) -> str | None:
    """Tell a folder by its samples files, a file by its first row."""
    if glimpse.is_folder:
        return "it holds samples_*.jsonl" if _model_folders(glimpse.path) else None
    return "its rows have doc_id, filtered_resps and target" if is_sample(glimpse.row) else None


def read(glimpse: Glimpse, choice: Choice) -> Run:
    """Read every task of a run's folder, of each the newest file; or one samples file.

    Parameters
    ----------
    glimpse : Glimpse
        The folder of a model, the one above it if there is no other model in it, or a file.
    choice : Choice
        Files of other tasks are not opened; the metric says which choice a model made.

    Raises
    ------
    FileError
        If a file cannot be read to its end, a row is not what the harness writes, or a folder
        holds several models.

    Examples
    --------
    >>> from muscle_metrics.runs.files.glimpse import Glimpse
    >>> import json, tempfile
    >>> from pathlib import Path
    >>> row = {"doc_id": 0, "doc_hash": "e3b0", "target": "4", "filtered_resps": ["4"],
    ...        "metrics": ["exact_match"], "exact_match": 1.0}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "samples_sums_2026-11-23T07-13-39.347285.jsonl")
    ...     _ = path.write_text(json.dumps(row))
    ...     run = read(Glimpse(Path(folder)), Choice())
    >>> run.records[0].task, run.records[0].scores
    ('sums', {'exact_match': 1.0})
    """
    path = glimpse.path
    files = _newest_files(path)
    chosen = [file for file in files if choice.task in (None, file.task)] or files
    results = {file.time: _results_beside(file) for file in sorted(chosen, key=lambda f: f.time)}
    tasks = [
        _Task(
            file.task,
            _read_samples(glimpse.glimpse(file.path), choice.metric),
            results[file.time],
        )
        for file in chosen
    ]
    lost = _lost_tasks(files, results) if glimpse.is_folder and choice.task is None else []
    try:
        return _run(tasks, path.name, lost)
    except InputError as error:
        raise FileError(f"{visible(str(path))}: {error}") from error


def run_from_lm_eval(
    results: Mapping[str, Any],
    *,
    task: str | None = None,
    filter: str | None = None,  # noqa: A002
    metric: str | None = None,
    name: str | None = None,
) -> Run:
    """Make a run of what ``lm_eval.simple_evaluate(..., log_samples=True)`` returns.

    Parameters
    ----------
    results : mapping
        The results, with ``samples``.
    task, filter, metric : str, optional
        As in `read_run`.
    name : str, optional
        Name of the run; by default that of the model.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        If there are no samples, or a sample is not what the harness makes.
    UsageError
        If a task has several filters and none was chosen.

    Examples
    --------
    >>> sample = {"doc_id": 0, "doc_hash": "e3b0", "target": 4, "filtered_resps": ["4"],
    ...           "filter": "none", "metrics": ["exact_match"], "exact_match": 1.0}
    >>> run = run_from_lm_eval({"samples": {"sums": [sample]}}, name="v1")
    >>> run.records[0].reference, run.records[0].scores
    ('4', {'exact_match': 1.0})
    """
    by_task = results.get("samples")
    if not isinstance(by_task, dict) or not by_task:
        raise InputError("expected results with samples, got none: pass log_samples=True")
    tasks = [
        _Task(key, [read_sample(row, metric) for row in rows], results)
        for key, rows in sorted(by_task.items())
        if rows
    ]
    run = _run(tasks, "lm-eval", [])
    described = {"format": "lm-eval (in memory)", "harness": "lm-eval", **run.fingerprint}
    run = replace(run, name=name or run.name, fingerprint=MappingProxyType(described), is_log=True)
    return narrow_run(run, Choice(task, filter, metric))


def _run(tasks: list[_Task], fallback: str, lost: list[str]) -> Run:
    records: list[Record] = []
    prompts: dict[str, list[str | None]] = {}
    documents: dict[str, int] = {}
    for task in tasks:
        numbered = number_samples(task.samples, task.name)
        records += numbered
        prompts[task.name] = [sample.prompt for sample in task.samples]
        documents[task.name] = len({record.id for record in numbered})
    results = _merged(tasks)
    fingerprint = describe_results(results, prompts, documents, lost)
    name = model_of(results) or fallback
    return Run(tuple(records), name, MappingProxyType(fingerprint), _lower_is_better(tasks))


def _merged(tasks: list[_Task]) -> dict[str, Any]:
    """Results of several files as one: of every task its own, of the run what all of them say."""
    merged: dict[str, Any] = {
        part: {
            task.name: found[task.name]
            for task in tasks
            if isinstance(found := task.results.get(part), dict) and task.name in found
        }
        for part in _BY_TASK
    }
    for part in _OF_RUN:
        values = dict.fromkeys(str(t.results[part]) for t in tasks if part in t.results)
        if values:
            merged[part] = ", ".join(values)
    return merged


def _lower_is_better(tasks: list[_Task]) -> frozenset[str]:
    lower: dict[str, set[bool]] = {}
    for task in tasks:
        directions = directions_of(task.results, task.name)
        for metric in {metric for sample in task.samples for metric in sample.scores}:
            lower.setdefault(metric, set()).add(metric in directions)
    mixed = sorted(metric for metric, found in lower.items() if len(found) > 1)
    if mixed:
        raise InputError(
            f"expected one direction per metric, got {list_names(mixed)} better when higher in one "
            f"task and when lower in another: choose one with --task (task=)"
        )
    return frozenset(metric for metric, found in lower.items() if found == {True})


def _read_samples(glimpse: Glimpse, metric: str | None) -> list[Sample]:
    path, samples = glimpse.path, []
    whole = needs_choices(glimpse.row, metric)
    for number, row in read_sample_lines(path, whole=whole):
        try:
            samples.append(read_sample(row, metric))
        except MissingFieldError as error:
            raise FileError(
                f"{line_of(path, number)}: {error} in every row, got a row without: evaluate the "
                f"task again with --log_samples"
            ) from error
        except InputError as error:
            raise FileError(f"{line_of(path, number)}: {error}") from error
    if not samples:
        raise FileError(
            f"{visible(str(path))}: expected at least one row, got none: evaluate the task again"
        )
    return samples


def _results_beside(file: _File) -> Mapping[str, Any]:
    path = file.path.with_name(f"results_{file.time}.json")
    return read_json_object(path) if file.time and path.is_file() else {}


def _lost_tasks(files: list[_File], results: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Tasks of the newest evaluation whose samples are not there."""
    newest = results[max(results)]
    sizes = newest.get("n-samples")
    return sorted(set(sizes) - {file.task for file in files}) if isinstance(sizes, dict) else []


def _newest_files(path: Path) -> list[_File]:
    """Choose a samples file for every task: a rerun adds files, and only its own count."""
    if not path.is_dir():
        return [_named(path) or _File(path, path.name.removesuffix(".jsonl"), "")]
    folders = _model_folders(path)
    if len(folders) != 1:
        given = list_names([folder.name for folder in folders]) or "none"
        raise FileError(
            f"{visible(str(path))}: expected the folder of one model with samples_*.jsonl, got "
            f"{given}: name the folder of a model that was evaluated with --log_samples"
        )
    newest: dict[str, _File] = {}
    for file in sorted(_files_in(folders[0]), key=lambda file: file.time):
        newest[file.task] = file
    return [newest[task] for task in sorted(newest)]


def _model_folders(path: Path) -> list[Path]:
    """Folders of models with samples: the path itself, or those right below it."""
    if _files_in(path):
        return [path]
    return sorted(folder for folder in path.iterdir() if folder.is_dir() and _files_in(folder))


def _files_in(folder: Path) -> list[_File]:
    return [file for path in folder.glob("samples_*.jsonl") if (file := _named(path)) is not None]


def _named(path: Path) -> _File | None:
    found = _SAMPLES.fullmatch(path.name)
    return _File(path, found[1], found[2]) if found else None
