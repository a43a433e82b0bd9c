"""Steps that readers of logs share: error places, the newest file of each task, fingerprints."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from muscle_metrics.errors import FileError, InputError
from muscle_metrics.runs.files.strict_json import explain
from muscle_metrics.words.escape import visible
from muscle_metrics.words.place import list_names, row_of, show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from muscle_metrics.runs.files.glimpse import Glimpse
    from muscle_metrics.runs.record import Record

__all__ = [
    "CHOOSE_MODEL",
    "ErrorsAt",
    "LogFiles",
    "TaskFile",
    "count_share",
    "digest_settings",
    "known_parts",
    "newest_of_tasks",
    "one_or_list",
    "only_model",
    "only_name",
    "repeated_ids",
]

CHOOSE_MODEL = "choose one with --model (model=)"
# A folder of data may hold millions of files; a folder of logs does not.
_MOST_LOOKED_AT = 1000


class ErrorsAt:
    """Context in which an InputError becomes a FileError that names the file and the row.

    A FileError already names its place, and passes unchanged. Values that are nested nearly as deep
    as the decoder allows exceed the stack of a reader: that is an error of the file too. A class
    and not a generator: the context is entered once per row, and a generator costs four times as
    much.

    Parameters
    ----------
    path : Path
        The file.
    number : int
        Number of the row, from 1; 0 for the file as a whole.
    place_of : callable
        `row_of`, or `line_of` where rows are lines.
    """

    __slots__ = ("number", "path", "place_of")

    def __init__(
        self, path: Path, number: int = 0, place_of: Callable[[Path, int], str] = row_of
    ) -> None:
        self.path, self.number, self.place_of = path, number, place_of

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Name the place of an error."""
        if isinstance(error, RecursionError):
            message = explain(error)
        elif isinstance(error, InputError) and not isinstance(error, FileError):
            message = str(error)
        else:
            return
        path, number = self.path, self.number
        place = self.place_of(path, number) if number else visible(str(path))
        raise FileError(f"{place}: {message}") from error


class LogFiles(NamedTuple):
    """Logs of a harness that writes one file per run, which a folder or one below it may hold.

    Parameters
    ----------
    kind : str
        Kind of a log, for messages.
    patterns : tuple of str
        Names of logs in a folder.
    reason_of : callable
        Returns the reason why a file is such a log, or None.
    reason_of_folder : str
        The reason for a folder that holds such files.
    """

    kind: str
    patterns: tuple[str, ...]
    reason_of: Callable[[Glimpse], str | None]
    reason_of_folder: str

    def recognise(self, glimpse: Glimpse) -> str | None:
        """Return the reason why a file or folder is a log of the harness, or None."""
        if not glimpse.is_folder:
            return self.reason_of(glimpse)
        return self.reason_of_folder if self._files_in(glimpse) else None

    def only(self, glimpse: Glimpse) -> Glimpse:
        """Return the file itself, or the only log in a folder.

        Raises
        ------
        InputError
            If the folder holds no log, or several.
        """
        if not glimpse.is_folder:
            return glimpse
        files = self._files_in(glimpse, None)
        names = [str(file.path.relative_to(glimpse.path)) for file in files]
        only_name(names, f"one {self.kind} in the folder", "name the one you mean")
        return files[0]

    def _files_in(self, folder: Glimpse, most: int | None = _MOST_LOOKED_AT) -> list[Glimpse]:
        """Find the logs in the folder and below it, among the first files of each pattern."""
        paths = {
            path for pattern in self.patterns for path in islice(folder.path.rglob(pattern), most)
        }
        files = [folder.glimpse(path) for path in sorted(paths) if path.is_file()]
        return [file for file in files if self.reason_of(file) is not None]


class TaskFile(NamedTuple):
    """A file that one evaluation of one task wrote."""

    path: Path
    task: str
    time: str


def newest_of_tasks(files: Iterable[TaskFile]) -> list[TaskFile]:
    """Choose the newest file of each task, in order of tasks: a rerun adds files."""
    newest = {file.task: file for file in sorted(files, key=_time_of)}
    return [newest[task] for task in sorted(newest)]


def _time_of(file: TaskFile) -> str:
    return file.time


def only_name(names: Sequence[str], expected: str, advice: str) -> str:
    """Return the only name of those that a folder holds.

    Raises
    ------
    InputError
        If there is none, or there are several: the reader does not guess.
    """
    if len(names) != 1:
        raise InputError(f"expected {expected}, got {list_names(names) or 'none'}: {advice}")
    return names[0]


def only_model(names: Sequence[str], model: str | None, expected: str, advice: str) -> str:
    """Return the model that the user chose of those in a folder, else the only one.

    Parameters
    ----------
    names : sequence of str
        Names of the models, which may be paths such as ``organisation/model``.
    model : str, optional
        The whole name, or its last part.
    expected, advice : str
        What the folder should hold, and what to do if it holds another number of models.

    Raises
    ------
    InputError
        If no model, or several, have the name; the error lists those of the folder.

    Examples
    --------
    >>> only_model(["org/base", "org/tuned"], "tuned", "one model", "name its folder")
    'org/tuned'
    """
    if model is None:
        choose = f"{CHOOSE_MODEL}, or {advice}" if len(names) > 1 else advice
        return only_name(names, expected, choose)
    found = [name for name in names if name == model] or [
        name for name in names if name.rpartition("/")[2] == model
    ]
    if len(found) != 1:
        raise InputError(
            f"expected --model (model=) to name a model of this place, which are "
            f"{list_names(names) or 'not named in it'}, got {show(model)}: {advice}"
        )
    return found[0]


def known_parts(parts: Mapping[str, str | None]) -> Mapping[str, str]:
    """Fingerprint without the parts that the log does not record."""
    return MappingProxyType({name: text for name, text in parts.items() if text})


def count_share(count: int, total: int, unit: str) -> str | None:
    """Return a fault such as "3 of 100 items"; None where the count is 0."""
    return f"{count} of {total} {unit}" if count else None


def digest_settings(settings: Sequence[Any]) -> str:
    """Twelve hexadecimal digits that name settings, one entry per task; "" if all are empty."""
    values = [
        value for entry in settings for value in (entry if isinstance(entry, list) else [entry])
    ]
    if not any(values):
        return ""
    text = json.dumps(settings, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def one_or_list(references: Sequence[object]) -> object:
    """Return the reference where there is one, None where there is none, or else the list."""
    return references if len(references) > 1 else references[0] if references else None


def repeated_ids(records: Iterable[Record]) -> dict[str, int]:
    """Count each id that several records have, in the order of the log."""
    counts = Counter(record.id for record in records)
    return {name: count for name, count in counts.items() if count > 1}
