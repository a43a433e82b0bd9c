"""BLEU, chrF and TER of single items: the same bits as sacrebleu's own sentence functions."""

from __future__ import annotations

import math
import sys
from typing import Any

import pytest
import sacrebleu
from hypothesis import example, given, settings
from hypothesis import strategies as st

from muscle_metrics.errors import InputError, MissingDependencyError, UsageError
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
    actual = bleu(*columns(items), lowercase=lowercase, tokenize=tokenize, unread="score")
    assert actual.tolist() == expected


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
        min(
            100,
            sacrebleu.sentence_chrf(
                p,
                r,
                word_order=word_order,
                remove_whitespace=not whitespace,
                eps_smoothing=smoothed,
            ).score,
        )
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
    if asian_support and not (normalized or no_punct):
        # sacrebleu ignores it then, and the package refuses it.
        del options["asian_support"]
    actual = ter(*columns(items), **options, unread="score")
    assert actual.tolist() == expected


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
    ("metric", "options", "message"),
    [
        (bleu, {"tokenize": "14a"}, "tokenize to be one of .*'13a'.*got '14a'"),
        (bleu, {"tokenize": None}, "tokenize to be one of .*got None"),
        (bleu, {"smooth_method": "log"}, "smooth_method to be one of .*'exp'.*got 'log'"),
        (bleu, {"smooth_value": 0.5}, "only with smooth_method 'floor' or 'add-k', got 0.5"),
        (bleu, {"smooth_method": "floor", "smooth_value": -1}, "above 0 and at most 1, got -1"),
        (bleu, {"smooth_method": "floor", "smooth_value": 2}, "above 0 and at most 1, got 2"),
        (bleu, {"smooth_method": "add-k", "smooth_value": 0}, "a number above 0, got 0"),
        (bleu, {"smooth_method": "add-k", "smooth_value": math.inf}, "above 0, got inf"),
        (bleu, {"smooth_method": "add-k", "smooth_value": "1"}, "above 0, got '1'"),
        (bleu, {"lowercase": "no"}, "lowercase to be True or False, got 'no'"),
        (chrf, {"char_order": 0}, "char_order to be a whole number between 1 and 100, got 0"),
        (chrf, {"char_order": 10**9}, "between 1 and 100, got 1000000000"),
        (chrf, {"char_order": 2.5}, "got 2.5"),
        (chrf, {"char_order": True}, "got True"),
        (chrf, {"word_order": -1}, "word_order to be a whole number between 0 and 100, got -1"),
        (chrf, {"beta": 0}, "beta to be a number above 0, got 0"),
        (chrf, {"beta": -2}, "got -2"),
        (chrf, {"beta": math.nan}, "got nan"),
        (chrf, {"beta": "2"}, "got '2'"),
        (chrf, {"whitespace": 1}, "whitespace to be True or False, got 1"),
        (ter, {"normalized": "yes"}, "normalized to be True or False, got 'yes'"),
        (ter, {"asian_support": True}, "normalized=True or no_punct=True beside asian_support"),
        (ter, {"max_tokens": 0}, "max_tokens between 1 and 10000, got 0"),
        (ter, {"max_tokens": True}, "max_tokens between 1 and 10000, got True"),
        (ter, {"over_cap": "truncate"}, "over_cap to be one of .*got 'truncate'"),
    ],
)
def test_options_that_make_no_sense(metric: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        metric(["a"], ["a"], **options)


@pytest.mark.parametrize(
    ("tokenize", "module", "package"),
    [
        ("ja-mecab", "MeCab", r"sacrebleu\[ja\]"),
        ("ko-mecab", "mecab_ko", r"sacrebleu\[ko\]"),
        ("flores200", "sentencepiece", "sentencepiece"),
        ("spBLEU-1K", "sentencepiece", "sentencepiece"),
    ],
)
def test_packages_of_a_tokenizer_are_named(
    tokenize: str, module: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    file = sacrebleu.metrics.bleu._TOKENIZERS[tokenize].split(".")[0]
    monkeypatch.delitem(sys.modules, f"sacrebleu.tokenizers.{file}", raising=False)
    with pytest.raises(
        MissingDependencyError, match=f"tokenizer '{tokenize}'.*install '{package}'"
    ):
        bleu(["a"], ["a"], tokenize=tokenize)


def test_a_model_that_cannot_be_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline() -> None:
        raise OSError("no network")

    monkeypatch.setattr(sacrebleu.metrics.bleu, "_get_tokenizer", lambda _: offline)
    with pytest.raises(UsageError, match=r"the model of the tokenizer 'flores200'.*got no network"):
        bleu(["a"], ["a"], tokenize="flores200")


def test_long_texts_are_no_ter_but_counted() -> None:
    predictions, references = ["a", "a " * 11, "a"], ["a", "a", ["a", "b\n" * 11]]
    with pytest.raises(InputError, match=r"at most 10 words per text, got 2 items .*\[1, 2\]"):
        ter(predictions, references, max_tokens=10)
    scores = ter(predictions, references, max_tokens=10, over_cap="nan")
    assert [math.isnan(score) for score in scores] == [False, True, True]
    assert ter(["a " * 10], ["a " * 10], max_tokens=10).tolist() == [0]
    # Words are those of the tokenizer.
    with pytest.raises(InputError, match="got 1 item"):
        ter(["a,b"], ["a"], normalized=True, max_tokens=2)
    # 600 random words would take minutes.
    with pytest.raises(InputError, match="at most 500 words"):
        ter(["a b c d e f " * 100], ["f e d c b a " * 100])
