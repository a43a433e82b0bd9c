"""inspect_ai: one log, .eval or .json, or a folder of them, through the official reader."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import FileError, InputError, MissingDependencyError, require
from muscle_metrics.runs.files.archives import read_entries
from muscle_metrics.runs.files.json_object import read_json_object
from muscle_metrics.runs.files.strict_json import BAD_JSON, decode, explain
from muscle_metrics.runs.readers.inspect_ai_samples import describe_log, record_of
from muscle_metrics.runs.record import Run
from muscle_metrics.words.escape import visible
from muscle_metrics.words.place import list_names, show

if TYPE_CHECKING:
    from pathlib import Path

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.files.glimpse import Glimpse
    from muscle_metrics.runs.record import Record

__all__ = ["read", "recognise"]

_ENTRY = re.compile(
    r"(?:header|summaries|reductions|(?:_journal|samples|attachments)/.+)\.json", re.DOTALL
)
_LOG = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9+-]+)_(.+)_[^_]+\.(?:eval|json)")
_ZIP = b"PK\x03\x04"
_FIRST_ENTRY = b"_journal/start.json"
# Long parts of a sample that nobody reads.
_UNREAD = frozenset({"messages", "events", "store", "attachments"})


def recognise(glimpse: Glimpse) -> str | None:
    """Tell an archive by its first entry, a JSON log by its first fields, a folder by its logs."""
    if glimpse.is_folder:
        return "it holds logs named by time and task" if _newest_logs(glimpse) else None
    start = glimpse.start[:4096]
    if start.startswith(_ZIP) and (_FIRST_ENTRY in start[:100] or glimpse.path.suffix == ".eval"):
        return "it is a zip archive with _journal/start.json"
    fields = (b'"version"', b'"status"', b'"eval"', b'"run_id"')
    if start.lstrip().startswith(b"{") and all(field in start for field in fields):
        return "it has version, status and eval with a run_id"
    return None


def read(glimpse: Glimpse, choice: Choice) -> Run:
    """Read a log, or the newest of every task in a folder.

    Parameters
    ----------
    glimpse : Glimpse
        The log, or the folder.
    choice : Choice
        The metric says whose answer a record shows, and which scores must be numbers.

    Raises
    ------
    FileError
        If a log is damaged, cannot be read by the official reader, or holds no samples; if a score
        is neither a number nor a grade; or if a folder holds logs of several models.
    MissingDependencyError
        If inspect_ai is not installed.

    Examples
    --------
    >>> from muscle_metrics.runs.files.glimpse import Glimpse
    >>> from pathlib import Path
    >>> from muscle_metrics.runs.choice import Choice
    >>> read(Glimpse(Path("no-such-log.eval")), Choice())
    Traceback (most recent call last):
    muscle_metrics.errors.FileError: no-such-log.eval: expected a file, got none of that name: ...
    """
    path = glimpse.path
    files = _newest_logs(glimpse) if glimpse.is_folder else [glimpse]
    logs = [(file.path, _load(file)) for file in files]
    models = sorted({log.eval.model for _, log in logs})
    if len(models) != 1:
        given = list_names(models) or "none"
        raise FileError(
            f"{visible(str(path))}: expected logs of one model, got {given}: name the log that is "
            f"meant"
        )
    records: list[Record] = []
    for file, log in logs:
        repeated = any(sample.epoch > 1 for sample in log.samples)
        for sample in log.samples:
            try:
                records.append(record_of(sample, log.eval.task, choice.metric, repeated=repeated))
            except InputError as error:
                raise FileError(f"{visible(str(file))}: {error}") from error
    fingerprint = describe_log([log for _, log in logs])
    return Run(tuple(records), models[0], MappingProxyType(fingerprint))


def _load(glimpse: Glimpse) -> Any:
    """Load a log that was checked before the official reader sees it."""
    path = glimpse.path
    is_archive = glimpse.start.startswith(_ZIP)
    if is_archive:
        _check_archive(path)
    else:
        read_json_object(path)
    reader = require("inspect_ai.log", "inspect")
    try:
        log = reader.read_eval_log(
            str(path.absolute()),
            format="eval" if is_archive else "json",
            exclude_fields=_UNREAD,
        )
    except MissingDependencyError:
        raise
    except Exception as error:
        # The official reader validates: what it raises is not part of its interface.
        reason = visible(str(error).partition("\n")[0])
        raise FileError(
            f"{visible(str(path))}: expected a log that inspect_ai can read, got {reason} "
            f"({type(error).__name__}): install the version that wrote it, or fetch the log again"
        ) from error
    if not log.samples:
        raise FileError(
            f"{visible(str(path))}: expected a log with samples, got none (status {log.status}): "
            f"evaluate again, with --log-samples"
        )
    return log


def _check_archive(path: Path) -> None:
    for name, content in read_entries(path, _ENTRY):
        try:
            text = content.decode("utf-8")
            _, end = decode(text)
        except BAD_JSON as error:
            raise FileError(f"{visible(str(path))}: {explain(error)} (in {show(name)})") from error
        if text[end:].strip():
            raise FileError(
                f"{visible(str(path))}: expected one JSON value, got more text at character "
                f"{end + 1}: fetch the log again (in {show(name)})"
            )


def _newest_logs(folder: Glimpse) -> list[Glimpse]:
    """Choose the newest log of every task by its name, which starts with the time."""
    newest: dict[str, Glimpse] = {}
    for path in sorted(folder.path.iterdir()):
        found = _LOG.fullmatch(path.name)
        if found is not None and recognise(file := folder.glimpse(path)) is not None:
            newest[found[2]] = file
    return [newest[task] for task in sorted(newest)]
