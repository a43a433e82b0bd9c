"""What describes an item, in scripts and words of all kinds."""

from __future__ import annotations

import numpy as np
import pytest

from muscle_metrics import compare
from muscle_metrics.comparison.listed import ItemTexts
from muscle_metrics.slices.conditions import Condition, conditions_of
from muscle_metrics.slices.facets import Facet, answer_facets, first_words, script_of


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("What is 2 + 2?", "Latin"),
        ("Où est-ce ?", "Latin"),
        ("Сколько будет x?", "Cyrillic"),
        ("請問這是什麼", "Han"),
        ("これは何ですか、漢字です", "Japanese"),
        ("カタカナ", "Japanese"),
        ("이것은 무엇입니까", "Hangul"),
        ("ما هذا؟", "Arabic"),
        ("מה זה?", "Hebrew"),
        ("यह क्या है?", "Devanagari"),
        ("นี่คืออะไร", "Thai"),
        ("τι είναι αυτό", "Greek"),
        ("ＦＵＬＬＷＩＤＴＨ", "Latin"),
        ("ምንድን ነው", "Ethiopic"),
        ("2 + 2 = ?", None),
        ("", None),
        ("🙂🙂", None),
    ],
)
def test_script_of_most_letters(text: str, script: str | None) -> None:
    assert script_of(text) == script


@pytest.mark.parametrize(
    ("text", "number", "words"),
    [
        ("Translate to French: hello", 1, "translate"),
        ("  \n**Translate** to French", 2, "translate to"),
        ("ПЕРЕВЕДИ на французский", 2, "переведи на"),
        ("请把这句话翻译成法语", 1, "请把"),
        ("What's up?", 1, "what's"),
        ("one", 2, None),
        ("???", 1, None),
        ("x" * 10**6, 1, "x" * 30),
    ],
)
def test_first_words(text: str, number: int, words: str | None) -> None:
    assert first_words(text, number) == words


def test_one_set_of_items_is_one_condition() -> None:
    """The field that comes first names it, and rare labels make none."""
    labels = ["a"] * 50 + ["b"] * 45 + ["rare"] * 5
    same = [{"a": "один", "b": "два", "rare": "три"}[label] for label in labels]
    found = conditions_of([Facet("first", labels), Facet("second", same)], 100)
    assert [one.text() for one in found.conditions] == ["first is a", "first is b"]
    assert found.met.sum(axis=0).tolist() == [50, 45]


def test_numbers_are_cut_at_quantiles_and_missing_ones_are_in_no_slice() -> None:
    values = np.array([*range(100), *[np.nan] * 100], dtype=np.float64)
    found = conditions_of([Facet("level", values)], 200)
    assert "level >= 50" in [one.text() for one in found.conditions]
    assert not found.met[100:].any()
    assert conditions_of([Facet("none", np.full(100, np.nan))], 100).conditions == []


def test_quotes_can_be_hidden() -> None:
    condition = Condition("first word of prompt", "is", "geheim", quotes=True)
    assert condition.text(hidden=True) == "first word of prompt is [hidden]"
    assert Condition("slice", "is", "law").text(hidden=True) == "slice is law"


def test_responses_of_logs_tell_the_form_unless_nothing_was_extracted() -> None:
    comparison = compare(old=["4", "4", "4"], new=["4", "[invalid]", "5"], references=["4"] * 3)
    texts = [
        ItemTexts(old_response="so 4", new_response="```\n4\n```"),
        ItemTexts(old_response="#### 4", new_response="so it is 4"),
        ItemTexts(old_response="#### 4", new_response="so it is 5"),
    ]
    (changed, *_) = answer_facets(comparison, texts)
    assert changed.values == [
        "moved into a code fence",
        "came without an extracted answer",
        "lost the final marker",
    ]
