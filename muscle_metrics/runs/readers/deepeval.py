"""deepeval: the JSON of one test run, or of the result that `evaluate` returns.

::

    {"testCases": [{"name": "sum", "input": "2+2", "actualOutput": "4",
                    "metricsData": [{"name": "EM", "score": 1.0}]}]}
    {"test_results": [{"name": "sum", "input": "2+2", "actual_output": "4",
                       "metrics_data": [{"name": "EM", "score": 1.0}]}]}

A test case without a name is named by its position, or by pytest: such names are no ids.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from muscle_metrics.errors import InputError
from muscle_metrics.runs.about import ANSWERS, PROMPTS, REFERENCES, SCORES, About
from muscle_metrics.runs.details import completed
from muscle_metrics.runs.files.json_stream import read_json_document
from muscle_metrics.runs.log_fields import (
    answer_at,
    answer_from,
    digest,
    list_at,
    object_at,
    reference_at,
    score_from,
    text_at,
)
from muscle_metrics.runs.logs import ErrorsAt, LogFiles, count_share, known_parts, repeated_ids
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.words.place import describe, show

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.files.glimpse import Glimpse

__all__ = ["ABOUT", "read", "recognise"]

ABOUT = About(
    "deepeval",
    "`test_run_<time>.json`; the JSON of what `evaluate` returns",
    frozenset({ANSWERS, PROMPTS, REFERENCES, SCORES}),
    fields="metadata.topic",
    page="deepeval",
)

_CASES = ("testCases",)
_CONVERSATIONS = ("conversationalTestCases",)
# The list of an EvaluationResult, and the names of its fields in a test run.
_RESULTS = ("test_results",)
_LISTS = {_CASES, _CONVERSATIONS, _RESULTS}
_NAMES = {
    "actual_output": "actualOutput",
    "expected_output": "expectedOutput",
    "metrics_data": "metricsData",
    "strict_mode": "strictMode",
    "evaluation_model": "evaluationModel",
}
# Names that deepeval gives by position.
_POSITION = re.compile(r"(conversational_)?test_case_[0-9]+")
# Names that pytest gives: the function and its parameters, among them the answer of the model.
_PARAMETERS = re.compile(r".*\[.*\]", re.DOTALL)
_SUCCESS = "success"


def _reason_of(glimpse: Glimpse) -> str | None:
    """Recognise a test run, or a result, by its first keys."""
    start = b"".join(glimpse.start.split())
    if start.startswith((b'{"testCases":[', b'{"testFile":')) and b'"testCases":[' in start[:1024]:
        return "it has testCases"
    if start.startswith(b'{"test_results":[') and b'"metrics_data":' in start:
        return "it has test_results with metrics_data"
    return None


_LOGS = LogFiles("test run of deepeval", ("*.json",), _reason_of, "it holds a test run")
recognise = _LOGS.recognise


def read(glimpse: Glimpse, choice: Choice) -> Run:
    """Read one record per test case.

    Parameters
    ----------
    glimpse : Glimpse
        The file of a test run, or a folder that holds one.
    choice : Choice
        With "success" as metric, the score of a case is its success over all metrics.

    Raises
    ------
    FileError
        If the file cannot be read to its end, holds no test case, or two of one name.
    """
    path = _LOGS.only(glimpse).path
    log = _Log(choice)
    for keys, number, value in read_json_document(path, _LISTS):
        with ErrorsAt(path, number):
            if number:
                log.add(_renamed(value) if keys == _RESULTS else value)
            elif keys in _LISTS:
                raise InputError(
                    f"expected a list of test cases, got {describe(value)}: run the tests again"
                )
            else:
                log.about[keys[0]] = value
    with ErrorsAt(path):
        return log.run(path.stem)


@dataclass(slots=True)
class _Log:
    """Test cases, and the facts of the whole run."""

    choice: Choice
    records: list[Record] = field(default_factory=list)
    about: dict[str, object] = field(default_factory=dict)
    scorers: set[str] = field(default_factory=set)
    judges: set[str] = field(default_factory=set)
    failed: int = 0

    def add(self, case: object) -> None:
        """Add a test case."""
        if not isinstance(case, dict):
            raise InputError(f"expected a test case, got {describe(case)}: run the tests again")
        if case.get("turns") is None:
            # A result has the field also where it is no conversation.
            case = {name: value for name, value in case.items() if name != "turns"}
        asked = _asked(case)
        name = text_at(case, "name")
        scores, is_failed = self._scores(case)
        self.failed += is_failed
        record = Record(
            name if name and self._is_own(name) else f"input:{digest(asked)}",
            _answer(case),
            reference_at(case, "expectedOutput"),
            scores,
            prompt=str(answer_from(asked)),
        )
        self.records.append(completed(record, case, self.choice))

    def _is_own(self, name: str) -> bool:
        """Whether a user gave a test case this name, so that it is the same in every run."""
        of_pytest = "testFile" in self.about and _PARAMETERS.fullmatch(name)
        return not (of_pytest or _POSITION.fullmatch(name))

    def _scores(self, case: Mapping[str, object]) -> tuple[dict[str, float], bool]:
        """Return the scores of a test case, and whether a metric failed to judge it."""
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
        if self.choice.metric_of(None) == _SUCCESS:
            success = case.get("success")
            scores = {_SUCCESS: success} if isinstance(success, bool) and not failed else {}
        return scores, failed

    def run(self, file_name: str) -> Run:
        """Make a run of all test cases, each of which must occur once."""
        repeated = repeated_ids(self.records)
        if repeated:
            name, count = next(iter(repeated.items()))
            raise InputError(
                f"expected each test case once, got {show(name)} {count} times: give test cases "
                f"names of their own (name=)"
            )
        if not self.records:
            raise InputError("expected test cases, got none: run the tests again")
        model = text_at(object_at(self.about, "hyperparameters"), "model")
        prompts = list_at(self.about, "prompts")
        dataset = [text_at(self.about, f"dataset{part}") for part in ("Alias", "Id", "Version")]
        fingerprint = known_parts(
            {
                "model": model,
                "dataset": " ".join(filter(None, dataset)),
                "prompt": digest(prompts) if prompts else None,
                "scorer": digest(sorted(self.scorers)),
                "judge": ", ".join(sorted(self.judges)),
                "errors": count_share(self.failed, len(self.records), "test cases"),
            }
        )
        name = text_at(self.about, "identifier") or model or file_name
        return Run(tuple(self.records), name, fingerprint)


def _renamed(result: object) -> object:
    """Give a result of `evaluate` the names of a test run, also in its metrics."""
    if isinstance(result, list):
        return [_renamed(one) for one in result]
    if not isinstance(result, dict):
        return result
    named = {_NAMES.get(name, name): value for name, value in result.items()}
    if "metricsData" in named:
        named["metricsData"] = _renamed(named["metricsData"])
    return named


def _asked(case: Mapping[str, object]) -> object:
    """Return the input of a test case; of a conversation its scenario and the user's turns."""
    if "turns" not in case:
        return case.get("input")
    turns = [turn for turn in list_at(case, "turns") if isinstance(turn, dict)]
    said = [turn.get("content") for turn in turns if turn.get("role") == "user"]
    return [case.get("scenario"), said]


def _answer(case: Mapping[str, object]) -> object:
    """Return the output of the model; of a conversation its last turn."""
    if "turns" not in case:
        return answer_at(case, "actualOutput")
    turns = [turn for turn in list_at(case, "turns") if isinstance(turn, dict)]
    said = [turn for turn in turns if turn.get("role") == "assistant"]
    return answer_at(said[-1], "content") if said else None
