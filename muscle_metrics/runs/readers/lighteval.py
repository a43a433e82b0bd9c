"""lighteval: the details of a run, one Parquet file per task."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.errors import FileError, InputError, MissingDependencyError
from muscle_metrics.runs.files.parquet import read_parquet
from muscle_metrics.runs.log_fields import (
    answer_at,
    list_at,
    object_at,
    score_from,
    scores_at,
    text_at,
)
from muscle_metrics.runs.readers.lighteval_results import read_results
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.runs.values import id_of
from muscle_metrics.words.escape import visible
from muscle_metrics.words.place import describe, list_names, row_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.files.glimpse import Glimpse

__all__ = ["read", "recognise"]

_COLUMNS = {"doc", "metric", "model_response"}
# What is read of them: tokens and logits may be a thousand times as large.
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
# Where details lie below the folder of a time, a model, an organisation, and the whole output.
_BELOW = ("", "*/", "*/*/", "details/*/*/", "details/*/*/*/")


class _Details(NamedTuple):
    path: Path
    task: str
    time: str


def recognise(glimpse: Glimpse) -> str | None:
    """Tell a folder by its details_*.parquet, a file by its columns."""
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
        A task, so that the files of others are not read.

    Raises
    ------
    FileError
        If a file cannot be read to its end, a row is not what lighteval writes, or the folder
        holds details of several models.
    MissingDependencyError
        If pyarrow is not installed.

    Examples
    --------
    >>> from muscle_metrics.runs.files.glimpse import Glimpse
    >>> from muscle_metrics.runs.choice import Choice
    >>> from pathlib import Path
    >>> import pyarrow, pyarrow.parquet, tempfile
    >>> document = {"id": "1", "query": "2+2", "choices": ["4"], "gold_index": 0}
    >>> row = {"doc": document, "metric": {"em": 1}, "model_response": {"text": ["4"]}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "details.parquet")
    ...     pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row]), path)
    ...     record = read(Glimpse(path), Choice()).records[0]
    >>> record.prediction, record.reference, record.scores
    ('4', '4', {'em': 1.0})
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
    results = read_results(chosen[-1].path, chosen[-1].time, counts)
    name = results.fingerprint.get("model") or path.stem
    return Run(tuple(records), name, MappingProxyType(results.fingerprint), results.lower_is_better)


def _read_details(details: _Details) -> Iterator[Record]:
    empty = True
    for number, row in read_parquet(details.path, _FIELDS):
        empty = False
        try:
            yield _record(row, details.task)
        except InputError as error:
            raise FileError(f"{row_of(details.path, number)}: {error}") from error
    if empty:
        raise FileError(
            f"{visible(str(details.path))}: expected documents, got none: run the evaluation again"
        )


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
    """Text that was generated, or the choice with the largest log-probability."""
    for name in ("text_post_processed", "text"):
        texts = list_at(response, name)
        if texts:
            return answer_at({name: texts[0]}, name)
    choices = list_at(document, "choices")
    likelihoods = [score_from(value) for value in list_at(response, "logprobs")]
    known = [value for value in likelihoods if value is not None]
    if not known or len(known) != len(choices):
        return None
    return answer_at({"choice": choices[known.index(max(known))]}, "choice")


def _reference(document: Mapping[str, object]) -> object:
    """Right choice, or the list of them; -1 marks a document without."""
    gold, choices = document.get("gold_index"), list_at(document, "choices")
    indices = gold if isinstance(gold, list) else [gold]
    if not choices or indices in ([None], [-1]):
        return None
    right = []
    for index in indices:
        if not isinstance(index, int) or not 0 <= index < len(choices):
            raise InputError(
                f"expected gold_index to be below {len(choices)}, the number of choices, got "
                f"{describe(index)}: run the evaluation again"
            )
        right.append(answer_at({"choice": choices[index]}, "choice"))
    return right if len(right) > 1 else right[0] if right else None


def _newest(path: Path) -> list[_Details]:
    """Details of every task; a rerun adds files, and only the newest counts."""
    if not path.is_dir():
        named = _DETAILS.fullmatch(path.name)
        return [_Details(path, named[1], named[2]) if named else _Details(path, path.stem, "")]
    found = sorted(_find(path), key=lambda details: details.time)
    models = sorted({_model(details.path, path) for details in found})
    if len(models) != 1:
        raise FileError(
            f"{visible(str(path))}: expected details of one model, got "
            f"{list_names(models) or 'none'}: name the folder of the one you mean"
        )
    newest = {details.task: details for details in found}
    return [newest[task] for task in sorted(newest)]


def _model(details: Path, folder: Path) -> str:
    """Folder of the model that details are of, as seen from what the user named."""
    model = details.parent.parent
    return str(model.relative_to(folder)) if model.is_relative_to(folder) else str(model)


def _find(folder: Path) -> Iterator[_Details]:
    for below in _BELOW:
        for path in folder.glob(f"{below}details_*.parquet"):
            named = _DETAILS.fullmatch(path.name)
            if named:
                yield _Details(path, named[1], named[2])
