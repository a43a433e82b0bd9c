"""Results of promptfoo: one per test, prompt and provider."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.errors import InputError
from muscle_metrics.runs.log_fields import answer_at, digest, list_at, object_at, scores_at, text_at
from muscle_metrics.runs.record import Record
from muscle_metrics.words.place import describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Result", "is_result", "number_records", "read_result"]

_FIELDS = {"promptId", "testCase", "vars", "provider", "success"}
_VARIABLE = re.compile(r"\{\{ *([^{} |.]+) *\}\}")
_ERROR = 2


class Result(NamedTuple):
    """A record, and what promptfoo says of the test it is of.

    Parameters
    ----------
    record : Record
        Its id comes from the metadata of the test, else from its variables.
    test : str
        Digest of its variables and assertions.
    number : int
        Index of the test; it counts repeats as well, and is no name of an item.
    assertions : tuple of dict
        What the test asserts; promptfoo passes a test that asserts nothing.
    is_error : bool
        Whether the provider failed, which promptfoo scores 0.
    """

    record: Record
    test: str
    number: int
    assertions: tuple[Mapping[str, object], ...]
    is_error: bool

    def asserts(self, metric: str) -> bool:
        """Tell whether an assertion of the test names a metric.

        Examples
        --------
        >>> Result(Record("1"), "", 0, ({"type": "equals", "metric": "em"},), False).asserts("em")
        True
        """
        return any(assertion.get("metric") == metric for assertion in self.assertions)


def is_result(row: Mapping[str, object]) -> bool:
    """Tell whether a row has the fields of a result.

    Examples
    --------
    >>> is_result({"id": 1, "prediction": "A"})
    False
    """
    return row.keys() >= _FIELDS


def read_result(row: object) -> Result:
    """Read one result.

    Raises
    ------
    InputError
        If a field is not what promptfoo writes.

    Examples
    --------
    >>> row = {"testCase": {"vars": {"q": "2+2"}, "assert": [{"type": "equals", "value": "4"}]},
    ...        "provider": {"id": "echo"}, "success": True, "response": {"output": "4"}}
    >>> result = read_result(row)
    >>> result.record.prediction, result.record.reference, dict(result.record.scores)
    ('4', '4', {'success': True})
    """
    if not isinstance(row, dict):
        raise InputError(f"expected a result, got {describe(row)}: run the evaluation again")
    test = object_at(row, "testCase")
    variables = object_at(test, "vars") or object_at(row, "vars")
    assertions = tuple(_assertions(test))
    is_error = _is_error(row)
    scores: dict[str, float] = {}
    if not is_error:
        scores = scores_at({"scores": {"success": row.get("success")}}, "scores")
        scores = scores_at(row, "namedScores") | scores
    prompt = object_at(row, "prompt")
    number = row.get("testIdx")
    record = Record(
        text_at(object_at(test, "metadata"), "id") or f"vars:{digest(variables)}",
        None if is_error else answer_at(object_at(row, "response"), "output"),
        _reference(assertions, variables),
        scores,
        task=text_at(prompt, "label"),
        prompt=text_at(prompt, "raw"),
        filter=_provider(row),
    )
    return Result(
        record,
        digest([variables, assertions]),
        number if isinstance(number, int) else 0,
        assertions,
        is_error,
    )


def number_records(results: Sequence[Result]) -> Iterator[Record]:
    """Order records by their tests, and number the repeats of one item.

    Results stand in the order in which they were completed, and with ``--repeat`` every repeat has
    a test index of its own. Equal ids with other variables or assertions are other items.

    Examples
    --------
    >>> result = Result(Record("vars:1"), "", 3, (), False)
    >>> [record.repeat for record in number_records([result, result._replace(number=2)])]
    ['1', '2']
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
        if total[item, result.test] > 1:
            record = replace(record, repeat=str(seen[item, result.test]))
        yield record


def _number(result: Result) -> int:
    return result.number


def _item(result: Result) -> object:
    record = result.record
    return record.filter, record.task, record.id


def _is_error(row: Mapping[str, object]) -> bool:
    reason = row.get("failureReason")
    if reason is None:
        # Versions before the reason was recorded.
        return row.get("gradingResult") is None and text_at(row, "error") is not None
    return reason == _ERROR


def _provider(row: Mapping[str, object]) -> str | None:
    provider = row.get("provider")
    if isinstance(provider, str):
        return provider
    described = object_at(row, "provider")
    return text_at(described, "label") or text_at(described, "id")


def _assertions(test: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """Yield the assertions of a test, those within sets of them too."""
    for assertion in list_at(test, "assert"):
        if isinstance(assertion, dict):
            yield assertion
            yield from _assertions(assertion)


def _reference(
    assertions: Sequence[Mapping[str, object]], variables: Mapping[str, object]
) -> object:
    """Return what the answer must equal, where the test says so once and with no other template."""
    equals = [assertion for assertion in assertions if assertion.get("type") == "equals"]
    if len({digest(assertion.get("value")) for assertion in equals}) != 1:
        return None
    value = equals[0].get("value")
    if isinstance(value, str) and "{{" in value:
        variable = _VARIABLE.fullmatch(value)
        value = variables.get(variable[1]) if variable else None
    return answer_at({"value": value}, "value")
