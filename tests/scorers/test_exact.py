"""Exact match and answer extraction."""

from __future__ import annotations

import gzip
import json
import time
import unicodedata
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics import count_flips
from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.scorers.exact import (
    exact_match,
    extract_answer,
    extract_reference,
    normalizer,
)

if TYPE_CHECKING:
    from pathlib import Path

KINDS = ("gsm8k-strict", "gsm8k-flexible", "choice")
OPTIONS = ("strip", "ignore_case", "ignore_punctuation", "ignore_articles", "normalize_whitespace")


def read_lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt") as lines:
        return [json.loads(line) for line in lines]


@pytest.mark.parametrize(
    ("model", "right"), [("davinci", 0), ("text-davinci-002", 16), ("text-davinci-003", 12)]
)
def test_answers_of_self_instruct(shared: Path, model: str, right: int) -> None:
    # SOURCE.md of the data: exact match after strip.
    rows = read_lines(shared / "data" / "self_instruct_252" / f"{model}.jsonl.gz")
    columns = [row["response"] for row in rows], [row["target"] for row in rows]
    scores = exact_match(*columns, strip=True)
    assert scores.sum() == right


@pytest.mark.parametrize(
    ("system", "right"),
    [
        ("6b_finetuning", 286),
        ("6b_verification", 515),
        ("175b_finetuning", 458),
        ("175b_verification", 742),
    ],
)
def test_published_verdicts_of_gsm8k(shared: Path, system: str, right: int) -> None:
    # is_correct as OpenAI published it, for all 1319 problems.
    folder = shared / "data" / "gsm8k_example_solutions"
    rows = read_lines(folder / "example_model_solutions.jsonl.gz")
    solutions = [row[system]["solution"] for row in rows]
    published = [float(row[system]["is_correct"]) for row in rows]
    answers = [row["answer"] for row in read_lines(folder / "test.jsonl.gz")]
    scores = exact_match(solutions, answers, extract="gsm8k-flexible")
    assert scores.tolist() == published
    assert scores.sum() == right
    # The references end in "#### 18": they are all right, also by the strict rule.
    assert exact_match(answers, answers, extract="gsm8k-strict").all()
    marked = [solution.replace("\nA: ", "\n#### ") for solution in solutions]
    assert exact_match(marked, answers, extract="gsm8k-strict").tolist() == published


@pytest.mark.parametrize(
    ("options", "prediction", "reference"),
    [
        ({"strip": True}, " Paris\n", "Paris"),
        ({"ignore_case": True}, "STRASSE", "straße"),
        ({"ignore_punctuation": True}, "¿Qué? $5.", "Qué 5"),
        ({"ignore_articles": True}, "The end of  a story", "end of story"),
        ({"normalize_whitespace": True}, "a\u3000b\n\nc", "a b c"),
        ({"unicode_form": "NFC"}, "e\u0301", "é"),
        ({"unicode_form": "NFKC"}, "①ﬁ", "1fi"),
    ],
)
def test_what_an_option_forgives(options: dict[str, Any], prediction: str, reference: str) -> None:
    assert exact_match([prediction], [reference], **options).tolist() == [1]
    assert exact_match([prediction], [reference]).tolist() == [0]


@given(
    st.lists(
        st.tuples(*[st.sampled_from(["a", "a ", "\ta", "A", "", " ", "\u3000", "да", "да\n"])] * 3),
        min_size=1,
        max_size=9,
    )
)
def test_the_scorer_and_the_comparison_agree(items: list[tuple[str, str, str]]) -> None:
    # One meaning of exact_match: white space counts in both.
    old, new, references = (list(column) for column in zip(*items, strict=True))
    counted = count_flips(old=old, new=new, references=references)
    before, after = exact_match(old, references), exact_match(new, references)
    assert counted.negative == ((before == 1) & (after == 0)).sum()
    assert counted.positive == ((before == 0) & (after == 1)).sum()


