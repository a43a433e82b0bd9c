"""Warnings where old is right on almost nothing; every option that is named is run."""

from __future__ import annotations

import re

import pytest

from muscle_metrics import FlipCounts, Record, Run, compare, compare_runs
from muscle_metrics.comparison.counted import CountedComparison
from muscle_metrics.comparison.near_misses import near_miss_lines, right_on_almost_nothing
from muscle_metrics.comparison.totals import Totals

LETTERS = ["ABCD"[i % 4] for i in range(100)]
NUMBERS = [str(7 * i + 1) for i in range(100)]
CITIES = ["Cairo", "Київ", "Łódź", "Århus"] * 25


def wrong(texts: list[str]) -> list[str]:
    """Put a wrong answer into every eighth place, and not into the first."""
    return ["???" if i % 8 == 5 else text for i, text in enumerate(texts)]


CASES = {
    "white space": (CITIES, [f"\u3000{city}\n" for city in CITIES], "strip"),
    "case": (CITIES, [city.upper() for city in CITIES], "casefold"),
    "both": (CITIES, [f"{city.upper()}. " for city in CITIES], "squad"),
    "a letter first": (LETTERS, [f"{x}. Because 1 < 2." for x in LETTERS], "letter"),
    "a letter last": (LETTERS, [f"So the answer is ({x})." for x in LETTERS], "letter"),
    "a number": (NUMBERS, [f"1 + 1 = 2, so it is {x}.00 euros." for x in NUMBERS], "last-number"),
    "solutions": ([f"7 times\n#### {x}" for x in NUMBERS], NUMBERS, "last-number"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_option_that_is_named_gives_the_share_that_is_named(case: str) -> None:
    references, answers, reader = CASES[case]
    old = wrong(answers)
    comparison = compare(old=old, new=answers, references=references)
    warning, hint = near_miss_lines(comparison)
    assert warning.startswith("warning: old is right on 0 of 100 items, so hardly anything could")
    named = re.fullmatch(
        r"hint: old would be right on (\d+) of 100 with --answer (\S+) \(answer=\), which .*", hint
    )
    assert named is not None
    assert named[2] == reader
    after = compare(old=old, new=answers, references=references, answer=reader)
    assert after.counts.old_right == int(named[1]) == 88
    assert near_miss_lines(after) == []


def test_reasoning_is_removed_before_a_reader_is_tried() -> None:
    answers = [f"<think>(A)? No, (B)? 3 + 4 is 7.</think>\nIt is {x}." for x in LETTERS]
    comparison = compare(old=answers, new=answers, references=LETTERS)
    _, hint = near_miss_lines(comparison)
    assert "right on 100 of 100 with --answer no-think,letter (answer=)" in hint


def test_pairs_are_escaped_shortened_and_without_secrets() -> None:
    answers = ["x\x1b[2J" + "y" * 500 + "END", "key sk-abcdefghijklmnop1234", "::error::", "##[x]"]
    comparison = compare(old=answers, new=answers, references=["Ä", "B", "C", "D"])
    text = str(comparison)
    second = text.splitlines()[1]
    assert second.startswith("warning: old is right on 0 of 4 items")
    assert second.count("it answered") == 2
    assert r"'x\u001b[2Jyyy" in second
    assert "END' where the reference is 'Ä'" in second
    assert "[hidden secret]" in second
    assert "sk-abc" not in second
    assert "\x1b" not in text
    assert len(second) < 400
    # A page or a build log without examples quotes nothing.
    (only,) = near_miss_lines(comparison, texts=False)
    assert only == "warning: old is right on 0 of 4 items, so hardly anything could break"


@pytest.mark.parametrize(
    ("right", "total", "is_warned"),
    [(0, 1, True), (0, 10**6, True), (1, 10, False), (10, 1000, True), (29, 2000, True),
     (30, 2000, False), (2, 100, False), (1, 100, True)],
)  # fmt: skip
def test_almost_nothing(right: int, total: int, is_warned: bool) -> None:
    counts = FlipCounts(both_right=0, negative=right, positive=0, both_wrong=total - right)
    assert right_on_almost_nothing(counts) == is_warned


def test_no_option_is_named_that_changes_nothing() -> None:
    """Answers that are simply wrong get no hint, nor do recorded scores that no key changes."""
    comparison = compare(old=["Rome"] * 9, new=["Oslo"] * 9, references=["Paris"] * 9)
    assert len(near_miss_lines(comparison)) == 1
    records = tuple(
        Record(id=f"q{i}", prediction=" A", reference="A", scores={"acc": 0.0}) for i in range(9)
    )
    recorded = compare_runs(Run(records, "v1"), Run(records, "v2"))
    assert len(near_miss_lines(recorded)) == 1
    numbers = compare(old=[1, 2, 3], new=[1, 2, 3], references=[4, 5, 6])
    assert near_miss_lines(numbers)[0].endswith("it answered 2 where the reference is 5")


def test_an_answer_among_other_words_is_said_without_a_number_that_no_option_gives() -> None:
    answers = [f"It is surely {city}, as everybody knows." for city in CITIES]
    comparison = compare(old=answers, new=answers, references=CITIES)
    _, hint = near_miss_lines(comparison)
    assert hint.startswith("hint: 100 of 100 old answers hold their reference among other words")
    assert "--metric token_f1 (metric=)" in hint
    # A letter inside a word is no answer.
    comparison = compare(old=["Bananas"] * 9, new=["Bananas"] * 9, references=["B"] * 9)
    assert len(near_miss_lines(comparison)) == 1


def test_several_references_and_missing_answers() -> None:
    old = ["Cairo ", None, "Al-Qahira ", " Giza"]
    comparison = compare(old=old, new=old, references=[["Cairo", "Al-Qahira"]] * 4, missing="wrong")
    warning, hint = near_miss_lines(comparison)
    assert "'Cairo ' where the reference is 'Cairo' or 'Al-Qahira'" in warning
    assert "right on 2 of 4 with --answer strip" in hint


def test_many_items_are_sampled_and_said_to_be() -> None:
    items = 4000
    answers = [f"{'ABCD'[i % 4]} " if i % 2 else "none" for i in range(items)]
    comparison = compare(old=answers, new=answers, references=["ABCD"[i % 4] for i in range(items)])
    _, hint = near_miss_lines(comparison)
    named = re.match(r"hint: old would be right on (\d+) of 1000 sampled items with --answer", hint)
    assert named is not None
    # Half of them; the standard error of the sample is 16 items.
    assert 420 < int(named[1]) < 580


def test_where_an_engine_counted_only_numbers_are_known() -> None:
    comparison = compare(old=["A "] * 9, new=["A "] * 9, references=["A"] * 9)
    totals = Totals.of(comparison)
    counted = CountedComparison(names=("v1", "v2"), totals=totals, dropped={}, recipe={})
    assert near_miss_lines(counted) == [
        "warning: old is right on 0 of 9 items, so hardly anything could break"
    ]


def test_graded_scores_are_not_judged() -> None:
    comparison = compare(old=["a"], new=["b"], references=["c"], metric="token_f1")
    assert near_miss_lines(comparison) == []
