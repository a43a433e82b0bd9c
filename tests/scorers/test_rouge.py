"""ROUGE: the same bits as rouge-score 0.1.2, and the values of Perl's ROUGE-1.5.5."""

from __future__ import annotations

import csv
import gzip
import json
import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.scorers import rouge_counts, rouge_tokens
from muscle_metrics.scorers.rouge import ROUGE_VARIANTS, rouge, rouge_variants

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

STATISTICS = ("fmeasure", "precision", "recall")

# Few words make many ties between longest subsequences, and the union depends on which is taken.
few_words = st.lists(st.sampled_from(["a", "b", "c", "d", "\n", "running", "Runs!"]), max_size=24)
poor_text = few_words.map(" ".join)
any_text = st.text(st.characters(codec=None), max_size=60)
texts = st.one_of(poor_text, any_text)
items = st.lists(st.tuples(texts, st.lists(texts, min_size=1, max_size=3)), min_size=1, max_size=4)


def expected_scores(
    predictions: Sequence[str],
    references: Sequence[Sequence[str]],
    statistic: str = "fmeasure",
    variants: Sequence[str] = ROUGE_VARIANTS,
    **options: Any,
) -> dict[str, list[float]]:
    scorer = RougeScorer(list(variants), **options)
    scores = [scorer.score_multi(r, p) for p, r in zip(predictions, references, strict=True)]
    return {name: [float(getattr(s[name], statistic)) for s in scores] for name in variants}


def assert_same_bits(actual: dict[str, np.ndarray], expected: dict[str, list[float]]) -> None:
    assert {name: scores.tolist() for name, scores in actual.items()} == expected


@settings(max_examples=200)
@given(items, st.booleans(), st.sampled_from(STATISTICS))
@example([("a b\nb a", ["b a\na b"])], True, "recall")
@example([("", [""])], False, "fmeasure")
@example([("a\n" + "b " * 70, ["", "\n-\n", "b"])], False, "fmeasure")
@example([("", ["a\n" + "b " * 70])], False, "fmeasure")
@example([("\ud800 Kelvin İ ß \x00|", ["kelvin i | 1\x0b2"])], True, "precision")
def test_every_variant_has_the_bits_of_rouge_score(
    items: list[tuple[str, list[str]]], stem: bool, statistic: Any
) -> None:
    predictions, references = [p for p, _ in items], [r for _, r in items]
    expected = expected_scores(predictions, references, statistic, use_stemmer=stem)
    actual = rouge_variants(
        predictions, references, ROUGE_VARIANTS, stem=stem, statistic=statistic, unread="score"
    )
    assert_same_bits(actual, expected)


@settings(max_examples=15)
@given(st.randoms(use_true_random=False), st.integers(1, 12), st.integers(1, 150))
@example(random.Random(1), 2, 70)  # sentences longer than a machine word
@example(random.Random(2), 40, 3)  # more pairs of sentences than lanes
def test_unions_of_many_and_long_lines(chance: random.Random, lines: int, most: int) -> None:
    def line() -> str:
        return " ".join(chance.choices("abcdefgh", k=chance.randint(0, most)))

    predictions = ["\n".join(line() for _ in range(lines)) for _ in range(2)]
    references = ["\n".join(line() for _ in range(lines)) for _ in range(2)]
    expected = expected_scores(predictions, [[r] for r in references], variants=["rougeLsum"])
    assert rouge(predictions, references, variant="rougeLsum").tolist() == expected["rougeLsum"]


def test_a_variant_asked_for_twice_is_scored_once() -> None:
    scores = rouge_variants(["a b", "c"], ["a", "c"], ["rouge1", "rougeL", "rouge1"])
    assert {name: values.tolist() for name, values in scores.items()} == {
        "rouge1": [2 / 3, 1.0],
        "rougeL": [2 / 3, 1.0],
    }


class Characters:
    """A tokenizer whose words are characters, also the newline."""

    def tokenize(self, text: str) -> list[str]:
        return list(text)


