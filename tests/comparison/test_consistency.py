"""Consistency of texts, and the flip matrix of labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics import InputError, UsageError, consistency, flip_matrix
from muscle_metrics.comparison.consistency import Agreement

# same; other words; another answer, all wrong but the first two
OLD = ["paris", "the cat sat on the mat", "rome", "it is green", "it is a very green day"]
NEW = ["paris", "the cat sat on a mat", "oslo", "it is green", "it is one very green day"]
REFERENCES = ["paris", ["the cat sat on the mat", "the cat sat on a mat"], "bern", "red", "blue"]


def test_kinds_of_change_crossed_with_quadrants() -> None:
    result = consistency(old=OLD, new=NEW, references=REFERENCES)
    assert result.agreement.tolist() == [
        "same", "other_words", "other_answer", "same", "other_words",
    ]  # fmt: skip
    assert str(result.rate("other_words", "both_right")) == "50.00% (1 of 2)"
    assert (result.new_mistake_rate.count, result.new_mistake_rate.total) == (1, 3)
    assert (result.same_mistake_rate.count, result.same_mistake_rate.total) == (2, 3)
    assert result.mean("exact_match") == 0.4
    assert result.quantiles("rougeL", [0.0, 1.0]).tolist() == [0.0, 1.0]
    assert "same mistake: 66.67% (2 of 3) wrong twice" in str(result)


def test_no_reference_is_needed_until_quadrants_are_asked_for() -> None:
    result = consistency(old=OLD, new=NEW)
    assert result.rate(Agreement.SAME) == 0.4
    with pytest.raises(UsageError, match="references"):
        result.rate("same", "both_wrong")
    with pytest.raises(UsageError, match="'alike'"):
        result.rate("alike")


def test_key_and_options_and_threshold() -> None:
    shouted = consistency(old=["Paris"], new=["PARIS"], key=str.lower)
    assert shouted.agreement.tolist() == ["same"]
    options = {"rouge1": {"stem": True}}
    stemmed = consistency(old=["running"], new=["runs"], metrics=["rouge1"], options=options)
    assert stemmed.agreement.tolist() == ["other_words"]
    strict = consistency(old=OLD, new=NEW, similar=1.0)
    assert "other_words" not in strict.agreement.tolist()
    with pytest.raises(UsageError, match="at least one metric"):
        consistency(old=OLD, new=NEW, metrics=[])


def strip_thought(text: str) -> str:
    return text.partition("</think>")[2]


def test_a_key_is_seen_by_every_metric() -> None:
    old = ["<think>Γειά</think>the cat sat", "<think>a b c d e f</think>it is green"]
    new = ["<think>nothing alike</think>the cat sat", "<think>a b c d e f</think>bern"]
    result = consistency(old=old, new=new, key=strip_thought)
    assert result.agreement.tolist() == ["same", "other_answer"]
    assert result.similarities["rougeL"].tolist() == [1.0, 0.0]
    assert result.similarities["exact_match"].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("metrics", [["rougeL"], ["chrf", "rougeL"]])
def test_a_similarity_that_no_score_reaches_is_refused(metrics: list[str]) -> None:
    with pytest.raises(UsageError, match=r"similar= among the scores of rougeL, .* 0 to 1"):
        consistency(old=OLD, new=NEW, metrics=metrics, similar=70)
    assert consistency(old=OLD, new=NEW, metrics=[*metrics, "chrf"], similar=70).total == 5


def test_options_that_nothing_uses_are_refused() -> None:
    for options in ({"bleu": {"tokenize": "char"}}, {"rougeL": {"stemm": True}}, {"stem": True}):
        with pytest.raises(UsageError):
            consistency(old=OLD, new=NEW, options=options)


def test_flip_matrix_counted_by_hand() -> None:
    matrix = flip_matrix(old=list("AAABBC"), new=list("ABBBBA"))
    assert matrix.answers == ("A", "B", "C")
    assert matrix.counts.tolist() == [[1, 2, 0], [0, 2, 0], [1, 0, 0]]
    # Expected A -> B: 3 old A times 4 new B over 6; C -> A: 1 x 2 / 6.
    assert matrix.expected[0, 1] == 2.0
    transitions = [(turn.old, turn.new, turn.items) for turn in matrix.transitions()]
    assert transitions == [("C", "A", 1), ("A", "B", 2)]
    assert matrix.transitions()[0].excess == pytest.approx(1 - 2 / 6)


labels = st.sampled_from("ABCD")


@given(st.lists(st.tuples(labels, labels), min_size=1, max_size=60))
def test_flip_matrix_laws(pairs: list[tuple[str, str]]) -> None:
    old, new = map(list, zip(*pairs, strict=True))
    matrix = flip_matrix(old=old, new=new)
    assert matrix.counts.sum() == len(pairs)
    assert sum(turn.items for turn in matrix.transitions()) == sum(o != n for o, n in pairs)
    assert np.allclose(matrix.expected.sum(axis=1), matrix.counts.sum(axis=1))
    backwards = flip_matrix(old=new, new=old)
    assert np.array_equal(backwards.counts, matrix.counts.T)


def test_a_set_of_answers_must_be_closed() -> None:
    texts = [str(n) for n in range(101)]
    with pytest.raises(InputError, match="most_answers"):
        flip_matrix(old=texts, new=texts)
    assert flip_matrix(old=texts, new=texts, most_answers=101).transitions() == []
