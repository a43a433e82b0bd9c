"""lighteval: the details of a run, one Parquet file per task, and the results beside them.

Rows of details are shuffled. Each holds ``doc`` (id, query, choices, gold_index), ``metric`` (a
score by name) and ``model_response`` (text or logprobs).
"""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING

from muscle_metrics.errors import InputError, MissingDependencyError
from muscle_metrics.runs.about import ANSWERS, PROMPTS, REFERENCES, SCORES, About
from muscle_metrics.runs.details import Details, completed
from muscle_metrics.runs.files.parquet import read_parquet
from muscle_metrics.runs.identity import SKIPPED
from muscle_metrics.runs.log_fields import (
    answer_from,
    compact,
    digest,
    list_at,
    object_at,
    object_from,
    score_from,
    scores_at,
    text_at,
)
from muscle_metrics.runs.logs import ErrorsAt, TaskFile, known_parts, one_or_list
from muscle_metrics.runs.readers.lighteval_files import (
    DETAILS,
    choose_details,
    holds_details,
    results_path,
    task_member,
)
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.runs.values import id_of
from muscle_metrics.words.place import describe, show

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.files.glimpse import Glimpse

__all__ = ["ABOUT", "read", "recognise"]

ABOUT = About(
    "lighteval",
    "`details_<task>_<time>.parquet`, a folder of them; those of old versions and of the first "
    "Open LLM Leaderboard",
    frozenset({ANSWERS, PROMPTS, REFERENCES, SCORES}),
    texts=("response",),
    fields="doc.task_name",
    page="lighteval",
)

_COLUMNS = {"doc", "metric", "model_response"}
# Columns of the first Open LLM Leaderboard, and of versions before 0.9.
_OLD_COLUMNS = {"example", "predictions", "metrics"}
_SIGNS_OF_OLD = {"full_prompt", "hashes"}
# Versions before 0.9 write all fields as text where Parquet has no type for one of them.
_NESTED = ("choices", "gold", "gold_index", "metrics", "predictions")
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
    "choices",
    "example",
    "full_prompt",
    "gold",
    "gold_index",
    "hashes.example",
    "metrics",
    "predictions",
)
# Where a document holds what its dataset says of it.
_DOCUMENT = ("doc",)
_DATASET = ("hf_repo", "hf_subset", "hf_revision", "evaluation_splits")


def recognise(glimpse: Glimpse) -> str | None:
    """Recognise a folder by its details_*.parquet, a file by its columns."""
    if glimpse.is_folder:
        return "it holds details_*.parquet" if holds_details(glimpse.path) else None
    try:
        known = glimpse.columns >= _COLUMNS
        is_old = glimpse.columns >= _OLD_COLUMNS and bool(glimpse.columns & _SIGNS_OF_OLD)
    except MissingDependencyError:
        known, is_old = DETAILS.fullmatch(glimpse.path.name) is not None, False
    if is_old:
        return "its columns are those of old versions"
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
    found = choose_details(glimpse.path, choice)
    records: list[Record] = []
    counts: dict[TaskFile, int] = {}
    for details in found.files:
        rows = list(_read_details(details, choice))
        counts[details] = len(rows)
        records += rows
    _check_tasks(found.files, records, counts)
    fingerprint, lower_is_better = _describe(found.results, counts)
    described = known_parts({**fingerprint, SKIPPED: found.skipped})
    return Run(
        tuple(records), described.get("model") or glimpse.path.stem, described, lower_is_better
    )


def _check_tasks(
    files: list[TaskFile], records: list[Record], counts: Mapping[TaskFile, int]
) -> None:
    """Refuse a task that rows of two files name: by their names they are two tasks."""
    of_task: dict[str | None, TaskFile] = {}
    owners = (details for details in files for _ in range(counts[details]))
    for details, record in zip(owners, records, strict=True):
        first = of_task.setdefault(record.task, details)
        if first is not details:
            raise InputError(
                f"expected one file of the task {show(str(record.task))}, got "
                f"{show(first.path.name)} and {show(details.path.name)}: name the one you mean"
            )


def _read_details(details: TaskFile, choice: Choice) -> Iterator[Record]:
    number = 0
    fields = [*_FIELDS, *(choice.fields or {}).values(), *_DOCUMENT * (choice.look is not None)]
    for number, row in read_parquet(details.path, fields):
        with ErrorsAt(details.path, number):
            if "predictions" in row and "doc" not in row:
                row = {**row, **_nested(row)}
            record = _record(row, details.task)
            record = completed(record, row, choice, partial(_details, row))
        yield record
    with ErrorsAt(details.path):
        if not number:
            raise InputError("expected documents, got none: run the evaluation again")


