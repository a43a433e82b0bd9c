"""Tokenizers by name: words of every script, for ROUGE and token F1."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU

from muscle_metrics import compare, consistency
from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.scorers import score
from muscle_metrics.scorers.sacre import SacreTokenizer
from muscle_metrics.scorers.tokenizers import TokenizerName, find_tokenizer

if TYPE_CHECKING:
    from collections.abc import Iterable

# The others need a package or a model beside sacrebleu.
HERE = [
    name
    for name in get_args(TokenizerName)
    if name not in ("ja-mecab", "ko-mecab", "flores101", "flores200", "spBLEU-1K", "spm")
]
SCRIPTS = "the Cat's Straße ёлка Αθήνα ας القاهرة हिन्दी 我今天 去 東京タワー ｱｲｳ 서울은 กรุงเทพ ² ½"
words = st.sampled_from([*SCRIPTS.split(), "\u200d", "!", "।", "。", "e\u0301", "\u0301", "\ufe0f"])
texts = st.one_of(st.lists(words, max_size=8).map(" ".join), st.text(max_size=20))


def test_names_are_those_of_sacrebleu_and_our_own() -> None:
    assert sorted(get_args(SacreTokenizer)) == sorted(BLEU.TOKENIZERS)
    assert len(set(get_args(TokenizerName))) == len(get_args(TokenizerName))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("unicode", "Москва, 2-я улица", ["москва", "2", "я", "улица"]),
        # Vowel signs and joiners belong to the word: \\w+ of Python cuts "हिन्दी" into four.
        ("unicode", "हिन्दी क\u094d\u200dष।", ["हिन्दी", "क\u094dष"]),
        ("unicode", "می\u200cخواهم می‌خواهم", ["میخواهم", "میخواهم"]),
        # One spelling: wide letters, final sigma, sharp s, a composed and a decomposed letter.
        (
            "unicode",
            "Ｐａｒｉｓ ΟΔΟΣ οδός STRASSE Straße",
            ["paris", "οδοσ", "οδόσ", "strasse", "strasse"],
        ),
        ("unicode", "e\u0301te\u0301 été", ["été", "été"]),
        ("unicode", "snake_case ❤\ufe0f 1\ufe0f\u20e3 \u0301", ["snake", "case", "1"]),
        ("unicode", "我今天去上海", ["我今天去上海"]),
        ("character", "我去iPhone店。", ["我", "去", "iphone", "店"]),
        ("character", "กรุงเทพ 2024", ["ก", "รุ", "ง", "เ", "ท", "พ", "2024"]),
        ("character", "東京タワーです", list("東京タワーです")),
        ("character", "서울은 한국의", ["서울은", "한국의"]),
        ("rouge-score", "Café au lait, 5-10", ["caf", "au", "lait", "5", "10"]),
        ("squad", "The U.S. — a cat's", ["us", "—", "cats"]),
        ("mlqa-de", "Der „Hund“ — und das Haus", ["hund", "und", "haus"]),
        ("mlqa-zh", "苹果iPhone 15。", ["苹", "果", "iphone", "15"]),
        ("zh", "我去iPhone。", ["我", "去", "iphone", "。"]),
        ("char", "ab c", ["a", "b", "c"]),
        ("13a", "It's 5,000.", ["it's", "5,000", "."]),
    ],
)
def test_words(name: str, text: str, expected: list[str]) -> None:
    assert list(find_tokenizer(name)(text)) == expected


def test_a_function_by_its_path() -> None:
    assert list(find_tokenizer("builtins:list")("ab")) == ["a", "b"]
    name = "rouge1(tokenizer=builtins:str.split)"
    assert score(name, ["A b"], ["b A"]).tolist() == [1]


def test_stems_of_named_tokenizers() -> None:
    for name in ("rouge-score", "unicode"):
        assert list(find_tokenizer(name, stem=True)("Running cats")) == ["run", "cat"]
    # Stems are English: words of other scripts stay, and so do words of three letters.
    assert list(find_tokenizer("unicode", stem=True)("ёлки gas")) == ["ёлки", "gas"]


class Named:
    def __init__(self, name: str, *, stem: bool) -> None:
        self.tokenize = find_tokenizer(name, stem=stem)


@pytest.mark.parametrize("name", HERE)
@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=4), st.booleans())
@example([("a\nb", "b\na")], False)
def test_rouge_is_that_of_rouge_score_with_the_tokenizer(
    name: str, items: list[tuple[str, str]], stem: bool
) -> None:
    stem = stem and name == "unicode"
    slow = RougeScorer(
        ["rouge1", "rouge2", "rougeL", "rougeLsum"], tokenizer=Named(name, stem=stem)
    )
    expected = [slow.score(reference, prediction) for prediction, reference in items]
    for variant in expected[0]:
        options: dict[str, Any] = {"tokenizer": name, "stem": stem, "unread": "score"}
        found = score(variant, *map(list, zip(*items, strict=True)), **options)
        assert found.tolist() == [float(one[variant].fmeasure) for one in expected]


@pytest.mark.parametrize("metric", ["rouge1", "rougeL", "token_f1"])
@pytest.mark.parametrize("name", HERE)
@settings(max_examples=25, deadline=None)
@given(texts, texts)
def test_laws_of_every_tokenizer(metric: str, name: str, one: str, two: str) -> None:
    options: dict[str, Any] = {"tokenizer": name, "unread": "score"}
    there, back, itself = score(metric, [one, two, one], [two, one, one], **options)
    assert 0 <= there <= 1
    has_words = bool(list(find_tokenizer(name)(one))), bool(list(find_tokenizer(name)(two)))
    assert itself == has_words[0] or (metric == "token_f1" and not one.strip())
    # F is symmetric, but a reference without words is worth nothing.
    if all(has_words):
        assert there == back


@settings(max_examples=50)
@given(texts)
def test_reading_its_own_words_changes_none(text: str) -> None:
    for name in ("unicode", "character"):
        cut = find_tokenizer(name)
        found = list(cut(text))
        assert list(cut(" ".join(map(str, found)))) == found
        assert list(cut(text.upper().casefold())) == list(cut(text.casefold().upper().casefold()))


CLASSES = "aA1_.éё我。ก한अاﷺﬁｱ😀²y\u0e31\u093f\u0301\u200d\x00\n\u3000"


@pytest.mark.parametrize("name", HERE)
def test_texts_of_one_class_of_characters_take_linear_time(name: str) -> None:
    cut = find_tokenizer(name)
    for character in CLASSES:
        start = time.process_time()
        sum(1 for _ in cut(character * 30_000))
        assert time.process_time() - start < 1, character


def test_stemming_takes_linear_time() -> None:
    # Whether a y is a vowel depends on the letter before it.
    start = time.process_time()
    list(find_tokenizer("unicode", stem=True)("y" * 100_000 + " " + "é" * 100_000))
    assert time.process_time() - start < 5


def refused(metric: str, texts: Iterable[str], **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        score(metric, list(texts), list(texts), **options)
    return caught.value.message


@pytest.mark.parametrize("metric", ["rouge1", "rougeLsum", "token_f1"])
@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Столица России — Москва", "unicode"),
        ("दिल्ली भारत की राजधानी है", "unicode"),
        ("我今天去上海开会", "character"),
        ("กรุงเทพเป็นเมืองหลวงของไทย", "character"),
        ("東京は日本の首都です", "character"),
    ],
)
def test_the_way_out_reads_the_texts(metric: str, text: str, name: str) -> None:
    call = f"{metric}(tokenizer={name})"
    if metric == "token_f1" and name == "unicode":
        assert score(metric, [text], [text]).tolist() == [1]
    else:
        assert f"use --metric '{call}' (metric=), or --metric chrf" in refused(metric, ["a", text])
    assert score(call, [text], [text]).tolist() == [1]


def test_a_mixture_of_scripts_is_read_by_characters() -> None:
    assert "rouge1(tokenizer=character)" in refused("rouge1", ["Москва город", "我今天去上海开会"])
    # A tokenizer of words is refused for a sentence without spaces, and names the other one.
    message = refused("rouge1", ["我今天去上海开会"], tokenizer="unicode")
    assert "use --metric 'rouge1(tokenizer=character)'" in message


def test_replaced_answers_are_seen() -> None:
    old = [f"我今天去上海开会{k}次" for k in "一二三四五六七八九十"]
    new = [f"他昨天在北京睡觉{k}回" for k in "一二三四五六七八九十"]
    comparison = compare(old=old, new=new, references=old, metric="rouge1(tokenizer=character)")
    assert comparison.changes["rouge1(tokenizer=character)"].negative == 10


def test_consistency_ignores_punctuation_of_any_script() -> None:
    for metric in ("rougeL(tokenizer=character)", "token_f1(tokenizer=mlqa-zh)"):
        found = consistency(old=["我今天去上海开会"], new=["我今天去上海开会。"], metrics=[metric])
        assert found.agreement.tolist() == ["other_words"]
        assert found.mean(metric) == 1


def test_a_language_that_mlqa_does_not_have() -> None:
    with pytest.raises(UsageError, match="got 'mlqa-fr': did you mean 'mlqa-"):
        score("token_f1", ["a"], ["a"], tokenizer="mlqa-fr")
