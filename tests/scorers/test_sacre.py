"""BLEU, chrF and TER of single items: the same bits as sacrebleu's own sentence functions."""

from __future__ import annotations

import math
from typing import Any

import pytest
import sacrebleu
from hypothesis import example, given, settings
from hypothesis import strategies as st

from muscle_metrics.errors import UsageError
from muscle_metrics.scorers.sacre import bleu, chrf, ter

words = st.lists(st.sampled_from(["the", "cat", "Cat.", "sat,", "on", "a", "mat!"]), max_size=12)
texts = st.one_of(words.map(" ".join), st.text(st.characters(codec=None), max_size=40))
items = st.lists(st.tuples(texts, st.lists(texts, min_size=1, max_size=3)), min_size=1, max_size=4)


def columns(items: list[tuple[str, list[str]]]) -> tuple[list[str], list[list[str]]]:
    return [prediction for prediction, _ in items], [references for _, references in items]


@settings(max_examples=60)
@given(items, st.booleans(), st.sampled_from(["13a", "intl", "char", "none"]))
@example([("", [""]), ("", ["a"]), ("a", [""])], False, "13a")
@example([("a b c d", ["a b c d"])], False, "13a")
def test_bleu(items: list[tuple[str, list[str]]], lowercase: bool, tokenize: str) -> None:
    # The last bit of a perfect score may be above the range, and ours is not.
    expected = [
        min(100, sacrebleu.sentence_bleu(p, r, lowercase=lowercase, tokenize=tokenize).score)
        for p, r in items
    ]
    assert bleu(*columns(items), lowercase=lowercase, tokenize=tokenize).tolist() == expected


@pytest.mark.parametrize(("method", "value"), [("floor", 0.2), ("add-k", 2), ("none", None)])
def test_smoothing_of_bleu(method: Any, value: float | None) -> None:
    prediction, references = "the cat sat on a mat", ["the cat slept on the mat"]
    expected = sacrebleu.sentence_bleu(
        prediction, references, smooth_method=method, smooth_value=value
    ).score
    actual = bleu([prediction], [references], smooth_method=method, smooth_value=value)
    assert actual.tolist() == [expected]


@settings(max_examples=60)
@given(items, st.integers(0, 2), st.booleans(), st.booleans())
@example([("", [""]), ("", ["a"]), ("a", [""])], 2, False, False)
def test_chrf(
    items: list[tuple[str, list[str]]], word_order: int, whitespace: bool, smoothed: bool
) -> None:
    expected = [
        sacrebleu.sentence_chrf(
            p, r, word_order=word_order, remove_whitespace=not whitespace, eps_smoothing=smoothed
        ).score
        for p, r in items
    ]
    actual = chrf(
        *columns(items), word_order=word_order, whitespace=whitespace, eps_smoothing=smoothed
    )
    assert actual.tolist() == expected


@settings(max_examples=60)
@given(items, *[st.booleans()] * 4)
@example([("", [""]), ("", ["a"]), ("a", [""])], False, False, False, False)
def test_ter(
    items: list[tuple[str, list[str]]],
    normalized: bool,
    no_punct: bool,
    asian_support: bool,
    case_sensitive: bool,
) -> None:
    options = {
        "normalized": normalized,
        "no_punct": no_punct,
        "asian_support": asian_support,
        "case_sensitive": case_sensitive,
    }
    expected = [sacrebleu.sentence_ter(p, r, **options).score for p, r in items]
    assert ter(*columns(items), **options).tolist() == expected


def test_values_by_hand() -> None:
    # All precisions are 1, the order is 3 and the brevity penalty exp(1 - 4/3).
    assert bleu(["the cat sat"], ["the cat sat down"])[0] == pytest.approx(
        100 * math.exp(-1 / 3), rel=1e-12
    )
    # One substitution and one insertion for four words.
    assert ter(["the cat sat"], ["the cat sits there"]).tolist() == [50]
    assert ter(["a b c d e"], ["x"]).tolist() == [500]
    assert chrf(["abc"], ["abc"]).tolist() == [100]


def test_very_long_texts() -> None:
    long, other = "the cat sat on the mat. " * 500, "the cat sat on a mat. " * 500
    assert bleu([long], [other])[0] == sacrebleu.sentence_bleu(long, [other]).score
    assert chrf([long], [other])[0] == sacrebleu.sentence_chrf(long, [other]).score


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tokenize": "14a"}, "tokenize to be one of .*'13a'.*got '14a'"),
        ({"smooth_method": "log"}, "smooth_method to be one of .*'exp'.*got 'log'"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        bleu(["a"], ["a"], **options)
