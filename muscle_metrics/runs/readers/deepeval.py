"""deepeval: the JSON of one test run."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from muscle_metrics.errors import FileError, InputError
from muscle_metrics.runs.files.glimpse import logs_in, only_log
from muscle_metrics.runs.files.json_document import read_json_document
from muscle_metrics.runs.log_fields import (
    answer_at,
    digest,
    list_at,
    object_at,
    reference_at,
    score_from,
    text_at,
)
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.words.escape import visible
from muscle_metrics.words.place import describe, row_of, show

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.files.glimpse import Glimpse

__all__ = ["read", "recognise"]

_CASES = ("testCases",)
_CONVERSATIONS = ("conversationalTestCases",)
# What deepeval calls a test case without a name: its position.
_POSITION = re.compile(r"(conversational_)?test_case_[0-9]+")
# What pytest calls one: the function and its parameters, the answer of the model among them.
_PARAMETERS = re.compile(r".*\[.*\]", re.DOTALL)
_SUCCESS = "success"


def recognise(glimpse: Glimpse) -> str | None:
    """Tell a test run by its first keys."""
    if glimpse.is_folder:
        return "it holds a test run" if _logs(glimpse) else None
    return _why(glimpse)


def read(glimpse: Glimpse, choice: Choice) -> Run:
    """Read one record per test case.

    Parameters
    ----------
    glimpse : Glimpse
        The file of a test run, or a folder that holds one.
    choice : Choice
        With "success" as metric the verdict over all metrics of a case is read.

    Raises
    ------
    FileError
        If the file cannot be read to its end, holds no test case, or two of one name.

    Examples
    --------
    >>> from muscle_metrics.runs.files.glimpse import Glimpse
    >>> from muscle_metrics.runs.choice import Choice
    >>> from pathlib import Path
    >>> import tempfile
    >>> metric = '{"name": "EM", "score": 1.0}'
    >>> case = f'{{"name": "sum", "input": "2+2", "metricsData": [{metric}]}}'
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "test_run_1.json")
    ...     _ = path.write_text(f'{{"testCases": [{case}]}}')
    ...     read(Glimpse(path), Choice()).records[0].scores
    {'EM': 1.0}
    """
    path = only_log(glimpse, _logs(glimpse), "test run of deepeval").path
    log = _Log(choice.metric)
    place = visible(str(path))
    for keys, number, value in read_json_document(path, {_CASES, _CONVERSATIONS}):
        try:
            if number:
                place = row_of(path, number)
                log.add(value)
            elif keys in {_CASES, _CONVERSATIONS}:
                raise InputError(
                    f"expected a list of test cases, got {describe(value)}: run the tests again"
                )
            else:
                log.about[keys[0]] = value
        except InputError as error:
            raise FileError(f"{place}: {error}") from error
    return log.run(path)


def _why(glimpse: Glimpse) -> str | None:
    start = b"".join(glimpse.start[:1024].split())
    if start.startswith((b'{"testCases":[', b'{"testFile":')) and b'"testCases":[' in start:
        return "it has testCases"
    return None


def _logs(folder: Glimpse) -> list[Glimpse]:
    return logs_in(folder, ("*.json",), _why)


@dataclass(slots=True)
class _Log:
    """Test cases, and what the file says of the whole run."""

    metric: str | None
    records: list[Record] = field(default_factory=list)
    about: dict[str, object] = field(default_factory=dict)
    scorers: set[str] = field(default_factory=set)
    judges: set[str] = field(default_factory=set)
    failed: int = 0

    def add(self, case: object) -> None:
        """Add a test case."""
        if not isinstance(case, dict):
            raise InputError(f"expected a test case, got {describe(case)}: run the tests again")
        asked = _asked(case)
        name = text_at(case, "name")
        scores, is_failed = self._scores(case)
        self.failed += is_failed
        self.records.append(
            Record(
                name if name and self._is_own(name) else f"input:{digest(asked)}",
                _answer(case),
                reference_at(case, "expectedOutput"),
                scores,
                prompt=str(answer_at({"input": asked}, "input")),
            )
        )

    def _is_own(self, name: str) -> bool:
        """Whether somebody gave a test case this name, so that it is the same in every run."""
        of_pytest = "testFile" in self.about and _PARAMETERS.fullmatch(name)
        return not (of_pytest or _POSITION.fullmatch(name))

    def _scores(self, case: Mapping[str, object]) -> tuple[dict[str, float], bool]:
        """Scores of a test case, and whether a metric failed to judge it."""
        scores: dict[str, float] = {}
        failed = False
        seen = set()
        for metric in list_at(case, "metricsData"):
            if not isinstance(metric, dict):
                raise InputError(
                    f"expected a metric with a name and a score, got {describe(metric)}: run the "
                    f"tests again"
                )
            name = str(text_at(metric, "name"))
            if name in seen:
                raise InputError(
                    f"expected each metric once in a test case, got {show(name)} twice: give the "
                    f"metrics names of their own"
                )
            seen.add(name)
            score = score_from(metric.get("score"))
            failed |= score is None or metric.get("error") is not None
            if score is not None and metric.get("error") is None:
                scores[name] = score
            self.scorers.add(f"{name} {metric.get('threshold')} {metric.get('strictMode')}")
            self.judges |= {text_at(metric, "evaluationModel") or ""} - {""}
        if self.metric == _SUCCESS:
            verdict = case.get("success")
            scores = {_SUCCESS: verdict} if isinstance(verdict, bool) and not failed else {}
        return scores, failed

    def run(self, path: Path) -> Run:
        """All test cases, each once."""
        counts = Counter(record.id for record in self.records)
        for record in self.records:
            if counts[record.id] > 1:
                raise FileError(
                    f"{visible(str(path))}: expected each test case once, got {show(record.id)} "
                    f"{counts[record.id]} times: give test cases names of their own (name=)"
                )
        if not self.records:
            raise FileError(
                f"{visible(str(path))}: expected test cases, got none: run the tests again"
            )
        model = text_at(object_at(self.about, "hyperparameters"), "model")
        prompts = list_at(self.about, "prompts")
        dataset = [text_at(self.about, f"dataset{part}") for part in ("Alias", "Id", "Version")]
        parts = {
            "model": model,
            "dataset": " ".join(filter(None, dataset)),
            "prompt": digest(prompts) if prompts else None,
            "scorer": digest(sorted(self.scorers)),
            "judge": ", ".join(sorted(self.judges)),
            "errors": f"{self.failed} of {len(self.records)} test cases" if self.failed else None,
        }
        name = text_at(self.about, "identifier") or model or path.stem
        return Run(
            tuple(self.records),
            name,
            MappingProxyType({name: text for name, text in parts.items() if text}),
        )


def _asked(case: Mapping[str, object]) -> object:
    """Return what a test case asks: its input, or the user's part of a conversation."""
    if "turns" not in case:
        return case.get("input")
    turns = [turn for turn in list_at(case, "turns") if isinstance(turn, dict)]
    said = [turn.get("content") for turn in turns if turn.get("role") == "user"]
    return [case.get("scenario"), said]


def _answer(case: Mapping[str, object]) -> object:
    """Return what the model answered: its output, or its last turn in a conversation."""
    if "turns" not in case:
        return answer_at(case, "actualOutput")
    turns = [turn for turn in list_at(case, "turns") if isinstance(turn, dict)]
    said = [turn for turn in turns if turn.get("role") == "assistant"]
    return answer_at(said[-1], "content") if said else None
