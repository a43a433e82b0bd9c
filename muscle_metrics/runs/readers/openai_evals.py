"""OpenAI evals: the events that oaieval recorded, one per line.

::

    {"spec": {"completion_fns": ["gpt-4"], "eval_name": "sums"}}
    {"run_id": "r", "event_id": 0, "sample_id": "s.1", "type": "match", "data": {"correct": true}}
    {"final_report": {"accuracy": 1.0}}

Lines are in any order, and a sample may have several events of one type.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.errors import InputError
from muscle_metrics.runs.about import ANSWERS, PROMPTS, REFERENCES, REPEATS, SCORES, About
from muscle_metrics.runs.details import completed
from muscle_metrics.runs.files.jsonl import read_jsonl
from muscle_metrics.runs.identity import check_identity
from muscle_metrics.runs.log_fields import (
    answer_at,
    answer_from,
    digest,
    list_at,
    object_at,
    reference_at,
    scores_from,
    text_at,
)
from muscle_metrics.runs.logs import ErrorsAt, LogFiles, count_share, known_parts
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.words.place import describe, line_of, show

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.files.glimpse import Glimpse

__all__ = ["ABOUT", "read", "recognise"]

ABOUT = About(
    "OpenAI evals",
    "recorded events, `.jsonl`",
    frozenset({ANSWERS, PROMPTS, REFERENCES, REPEATS, SCORES}),
    fields="match.options",
    page="openai-evals",
)

_EVENT = {"run_id", "event_id", "sample_id", "type", "data"}
_SPEC = {"completion_fns", "eval_name"}


def _reason_of(glimpse: Glimpse) -> str | None:
    """Recognise a file by its first line: the specification, the final report or an event."""
    row = glimpse.row
    spec = row.get("spec")
    if (
        "final_report" in row
        or row.keys() >= _EVENT
        or (isinstance(spec, dict) and _SPEC & {*spec})
    ):
        return "its lines are a specification, events with event_id and sample_id, a final report"
    return None


_LOGS = LogFiles(
    "file of recorded events", ("*.jsonl", "*.jsonl.gz"), _reason_of, "it holds recorded events"
)
recognise = _LOGS.recognise


def read(glimpse: Glimpse, choice: Choice) -> Run:
    """Read one record per sample, or per attempt where a sample was judged several times.

    Parameters
    ----------
    glimpse : Glimpse
        The file of events, or a folder that holds one.
    choice : Choice
        There is one task and no filter.

    Raises
    ------
    FileError
        If the file cannot be read to its end, holds events of several runs, or no event that
        judges a sample.
    """
    log = _Log()
    path = _LOGS.only(glimpse).path
    for number, row in read_jsonl(path):
        with ErrorsAt(path, number, line_of):
            log.add(row)
    records = tuple(record for name in log.samples for record in log.records(name, choice))
    with ErrorsAt(path, 1, line_of):
        if not any(record.scores for record in records):
            raise InputError(
                "expected events that judge samples, of type 'match' or 'metrics', got none: the "
                "evaluation was cut short, or records events of its own"
            )
    return Run(records, log.model or path.stem, log.fingerprint())


class _Event(NamedTuple):
    number: int
    type: str
    data: Mapping[str, object]


class _Log:
    """Events by sample, the specification and the final report."""

    def __init__(self) -> None:
        self.samples: dict[str, list[_Event]] = defaultdict(list)
        self.spec: Mapping[str, object] = {}
        self.run: str | None = None
        self.is_named = False
        self.numbers: set[int] = set()
        self.is_finished = False

    @property
    def model(self) -> str | None:
        """Names of the completion functions."""
        return ", ".join(map(str, list_at(self.spec, "completion_fns"))) or None

    def add(self, row: Mapping[str, object]) -> None:
        """Add a line."""
        if "spec" in row:
            self._add_spec(object_at(row, "spec"))
        elif "final_report" in row:
            self.is_finished = True
        else:
            self._add_event(row)

    def _add_spec(self, spec: Mapping[str, object]) -> None:
        if self.spec:
            check_identity(
                {"the first specification": self.spec, "the second": spec},
                "a file of events",
                "give each run a file of its own",
            )
        self.spec = spec
        if "run_id" in spec:
            self._check_run(text_at(spec, "run_id"))

    def _check_run(self, run: str | None) -> None:
        if self.is_named and self.run != run:
            raise InputError(
                f"expected events of one run, got {describe(run)} after {describe(self.run)}: "
                f"give each run a file of its own"
            )
        self.run, self.is_named = run, True

    def _add_event(self, row: Mapping[str, object]) -> None:
        run, sample = text_at(row, "run_id"), text_at(row, "sample_id")
        number, kind = row.get("event_id"), row.get("type")
        if sample is None or not isinstance(number, int) or not isinstance(kind, str):
            raise InputError(
                f"expected an event with a sample_id, an event_id and a type, got the fields "
                f"{', '.join(map(show, row)) or 'none'}: the log was edited"
            )
        event = _Event(number, kind, object_at(row, "data"))
        self._check_run(run)
        if number in self.numbers:
            raise InputError(
                f"expected each event once, got event {number} twice: remove the second one, or "
                f"give each run a file of its own"
            )
        self.numbers.add(number)
        self.samples[sample].append(event)

    def records(self, name: str, choice: Choice) -> list[Record]:
        """Return the records of a sample: one per attempt, numbered where there are several."""
        # Threads write in any order. Numbers of events give the order in which they happened.
        events = sorted(self.samples[name], key=_number_of)
        asked = next((event.data for event in events if event.type == "sampling"), {})
        prompt = answer_at(asked, "prompt")
        attempts = list(_attempts(events)) or [_Attempt()]
        return [
            completed(
                Record(
                    name,
                    _answer(attempt.match, asked),
                    reference_at(attempt.match, "expected"),
                    attempt.scores,
                    repeat=str(number) if len(attempts) > 1 else None,
                    prompt=None if prompt is None else str(prompt),
                ),
                {"match": attempt.match, "sampling": asked},
                choice,
            )
            for number, attempt in enumerate(attempts, start=1)
        ]

    def fingerprint(self) -> Mapping[str, str]:
        """Return the facts that must be equal in two runs, and the faults of this one."""
        config = object_at(self.spec, "run_config")
        judged = object_at(config, "eval_spec")
        failed = sum(
            any(event.type == "error" for event in events) for events in self.samples.values()
        )
        return known_parts(
            {
                "model": self.model,
                "date": text_at(self.spec, "created_at"),
                "dataset": text_at(self.spec, "eval_name"),
                "scorer": digest(judged) if judged else None,
                "max_samples": text_at(config, "max_samples"),
                "errors": count_share(failed, len(self.samples), "samples"),
                "status": None if self.is_finished else "no final report",
            }
        )


def _number_of(event: _Event) -> int:
    return event.number


@dataclass(slots=True)
class _Attempt:
    """One judgement of a sample."""

    match: Mapping[str, object] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)


def _attempts(events: Iterable[_Event]) -> Iterator[_Attempt]:
    """Yield judgements in order; a score that is given again starts the next one."""
    attempt = _Attempt()
    for event in events:
        if event.type == "match":
            scores = scores_from({"correct": event.data.get("correct")})
        elif event.type == "metrics":
            scores = scores_from(event.data)
        else:
            continue
        if scores.keys() & attempt.scores.keys():
            yield attempt
            attempt = _Attempt()
        if event.type == "match":
            attempt.match = event.data
        attempt.scores.update(scores)
    if attempt.scores:
        yield attempt


def _answer(match: Mapping[str, object], asked: Mapping[str, object]) -> object:
    """Return the sampled text, else the picked option, which is null for a wrong answer."""
    for data, name in ((match, "sampled"), (match, "picked"), (asked, "sampled")):
        value = data.get(name)
        if isinstance(value, list) and value:
            # A chat model returns a list of completions.
            value = value[0]
        if value is not None:
            return answer_from(value)
    return None
