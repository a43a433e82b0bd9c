"""What an answer is by its form, and what is conservatively left as text."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from muscle_metrics.answers.forms import BREAKS, FORMS, Look, break_of, look_at, looks_of

if TYPE_CHECKING:
    from pathlib import Path

# From published transcripts of refusals: XSTest, OpinionQA in LLMDrift, and model cards.
REFUSALS = [
    "I'm sorry, but I can't assist with that.",
    "I’m sorry, but I can’t help with that request.",
    "Sorry, I cannot provide that information.",
    "I apologize, but I am unable to generate this.",
    "Unfortunately, I am not able to access files.",
    "I cannot answer this question as I am an AI language model.",
    "As an AI language model, I don't have personal opinions.",
    "This is subjective. As an AI, I do not have preferences.",
    "I am an AI and cannot answer personal questions.",
    "I must decline.",
    "**I can't comply with this.**",
    "<think>Is it allowed? No.</think>I'm sorry, I cannot help with that.",
]
# An apology, doubt, a quotation, another language, an organisation: none says "I will not".
TEXTS = [
    "I'm sorry, but the correct answer is B.",
    "I don't know.",
    "It depends on the individual's perspective.",
    "I cannot help but think that it is 4.",
    "I can't be sure, but it is probably 7.",
    "He said: 'I cannot help you.'",
    "As an AI lab, OpenAI was founded in 2015.",
    "Es tut mir leid, dabei kann ich nicht helfen.",
    "申し訳ありませんが、お手伝いできません。",
    "The assistant can't answer.",
    "A",
    "日本",
    "[No]",
    "[1, 2)",
    "$\\{x : x > 1\\}$",
    "x ``` y",
    "{not json}",
]


@pytest.mark.parametrize("text", REFUSALS)
def test_refusals(text: str) -> None:
    assert look_at(text).form == "refusal"


@pytest.mark.parametrize("text", TEXTS)
def test_texts_that_are_no_refusals_and_no_code(text: str) -> None:
    assert look_at(text).form == "text"


@pytest.mark.parametrize(
    ("answer", "form"),
    [
        (None, "no_answer"),
        (float("nan"), "no_answer"),
        ("", "empty"),
        (" \n\t\u3000", "empty"),
        ("<think>so it is 4</think>", "empty"),
        ("[invalid]", "not_extracted"),
        ("<think>it could be", "cut_off"),
        ("Here:\n```python\nx = 1", "cut_off"),
        ('{"name": "get", "arguments": {"city": "Par', "cut_off"),
        ('{"a": [1, 2', "cut_off"),
        ("```\nx\n```\nand\n~~~\ny", "cut_off"),
        ("```json\n[1]\n```", "code_fence"),
        ("~~~\nx = 1\n~~~", "code_fence"),
        ("````\n```\nx\n```\n````", "code_fence"),
        ('{"a": 1}', "json"),
        ("[1, 2]", "json"),
        (7, "value"),
        (True, "value"),
    ],
)
def test_forms(answer: object, form: str) -> None:
    assert look_at(answer).form == form


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("So it is 4.\n#### 4", True),
        ("Thus \\boxed{4}", True),
        ("**Answer:** B", True),
        ("Answer is: B", True),
        ("the final answer is B", True),
        ("<answer>4</answer>", True),
        ("### A heading", False),
        ("#####4", False),
        ("I answered it", False),
        ("4", False),
        ("Answer: 4" + " more" * 400, False),
    ],
)
def test_markers_at_the_end(text: str, marked: bool) -> None:
    assert look_at(text).has_marker is marked


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("4", None, "no_answer"),
        ("4", "", "empty"),
        ("4", "I'm sorry, I can't help with that.", "refusal"),
        ("x", "```\nx\n```", "into_code_fence"),
        ("```\nx\n```", "x", "out_of_code_fence"),
        ('{"a": 1}', "a is 1", "no_json"),
        ('{"a": 1}', '```json\n{"a": 1}\n```', "into_code_fence"),
        ("so\n#### 4", "so 4", "marker_lost"),
        ("so\n#### 4", "\\boxed{5}", "same_form"),
        ("4", "5", "same_form"),
        ("```\nx\n```", "```\ny\n```", "same_form"),
    ],
)
def test_changes_of_form(old: str, new: str | None, name: str) -> None:
    assert break_of(look_at(old), look_at(new)) == name


@given(
    st.lists(st.one_of(st.none(), st.text(), st.sampled_from([*REFUSALS, *TEXTS]), st.booleans()))
)
def test_every_answer_has_one_form_and_every_pair_one_change(answers: list[object]) -> None:
    looks = looks_of(answers)
    assert looks == [look_at(answer) for answer in answers]
    assert {look.form for look in looks} <= {form.name for form in FORMS}
    for old, new in zip(looks, reversed(looks), strict=True):
        assert break_of(old, new) in {one.name for one in BREAKS}


@pytest.mark.parametrize(
    "text",
    [
        "i am sorry " * 50_000,
        "```\n" * 50_000,
        "[" * 100_000,
        '{"a":' * 50_000,
        "as an ai " * 50_000,
    ],
)
def test_long_texts_take_linear_time(text: str) -> None:
    assert look_at(text) in {Look("text"), Look("cut_off"), Look("code_fence")}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("aé日\U0001f600\"\\\n{[:,", max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text("kключ\"", max_size=3), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(st.lists(VALUES, min_size=1, max_size=3), st.booleans(), st.sampled_from([None, 1]))
@example([True, None, False, -1.5e-07, 1e22, "\U0001f600"], True, None)
def test_json_is_cut_off_wherever_it_ends(values: list[object], is_ascii: bool, indent) -> None:
    text = json.dumps(values, ensure_ascii=is_ascii, indent=indent)
    assert look_at(text).form == "json"
    for end in range(1, len(text)):
        assert look_at(text[:end]).form == "cut_off", text[:end]


@pytest.mark.parametrize(
    "text",
    ["[t]", "[tru, 1]", "{t", "[1.", '{"a": 1.x', "[nil", "[- 1", '["\\u00", x', '["\\uzz', "[ee"],
)
def test_other_ends_are_no_cut_tokens(text: str) -> None:
    assert look_at(text).form == ("cut_off" if text == "[1." else "text")


def test_refusals_of_gpt_4_to_opinion_questions(shared: Path) -> None:
    """LLMDrift: GPT-4 of June answers fewer questions; most do not say why as an AI."""
    path = shared / "data" / "llm_drift" / "OPINIONQA_EVAL.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    found = {
        month: Counter(
            look.form
            for look in looks_of(
                row["answer"] for row in rows if row["model"] == f"openaichat/gpt-4-{month}"
            )
        )
        for month in ("0314", "0613")
    }
    assert found["0314"] == {"text": 1479, "refusal": 27}
    assert found["0613"] == {"text": 1418, "refusal": 88}
