"""promptfoo: the results of an evaluation, as JSON or one per line.

::

    {"evalId": "e", "results": {"results": [
        {"testCase": {"metadata": {"id": "t1"}, "vars": {"q": "2+2"}, "assert": [...]},
         "provider": {"id": "echo"}, "response": {"output": "4"}, "success": true}]}}

Before version 3 there is no ``evalId`` and no ``testCase``. Results are in the order of their
completion, and ``--repeat`` gives each repeat a ``testIdx``.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.errors import InputError
from muscle_metrics.runs.about import ANSWERS, PROMPTS, REFERENCES, REPEATS, SCORES, About
from muscle_metrics.runs.details import completed
from muscle_metrics.runs.files.json_stream import read_json_document
from muscle_metrics.runs.files.jsonl import read_jsonl
from muscle_metrics.runs.log_fields import (
    answer_at,
    answer_from,
    compact,
    digest,
    list_at,
    object_at,
    object_from,
    objects_at,
    scores_at,
    scores_from,
    text_at,
)
from muscle_metrics.runs.logs import ErrorsAt, LogFiles, count_share, known_parts
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.words.place import describe, line_of, show

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.files.glimpse import Glimpse

__all__ = ["ABOUT", "read", "recognise"]

ABOUT = About(
    "promptfoo",
    "output of `-o`, `.json` or `.jsonl`, from version 2",
    frozenset({ANSWERS, PROMPTS, REFERENCES, REPEATS, SCORES}),
    fields="vars.topic",
    page="promptfoo",
)

_ROWS = ("results", "results")
_FIELDS = {"promptId", "testCase", "vars", "provider", "success"}
_VARIABLE = re.compile(r"\{\{ *([^{} |.]+) *\}\}")
# Assertions that a model grades: "model-graded metrics" of promptfoo's documentation.
_MODEL_GRADED = frozenset(
    {
        "agent-rubric",
        "answer-relevance",
        "context-faithfulness",
        "context-recall",
        "context-relevance",
        "conversation-relevance",
        "factuality",
        "g-eval",
        "llm-rubric",
        "model-graded-closedqa",
        "model-graded-factuality",
        "search-rubric",
        "select-best",
    }
)
# The failureReason of a result whose provider failed.
_ERROR = 2
# Characters of a prompt's id, a digest, that tell prompts apart.
_ID_SHOWN = 8


class _Result(NamedTuple):
    """A record, and the test that it is a result of.

    Parameters
    ----------
    record : Record
        Its id comes from the metadata of the test, else from its variables.
    test : str
        Digest of its variables and assertions.
    number : int or None
        Index of the test, which counts repeats as well: it does not identify an item.
    column : int or None
        Index of the pair of provider and prompt.
    provider, prompt : str
        Id of the provider and of the prompt, which two of one label do not share.
    assertions : tuple of dict
        Assertions of the test; promptfoo passes a test without any.
    is_error : bool
        Whether the provider failed; promptfoo scores such a result 0.
    """

    record: Record
    test: str
    number: int | None
    column: int | None
    provider: str
    prompt: str
    assertions: tuple[Mapping[str, object], ...]
    is_error: bool


def _is_result(row: Mapping[str, object]) -> bool:
    return row.keys() >= _FIELDS


def _reason_of(glimpse: Glimpse) -> str | None:
    """Recognise JSON by its keys evalId and results, JSON Lines by the fields of a result."""
    start = b"".join(glimpse.start[:1024].split())
    if start.startswith(b'{"evalId":') and b'"results":{' in start:
        return "it has evalId and results"
    if start.startswith(b'{"results":{"version":'):
        return "it has results with a version"
    return "its rows have promptId, testCase and vars" if _is_result(glimpse.row) else None


_LOGS = LogFiles(
    "output of promptfoo", ("*.json", "*.jsonl"), _reason_of, "it holds results of an evaluation"
)
recognise = _LOGS.recognise


def read(glimpse: Glimpse, choice: Choice) -> Run:
    """Read one record per test, prompt and provider; `filter` holds the provider.

    Parameters
    ----------
    glimpse : Glimpse
        The output file, or a folder that holds one.
    choice : Choice
        A provider as filter; with a named score as metric, only the tests that have it are read.

    Raises
    ------
    FileError
        If the file cannot be read to its end, or promptfoo did not write it.
    """
    found = _LOGS.only(glimpse)
    path = found.path
    is_lines = _is_result(found.row)
    log = _read_lines(path, choice) if is_lines else _read_document(path, choice)
    with ErrorsAt(path):
        if not log.results:
            raise InputError("expected results of tests, got none: run promptfoo eval again")
        _check_once(log.results)
        log.results = _tell_apart(log.results)
        return log.run(path, choice)


def _check_once(results: Iterable[_Result]) -> None:
    """Refuse a test that one column holds twice: repeats have numbers of their own."""
    seen = set()
    for result in results:
        place = result.column, result.number
        if None not in place and place in seen:
            raise InputError(
                f"expected each test once per provider and prompt, got test {result.number} of "
                f"column {result.column} twice: the file holds two evaluations, give each a file "
                f"of its own"
            )
        seen.add(place)


def _tell_apart(results: Sequence[_Result]) -> list[_Result]:
    """Add ids to the labels of providers and prompts that several of them share."""
    providers = _ids_by_label((result.record.filter, result.provider) for result in results)
    prompts = _ids_by_label((result.record.task, result.prompt) for result in results)
    apart = []
    for result in results:
        record = result.record
        provider, prompt = record.filter, record.task
        if len(providers[provider]) > 1:
            provider = f"{provider}:{result.provider}"
        if len(prompts[prompt]) > 1:
            prompt = f"{prompt}:{result.prompt[:_ID_SHOWN]}"
        apart.append(result._replace(record=replace(record, filter=provider, task=prompt)))
    columns: dict[tuple[str | None, str | None], int | None] = {}
    for result in apart:
        record = result.record
        column = columns.setdefault((record.filter, record.task), result.column)
        if column != result.column:
            raise InputError(
                f"expected one column of results for the provider {show(str(record.filter))} and "
                f"the prompt {show(str(record.task))}, got columns {column} and {result.column}: "
                f"give each provider and each prompt a label of its own, and run promptfoo eval "
                f"again"
            )
    return apart


def _ids_by_label(pairs: Iterable[tuple[str | None, str]]) -> dict[str | None, set[str]]:
    ids: dict[str | None, set[str]] = defaultdict(set)
    for label, name in pairs:
        ids[label].add(name)
    return ids


@dataclass(slots=True)
class _Log:
    """Results, and facts of the whole evaluation."""

    results: list[_Result] = field(default_factory=list)
    version: str | None = None
    date: str | None = None
    counted: int | None = None

    def run(self, path: Path, choice: Choice) -> Run:
        """Make a run of all results that are judged."""
        providers = {result.record.filter for result in self.results}
        provider = choice.filter if isinstance(choice.filter, str) else None
        chosen = [result for result in self.results if provider in (None, result.record.filter)]
        judged, left_out = _judged(chosen, choice.metric_of(None))
        failed = sum(result.is_error for result in judged)
        model = next(iter(providers)) if len(providers) == 1 else provider
        total = len(self.results)
        fingerprint = known_parts(
            {
                "model": model,
                "harness_version": self.version,
                "date": self.date,
                "scorer": _scorer(judged),
                "judge": _judge(judged, choice.metric_of(None)),
                "left_out": left_out,
                "partial": None
                if self.counted in (None, total)
                else f"{total} of {self.counted} results",
                "errors": count_share(failed, len(judged), "results"),
            }
        )
        # All providers: `narrow_run` chooses among them, and names them in its message.
        records = _number_repeats(_judged(self.results, choice.metric_of(None))[0])
        return Run(tuple(records), model or path.stem, fingerprint)


def _judged(results: list[_Result], metric: str | None) -> tuple[list[_Result], str | None]:
    """Keep the results that are judged, by the metric if any has it; describe those left out."""
    judged = [result for result in results if result.assertions or result.is_error]
    reasons = {"without assertions": len(results) - len(judged)}
    named = [result for result in judged if metric is not None and _asserts(result, metric)]
    if named:
        reasons["without the metric"] = len(judged) - len(named)
        judged = named
    counted = [f"{count} results {reason}" for reason, count in reasons.items() if count]
    return judged, ", ".join(counted) or None


def _asserts(result: _Result, metric: str) -> bool:
    return any(assertion.get("metric") == metric for assertion in result.assertions)


def _judge(results: list[_Result], metric: str | None) -> str | None:
    """Kinds of assertions by which a model graded the results, or this metric of them."""
    named = metric is not None and any(_asserts(result, metric) for result in results)
    kinds = {
        str(assertion.get("type")).removeprefix("not-")
        for result in results
        for assertion in result.assertions
        if not named or assertion.get("metric") == metric
    }
    return ", ".join(sorted(kinds & _MODEL_GRADED)) or None


def _scorer(results: list[_Result]) -> str:
    """Digest of how results are judged: kinds of assertions, not the value each test expects."""
    kinds = {
        compact({name: part for name, part in assertion.items() if name not in {"value", "assert"}})
        for result in results
        for assertion in result.assertions
    }
    return digest(sorted(kinds))


def _read_lines(path: Path, choice: Choice) -> _Log:
    log = _Log()
    for number, row in read_jsonl(path):
        with ErrorsAt(path, number, line_of):
            log.results.append(_read_result(row, choice))
    return log


def _read_document(path: Path, choice: Choice) -> _Log:
    log = _Log()
    for keys, number, value in read_json_document(path, {("results",), _ROWS}):
        with ErrorsAt(path, number):
            if number:
                log.results.append(_read_result(value, choice))
            elif keys == ("results", "stats"):
                log.counted = _counted(object_from(value, "stats"))
            elif keys == ("metadata",):
                about = object_from(value, "metadata")
                log.version = text_at(about, "promptfooVersion")
                log.date = text_at(about, "evaluationCreatedAt")
            elif keys == _ROWS:
                raise InputError(f"expected a list of results, got {describe(value)}: run it again")
    return log


def _counted(stats: Mapping[str, object]) -> int | None:
    """How many results promptfoo counted."""
    counts = [stats.get(name) for name in ("successes", "failures", "errors")]
    numbers = [count for count in counts if isinstance(count, int)]
    return sum(numbers) if len(numbers) == len(counts) else None


def _read_result(row: object, choice: Choice) -> _Result:
    if not isinstance(row, dict):
        raise InputError(f"expected a result, got {describe(row)}: run the evaluation again")
    test = object_at(row, "testCase")
    variables = object_at(test, "vars") or object_at(row, "vars")
    assertions = tuple(_assertions(test) if "testCase" in row else _graded(row))
    is_error = _is_error(row)
    scores: dict[str, float] = {}
    if not is_error:
        scores = scores_at(row, "namedScores") | scores_from({"success": row.get("success")})
    prompt = object_at(row, "prompt")
    number, column = row.get("testIdx"), row.get("promptIdx")
    record = Record(
        text_at(object_at(test, "metadata"), "id") or f"vars:{digest(variables)}",
        None if is_error else answer_at(object_at(row, "response"), "output"),
        _reference(assertions, variables),
        scores,
        task=text_at(prompt, "label"),
        prompt=text_at(prompt, "raw"),
        filter=_provider(row),
    )
    return _Result(
        completed(record, row, choice),
        digest([variables, assertions]),
        number if isinstance(number, int) else None,
        column if isinstance(column, int) else None,
        _provider_id(row) or "",
        text_at(row, "promptId") or "",
        assertions,
        is_error,
    )


def _number_repeats(results: Sequence[_Result]) -> Iterator[Record]:
    """Order records by their tests, and number the repeats of one item.

    Equal ids with other variables or assertions are other items. Without numbers of tests, results
    that repeat are an error of the join.
    """
    tests: dict[object, set[str]] = defaultdict(set)
    for result in results:
        tests[_item(result)].add(result.test)
    total = Counter((_item(result), result.test) for result in results)
    seen: Counter[object] = Counter()
    for result in sorted(results, key=_number):
        record, item = result.record, _item(result)
        seen[item, result.test] += 1
        if len(tests[item]) > 1:
            record = replace(record, id=f"{record.id}/{result.test}")
        if total[item, result.test] > 1 and result.number is not None:
            record = replace(record, repeat=str(seen[item, result.test]))
        yield record


def _number(result: _Result) -> int:
    return result.number or 0


def _item(result: _Result) -> object:
    record = result.record
    return record.filter, record.task, record.id


def _is_error(row: Mapping[str, object]) -> bool:
    reason = row.get("failureReason")
    if reason is None:
        # Older versions do not record the reason.
        return row.get("gradingResult") is None and text_at(row, "error") is not None
    return reason == _ERROR


def _provider(row: Mapping[str, object]) -> str | None:
    provider = row.get("provider")
    if isinstance(provider, str):
        return provider
    return text_at(object_at(row, "provider"), "label") or _provider_id(row)


def _provider_id(row: Mapping[str, object]) -> str | None:
    provider = row.get("provider")
    return provider if isinstance(provider, str) else text_at(object_at(row, "provider"), "id")


def _assertions(test: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """Yield the assertions of a test, also those inside sets of assertions."""
    for assertion in list_at(test, "assert"):
        if isinstance(assertion, dict):
            yield assertion
            yield from _assertions(assertion)


def _graded(row: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """Yield the assertions that a result was graded by: version 2 does not record its test."""
    for part in objects_at(object_at(row, "gradingResult"), "componentResults", "component"):
        assertion = object_at(part, "assertion")
        if assertion:
            yield assertion


def _reference(
    assertions: Sequence[Mapping[str, object]], variables: Mapping[str, object]
) -> object:
    """Return the value that the answer must equal, if the test names one, as text or variable."""
    equals = [assertion for assertion in assertions if assertion.get("type") == "equals"]
    if len({digest(assertion.get("value")) for assertion in equals}) != 1:
        return None
    value = equals[0].get("value")
    if isinstance(value, str) and "{{" in value:
        variable = _VARIABLE.fullmatch(value)
        value = variables.get(variable[1]) if variable else None
    return answer_from(value)
