"""inspect_ai: one log, .eval or .json, or a folder of them, through the official reader."""

from __future__ import annotations

import math
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from muscle_metrics.answers.reading.options import option_letters
from muscle_metrics.answers.scores import is_score
from muscle_metrics.errors import FileError, InputError, MissingDependencyError, require
from muscle_metrics.runs.about import ANSWERS, REFERENCES, REPEATS, SCORES, About
from muscle_metrics.runs.details import Details, completed, lettered
from muscle_metrics.runs.files.archives import read_entries
from muscle_metrics.runs.files.json_object import read_json_object
from muscle_metrics.runs.files.strict_json import BAD_JSON, decode, explain
from muscle_metrics.runs.fingerprints import REDUCER
from muscle_metrics.runs.identity import SKIPPED, list_skipped
from muscle_metrics.runs.logs import ErrorsAt, digest_settings, known_parts
from muscle_metrics.runs.readers.inspect_ai_folder import (
    ENTRY,
    ZIP,
    NamedLog,
    describe_arguments,
    find_logs,
    newest_logs,
)
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.runs.values import score_of
from muscle_metrics.words.escape import visible
from muscle_metrics.words.place import describe, show
from muscle_metrics.words.secrets import hide_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.files.glimpse import Glimpse

__all__ = ["ABOUT", "read", "recognise"]

ABOUT = About(
    "inspect_ai",
    "`<time>_<task>_<id>.eval` or `.json`, a folder of them",
    frozenset({ANSWERS, REFERENCES, REPEATS, SCORES}),
    texts=("question", "response", "options"),
    fields="metadata.subject",
    page="inspect-ai",
)

