"""inspect_ai: one log, .eval or .json, or a folder of them, through the official reader."""

from __future__ import annotations

import math
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import FileError, InputError, MissingDependencyError, require
from muscle_metrics.runs.files.archives import read_entries
from muscle_metrics.runs.files.json_object import read_json_object
from muscle_metrics.runs.files.strict_json import BAD_JSON, decode, explain
from muscle_metrics.runs.logs import (
    ErrorsAt,
    TaskFile,
    digest_settings,
    known_parts,
    newest_of_tasks,
    only_name,
)
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.runs.values import score_of
from muscle_metrics.words.escape import visible
from muscle_metrics.words.place import describe, show

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.files.glimpse import Glimpse

__all__ = ["read", "recognise"]

_ENTRY = re.compile(
    r"(?:header|summaries|reductions|(?:_journal|samples|attachments)/.+)\.json", re.DOTALL
)
_LOG = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9+-]+)_(.+)_[^_]+\.(?:eval|json)")
_ZIP = b"PK\x03\x04"
_FIRST_ENTRY = b"_journal/start.json"
# Large fields of a sample that are not read.
_UNREAD = frozenset({"messages", "events", "store", "attachments"})
# Scores that inspect_ai gives to grades. It scores every other text 0; this reader refuses it.
_GRADES: Mapping[str, float] = MappingProxyType({"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0})


def recognise(glimpse: Glimpse) -> str | None:
    """Recognise an archive by its first entry, a JSON log by its fields, a folder by its logs."""
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
        With a metric, records show the answer of that scorer, and only its scores are read.

    Raises
    ------
    FileError
        If a log is damaged, cannot be read by the official reader, or holds no samples; if a score
        is neither a number nor a grade.
    InputError
        If a folder holds logs of several models.
    MissingDependencyError
        If inspect_ai is not installed.
    """
    files = _newest_logs(glimpse) if glimpse.is_folder else [glimpse]
    logs = [(file.path, _load(file)) for file in files]
    models = sorted({log.eval.model for _, log in logs})
    model = only_name(models, "logs of one model", "name the log that is meant")
    records: list[Record] = []
    for file, log in logs:
        repeated = any(sample.epoch > 1 for sample in log.samples)
        with ErrorsAt(file):
            records += [
                _record(sample, log.eval.task, choice.metric, repeated=repeated)
                for sample in log.samples
            ]
    return Run(tuple(records), model, _fingerprint([log for _, log in logs]))


def _load(glimpse: Glimpse) -> Any:
    """Check a log, then load it with the official reader."""
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
        # The official reader validates, and does not document which errors it raises.
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
    files = [
        TaskFile(path, found[2], found[1])
        for path in sorted(folder.path.iterdir())
        if (found := _LOG.fullmatch(path.name)) is not None
        and recognise(folder.glimpse(path)) is not None
    ]
    return [folder.glimpse(file.path) for file in newest_of_tasks(files)]


def _record(sample: Any, task: str, metric: str | None, *, repeated: bool) -> Record:
    """Make the record of a sample; a crashed scorer and NaN leave no score."""
    scores = {}
    for name, value in dict(_values_of(sample.scores or {})).items():
        if metric is None or name == metric:
            score = _score_of(value, f"{name} of sample {sample.id}")
            if score is not None:
                scores[name] = score
    return Record(
        str(sample.id),
        prediction=None if sample.error else _answer_of(sample, metric),
        reference=sample.target,
        scores=scores,
        task=task,
        repeat=str(sample.epoch) if repeated else None,
    )


def _values_of(scores: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield each score by name; of a scorer that gives several, as ``scorer.name``."""
    for name, score in scores.items():
        if isinstance(score.value, dict):
            yield from ((f"{name}.{part}", value) for part, value in score.value.items())
        else:
            yield name, score.value


def _score_of(value: Any, name: str) -> float | None:
    if isinstance(value, str):
        if value not in _GRADES:
            raise InputError(
                f"expected a number, true, false or a grade C, P, I or N as score {show(name)}, "
                f"got {describe(value)}: choose another score with --metric (metric=)"
            )
        return _GRADES[value]
    if isinstance(value, float) and math.isnan(value):
        return None
    return score_of(value, name)


def _answer_of(sample: Any, metric: str | None) -> str | None:
    """Return the answer that the deciding scorer extracted, or else the completion."""
    scores = sample.scores or {}
    scorer = scores.get(metric) or scores.get((metric or "").partition(".")[0])
    if scorer is None and len(scores) == 1:
        (scorer,) = scores.values()
    if scorer is not None and scorer.answer is not None:
        return str(scorer.answer)
    return str(sample.output.completion) if sample.output.choices else None


def _fingerprint(logs: Sequence[Any]) -> Mapping[str, str]:
    """Return the facts that must be equal in two runs, and the faults of these logs."""
    faults: dict[str, list[str]] = {"status": [], "partial": [], "errors": []}
    for log in logs:
        for part, text in _faults(log):
            faults[part].append(f"{log.eval.task} {text}")
    return known_parts(
        {
            "model": _joined(log.eval.model for log in logs),
            "date": _joined(log.eval.created for log in logs),
            "harness_version": _joined(log.eval.packages.get("inspect_ai", "") for log in logs),
            "task_version": _joined(f"{log.eval.task} {log.eval.task_version}" for log in logs),
            "dataset": _joined(log.eval.dataset.name or "" for log in logs),
            "prompt": digest_settings([_plain(log.plan.steps) for log in logs]),
            "scorer": digest_settings([_plain(log.eval.scorers) for log in logs]),
            "generation": digest_settings([_plain(log.plan.config) for log in logs]),
            "judge": _joined(
                f"{role} {config.model}"
                for log in logs
                for role, config in (log.eval.model_roles or {}).items()
            ),
            **{part: "; ".join(texts) for part, texts in faults.items()},
        }
    )


def _faults(log: Any) -> Iterator[tuple[str, str]]:
    if log.status != "success" or log.invalidated:
        yield "status", "invalidated" if log.status == "success" else log.status
    wanted = (log.eval.dataset.samples or 0) * (log.eval.config.epochs or 1)
    if len(log.samples) < wanted:
        yield "partial", f"{len(log.samples)} of {wanted} samples"
    failed = sum(sample.error is not None for sample in log.samples)
    if failed:
        yield "errors", f"{failed} of {len(log.samples)} samples"


def _joined(texts: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(filter(None, texts)))


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value
