"""Texts of two models, scored: against published scores, and through comparisons and runs."""

from __future__ import annotations

import csv
import gzip
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from muscle_metrics import (
    InputError,
    Record,
    Run,
    UsageError,
    compare,
    compare_runs,
    measure_changes,
    score_flips,
)

if TYPE_CHECKING:
    from pathlib import Path

OLD = ["the cat sat on the mat", "a red house", "no idea"]
NEW = ["the cat sat on a mat", "a red house", "a blue car"]
REFERENCES = ["the cat sat on the mat", ["a red house", "the red home"], "one blue car"]


def lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_davinci_2_to_3_by_rouge_l(shared: Path) -> None:
    folder = shared / "data" / "self_instruct_252"
    old, new = (lines(folder / f"text-davinci-00{version}.jsonl.gz") for version in (2, 3))
    assert [row["instruction"] for row in old] == [row["instruction"] for row in new]
    changes = score_flips(
        old=[row["response"] for row in old],
        new=[row["response"] for row in new],
        references=[row["target"] for row in old],
        metric="rougeL",
        stem=True,
        unread="score",  # the right answer to one item is an emoji
    )
    # Published with the data: .3379 -> .3364.
    assert changes.old.mean() == pytest.approx(0.3379, abs=5e-5)
    assert changes.new.mean() == pytest.approx(0.3364, abs=5e-5)
    assert changes.mean_change == pytest.approx(0.3364 - 0.3379, abs=1e-4)


def test_xsum_flips_agree_with_flips_of_published_scores(shared: Path) -> None:
    folder = shared / "data" / "xsum_faithfulness"
    texts: dict[str, dict[str, str]] = {}
    for row in lines(folder / "summaries_unique.jsonl.gz"):
        texts.setdefault(row["system"], {})[row["bbcid"]] = row["summary"]
    with gzip.open(folder / "eval_scores_xsum_summaries.csv.gz", "rt", encoding="utf-8") as file:
        published = {row["system_bbcid"]: float(row["R1"]) for row in csv.DictReader(file)}
    prefixes = {"TranS2S": "bert_nockpt", "BERTS2S": "bert_withckpt"}
    ids = sorted(i for i in texts["Gold"] if f"bert_nockpt_{i}" in published)
    assert len(ids) == 498
    ours = score_flips(
        old=[texts["TranS2S"][i] for i in ids],
        new=[texts["BERTS2S"][i] for i in ids],
        references=[texts["Gold"][i] for i in ids],
        metric="rouge1",
        stem=True,
    )
    theirs = measure_changes(
        **{
            name: [published[f"{prefixes[system]}_{i}"] for i in ids]
            for name, system in (("old", "TranS2S"), ("new", "BERTS2S"))
        },
        tie=1e-6,
    )
    # The scored texts differ in places from the stored texts, which are scored again here.
    same = (np.abs(ours.old - theirs.old) < 1e-3) & (np.abs(ours.new - theirs.new) < 1e-3)
    assert np.count_nonzero(same) > 400
    regressed = (ours.gains < -2e-3)[same]
    assert np.array_equal(regressed, (theirs.gains < -2e-3)[same])
    assert abs(ours.negative_flip_rate - theirs.negative_flip_rate) < 0.03


def test_a_comparison_holds_several_metrics() -> None:
    comparison = compare(
        old=OLD, new=NEW, references=REFERENCES, metric=["exact_match", "rouge1", "chrf"],
        options={"rouge1": {"stem": True}},
    )  # fmt: skip
    assert comparison.counts.negative == 1
    assert list(comparison.changes) == ["rouge1", "chrf"]
    frame = comparison.to_frame()
    assert frame.loc[1, "old rouge1"] == frame.loc[1, "new rouge1"] == 1
    shown = str(comparison)
    assert "rouge1" in shown
    assert "mean regression (m_r)" in shown
    assert "metric exact_match, rouge1(stem=True), chrf(" in comparison.signature


def test_a_threshold_turns_the_first_graded_metric_into_flips() -> None:
    graded = compare(old=OLD, new=NEW, references=REFERENCES, metric="rouge1")
    assert graded.correctness is None
    right = compare(old=OLD, new=NEW, references=REFERENCES, metric="rouge1", threshold=0.6)
    assert (right.counts.negative, right.counts.positive) == (0, 1)
    assert "rouge1 >= 0.6" in right.signature
    with pytest.raises(UsageError, match="exact_match"):
        compare(old=OLD, new=NEW, references=REFERENCES, threshold=0.6)


def test_runs_are_graded_by_their_texts() -> None:
    runs = [
        Run(
            records=tuple(
                Record(id=str(i), prediction=text, reference=reference)
                for i, (text, reference) in enumerate(zip(texts, REFERENCES, strict=True))
            ),
            name=name,
        )
        for name, texts in (("old", OLD), ("new", NEW))
    ]
    both = compare_runs(*runs, metric=["exact_match", "rouge1"])
    columns = compare(old=OLD, new=NEW, references=REFERENCES, metric="rouge1")
    assert both.counts.negative == 1
    assert both.changes["rouge1"].new == pytest.approx(columns.changes["rouge1"].new)
    with pytest.raises(UsageError, match="'rouge99'"):
        compare_runs(*runs, metric="rouge99")


def test_a_callable_is_a_metric() -> None:
    def length(predictions: list[str], references: list[Any]) -> list[float]:
        return [float(len(prediction)) for prediction in predictions]

    changes = score_flips(old=OLD, new=NEW, references=REFERENCES, metric=length)
    assert changes.deltas.tolist() == [-2.0, 0.0, 3.0]
    assert changes.high == np.inf


def test_missing_answers_score_as_empty_texts() -> None:
    comparison = compare(
        old=["a cat"], new=[None], references=["a cat"], metric="rouge1", missing="wrong"
    )
    assert comparison.changes["rouge1"].new.tolist() == [0.0]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"old": ["a"], "new": ["a", "b"], "references": ["a", "b"]}, "old 1, new 2"),
        ({"old": ["a"], "new": [None], "references": ["a"]}, "None"),
        ({"old": ["a"], "new": [1], "references": ["a"]}, "int"),
    ],
)
def test_bad_texts_are_refused(texts: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        score_flips(**texts)