_FIRST_ENTRY = b"_journal/start.json"
# Large fields of a sample that are not read.
MESSAGES = "messages"
_UNREAD = frozenset({MESSAGES, "events", "store", "attachments"})
# Scores that inspect_ai gives to grades, and to words in upper or lower case. It scores every other
# text that is no number 0; this reader refuses it.
_GRADES: Mapping[str, float] = MappingProxyType({"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0})
_WORDS: Mapping[str, float] = MappingProxyType({"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0})


def recognise(glimpse: Glimpse) -> str | None:
    """Recognise an archive by its first entry, a JSON log by its fields, a folder by its logs."""
    if glimpse.is_folder:
        logs = find_logs(glimpse, _is_log)
        return "it holds logs" if any(map(_is_log, logs)) else None
    start = glimpse.start[:4096]
    if start.startswith(ZIP) and (_FIRST_ENTRY in start[:100] or glimpse.path.suffix == ".eval"):
        return "it is a zip archive with _journal/start.json"
    fields = (b'"version"', b'"status"', b'"eval"', b'"run_id"')
    if start.lstrip().startswith(b"{") and all(field in start for field in fields):
        return "it has version, status and eval with a run_id"
    return None


def read(glimpse: Glimpse, choice: Choice) -> Run:
    """Read a log, or the newest of every task and its arguments in a folder.

    Parameters
    ----------
    glimpse : Glimpse
        The log, or the folder.
    choice : Choice
        With a task, other logs of a folder are not read. With a metric, records show the answer of
        that scorer, and only its scores are read.

    Raises
    ------
    FileError
        If a log is damaged, cannot be read by the official reader, or holds no samples; if a score
        is neither a number nor a grade.
    InputError
        If a folder holds logs of several models, or of one task with other settings.
    MissingDependencyError
        If inspect_ai is not installed.
    """
    if glimpse.is_folder:
        logs = newest_logs(glimpse.path, find_logs(glimpse, _is_log, most=None), choice)
        loaded = [(log, _load(log.glimpse, choice.steps)) for log in logs]
    else:
        only = _load(glimpse, choice.steps)
        loaded = [(NamedLog(glimpse, only.eval.task), only)]
    records: list[Record] = []
    for named, log in loaded:
        repeated = any(sample.epoch > 1 for sample in log.samples)
        with ErrorsAt(named.glimpse.path):
            records += [
                completed(
                    _record(sample, named.task, choice.metric_of(named.task), repeated=repeated),
                    {"metadata": sample.metadata or {}, **_messages(sample, choice)},
                    choice,
                    partial(_details, sample),
                )
                for sample in log.samples
            ]
    model = loaded[0][1].eval.model
    skipped = list_skipped([name for named, _ in loaded for name in named.older])
    fingerprint = known_parts(
        {**_fingerprint({named.task: log for named, log in loaded}), SKIPPED: skipped}
    )
    return Run(tuple(records), model, fingerprint)


def _is_log(glimpse: Glimpse) -> bool:
    return recognise(glimpse) is not None


def _load(glimpse: Glimpse, steps: str | None = None) -> Any:
    """Check a log, then load it with the official reader; `steps` is a field of samples to keep."""
    path = glimpse.path
    is_archive = glimpse.start.startswith(ZIP)
    if is_archive:
        _check_archive(path)
    else:
        read_json_object(path)
    reader = require("inspect_ai.log", "inspect")
    try:
        log = reader.read_eval_log(
            str(path.absolute()),
            format="eval" if is_archive else "json",
            exclude_fields=_UNREAD - {steps},
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
    for name, content in read_entries(path, ENTRY):
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
        choices=option_letters(sample.choices),
    )


def _messages(sample: Any, choice: Choice) -> Mapping[str, object]:
    if choice.steps != MESSAGES:
        return {}
    return {MESSAGES: [message.model_dump() for message in sample.messages]}


def _details(sample: Any) -> Details:
    asked = sample.input
    if not isinstance(asked, str):
        asked = "\n".join(message.text for message in asked if message.role == "user")
    return Details(
        asked or None,
        str(sample.output.completion) if sample.output.choices else None,
        lettered(sample.choices or []),
    )


def _values_of(scores: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield each score by name; of a scorer that gives several, as ``scorer.name``."""
    for name, score in scores.items():
        if isinstance(score.value, dict):
            yield from ((f"{name}.{part}", value) for part, value in score.value.items())
        else:
            yield name, score.value


def _score_of(value: Any, name: str) -> float | None:
    """Return a score as inspect_ai's own value_to_float gives it; None for a missing one."""
    if isinstance(value, str):
        return _score_of_text(value, name)
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, list | dict):
        raise _no_score(value, name)
    return score_of(value, name)


def _score_of_text(text: str, name: str) -> float:
    score = _GRADES.get(text, _WORDS.get(text.lower()))
    if score is None:
        try:
            score = float(text)
        except ValueError:
            score = math.nan
    if not is_score(score):
        raise _no_score(text, name)
    return score


def _no_score(value: object, name: str) -> InputError:
    return InputError(
        f"expected a number, yes, no, true, false or a grade C, P, I or N as score {show(name)}, "
        f"got {describe(value)}: choose another score with --metric (metric=), or judge the "
        f"answers by --metric exact_match"
    )


def _answer_of(sample: Any, metric: str | None) -> str | None:
    """Return the answer that the deciding scorer extracted, or else the completion."""
    scores = sample.scores or {}
    scorer = scores.get(metric) or scores.get((metric or "").partition(".")[0])
    if scorer is None and len(scores) == 1:
        (scorer,) = scores.values()
    if scorer is not None and scorer.answer is not None:
        return str(scorer.answer)
    return str(sample.output.completion) if sample.output.choices else None


def _fingerprint(by_task: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the facts that must be equal in two runs, and the faults of these logs."""
    logs = list(by_task.values())
    faults: dict[str, list[str]] = {"status": [], "partial": [], "errors": []}
    for task, log in by_task.items():
        for part, text in _faults(log):
            faults[part].append(f"{task} {text}")
    return known_parts(
        {
            "model": _joined(log.eval.model for log in logs),
            "date": _joined(log.eval.created for log in logs),
            "harness_version": _joined(log.eval.packages.get("inspect_ai", "") for log in logs),
            "task_version": _joined(
                f"{task} {log.eval.task_version}" for task, log in by_task.items()
            ),
            "task_args": _joined(map(_arguments, logs)),
            "dataset": _joined(log.eval.dataset.name or "" for log in logs),
            "prompt": digest_settings([_plain(log.plan.steps) for log in logs]),
            "scorer": digest_settings([_plain(log.eval.scorers) for log in logs]),
            "generation": digest_settings([_plain(log.plan.config) for log in logs]),
            "judge": _joined(
                f"{role} {config.model}"
                for log in logs
                for role, config in (log.eval.model_roles or {}).items()
            ),
            REDUCER: _joined(map(_reducer, logs)),
            **{part: "; ".join(texts) for part, texts in faults.items()},
        }
    )


def _arguments(log: Any) -> str:
    """Task and arguments of a log; empty where it was given none."""
    given = log.eval.task_args
    described = f"{log.eval.task} {describe_arguments(given)}" if given else ""
    return str(hide_secrets(described).value)


def _reducer(log: Any) -> str:
    """Name the reducers of several epochs; empty where they take the mean."""
    config = log.eval.config
    reducers = config.epochs_reducer or []
    return ", ".join(reducers) if (config.epochs or 1) > 1 and reducers != ["mean"] else ""


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