@settings(max_examples=50)
@given(items)
def test_a_tokenizer_gives_the_words(items: list[tuple[str, list[str]]]) -> None:
    predictions, references = [p for p, _ in items], [r for _, r in items]
    expected = expected_scores(predictions, references, tokenizer=Characters())
    options: dict[str, Any] = {"variants": ROUGE_VARIANTS, "unread": "score"}
    actual = rouge_variants(predictions, references, tokenizer=Characters(), **options)
    same = rouge_variants(predictions, references, tokenizer=list, **options)
    assert_same_bits(actual, expected)
    assert_same_bits(same, expected)


def test_scores_do_not_depend_on_company(monkeypatch: pytest.MonkeyPatch) -> None:
    # Alone, in many blocks, and with stems that are forgotten after every block.
    chance = random.Random(5)
    vocabulary = [f"word{k}ing" for k in range(500)]
    predictions, references = (
        [" ".join(chance.choices(vocabulary, k=chance.randint(0, 100))) for _ in range(40)]
        for _ in range(2)
    )
    variants = ["rouge1", "rouge3", "rougeL", "rougeLsum"]
    together = rouge_variants(predictions, references, variants, stem=True)
    monkeypatch.setattr(rouge_counts, "_BLOCK_CHARACTERS", 4000)
    monkeypatch.setattr(rouge_tokens, "_MOST_STEMS_KEPT", 10)
    anew = rouge_variants(predictions, references, variants, stem=True)
    backwards = rouge_variants(predictions[::-1], references[::-1], variants, stem=True)
    for name in variants:
        alone = [
            rouge([p], [r], variant=name, stem=True)[0]
            for p, r in zip(predictions, references, strict=True)
        ]
        assert together[name].tolist() == alone == anew[name].tolist()
        assert backwards[name].tolist() == alone[::-1]


@pytest.mark.parametrize(
    ("stem", "variant", "perl"),
    [
        # ROUGE-1.5.5.pl -e data [-m] -n 2 -a settings.xml, as quoted in rouge-score's own
        # scoring_test.py; precision, recall, F
        (False, "rouge1", (0.49879, 0.31950, 0.38554)),
        (True, "rouge1", (0.52434, 0.33580, 0.40524)),
        (True, "rougeL", (0.52104, 0.33377, 0.40275)),
    ],
)
def test_means_of_the_perl_script(
    shared: Path, stem: bool, variant: str, perl: tuple[float, float, float]
) -> None:
    folder = shared / "data" / "rouge_testdata"
    predictions, references = (
        gzip.decompress((folder / f"{name}_large.txt.gz").read_bytes()).decode().splitlines()
        for name in ("prediction", "target")
    )
    means = [
        rouge(predictions, references, variant=variant, stem=stem, statistic=statistic).mean()
        for statistic in ("precision", "recall", "fmeasure")
    ]
    assert means == pytest.approx(perl, abs=0.002)


SYSTEMS = {
    "bert_nockpt": "TranS2S",
    "bert_withckpt": "BERTS2S",
    "ptgen": "PtGen",
    "tconvs2s": "TConvS2S",
}


def test_published_scores_of_xsum(shared: Path) -> None:
    # SOURCE.md of the data: rouge_score 0.1.2 with stemming reproduces the published R1 within
    # 1e-3 on 1806 of 1992 summaries, without stemming on 1497; their texts are not all identical.
    folder = shared / "data" / "xsum_faithfulness"
    with gzip.open(folder / "summaries_unique.jsonl.gz", "rt") as lines:
        rows = [json.loads(line) for line in lines]
    summaries = {(row["system"], row["bbcid"]): row["summary"] for row in rows}
    with gzip.open(folder / "eval_scores_xsum_summaries.csv.gz", "rt") as table:
        published = list(csv.DictReader(table))
    keys = [row["system_bbcid"].rsplit("_", 1) for row in published]
    predictions = [summaries[SYSTEMS[system], item] for system, item in keys]
    references = [summaries["Gold", item] for _, item in keys]
    values = np.array([float(row["R1"]) for row in published])
    for stem, agreeing in ((True, 1806), (False, 1497)):
        scores = rouge(predictions, references, stem=stem)
        assert (np.abs(scores - values) <= 1e-3).sum() == agreeing
    assert len(values) == 1992


