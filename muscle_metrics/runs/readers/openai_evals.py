"""OpenAI evals: the events that oaieval recorded, one per line."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from muscle_metrics.errors import FileError, InputError
from muscle_metrics.runs.files.glimpse import logs_in, only_log
from muscle_metrics.runs.files.jsonl import read_jsonl
from muscle_metrics.runs.log_fields import (
    answer_at,
    digest,
    list_at,
    object_at,
    reference_at,
    scores_at,
    text_at,
)
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.words.place import describe, line_of, show

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.files.glimpse import Glimpse

__all__ = ["read", "recognise"]

_EVENT = {"run_id", "event_id", "sample_id", "type", "data"}
_SPEC = {"completion_fns", "eval_name"}


def recognise(glimpse: Glimpse) -> str | None:
    """Tell a file by its first line: the specification, the final report or an event."""
    if glimpse.is_folder:
        return "it holds recorded events" if _logs(glimpse) else None
    return _why(glimpse)


def read(glimpse: Glimpse, choice: Choice) -> Run:
    """Read one record per sample, or per attempt where a sample was judged several times.

    Parameters
    ----------
    glimpse : Glimpse
        The file of events, or a folder that holds one.
    choice : Choice
        Not needed: there is one task and no filter.

    Raises
    ------
    FileError
        If the file cannot be read to its end, holds events of several runs, or none that judges.

    Examples
    --------
    >>> from muscle_metrics.runs.files.glimpse import Glimpse
    >>> from muscle_metrics.runs.choice import Choice
    >>> from pathlib import Path
    >>> import tempfile
    >>> event = '"run_id": "r", "event_id": 0, "sample_id": "s.1", "type": "match"'
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "old.jsonl")
    ...     _ = path.write_text(f'{{{event}, "data": {{"correct": true}}}}')
    ...     run = read(Glimpse(path), Choice())
    >>> run.records[0].scores, run.fingerprint["status"]
    ({'correct': True}, 'no final report')
    """
    log = _Log()
    path = only_log(glimpse, _logs(glimpse), "file of recorded events").path
    for number, row in read_jsonl(path):
        try:
            log.add(row)
        except InputError as error:
            raise FileError(f"{line_of(path, number)}: {error}") from error
    records = tuple(record for name in log.samples for record in log.records(name))
    if not any(record.scores for record in records):
        raise FileError(
            f"{line_of(path, 1)}: expected events that judge samples, of type 'match' or "
            f"'metrics', got none: the evaluation was cut short, or records events of its own"
        )
    return Run(records, log.model or path.stem, MappingProxyType(log.fingerprint()))


def _why(glimpse: Glimpse) -> str | None:
    row = glimpse.row
    spec = row.get("spec")
    if (
        "final_report" in row
        or row.keys() >= _EVENT
        or (isinstance(spec, dict) and _SPEC & {*spec})
    ):
        return "its lines are a specification, events with event_id and sample_id, a final report"
    return None


def _logs(folder: Glimpse) -> list[Glimpse]:
    return logs_in(folder, ("*.jsonl", "*.jsonl.gz"), _why)


@dataclass(slots=True)
class _Sample:
    """What was recorded of one sample, in the order of its events."""

    events: list[tuple[int, str, Mapping[str, object]]] = field(default_factory=list)

    def of_type(self, kind: str) -> Iterator[Mapping[str, object]]:
        # Threads write in any order; the numbers of events say which came first.
        return (data for _, name, data in sorted(self.events, key=_by_number) if name == kind)


def _by_number(event: tuple[int, str, Mapping[str, object]]) -> int:
    return event[0]


class _Log:
    """Events by sample, the specification and the final report, which may stand anywhere."""

    def __init__(self) -> None:
        self.samples: dict[str, _Sample] = defaultdict(_Sample)
        self.spec: Mapping[str, object] = {}
        self.run: str | None = None
        self.is_finished = False

    @property
    def model(self) -> str | None:
        """The completion functions that were asked."""
        return ", ".join(map(str, list_at(self.spec, "completion_fns"))) or None

    def add(self, row: Mapping[str, object]) -> None:
        """Add a line."""
        if "spec" in row:
            self.spec = object_at(row, "spec")
        elif "final_report" in row:
            self.is_finished = True
        else:
            self._add_event(row)

    def _add_event(self, row: Mapping[str, object]) -> None:
        run, sample = text_at(row, "run_id"), text_at(row, "sample_id")
        number, kind = row.get("event_id"), row.get("type")
        if sample is None or not isinstance(number, int) or not isinstance(kind, str):
            raise InputError(
                f"expected an event with a sample_id, an event_id and a type, got the fields "
                f"{', '.join(map(show, row)) or 'none'}: the log was edited"
            )
        if self.run not in (None, run):
            raise InputError(
                f"expected events of one run, got {describe(run)} after {describe(self.run)}: "
                f"give each run a file of its own"
            )
        self.run = run
        self.samples[sample].events.append((number, kind, object_at(row, "data")))

    def records(self, name: str) -> list[Record]:
        """Return the records of a sample: one per attempt, numbered where there are several."""
        sample = self.samples[name]
        asked = next(sample.of_type("sampling"), {})
        prompt = answer_at(asked, "prompt")
        attempts = list(_attempts(sample)) or [_Attempt()]
        return [
            Record(
                name,
                _answer(attempt.match, asked),
                reference_at(attempt.match, "expected"),
                attempt.scores,
                repeat=str(number) if len(attempts) > 1 else None,
                prompt=None if prompt is None else str(prompt),
            )
            for number, attempt in enumerate(attempts, start=1)
        ]

    def fingerprint(self) -> dict[str, str]:
        """Say what is known of the run beside its samples."""
        config = object_at(self.spec, "run_config")
        judged = object_at(config, "eval_spec")
        failed = sum(any(sample.of_type("error")) for sample in self.samples.values())
        parts = {
            "model": self.model,
            "date": text_at(self.spec, "created_at"),
            "dataset": text_at(self.spec, "eval_name"),
            "scorer": digest(judged) if judged else None,
            "max_samples": text_at(config, "max_samples"),
            "errors": f"{failed} of {len(self.samples)} samples" if failed else None,
            "status": None if self.is_finished else "no final report",
        }
        return {name: text for name, text in parts.items() if text is not None}


@dataclass(slots=True)
class _Attempt:
    """One judgement of a sample."""

    match: Mapping[str, object] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)


def _attempts(sample: _Sample) -> Iterator[_Attempt]:
    """Judgements in order; a score that was given already belongs to the next one."""
    attempt = _Attempt()
    for _, kind, data in sorted(sample.events, key=_by_number):
        if kind == "match":
            scores = scores_at({"scores": {"correct": data.get("correct")}}, "scores")
        elif kind == "metrics":
            scores = scores_at({"scores": data}, "scores")
        else:
            continue
        if scores.keys() & attempt.scores.keys():
            yield attempt
            attempt = _Attempt()
        if kind == "match":
            attempt.match = data
        attempt.scores.update(scores)
    if attempt.scores:
        yield attempt


def _answer(match: Mapping[str, object], asked: Mapping[str, object]) -> object:
    """Text that was sampled; the option that was picked says less, and is null for a wrong one."""
    for data, name in ((match, "sampled"), (match, "picked"), (asked, "sampled")):
        value = data.get(name)
        if isinstance(value, list) and value:
            # Chat models return a list of completions.
            value = value[0]
        if value is not None:
            return answer_at({name: value}, name)
    return None
