"""Keys and readers that give all answers one value: no gate passes on them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics import Record, Run, compare, compare_chain, compare_runs, count_flips
from muscle_metrics.answers.constant import Variety
from muscle_metrics.errors import InputError

ITEMS = 200
CONSTANT = "regex:(Ответ)"
REFUSED = "to tell answers apart, got 'Ответ' for 199 of 200 references, which differ, and for "


def column(text: str, *, odd: str, at: int) -> list[str]:
    """Answers that begin alike; one in the middle does not."""
    return [odd if n == at else f"{text}: {n}" for n in range(ITEMS)]


OLD = column("Ответ", odd="no idea", at=120)
NEW = [f"Ответ: {n + 1}" for n in range(ITEMS)]
REFERENCES = column("Ответ", odd="120", at=77)


@pytest.mark.parametrize("judge", [count_flips, compare])
def test_columns(judge):
    with pytest.raises(InputError, match=re.escape(f"--answer (answer=) {REFUSED}399 of 399")):
        judge(old=OLD, new=NEW, references=REFERENCES, answer=CONSTANT)
    with pytest.raises(InputError, match=re.escape("--key (key=) to tell answers apart")):
        judge(old=OLD, new=NEW, references=REFERENCES, key=lambda text: text[:5])


@pytest.mark.parametrize("metric", ["exact_match", "rouge1(tokenizer=unicode)"])
def test_runs(metric):
    runs = []
    for name, column in (("v1", OLD), ("v2", NEW)):
        pairs = enumerate(zip(column, REFERENCES, strict=True))
        runs.append(Run(tuple(Record(str(n), a, r) for n, (a, r) in pairs), name))
    with pytest.raises(InputError, match=re.escape(REFUSED)):
        compare_runs(*runs, metric=metric, answer=CONSTANT)
    with pytest.raises(InputError, match=re.escape(REFUSED)):
        compare_chain([*runs, runs[0]], answer=CONSTANT)


@pytest.mark.parametrize(
    ("old", "new", "references", "answer"),
    [
        # The references are one text, however the answers are spelled.
        (["No."] * 20, ["no, never", "No"] * 10, ["no"] * 20, "yes-no"),
        # References differ, and so do the answers that are read.
        (["yes", "no"] * 10, ["no", "yes"] * 10, ["no", "No.", "NO", "no!"] * 5, "yes-no"),
        # One item alone says nothing about the reader.
        (["The answer is 5."], ["5"], ["#### 5"], "last-number"),
        # Nothing is found in any answer: nothing is right.
        (["?", "!"], ["-", "+"], ["1", "1.0"], "number"),
    ],
)
def test_honest_constants_are_compared(old, new, references, answer):
    assert count_flips(old=old, new=new, references=references, answer=answer).total == len(old)


VALUES = st.lists(st.sampled_from("ab"), min_size=1, max_size=6)


@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=4))
def test_parts_add(parts):
    added, columns = Variety.of([], [], [[], []]), ([], [])
    for part in parts:
        added += Variety.of(part[0], part[1], [part[0], part[1]])
        for column, values in zip(columns, part, strict=True):
            column += values
    assert added == Variety.of(columns[0], columns[1], [columns[0], columns[1]])