def test_two_versions_of_one_model(shared: Path) -> None:
    # SOURCE.md of the data: ROUGE-L with stemming, rouge_score 0.1.2.
    folder = shared / "data" / "self_instruct_252"
    means = []
    for model in ("text-davinci-002", "text-davinci-003"):
        with gzip.open(folder / f"{model}.jsonl.gz", "rt") as lines:
            rows = [json.loads(line) for line in lines]
        predictions, references = ([row[key] for row in rows] for key in ("response", "target"))
        # The right answer to one item is an emoji, of which rouge-score reads nothing.
        with pytest.raises(InputError, match="got 1 reference whose words its tokenizer loses"):
            rouge(predictions, references, variant="rougeL")
        options: dict[str, Any] = {"variant": "rougeL", "stem": True, "unread": "score"}
        means.append(rouge(predictions, references, **options).mean())
    assert means == pytest.approx([0.3379, 0.3364], abs=5e-5)


def test_a_text_over_the_cap_is_an_error_that_counts() -> None:
    predictions, references = ["a " * 11, "a", "a"], ["a", "a", ["a", "b\n" * 11]]
    with pytest.raises(InputError, match=r"at most 10 words per text, got 2 items .*\[0, 2\]"):
        rouge(predictions, references, max_tokens=10)
    scores = rouge(predictions, references, max_tokens=10, over_cap="nan")
    assert np.isnan(scores).tolist() == [True, False, True]
    assert scores[1] == 1
    assert rouge(["a " * 10], ["a " * 10], max_tokens=10).tolist() == [1]
    assert np.isnan(rouge(["abc"], ["c"], tokenizer=list, max_tokens=2, over_cap="nan")[0])


@pytest.mark.parametrize("variant", ["rouge1", "rouge2", "rougeL", "rougeLsum"])
def test_fifty_thousand_words_finish(variant: str) -> None:
    chance = random.Random(3)
    one, two = (
        " ".join(chance.choices(["the", "cat", "sat", "on", "a", "mat"], k=50_000))
        for _ in range(2)
    )
    score = rouge([one], [two], variant=variant)[0]
    assert 0.5 < score < 1
    assert rouge([one], [one], variant=variant)[0] == 1


@pytest.mark.parametrize("letter", ["y", "a", "ab", "yes"])
def test_a_very_long_word_is_stemmed_in_time(letter: str) -> None:
    word = letter * 100_000
    assert rouge([word], [word + " x"], stem=True, statistic="recall").tolist() == [0.5]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"variant": "rouge0"}, "variant to be one of .*'rouge1'.*got 'rouge0'"),
        ({"variant": "rouge10"}, "got 'rouge10'"),
        ({"statistic": "f1"}, "statistic to be one of .*'fmeasure'.*got 'f1'"),
        ({"over_cap": "truncate"}, "over_cap to be one of .*'raise', 'nan'.*got 'truncate'"),
        ({"max_tokens": 0}, "max_tokens between 1 and 250000, got 0"),
        ({"max_tokens": 250_001}, "got 250001"),
        ({"tokenizer": 3}, "object with a method 'tokenize', got 3"),
        ({"tokenizer": None}, "object with a method 'tokenize', got None"),
        ({"tokenizer": "unicod"}, "got 'unicod': did you mean 'unicode'"),
        ({"tokenizer": "none"}, "a tokenizer of .*got 'none'"),
        ({"tokenizer": list, "stem": True}, "expected stem=True with one of the tokenizers"),
        ({"tokenizer": "character", "stem": True}, "got 'character': drop stem"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        rouge(["a"], ["a"], **options)