def test_any_reference_counts() -> None:
    scores = exact_match(["b", "c", ""], [["a", "b"], ["a", "b"], [""]])
    assert scores.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("kind", "text", "answer"),
    [
        ("gsm8k-strict", "2+2\n#### 4", "4"),
        ("gsm8k-strict", "#### -1,234,567.50", "-1234567.5"),
        ("gsm8k-strict", "#### $0.50 each", "0.5"),
        ("gsm8k-strict", "#### 4\n\nQ: another?\n#### 9", "4"),
        ("gsm8k-strict", "the answer is 4", None),
        ("gsm8k-strict", "#### four", None),
        ("gsm8k-flexible", "She pays $1,200.00.", "1200"),
        ("gsm8k-flexible", "between 5-10 days", "10"),
        ("gsm8k-flexible", "it fell by -7 degrees", "-7"),
        ("gsm8k-flexible", "the numbers 1,2,3", "3"),
        ("gsm8k-flexible", "007 is .5 or -0", "0"),
        ("gsm8k-flexible", "no number", None),
        ("choice", "B", "B"),
        ("choice", " (b) because", "B"),
        ("choice", "**C**", "C"),
        ("choice", "D. Paris", "D"),
        ("choice", "(C) is tempting, but the answer is (B).", "B"),
        ("choice", "Answer: A. No, answer: D", "D"),
        ("choice", "I think it is (C), not (A) but (E)", "E"),
        ("choice", "A dog and I", None),
        ("choice", "", None),
    ],
)
def test_extracted_answers(kind: Any, text: str, answer: str | None) -> None:
    assert extract_answer(text, kind) == answer


@given(st.decimals(-(10**6), 10**6, allow_nan=False, places=3), st.sampled_from(["{:,}", "{:f}"]))
def test_equal_numbers_are_equal_however_written(number: Any, style: str) -> None:
    written = style.format(number).replace("-", "-$", 1)
    assert exact_match([f"so #### {written}."], [f"{number:f}"], extract="gsm8k-strict") == [1]
    found = extract_answer(f"#### {number:f}", "gsm8k-strict")
    assert found is not None
    assert float(found) == float(number)


def test_a_prediction_without_an_answer_is_wrong_a_reference_is_refused() -> None:
    assert exact_match(["none"], ["#### 4"], extract="gsm8k-strict").tolist() == [0]
    message = "an answer for extract='gsm8k-strict' in every reference, got none in 'four'"
    with pytest.raises(InputError, match=message):
        exact_match(["#### 4"], ["four"], extract="gsm8k-strict")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"extract": "gsm8k"}, "extract to be None or one of .*'gsm8k-strict'.*got 'gsm8k'"),
        ({"unicode_form": "nfc"}, "unicode_form to be None or one of .*'NFC'.*got 'nfc'"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        exact_match(["a"], ["a"], **options)


@pytest.mark.parametrize("piece", [*" a-\n(#$1.,A*", "1,", "#### ", "answer ", "answer: ", "the "])
def test_a_long_text_of_anything_takes_no_time(piece: str) -> None:
    # Quadratic time would be minutes.
    text = piece * (200_000 // len(piece))
    normalize = normalizer(
        **dict.fromkeys(OPTIONS, True),
        unicode_form="NFKC",
    )
    for function in (
        *(lambda text, kind=kind: extract_answer(text, kind) for kind in KINDS),
        *(lambda text, kind=kind: extract_reference(text, kind) for kind in KINDS),
        normalize,
    ):
        start = time.process_time()
        function(text)
        assert time.process_time() - start < 1


def test_a_tower_of_marks_takes_no_time() -> None:
    # Canonical ordering of a run of marks is quadratic in CPython: 2.5 s for 40 000 of them.
    normalize = normalizer(**dict.fromkeys(OPTIONS, False), unicode_form="NFC")
    start = time.process_time()
    normalize("a" + "\u0316\u0300" * 100_000)
    assert time.process_time() - start < 1


@given(st.text(), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_normal_forms_are_those_of_unicode(text: str, form: Any) -> None:
    normalize = normalizer(**dict.fromkeys(OPTIONS, False), unicode_form=form)
    assert normalize(text) == unicodedata.normalize(form, text)
