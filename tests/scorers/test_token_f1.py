"""F1 of words, against the evaluations of SQuAD and MLQA."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics.errors import InputError
from muscle_metrics.scorers.token_f1 import token_f1


@pytest.mark.parametrize(
    ("prediction", "reference", "score"),
    [
        # The example of https://huggingface.co/spaces/evaluate-metric/squad (evaluate 0.4.6).
        ("1976", "1976", 1.0),
        # Worked by hand: shared words over predicted words, and over expected words.
        ("the Normans in France", "France", 2 * (1 / 3) * 1 / (1 / 3 + 1)),
        ("10th and 11th centuries", "in the 10th and 11th centuries", 8 / 9),
        ("a a cat cat cat", "the cat, cat dog.", 2 / 3),
        ("Denver Broncos", "Carolina Panthers", 0.0),
        ("", "no answer", 0.0),
        ("the", "", 1.0),
        ("U.S.", "us", 1.0),
    ],
)
def test_token_f1(prediction: str, reference: str, score: float) -> None:
    assert token_f1([prediction], [reference])[0] == pytest.approx(score, abs=1e-15)


words = st.one_of(
    st.just(""),
    st.lists(st.sampled_from(["a", "b", "cat", "The", "x!", "Y"])).map(
        lambda w: " ".join([*w, "z"])
    ),
)


@given(words, words)
def test_laws_of_token_f1(one: str, two: str) -> None:
    scores = token_f1([one, two, one, one], [two, one, one, [two, one]])
    assert scores[0] == scores[1]
    assert scores[2] == scores[3] == 1
    assert (scores >= 0).all()
    assert (scores <= 1).all()


# f1_score(prediction, reference, language) of https://github.com/facebookresearch/MLQA,
# mlqa_evaluation_v1.py at commit 5ef5c731a96acb7008b51aac4acb5fa9dff4f297, Python 3.11.
MLQA = [
    ("de", "Die große Brücke über den Rhein", "eine „große“ Brücke – Rhein!", 0.8571428571428571),
    ("de", "im Jahr 1990.", "1990", 0.5),
    ("es", "Los Ángeles, la ciudad", "¿Los Ángeles?", 0.6666666666666666),
    ("es", "unas 1.200 personas", "1200 personas", 1.0),
    ("vi", "những con mèo của tôi", "con mèo là của tôi", 1.0),
    ("ar", "في القاهرة، عاصمة مصر", "القاهرة", 0.4),
    ("ar", "البيت الكبير", "بيت كبير؟", 1.0),
    ("hi", "दिल्ली, भारत की राजधानी।", "भारत की राजधानी दिल्ली", 1.0),
    ("zh", "我今天去上海开会。", "我昨天去上海，开会", 0.875),
    ("zh", "苹果iPhone 15手机", "iPhone 15 手机", 0.8),
    ("zh", "2008年8月8日", "2008年8月", 0.8),
    ("en", "The “cat” — sat", "a cat sat", 1.0),
    ("en", "no-one", "noone", 1.0),
    ("en", "AN apple’s $5", "apples 5", 1.0),
]


@pytest.mark.parametrize(("language", "prediction", "reference", "score"), MLQA)
def test_golden_values_of_mlqa(
    language: str, prediction: str, reference: str, score: float
) -> None:
    scores = token_f1([prediction], [reference], tokenizer=f"mlqa-{language}", unread="score")
    assert scores.tolist() == [score]


def test_articles_alone_are_no_reference() -> None:
    # As for SQuAD: any answer of articles would be right.
    for language, article in (("de", "der"), ("es", "La"), ("vi", "của"), ("ar", "ال")):
        with pytest.raises(InputError, match=f"1 reference whose words .* such as '{article}'"):
            token_f1(["x"], [article], tokenizer=f"mlqa-{language}")
        assert token_f1([article], ["x"], tokenizer=f"mlqa-{language}").tolist() == [0]
        assert token_f1([article], [article], tokenizer="unicode").tolist() == [1]
