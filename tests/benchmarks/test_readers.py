"""Readers of answers against `re` over patterns that look for the same."""

from __future__ import annotations

import re
from time import process_time
from typing import TYPE_CHECKING

import pytest

from muscle_metrics.answers.reading import blocks, plain, yes_no
from muscle_metrics.answers.reading.columns import read_answers
from muscle_metrics.answers.reading.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Callable

ITEMS = 10_000
REASONING = "First we add 3 and 4, which gives 7. Then (A) cannot be, as 7 > 5, nor can (B).\n" * 8
ANSWERS = [
    f"<think>{REASONING}{n}</think>\nThe answer is **{'ABCD'[n % 4]}**: {n:,}."
    for n in range(ITEMS)
]
# The patterns of each reader, which by themselves find the same.
PATTERNS = {
    "strip, casefold": [re.compile(r"\A\s+|\s+\Z"), re.compile("[A-Z]")],
    "no-think": [blocks._MARKS, blocks._REST],
    "no-fence": [blocks._FENCE],
    "squad": [re.compile(r"[^\w\s]"), plain._ARTICLES, re.compile(r"\s+")],
    "yes-no": [yes_no._STATED, yes_no._JOINED, yes_no._WORD],
    "regex:answer is \\W*([A-D])": [re.compile(r"answer is \W*([A-D])")],
}


def best(call: Callable[[], object]) -> float:
    """CPU seconds of the fastest of three calls."""
    seconds = []
    for _ in range(3):
        start = process_time()
        call()
        seconds.append(process_time() - start)
    return min(seconds)


@pytest.mark.parametrize("written", PATTERNS)
def test_readers_take_less_than_twice_the_time_of_their_patterns(written: str) -> None:
    reading, patterns = Reading.of(written), PATTERNS[written]

    def search() -> None:
        for answer in ANSWERS:
            for pattern in patterns:
                pattern.findall(answer)

    ours = best(lambda: read_answers(reading, ANSWERS, (), name="old"))
    theirs = best(search)
    print(f"{written}: {ours:.2f} s, {theirs:.2f} s by re for {ITEMS} answers")
    # Up to 0.1 s for calls: a single pattern is searched in a microsecond.
    assert ours < 2 * theirs + 0.1
