"""OpenCompass: the results of datasets with their details, one file for each dataset.

::

    results/<model>/<dataset>.json
    {"accuracy": 50.0, "details": {"0": {"prompt": "2+2", "predictions": "4", "references": "4",
                                         "correct": true}}}

Details are written with ``--dump-eval-details``: without them a file holds the mean alone.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from muscle_metrics.errors import InputError
from muscle_metrics.runs.about import ANSWERS, PROMPTS, REFERENCES, SCORES, About
from muscle_metrics.runs.details import completed
from muscle_metrics.runs.files.json_object import read_json_object
from muscle_metrics.runs.log_fields import answer_from, compact, object_from, reference_at
from muscle_metrics.runs.logs import ErrorsAt, known_parts, only_model
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.words.place import describe, show

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.files.glimpse import Glimpse

__all__ = ["ABOUT", "read", "recognise"]

ABOUT = About(
    "OpenCompass",
    "`results/<model>/<dataset>.json` with details",
    frozenset({ANSWERS, PROMPTS, REFERENCES, SCORES}),
    fields="topic",
    page="results",
)

_CORRECT = "correct"
# A folder of data may hold millions of files; a folder of results does not.
_MOST_LOOKED_AT = 1000
_PREDICTIONS = ("predictions", "prediction", "pred")
_REFERENCES = ("references", "reference", "answers", "answer", "gold")
_PROMPTS = ("prompt", "origin_prompt")
_NO_DETAILS = (
    "expected the details of every item, got none: evaluate again with --dump-eval-details"
)


def _reason_of(glimpse: Glimpse) -> str | None:
    """Recognise results by their details, which follow the mean."""
    start = b"".join(glimpse.start.split())
    has_details = b'"details":{' in start or b'"details":[' in start
    is_result = has_details and any(b'"' + n.encode() + b'":' in start for n in _PREDICTIONS)
    return "it has details of predictions" if start.startswith(b"{") and is_result else None


def recognise(glimpse: Glimpse) -> str | None:
    """Recognise a file by its details; a folder by such a file in it, or below ``results``."""
    if not glimpse.is_folder:
        return _reason_of(glimpse)
    files = (file for files in _by_model(glimpse.path).values() for file in files)
    is_found = any(_reason_of(glimpse.glimpse(file)) for file in islice(files, _MOST_LOOKED_AT))
    return "it holds results of datasets" if is_found else None


def read(glimpse: Glimpse, choice: Choice) -> Run:
    """Read one record per item of every dataset.

    Parameters
    ----------
    glimpse : Glimpse
        The results of a dataset, the folder of a model, or a folder above it.
    choice : Choice
        With a task, other datasets are not read; with a model, those of other models.

    Raises
    ------
    FileError
        If a file is damaged, holds no details, or an item without prediction or score.
    InputError
        If a folder holds several models.
    """
    files, name = [glimpse.path], glimpse.path.stem
    if glimpse.is_folder:
        by_model = _by_model(glimpse.path)
        name = only_model(
            sorted(by_model), choice.model, "the results of one model", "name its folder"
        )
        files = by_model[name]
    tasks = choice.tasks(file.stem for file in files) if glimpse.is_folder else {None}
    records: list[Record] = []
    for file in files:
        task = file.stem if glimpse.is_folder else None
        if task in tasks or not tasks:
            with ErrorsAt(file):
                records += _records(read_json_object(file), task, choice)
    return Run(tuple(records), name, known_parts({"model": name if glimpse.is_folder else None}))


def _by_model(folder: Path) -> dict[str, list[Path]]:
    """List result files by the folder of their model, also of models below ``results``."""
    results = folder / "results" if (folder / "results").is_dir() else folder
    by_model: dict[str, list[Path]] = {}
    for pattern in ("*.json", "*/*.json"):
        for file in sorted(results.glob(pattern)):
            by_model.setdefault(file.parent.name, []).append(file)
    return by_model


def _records(results: Mapping[str, object], task: str | None, choice: Choice) -> Iterator[Record]:
    details = results.get("details")
    if isinstance(details, list):
        items = [(str(number), value) for number, value in enumerate(details)]
    else:
        items = [(n, v) for n, v in object_from(details, "details").items() if n != "type"]
    if not items:
        raise InputError(_NO_DETAILS)
    for number, value in items:
        item = object_from(value, f"the item {number}")
        yield completed(_record(number, item, task), item, choice)


def _record(number: str, item: Mapping[str, object], task: str | None) -> Record:
    """Record of an item: the number is its place in the dataset, and the prompt is compared."""
    prediction, reference, prompt = (
        next((name for name in names if name in item), None)
        for names in (_PREDICTIONS, _REFERENCES, _PROMPTS)
    )
    correct = _verdict(item.get(_CORRECT), number)
    if prediction is None and correct is None:
        raise InputError(
            f"expected a prediction or a verdict for the item {show(number)}, got "
            f"{', '.join(map(show, item)) or 'nothing'}: evaluate again with --dump-eval-details"
        )
    asked = item.get(prompt) if prompt else None
    return Record(
        number,
        answer_from(item.get(prediction)) if prediction else None,
        reference_at(item, reference) if reference else None,
        {} if correct is None else {_CORRECT: correct},
        task=task,
        prompt=asked if isinstance(asked, str) or asked is None else compact(asked),
    )


def _verdict(value: object, number: str) -> bool | None:
    """Verdict of an item; some evaluators write a list of one."""
    if isinstance(value, list) and len(value) == 1:
        (value,) = value
    if value is None or isinstance(value, bool):
        return value
    raise InputError(
        f"expected true or false as verdict of the item {show(number)}, got {describe(value)}: "
        f"compare the predictions with a scorer, from rows of your own"
    )
