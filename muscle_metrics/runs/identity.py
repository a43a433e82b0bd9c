"""Identity of an evaluation: what must be equal before files are merged, or the newest is taken.

A folder may hold files of several evaluations. A reader reads the identity of each first: model,
arguments, provider, prompt, few-shot examples, split. Files of another identity are no rerun.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.errors import InputError
from muscle_metrics.runs.fingerprints import SKIPPED
from muscle_metrics.runs.log_fields import compact
from muscle_metrics.words.escape import shorten, visible
from muscle_metrics.words.place import show
from muscle_metrics.words.secrets import HIDDEN, hide_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from muscle_metrics.runs.logs import TaskFile

__all__ = ["SKIPPED", "Identity", "check_identity", "list_skipped", "newest_files"]

_FIELDS_SHOWN = 3
_LONGEST_VALUE = 60
_FILES_SHOWN = 3
# Arguments of a model, whose values are secrets of any form.
_SECRET_NAME = re.compile(r"(?i)(?:key|token|secret|password|credentials?)$")
# A name of a file must be whole, because the user copies it from the message.
_LONGEST_NAME = 255


class Identity(NamedTuple):
    """Identity of one file of one task, as its log records it.

    Parameters
    ----------
    model : mapping of str to Any
        Fields that all tasks of one run share: model, provider, arguments, chat template.
    task : mapping of str to Any
        Fields that all files of one task share: few-shot examples, limit, split, prompt, version.
    """

    model: Mapping[str, object]
    task: Mapping[str, object]


def newest_files(
    files: Sequence[TaskFile], identity_of: Callable[[TaskFile], Identity | None], advice: str
) -> tuple[list[TaskFile], str | None]:
    """Choose the newest file of each task, where the older ones are the same evaluation.

    Parameters
    ----------
    files : sequence of TaskFile
        All files of one place.
    identity_of : callable
        Returns the identity of a file, or None where the log does not record it. It is called
        only where there are several files.
    advice : str
        How the user chooses among files of one task. Among several tasks, ``--task`` chooses too.

    Returns
    -------
    list of TaskFile
        One file per task, in the order of tasks.
    str or None
        The older files, for the part `SKIPPED` of the fingerprint.

    Raises
    ------
    InputError
        If files differ in their identity, or files of several times have none.
    """
    if len(files) < 2:
        return list(files), None
    ordered = sorted(files, key=_in_time)
    identities = {file.path: identity_of(file) for file in ordered}
    unknown = [file.path.name for file in ordered if identities[file.path] is None]
    times, tasks = {file.time for file in ordered}, {file.task for file in ordered}
    or_task = f"{advice}; or choose a task with --task (task=)"
    if unknown and len(times) > 1:
        raise InputError(
            f"expected the results of each evaluation beside its files, because a folder with "
            f"files of {len(times)} times may hold several models, got none for "
            f"{_quoted(unknown[0])}: {or_task if len(tasks) == len(ordered) else advice}"
        )
    known = {path: identity for path, identity in identities.items() if identity is not None}
    for task in sorted(tasks):
        same = [file for file in ordered if file.task == task]
        _check_once(same, advice)
        values = {
            f.path.name: {**known[f.path].model, **known[f.path].task}
            for f in same
            if f.path in known
        }
        check_identity(values, f"the task {show(task)}", advice)
    newest = {file.task: file for file in ordered}
    chosen = [newest[task] for task in sorted(newest)]
    models = {file.path.name: known[file.path].model for file in chosen if file.path in known}
    check_identity(models, "the model", or_task)
    kept = {file.path for file in chosen}
    return chosen, list_skipped([file.path.name for file in ordered if file.path not in kept])


def check_identity(identities: Mapping[str, Mapping[str, object]], what: str, advice: str) -> None:
    """Refuse files of several configurations: none is merged with another, or replaces it.

    Parameters
    ----------
    identities : mapping of str to mapping
        For the name of each file, or evaluation, the values of its identity by field. A field that
        one of them lacks differs from every value.
    what : str
        What needs one configuration, such as "the task 'gsm8k'".
    advice : str
        How the user chooses one.

    Raises
    ------
    InputError
        If two differ; it names both, and the fields.

    Examples
    --------
    >>> check_identity({"a.json": {"model": "m", "few_shot": 5},
    ...                 "b.json": {"model": "m", "few_shot": 0}}, "the task 'sums'", "name one")
    Traceback (most recent call last):
        ...
    muscle_metrics.errors.InputError: expected one configuration of the task 'sums', got 'a.json' \
(few_shot=5) and 'b.json' (few_shot=0): name one
    """
    flat = {name: dict(_flatten(values)) for name, values in identities.items()}
    for (name, values), (other_name, others) in pairwise(flat.items()):
        fields = [f for f in sorted({*values, *others}) if _key(values, f) != _key(others, f)]
        if fields:
            raise InputError(
                f"expected one configuration of {what}, got {_quoted(name)} "
                f"({_shown(values, fields)}) and {_quoted(other_name)} "
                f"({_shown(others, fields)}): {advice}"
            )


def list_skipped(names: Sequence[str]) -> str | None:
    """Name the older files that a rerun replaced; None where there are none.

    Examples
    --------
    >>> list_skipped(["a_1.jsonl", "a_2.jsonl"])
    "2 older files of a rerun ('a_1.jsonl', 'a_2.jsonl')"
    """
    if not names:
        return None
    shown = [_quoted(name) for name in names[:_FILES_SHOWN]]
    shown += ["..."] * (len(names) > _FILES_SHOWN)
    number = "1 older file" if len(names) == 1 else f"{len(names)} older files"
    return f"{number} of a rerun ({', '.join(shown)})"


def _in_time(file: TaskFile) -> str:
    """Digits of a time: harnesses of one family write them with different marks."""
    return re.sub(r"\D", "", file.time)


def _check_once(files: Sequence[TaskFile], advice: str) -> None:
    times = [file.time for file in files]
    twice = [file.path.name for file in files if times.count(file.time) > 1]
    if twice:
        raise InputError(
            f"expected one file of the task {show(files[0].task)} for each time, got "
            f"{' and '.join(map(_quoted, twice[:_FILES_SHOWN]))}: {advice}"
        )


def _quoted(name: str) -> str:
    return f"'{shorten(visible(name), _LONGEST_NAME)}'"


def _flatten(values: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield values by dotted names, so that a message names the part of an object that differs."""
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _key(values: Mapping[str, object], field: str) -> str:
    """Text that is equal for equal values; JSON, so that 5 and "5" differ."""
    return compact(values[field]) if field in values else ""


def _shown(values: Mapping[str, object], fields: Sequence[str]) -> str:
    parts = [_field(values, field) for field in fields[:_FIELDS_SHOWN]]
    return ", ".join([*parts, *["..."] * (len(fields) > _FIELDS_SHOWN)])


def _field(values: Mapping[str, object], field: str) -> str:
    if field not in values:
        return f"{visible(field)} not recorded"
    value = values[field]
    if isinstance(value, str) and _SECRET_NAME.search(field):
        return f"{visible(field)}={HIDDEN}"
    text = value if isinstance(value, str) else compact(value)
    shown = hide_secrets(f"{field}={text}").value
    return shorten(visible(shown), len(field) + _LONGEST_VALUE)
