"""lighteval: the details of a run, one Parquet file per task, and the results beside them.

Rows of details are shuffled. Each holds ``doc`` (id, query, choices, gold_index), ``metric`` (a
score by name) and ``model_response`` (text or logprobs).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from muscle_metrics.errors import InputError, MissingDependencyError
from muscle_metrics.runs.files.json_object import read_json_object
from muscle_metrics.runs.files.parquet import read_parquet
from muscle_metrics.runs.log_fields import (
    answer_from,
    compact,
    list_at,
    object_at,
    score_from,
    scores_at,
    text_at,
)
from muscle_metrics.runs.logs import (
    ErrorsAt,
    TaskFile,
    known_parts,
    newest_of_tasks,
    one_or_list,
    only_name,
)
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.runs.values import id_of
from muscle_metrics.words.place import describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.files.glimpse import Glimpse

__all__ = ["read", "recognise"]

_COLUMNS = {"doc", "metric", "model_response"}
# Only these are read: tokens and logits can be a thousand times as large.
_FIELDS = (
    "doc.choices",
    "doc.gold_index",
    "doc.id",
    "doc.query",
    "doc.task_name",
    "metric",
    "model_response.logprobs",
    "model_response.text",
    "model_response.text_post_processed",
)
_DETAILS = re.compile(
    r"details_(.+)_([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}-[0-9]{2}-[0-9.]+)\.parquet", re.DOTALL
)
# Where details are below the folder of a time, a model, an organisation, or the whole output.
_BELOW = ("", "*/", "*/*/", "details/*/*/", "details/*/*/*/")
_DATASET = ("hf_repo", "hf_subset", "hf_revision", "evaluation_splits")


def recognise(glimpse: Glimpse) -> str | None:
    """Recognise a folder by its details_*.parquet, a file by its columns."""
    if glimpse.is_folder:
        return "it holds details_*.parquet" if any(_find(glimpse.path)) else None
    try:
        known = glimpse.columns >= _COLUMNS
    except MissingDependencyError:
        known = _DETAILS.fullmatch(glimpse.path.name) is not None
    return "its columns are doc, metric and model_response" if known else None


def read(glimpse: Glimpse, choice: Choice) -> Run:
    """Read one record per document of every task, of each task the newest details.

    Parameters
    ----------
    glimpse : Glimpse
        One file of details, or a folder: of a time, a model, or a whole output with one model.
    choice : Choice
        With a task, the files of other tasks are not read.

    Raises
    ------
    FileError
        If a file cannot be read to its end, or a row is not one that lighteval writes.
    InputError
        If the folder holds details of several models.
    MissingDependencyError
        If pyarrow is not installed.
    """
    path = glimpse.path
    chosen = _newest(path)
    if choice.task in {details.task for details in chosen}:
        chosen = [details for details in chosen if details.task == choice.task]
    records: list[Record] = []
    counts: dict[str, int] = {}
    for details in chosen:
        found = list(_read_details(details))
        counts[details.task] = len(found)
        records += found
    fingerprint, lower_is_better = _read_results(chosen[-1], counts)
    name = fingerprint.get("model") or path.stem
    return Run(tuple(records), name, fingerprint, lower_is_better)


def _newest(path: Path) -> list[TaskFile]:
    if not path.is_dir():
        named = _DETAILS.fullmatch(path.name)
        return [TaskFile(path, named[1], named[2]) if named else TaskFile(path, path.stem, "")]
    found = [*_find(path)]
    models = sorted({_model(details.path, path) for details in found})
    only_name(models, "details of one model", "name the folder of the one you mean")
    return newest_of_tasks(found)


def _model(details: Path, folder: Path) -> str:
    """Folder of the model that wrote some details, relative to the folder that the user named."""
    model = details.parent.parent
    return str(model.relative_to(folder)) if model.is_relative_to(folder) else str(model)


def _find(folder: Path) -> Iterator[TaskFile]:
    for below in _BELOW:
        for path in folder.glob(f"{below}details_*.parquet"):
            named = _DETAILS.fullmatch(path.name)
            if named:
                yield TaskFile(path, named[1], named[2])


def _read_details(details: TaskFile) -> Iterator[Record]:
    number = 0
    for number, row in read_parquet(details.path, _FIELDS):
        with ErrorsAt(details.path, number):
            record = _record(row, details.task)
        yield record
    with ErrorsAt(details.path):
        if not number:
            raise InputError("expected documents, got none: run the evaluation again")


def _record(row: Mapping[str, object], task: str) -> Record:
    document, response = object_at(row, "doc"), object_at(row, "model_response")
    return Record(
        id_of(document.get("id"), "doc.id"),
        _answer(document, response),
        _reference(document),
        scores_at(row, "metric"),
        task=text_at(document, "task_name") or task,
        prompt=text_at(document, "query"),
    )


def _answer(document: Mapping[str, object], response: Mapping[str, object]) -> object:
    """Return the generated text, or the choice with the largest log-probability."""
    for name in ("text_post_processed", "text"):
        texts = list_at(response, name)
        if texts:
            return answer_from(texts[0])
    choices = list_at(document, "choices")
    likelihoods = [score_from(value) for value in list_at(response, "logprobs")]
    known = [value for value in likelihoods if value is not None]
    if not known or len(known) != len(choices):
        return None
    return answer_from(choices[known.index(max(known))])


def _reference(document: Mapping[str, object]) -> object:
    """Return the correct choice, or the list of them; -1 marks a document without one."""
    gold, choices = document.get("gold_index"), list_at(document, "choices")
    indices = gold if isinstance(gold, list) else [gold]
    if not choices or indices in ([None], [-1]):
        return None
    references = []
    for index in indices:
        if not isinstance(index, int) or not 0 <= index < len(choices):
            raise InputError(
                f"expected gold_index to be below {len(choices)}, the number of choices, got "
                f"{describe(index)}: run the evaluation again"
            )
        references.append(answer_from(choices[index]))
    return one_or_list(references)


def _read_results(
    details: TaskFile, counts: Mapping[str, int]
) -> tuple[Mapping[str, str], frozenset[str]]:
    """Read the results beside details: a fingerprint, and the metrics with lower values better.

    Parameters
    ----------
    details : TaskFile
        Details, which share their time with the results.
    counts : mapping of str to int
        Number of documents of each task that was read.
    """
    path = _results_beside(details)
    if path is None:
        return known_parts({}), frozenset()
    members = read_json_object(path)
    with ErrorsAt(path):
        # Results write the task sum|0 as sum:0.
        read = {task.replace("|", ":"): count for task, count in counts.items()}
        configs = object_at(members, "config_tasks")
        tasks = {task: object_at(configs, task) for task in configs if task in read}
        lower = frozenset(name for config in tasks.values() for name in _lower(config))
        return _fingerprint(members, details.time, tasks, read), lower


def _results_beside(details: TaskFile) -> Path | None:
    """Find the file of results: details/MODEL/ and results/MODEL/ are in one folder."""
    model = details.path.parent.parent
    for folder in model.parents:
        if folder.name == "details":
            results = folder.parent / "results" / model.relative_to(folder)
            path = results / f"results_{details.time}.json"
            return path if path.is_file() else None
    return None


def _fingerprint(
    members: Mapping[str, object],
    time: str,
    tasks: Mapping[str, Mapping[str, object]],
    read: Mapping[str, int],
) -> Mapping[str, str]:
    general = object_at(members, "config_general")
    versions = object_at(members, "versions")
    short = {
        task: f"{read[task]} of {expected}"
        for task, config in tasks.items()
        if isinstance(expected := config.get("effective_num_docs"), int) and expected > read[task]
    }
    sha = text_at(general, "lighteval_sha")
    return known_parts(
        {
            "model": text_at(general, "model_name"),
            "date": time,
            "harness_version": None if sha == "?" else sha,
            "dataset": _by_task({t: [c.get(name) for name in _DATASET] for t, c in tasks.items()}),
            "scorer": _by_task({task: versions[task] for task in sorted(read) if task in versions}),
            "max_samples": text_at(general, "max_samples"),
            "partial": _by_task(short),
        }
    )


def _by_task(values: Mapping[str, object]) -> str:
    texts = {task: v if isinstance(v, str) else compact(v) for task, v in values.items()}
    return ", ".join(f"{task} {text}" for task, text in texts.items())


def _lower(config: Mapping[str, object]) -> Iterator[str]:
    """Yield the metrics of a task whose smaller value is better; a group names each of its own."""
    for metric in list_at(config, "metrics"):
        if not isinstance(metric, dict):
            continue
        name, higher = metric.get("metric_name"), metric.get("higher_is_better")
        if isinstance(higher, dict):
            yield from (part for part, is_higher in higher.items() if is_higher is False)
        elif higher is False:
            yield from name if isinstance(name, list) else [str(name)]
