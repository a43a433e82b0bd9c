"""Readers of answers, against the time that `re` itself needs for the same patterns and texts."""

from __future__ import annotations

import importlib
import pkgutil
import random
import re
from time import process_time
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics.answers import reading as readers
from muscle_metrics.answers.reading import letters, pattern, standing
from muscle_metrics.answers.reading.reading import Reading
from muscle_metrics.answers.reading.table import ANSWER_READERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ANSWERS = 10_000
LARGEST_RATIO = 2
# Patterns are the least part of what these do: they parse, compare, or lower and split a text.
# Any reader has a fixed cost of a microsecond, which is more than one literal pattern takes.
MORE_THAN_PATTERNS = {"json", "tool-calls", "math", "squad", "regex"}
REGEX = r'regex(pattern="answer is \\**(\\S+)")'


def solutions(number: int) -> list[str]:
    """Solutions of word problems and multiple choice as models write them, all different."""
    source = random.Random(1)
    steps = (
        "He buys {a} boxes of {b} pens for ${c}.50 each, so {a} * {b} = {d} pens.",
        "That is {c}% of {d}, or {a} more than the {b} that were left over.",
        "First we look at each option: (A) would need {a} hours, and (B) is too small.",
        "Therefore the total cost is {a} + {b} = {c} dollars (about 1,{d:03} yen).",
        "According to the text, the reaction takes place at {a}.{b} degrees since H2O is present.",
    )
    ends = (
        "The answer is {a}.",
        "#### {a}",
        "So $\\boxed{{{a}}}$.",
        "The answer is **({letter})**.",
        "Answer: {letter}",
        "Yes, so {letter} is correct: {a}.",
    )

    def filled(text: str) -> str:
        numbers = {name: source.randrange(1, 999) for name in "abcd"}
        return text.format(letter=source.choice("ABCD"), **numbers)

    return [
        "\n".join(
            map(filled, [*source.choices(steps, k=source.randrange(1, 6)), source.choice(ends)])
        )
        for _ in range(number)
    ]


class Recorded:
    """A compiled pattern that writes down every call."""

    def __init__(self, pattern: re.Pattern[str], calls: list[Callable[[], object]]) -> None:
        self._pattern, self._calls = pattern, calls

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._pattern, name)
        if name not in {
            "search",
            "match",
            "fullmatch",
            "finditer",
            "findall",
            "split",
            "sub",
            "subn",
        }:
            return found

        def call(*arguments: Any) -> Any:
            # A function that replaces is work of the reader.
            plain = ("", *arguments[1:]) if callable(arguments[0]) else arguments
            if name == "finditer":
                self._calls.append(lambda: list(found(*plain)))
            else:
                self._calls.append(lambda: found(*plain))
            return found(*arguments)

        return call


def modules() -> Iterator[Any]:
    for module in pkgutil.iter_modules(readers.__path__, f"{readers.__name__}."):
        yield importlib.import_module(module.name)


def record(patch: pytest.MonkeyPatch, calls: list[Callable[[], object]]) -> None:
    """Put recorded patterns into every module of readers, and into their tables of patterns."""
    for module in modules():
        for name, value in list(vars(module).items()):
            if isinstance(value, re.Pattern):
                patch.setattr(module, name, Recorded(value, calls))
            elif isinstance(value, tuple) and value and isinstance(value[0], tuple):
                rows = tuple(
                    tuple(
                        Recorded(one, calls) if isinstance(one, re.Pattern) else one for one in row
                    )
                    for row in value
                )
                patch.setattr(module, name, rows)
    compiled = pattern._compiled
    patch.setattr(pattern, "_compiled", lambda *given: Recorded(compiled(*given), calls))
    for held in (letters._patterns(None), standing.options_of(None)):
        for name, value in list(vars(held).items()):
            if isinstance(value, re.Pattern):
                patch.setattr(held, name, Recorded(value, calls))


def seconds(call: Callable[[], object]) -> float:
    """CPU seconds of the fastest of three calls."""
    found = []
    for _ in range(3):
        start = process_time()
        call()
        found.append(process_time() - start)
    return min(found)


@pytest.mark.parametrize("name", ANSWER_READERS)
def test_time_against_re(name: str) -> None:
    if name == "math":
        pytest.importorskip("math_verify")
    reading = Reading.of(REGEX if name == "regex" else name)
    texts = solutions(200 if name == "math" else ANSWERS)
    calls: list[Callable[[], object]] = []
    with pytest.MonkeyPatch.context() as patch:
        record(patch, calls)
        for text in texts:
            reading.read(text)
    read = seconds(lambda: [reading.read(text) for text in texts])
    by_re = seconds(lambda: [call() for call in calls])
    per_answer = f"{1e6 * read / len(texts):.0f} us an answer"
    if not calls or name in MORE_THAN_PATTERNS:
        print(f"\n{name}: {per_answer}")
        return
    patterns, ratio = len(calls) / len(texts), read / by_re
    print(f"\n{name}: {per_answer}, {ratio:.2f} x re, {patterns:.0f} calls of re an answer")
    assert ratio < LARGEST_RATIO