def _record(row: Mapping[str, object], task: str) -> Record:
    if "predictions" in row and "doc" not in row:
        return _old_record(row, task)
    document, response = object_at(row, "doc"), object_at(row, "model_response")
    return Record(
        id_of(document.get("id"), "doc.id"),
        _answer(document, response),
        _reference(document),
        scores_at(row, "metric"),
        task=text_at(document, "task_name") or task or None,
        prompt=text_at(document, "query"),
    )


def _details(row: Mapping[str, object]) -> Details:
    texts = list_at(object_at(row, "model_response"), "text") or list_at(row, "predictions")
    text = texts[0] if texts else None
    return Details(response=text if isinstance(text, str) else None)


def _old_record(row: Mapping[str, object], task: str) -> Record:
    """Record of an old version, whose rows have no id: their example names them, or its hash."""
    predictions, choices = list_at(row, "predictions"), list_at(row, "choices")
    likelihoods = [score_from(_likelihood(value)) for value in predictions]
    if choices and len(choices) == len(likelihoods) and None not in likelihoods:
        answer = _likeliest(choices, likelihoods)
        reference = _reference(row)
    else:
        text = predictions[0] if predictions else None
        answer = text if isinstance(text, str) else None
        reference = one_or_list([answer_from(gold) for gold in list_at(row, "gold")])
    asked = row.get("full_prompt")
    if "hashes" in row:
        name = id_of(object_at(row, "hashes").get("example"), "hashes.example")
    else:
        name = f"example:{digest(id_of(row.get('example'), 'example'))}"
    return Record(
        name,
        answer,
        reference,
        scores_at(row, "metrics"),
        task=task or None,
        prompt=None if asked is None else str(answer_from(asked)),
    )


def _nested(row: Mapping[str, object]) -> dict[str, object]:
    """Fields that were written as text of Python."""
    found: dict[str, object] = {}
    for name in _NESTED:
        value = row.get(name)
        if isinstance(value, str):
            try:
                found[name] = ast.literal_eval(value)
            except (ValueError, SyntaxError, MemoryError) as error:
                raise InputError(
                    f"expected a list or an object as text of Python in the field {show(name)}, "
                    f"got {describe(value)}: run the evaluation again"
                ) from error
    return found


def _likelihood(prediction: object) -> object:
    """Return the log-probability of a choice, beside which may stand whether it is greedy."""
    if isinstance(prediction, tuple | list) and len(prediction) == 2:
        return prediction[0]
    return prediction


def _answer(document: Mapping[str, object], response: Mapping[str, object]) -> object:
    """Return the generated text, or the choice with the largest log-probability."""
    for name in ("text_post_processed", "text"):
        texts = list_at(response, name)
        if texts:
            return answer_from(texts[0])
    choices = list_at(document, "choices")
    likelihoods = [score_from(value) for value in list_at(response, "logprobs")]
    return _likeliest(choices, likelihoods) if len(likelihoods) == len(choices) else None


def _likeliest(choices: list[object], likelihoods: list[float | None]) -> object:
    """Return the choice with the largest log-probability; None where one is unknown."""
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


def _describe(
    results: Mapping[str, Mapping[str, object]], counts: Mapping[TaskFile, int]
) -> tuple[Mapping[str, str | None], frozenset[str]]:
    """Fingerprint of a run, and the metrics with lower values better.

    Parameters
    ----------
    results : mapping of str to mapping
        Results by time; empty where there are none.
    counts : mapping of TaskFile to int
        Number of documents of the details that were read, of each task one.
    """
    dataset, scorer, short = {}, {}, {}
    general: dict[str, dict[str, None]] = {}
    lower: set[str] = set()
    for details, count in counts.items():
        members = results[details.time]
        if not members:
            continue
        with ErrorsAt(results_path(details) or details.path):
            task = details.task.replace("|", ":")
            config = object_from(task_member(members, "config_tasks", details.task), task)
            lower |= {*_lower(config)}
            if config:
                dataset[task] = [config.get(name) for name in _DATASET]
            version = task_member(members, "versions", details.task)
            if version is not None:
                scorer[task] = version
            expected = config.get("effective_num_docs")
            if isinstance(expected, int) and expected > count:
                short[task] = f"{count} of {expected}"
            about = object_at(members, "config_general")
            for name in ("model_name", "lighteval_sha", "max_samples"):
                text = text_at(about, name)
                if text is not None and text != "?":
                    general.setdefault(name, {})[text] = None
            general.setdefault("date", {})[details.time] = None
    parts = {name: ", ".join(texts) for name, texts in general.items()}
    fingerprint = {
        "model": parts.get("model_name"),
        "date": parts.get("date"),
        "harness_version": parts.get("lighteval_sha"),
        "dataset": _by_task(dataset),
        "scorer": _by_task(scorer),
        "max_samples": parts.get("max_samples"),
        "partial": _by_task(short),
    }
    return fingerprint, frozenset(lower)


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
