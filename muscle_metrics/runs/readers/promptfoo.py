"""promptfoo: the results of an evaluation, as JSON or one per line."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from muscle_metrics.errors import FileError, InputError
from muscle_metrics.runs.files.glimpse import logs_in, only_log
from muscle_metrics.runs.files.json_document import read_json_document
from muscle_metrics.runs.files.jsonl import read_jsonl
from muscle_metrics.runs.log_fields import compact, digest, object_at, text_at
from muscle_metrics.runs.readers.promptfoo_rows import (
    Result,
    is_result,
    number_records,
    read_result,
)
from muscle_metrics.runs.record import Run
from muscle_metrics.words.escape import visible
from muscle_metrics.words.place import describe, line_of, row_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.files.glimpse import Glimpse

__all__ = ["read", "recognise"]

_ROWS = ("results", "results")


def recognise(glimpse: Glimpse) -> str | None:
    """Tell JSON by its first keys, evalId and results; JSON Lines by the fields of a result."""
    if glimpse.is_folder:
        return "it holds results of an evaluation" if _logs(glimpse) else None
    return _why(glimpse)


def read(glimpse: Glimpse, choice: Choice) -> Run:
    """Read one record per test, prompt and provider; providers are told apart by `filter`.

    Parameters
    ----------
    glimpse : Glimpse
        The output file, or a folder that holds one.
    choice : Choice
        A provider as filter; of a named score as metric only the tests that have it are read.

    Raises
    ------
    FileError
        If the file cannot be read to its end, or is not what promptfoo writes.

    Examples
    --------
    >>> from muscle_metrics.runs.files.glimpse import Glimpse
    >>> from muscle_metrics.runs.choice import Choice
    >>> from pathlib import Path
    >>> import tempfile
    >>> test = '{"metadata": {"id": "t1"}, "assert": [{"type": "is-json"}]}'
    >>> row = f'{{"testCase": {test}, "provider": {{"id": "echo"}}, "success": false}}'
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "out.json")
    ...     _ = path.write_text(f'{{"evalId": "e", "results": {{"results": [{row}]}}}}')
    ...     run = read(Glimpse(path), Choice())
    >>> run.name, run.records[0].id, run.records[0].scores
    ('echo', 't1', {'success': False})
    """
    found = only_log(glimpse, _logs(glimpse), "output of promptfoo")
    path = found.path
    log = _read_lines(path) if is_result(found.row) else _read_document(path)
    if not log.results:
        raise FileError(
            f"{visible(str(path))}: expected results of tests, got none: run promptfoo eval again"
        )
    return log.run(path, choice)


def _why(glimpse: Glimpse) -> str | None:
    start = b"".join(glimpse.start[:1024].split())
    if start.startswith(b'{"evalId":') and b'"results":{' in start:
        return "it has evalId and results"
    return "its rows have promptId, testCase and vars" if is_result(glimpse.row) else None


def _logs(folder: Glimpse) -> list[Glimpse]:
    return logs_in(folder, ("*.json", "*.jsonl"), _why)


@dataclass(slots=True)
class _Log:
    """Results, and what the file says of the whole evaluation."""

    results: list[Result] = field(default_factory=list)
    version: str | None = None
    date: str | None = None
    counted: int | None = None

    def run(self, path: Path, choice: Choice) -> Run:
        """All results that are judged, and what they have in common."""
        providers = {result.record.filter for result in self.results}
        chosen = [
            result for result in self.results if choice.filter in (None, result.record.filter)
        ]
        judged, left_out = _judged(chosen, choice.metric)
        failed = sum(result.is_error for result in judged)
        model = next(iter(providers)) if len(providers) == 1 else choice.filter
        parts = {
            "model": model,
            "harness_version": self.version,
            "date": self.date,
            "scorer": _scorer(judged),
            "left_out": left_out,
            "partial": self._partial(),
            "errors": f"{failed} of {len(judged)} results" if failed else None,
        }
        fingerprint = {name: text for name, text in parts.items() if text is not None}
        # Who chooses among providers must see all of them.
        records = number_records(_judged(self.results, choice.metric)[0])
        return Run(tuple(records), model or path.stem, MappingProxyType(fingerprint))

    def _partial(self) -> str | None:
        if self.counted in (None, len(self.results)):
            return None
        return f"{len(self.results)} of {self.counted} results"


def _judged(results: list[Result], metric: str | None) -> tuple[list[Result], str | None]:
    """Results that are judged, and by a named metric only those that have it."""
    judged = [result for result in results if result.assertions or result.is_error]
    reasons = {"without assertions": len(results) - len(judged)}
    named = [result for result in judged if metric is not None and result.asserts(metric)]
    if named:
        reasons["without the metric"] = len(judged) - len(named)
        judged = named
    counted = [f"{count} results {reason}" for reason, count in reasons.items() if count]
    return judged, ", ".join(counted) or None


def _scorer(results: list[Result]) -> str:
    """Digest of how results are judged: kinds of assertions, not the value each test expects."""
    kinds = {
        compact({name: part for name, part in assertion.items() if name not in {"value", "assert"}})
        for result in results
        for assertion in result.assertions
    }
    return digest(sorted(kinds))


def _read_lines(path: Path) -> _Log:
    log = _Log()
    for number, row in read_jsonl(path):
        try:
            log.results.append(read_result(row))
        except InputError as error:
            raise FileError(f"{line_of(path, number)}: {error}") from error
    return log


def _read_document(path: Path) -> _Log:
    log = _Log()
    place = visible(str(path))
    for keys, number, value in read_json_document(path, {("results",), _ROWS}):
        try:
            if number:
                place = row_of(path, number)
                log.results.append(read_result(value))
            elif keys == ("results", "stats"):
                log.counted = _counted(object_at({"stats": value}, "stats"))
            elif keys == ("metadata",):
                about = object_at({"metadata": value}, "metadata")
                log.version = text_at(about, "promptfooVersion")
                log.date = text_at(about, "evaluationCreatedAt")
            elif keys == _ROWS:
                raise InputError(f"expected a list of results, got {describe(value)}: run it again")
        except InputError as error:
            raise FileError(f"{place}: {error}") from error
    return log


def _counted(stats: Mapping[str, object]) -> int | None:
    """How many results promptfoo counted."""
    counts = [stats.get(name) for name in ("successes", "failures", "errors")]
    numbers = [count for count in counts if isinstance(count, int)]
    return sum(numbers) if len(numbers) == len(counts) else None
