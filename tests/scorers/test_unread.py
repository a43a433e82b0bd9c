"""Texts that a metric does not read, in many scripts: refused and counted, never 0 in silence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muscle_metrics import compare, consistency, score_flips
from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.scorers import score
from muscle_metrics.scorers.unread import find_unread

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

# "The capital of ... is ..." or the like, in scripts that rouge-score's tokenizer does not read.
SENTENCES = {
    "Cyrillic": "Столица России — Москва",
    "Cyrillic with a number": "Он родился в Москве в 1990 году",
    "Cyrillic with a name": "Компания Apple выпустила новый телефон",
    "yes and a number": "Да, 2024",
    "Greek": "Η Αθήνα είναι η πρωτεύουσα της Ελλάδας",
    "Arabic": "القاهرة عاصمة مصر",
    "Arabic digits": "١٩٩٠",
    "Hebrew": "ירושלים היא עיר בישראל",
    "Devanagari": "दिल्ली भारत की राजधानी है",
    "Tamil": "சென்னை தமிழ்நாட்டின் தலைநகரம்",
    "Thai": "กรุงเทพเป็นเมืองหลวงของไทย",
    "Korean": "서울은 한국의 수도이다",
    "Chinese": "我今天去上海开会",
    "Chinese with numbers": "2008年8月8日北京奥运会开幕",
    "Japanese": "東京は日本の首都です",
    "Georgian": "თბილისი საქართველოს დედაქალაქია",
    "Amharic": "አዲስ አበባ የኢትዮጵያ ዋና ከተማ ናት",
    "wide letters": "Ｐａｒｉｓ",
    "Vietnamese without a plain letter": "đồ ở đó",
}
# Split at spaces, these are one word each.
WITHOUT_SPACES = ["Chinese", "Chinese with numbers", "Japanese", "Thai"]
# These are read as rouge-score defines it: "café" as "caf", and "à" not at all.
WESTERN = [
    "Où est-il né ? À Orléans, à côté du café.",
    "Größe über alles: süß, weiß, Öl",
    "El niño comió piñas en la mañana; ¿qué?",
    "È vero: la città è più bella",
    "Coração, irmã, ação à noite",
    "Źdźbło żółtej trawy",
    "Blåbær på øya, ærlig talt",
    "İstanbul büyük bir şehir",
    "Příliš žluťoučký kůň",
    "café au lait, 5 m² à 3 €",
    "e\u0301te\u0301 de\u0301compose\u0301",
    "TNF-α rises by 5 µm; π is 3.14",
    "Peking University (北京大学) is old",
    "plain 🙂 text — with “quotes”…",
]


def read(metric: str, prediction: str, reference: str, **options: Any) -> bool:
    try:
        score(metric, [prediction], [reference], **options)
    except InputError as error:
        return "whose words its tokenizer loses" not in str(error)
    return True


@pytest.mark.parametrize("text", SENTENCES.values(), ids=SENTENCES)
def test_rouge_refuses_a_text_of_another_script(text: str) -> None:
    assert not read("rouge1", "plain", text)
    assert not read("rougeL", text, "plain")
    assert not read("rougeLsum", text, text)
    # A text that is read beside it does not hide it.
    with pytest.raises(InputError, match="got 1 reference whose words"):
        score("rouge1", ["plain", "plain"], ["plain", text])
    assert read("rouge1", text, text, tokenizer=list)
    assert read("chrf", text, text)
    assert score("rouge1", [text], [text], unread="score")[0] in (0, 1)


@pytest.mark.parametrize("text", WESTERN)
def test_texts_of_latin_script_are_read(text: str) -> None:
    for metric in ("rouge1", "token_f1", "bleu", "ter"):
        assert read(metric, text, text)
        assert read(metric, "plain", text)


@pytest.mark.parametrize("metric", ["token_f1", "bleu", "ter"])
@pytest.mark.parametrize("name", SENTENCES)
def test_metrics_that_split_at_spaces(metric: str, name: str) -> None:
    text = SENTENCES[name]
    is_read = name not in WITHOUT_SPACES
    assert read(metric, text, text) == is_read
    assert read(metric, "plain", text) == is_read
    assert read(metric, text, "plain") == is_read


@pytest.mark.parametrize(
    ("metric", "options"),
    [
        ("bleu", {"tokenize": "zh"}),
        ("bleu", {"tokenize": "char"}),
        ("ter", {"normalized": True, "asian_support": True}),
        ("chrf", {}),
    ],
)
def test_options_that_read_chinese(metric: str, options: dict[str, Any]) -> None:
    texts = ["我今天去上海开会", "他昨天在北京见了老朋友"]
    assert len(set(score(metric, [texts[0], "我今天去上海"], [texts[0]] * 2, **options))) == 2
    if metric != "chrf":
        with pytest.raises(InputError, match="got 2 references and 2 predictions"):
            score(metric, texts[::-1], texts)


def test_texts_without_letters() -> None:
    # Such answers have no words, so they score 0 by right.
    for metric in ("rouge1", "token_f1"):
        assert score(metric, ["...", "🙂", "", " \n", "?!"], ["yes"] * 5).tolist() == [0] * 5
        # No answer can ever match such references.
        with pytest.raises(InputError, match="got 2 references whose words"):
            score(metric, ["a b"] * 4, ["!", "yes", "?", "ok"])
    # A blank reference is no text, and right for "no answer" in SQuAD.
    assert score("token_f1", ["", "..", "yes"], ["", "", ""]).tolist() == [1, 1, 0]
    assert score("rouge1", ["", "yes"], ["", ""]).tolist() == [0, 0]


def test_letters_that_are_articles() -> None:
    # The answer A of a multiple choice is an article: blank, "the" and "a" would all be right.
    with pytest.raises(InputError, match=r"got 1 reference .* such as 'A'"):
        score("token_f1", ["B", "C", ""], ["B", "C", "A"])
    for options in ({"ignore_articles": True}, {"ignore_articles": True, "extract": "choice"}):
        with pytest.raises(InputError, match=r"got 1 reference of which they leave nothing.*'A'"):
            score("exact_match", ["B", "C", "A"], ["B", "C", "A"], **options)
    with pytest.raises(InputError, match=r"leave nothing, such as '\+'"):
        score("exact_match", ["x", "-"], ["x", "+"], ignore_punctuation=True)
    # Beside another reference it is left out, and matches nothing.
    assert score("token_f1", ["", "b"], [["the", "b"]] * 2).tolist() == [0, 1]
    options = {"ignore_articles": True}
    assert score("exact_match", ["", "b"], [["the", "b"]] * 2, **options).tolist() == [0, 1]


def test_one_of_several_references_is_enough() -> None:
    assert score("rouge1", ["Tolstoy"], [["Tolstoy", "Толстой"]]).tolist() == [1]
    with pytest.raises(InputError, match="got 2 references whose"):
        score("rouge1", ["Tolstoy"], [["Лев", "Толстой"]])


def test_references_too_short_for_an_n_gram() -> None:
    message = "at least 2 words for rouge2, got 2 shorter ones, such as 'Rome'.*--metric rouge1"
    with pytest.raises(InputError, match=message):
        score("rouge2", ["a b", "c", "d"], ["a b", "Rome", "Oslo"])
    assert score("rouge2", ["a"], [["Rome", "a b"]]).tolist() == [0]
    assert score("rouge2", ["Rome"], ["Rome"], unread="score").tolist() == [0]
    with pytest.raises(UsageError, match=r"unread to be one of .*got 'zero'"):
        score("rouge2", ["Rome"], ["Rome"], unread="zero")


RUSSIAN = [f"Столица {k}-й области — город Москва{'а' * (k % 7)}" for k in range(300)]


@pytest.mark.parametrize("metric", ["rouge1", "rougeL", "rougeLsum"])
def test_three_hundred_russian_items_whose_answers_are_replaced(metric: str) -> None:
    # rouge-score 0.1.2 gives 0 or the share of the digits to each, so no answer would get worse.
    garbled = [text.replace("Столица", "Ыыыыыыы") for text in RUSSIAN]
    with pytest.raises(InputError, match=r"300 references and 600 predictions.*--metric chrf"):
        compare(old=RUSSIAN, new=garbled, references=[f"{t}." for t in RUSSIAN], metric=metric)
    changes = score_flips(old=RUSSIAN, new=garbled, references=RUSSIAN, metric="chrf")
    assert changes.negative == 300


def test_consistency_names_what_reads_the_answers() -> None:
    old, new = ["yes", "我今天去上海开会"], ["yes", "我今天去上海开会。"]
    for metrics in (["rougeL"], ["token_f1"], ["bleu"]):
        with pytest.raises(InputError, match=r"got 1 reference and 1 prediction.*--metric chrf"):
            consistency(old=old, new=new, metrics=metrics)
    found = consistency(old=old, new=new, metrics=["chrf"], similar=70)
    assert found.agreement.tolist() == ["same", "other_words"]
    found = consistency(
        old=old, new=new, metrics=["rougeL"], options={"rougeL": {"tokenizer": list}}
    )
    assert found.agreement.tolist() == ["same", "other_words"]


LETTERS = {
    "Cyrillic": "абвгдежзиклмнопрст",
    "Greek": "αβγδεζηθικλμνξοπρστ",
    "Arabic": "ابتثجحخدذرزسشصضطظعغ",
    "Hebrew": "אבגדהוזחטיכלמנסעפצק",
    "Devanagari": "कखगघचछजझटठडढणतथदधन",
    "Hangul": "가나다라마바사아자차카",
    "Han": "的一是不了人我在有他这中大来上",
    "Thai": "กขคฆงจฉชซญณดตถทธนบป",
    "Armenian": "աբգդեզէըթժիլխծկ",
    "Latin": "abcdefghijklmno",
}


def draw_text(chance: random.Random, letters: str) -> str:
    words = ("".join(chance.choices(letters, k=chance.randint(3, 9))) for _ in range(6))
    return " ".join([*words, *chance.choices(["2024", "iPhone", "5", ""], k=1)])


@pytest.mark.parametrize("script", LETTERS)
@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from(["rouge1", "token_f1", "bleu", "chrf"]))
def test_replaced_letters_of_any_script_are_seen_or_refused(
    script: str, chance: Any, metric: str
) -> None:
    letters = LETTERS[script]
    references = [draw_text(chance, letters) for _ in range(8)]
    half = len(letters) // 2
    # Every letter becomes another letter of the script; digits and other scripts stay.
    turned = str.maketrans(letters, letters[half:] + letters[:half])
    garbled = [text.translate(turned) for text in references]
    try:
        changes = score_flips(old=references, new=garbled, references=references, metric=metric)
    except InputError:
        assert script != "Latin"
        return
    assert changes.negative == 8


@given(st.text(), st.sampled_from([str.split, list, re.compile("[a-z0-9]+").findall]))
def test_laws_of_reading(text: str, tokenize: Callable[[str], list[str]]) -> None:
    is_unread = bool(find_unread([text], tokenize))
    # Characters of any script are read; a blank text is nothing to read.
    if tokenize is list or not text.strip():
        assert not is_unread
    elif not tokenize(text):
        assert is_unread
    # Long runs of letters of another script are never made up for by one plain word.
    if tokenize not in (str.split, list):
        assert find_unread([f"word {'ж' * 9} {text}"], tokenize) or len(text) > 4
