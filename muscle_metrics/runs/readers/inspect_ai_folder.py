"""A folder of inspect_ai logs: the configuration of each, and the newest log of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from typing import TYPE_CHECKING

from muscle_metrics.errors import InputError
from muscle_metrics.runs.files.archives import read_entries
from muscle_metrics.runs.files.json_stream import read_json_document
from muscle_metrics.runs.files.strict_json import BAD_JSON, decode
from muscle_metrics.runs.identity import check_identity
from muscle_metrics.runs.log_fields import compact, digest, object_at, objects_at, text_at
from muscle_metrics.runs.logs import CHOOSE_MODEL, ErrorsAt, only_model
from muscle_metrics.words.place import describe, show

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.files.glimpse import Glimpse

__all__ = ["ENTRY", "ZIP", "NamedLog", "describe_arguments", "find_logs", "newest_logs"]

ZIP = b"PK\x03\x04"
ENTRY = re.compile(
    r"(?:header|summaries|reductions|(?:_journal|samples|attachments)/.+)\.json", re.DOTALL
)
# The last one is the header of a log that is still being written.
_HEADERS = ("header.json", "_journal/start.json")
_NAME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9+-]+_.+_[^_]+\.(?:eval|json)")
# A folder of data may hold millions of files; a folder of logs does not.
_MOST_LOOKED_AT = 1000
_ADVICE = "name the log that is meant"
# Settings of an evaluation that change its answers or its items.
_LIMITS = (
    "epochs",
    "epochs_reducer",
    "limit",
    "message_limit",
    "sample_id",
    "time_limit",
    "token_limit",
    "turn_limit",
    "working_limit",
)
# Settings of a request that change no answer.
_OPERATIONAL = frozenset(
    {
        "adaptive_connections",
        "attempt_timeout",
        "batch",
        "cache",
        "max_connections",
        "max_retries",
        "stream_idle_timeout",
        "timeout",
    }
)
# Answers of the mock model: each holds a new id of its own.
_MOCK = frozenset({"custom_outputs"})
_PLAIN = re.compile(r"[^\W\d][\w./+-]*")
_WORDS = frozenset({"true", "false", "null", "NaN", "Infinity"})
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class NamedLog:
    """A log, and the name of its task: with its arguments where others of the task differ.

    Parameters
    ----------
    glimpse : Glimpse
        The log.
    task : str
        The name.
    older : tuple of str
        Names of older logs, which it replaces.
    """

    glimpse: Glimpse
    task: str
    older: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Header:
    """What identifies a log, read before its samples.

    Parameters
    ----------
    glimpse : Glimpse
        The log.
    name : str
        Its path in the folder.
    task, model : str
        Names of the task and the model.
    arguments : mapping of str to object
        Arguments of the task.
    settings : mapping of str to object
        Other settings that change answers or items.
    created : str
        Time of the evaluation.
    """

    glimpse: Glimpse
    name: str
    task: str
    model: str
    arguments: Mapping[str, object]
    settings: Mapping[str, object]
    created: str


def find_logs(
    folder: Glimpse, is_log: Callable[[Glimpse], bool], *, most: int | None = _MOST_LOOKED_AT
) -> list[Glimpse]:
    """Find the logs of a folder and of the folders in it, whatever their names.

    Parameters
    ----------
    folder : Glimpse
        The folder.
    is_log : callable
        Whether the start of a file is that of a log. A damaged log that is named like one counts:
        an older log must not take its place.
    most : int, optional
        Most files to look at of each kind.
    """
    paths = chain.from_iterable(
        islice(folder.path.rglob(pattern), most) for pattern in ("*.eval", "*.json")
    )
    files = [folder.glimpse(path) for path in sorted(paths) if path.is_file()]
    return [file for file in files if _NAME.fullmatch(file.path.name) or is_log(file)]


def newest_logs(folder: Path, files: Sequence[Glimpse], choice: Choice) -> list[NamedLog]:
    """Choose the newest log of each configuration, in order of their tasks.

    Parameters
    ----------
    folder : Path
        The folder.
    files : sequence of Glimpse
        Its logs.
    choice : Choice
        Only its tasks are read.

    Raises
    ------
    InputError
        If there is no log, if the logs are of several models, or if two of one task differ in more
        than its arguments.
    """
    if not files:
        raise InputError(
            "expected at least one log of inspect_ai in the folder, got none: name the folder of "
            "its logs, or a log"
        )
    groups: dict[str, list[_Header]] = {}
    headers = [_read_header(file, folder) for file in files]
    if choice.model is not None:
        names = sorted({header.model for header in headers})
        model = only_model(names, choice.model, "logs of one model in one folder", _ADVICE)
        headers = [header for header in headers if header.model == model]
    for header, name in zip(headers, _name_tasks(headers), strict=True):
        groups.setdefault(name, []).append(header)
    groups = {name: groups[name] for name in groups if name in choice.tasks(groups)} or groups
    models = {h.name: {"model": h.model} for group in groups.values() for h in group}
    check_identity(models, "the model in one folder", f"{CHOOSE_MODEL}, or {_ADVICE}")
    named = []
    for name in sorted(groups):
        newest = _newest(groups[name], name)
        older = tuple(header.name for header in groups[name] if header is not newest)
        named.append(NamedLog(newest.glimpse, name, older))
    return named


def describe_arguments(arguments: Mapping[str, object]) -> str:
    """Write arguments as text, such as ``shots=5,subject=bio``; different ones differ.

    Examples
    --------
    >>> describe_arguments({"subject": "bio", "shots": 5, "n": "5"})
    'n="5",shots=5,subject=bio'
    """
    text = ",".join(f"{name}={_value(arguments[name])}" for name in sorted(arguments))
    return text if len(text) <= _LONGEST else digest(arguments)


def _value(value: object) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value not in _WORDS:
        return value
    return compact(value)


def _read_header(file: Glimpse, folder: Path) -> _Header:
    path = file.path
    about = _archive_header(path) if file.start.startswith(ZIP) else _document_header(path)
    with ErrorsAt(path):
        spec, plan = object_at(about, "eval"), object_at(about, "plan")
        task, model, created = (text_at(spec, name) for name in ("task", "model", "created"))
        if not (task and model and created):
            raise InputError(
                f"expected a log that names its task, its model and its time, got "
                f"{describe(task)}, {describe(model)} and {describe(created)}: fetch the log "
                f"again, or remove it"
            )
        return _Header(
            file,
            str(path.relative_to(folder)),
            task,
            model,
            object_at(spec, "task_args"),
            _settings(spec, plan),
            created,
        )


def _archive_header(path: Path) -> Mapping[str, object]:
    entries = dict(read_entries(path, ENTRY, wanted=_HEADERS))
    content = next((entries[name] for name in _HEADERS if name in entries), b"")
    try:
        about, _ = decode(content.decode("utf-8"))
    except BAD_JSON:
        return {}
    return about if isinstance(about, dict) else {}


def _document_header(path: Path) -> Mapping[str, object]:
    about: dict[str, object] = {}
    for keys, _, value in read_json_document(path, ()):
        about[keys[0]] = value
        # Samples come later, and may be many.
        if {"eval", "plan"} <= about.keys():
            break
    return about


def _settings(spec: Mapping[str, object], plan: Mapping[str, object]) -> dict[str, object]:
    """Return what changes answers or items: the model, the request, the solvers, the limits."""
    dataset, limits = object_at(spec, "dataset"), object_at(spec, "config")
    generation = object_at(spec, "model_generate_config"), object_at(plan, "config")
    solvers = [
        {"solver": step.get("solver"), "params": _given(object_at(step, "params"))}
        for step in objects_at(plan, "steps", "step")
    ]
    return {
        "task_file": spec.get("task_file"),
        "model_base_url": spec.get("model_base_url"),
        "model_args": _without(object_at(spec, "model_args"), _MOCK),
        "model_roles": spec.get("model_roles") or {},
        "generation": _without(_given(generation[0]) | _given(generation[1]), _OPERATIONAL),
        "dataset": {name: dataset.get(name) for name in ("name", "location")},
        "solver": solvers,
        "config": {name: limits.get(name) for name in _LIMITS},
    }


def _given(values: Mapping[str, object]) -> dict[str, object]:
    """Values that are not null: newer versions of inspect_ai write more fields of null."""
    return {name: value for name, value in values.items() if value is not None}


def _without(values: Mapping[str, object], names: frozenset[str]) -> dict[str, object]:
    return {name: value for name, value in values.items() if name not in names}


def _name_tasks(headers: Sequence[_Header]) -> list[str]:
    """Name the task of each log, with the arguments in which logs of the task differ."""
    known: dict[str, list[Mapping[str, object]]] = {}
    for header in headers:
        known.setdefault(header.task, []).append(header.arguments)
    names = []
    for header in headers:
        shown = {
            name: value
            for name, value in header.arguments.items()
            if any(compact(value) != compact(other.get(name)) for other in known[header.task])
        }
        names.append(f"{header.task}:{describe_arguments(shown)}" if shown else header.task)
    return names


def _newest(group: Sequence[_Header], task: str) -> _Header:
    """Choose the newest log of one task, whose settings must be the same in all."""
    check_identity(
        {header.name: header.settings for header in group}, f"the task {show(task)}", _ADVICE
    )
    by_time = sorted(group, key=_time_of)
    if len(group) > 1 and _time_of(by_time[-1]) == _time_of(by_time[-2]):
        raise InputError(
            f"expected one newest log of the task {show(task)}, got {by_time[-2].name} and "
            f"{by_time[-1].name} of one time: {_ADVICE}"
        )
    return by_time[-1]


def _time_of(header: _Header) -> float:
    try:
        return datetime.fromisoformat(header.created).timestamp()
    except ValueError as error:
        raise InputError(
            f"expected a time in the field 'created' of {header.name}, got "
            f"{describe(header.created)}: name the log that is meant"
        ) from error
