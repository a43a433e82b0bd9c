"""The helper of a task on its own; tests/harnesses runs it inside the harness."""

from __future__ import annotations

from typing import Any

import pytest

from muscle_metrics import InputError, PairingError, Record, Run, UsageError
from muscle_metrics.integrations import lm_eval
from muscle_metrics.integrations.lm_eval import add_flips


def score(document: dict[str, Any], results: list[str]) -> dict[str, Any]:
    return {"acc": int(results[0] == document["answer"]), "length": len(results[0])}


@pytest.fixture(autouse=True)
def readable_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids of documents that a test can write down; the harness has hashes."""
    monkeypatch.setattr(lm_eval, "document_id", lambda document: document["answer"])


def old_run(**scores: float) -> Run:
    return Run(tuple(Record(i, scores={"acc": s}, task="sums") for i, s in scores.items()), "v1")


@pytest.mark.parametrize(
    ("old", "answer", "flips"),
    [(1, "A", (0, 0)), (1, "B", (1, 0)), (0, "A", (0, 1)), (0, "B", (0, 0))],
)
def test_quadrants(old: int, answer: str, flips: tuple[int, int]) -> None:
    expected = {"acc": int(answer == "A"), "length": 1} | dict(
        zip(("negative_flip", "positive_flip"), flips, strict=True)
    )
    by_run = add_flips(score, metric="acc", baseline=old_run(A=old))
    by_field = add_flips(score, metric="acc", old_field="old_correct")
    assert by_run({"answer": "A"}, [answer]) == expected
    assert by_field({"answer": "A", "old_correct": bool(old)}, [answer]) == expected


def test_equal_documents_share_a_verdict_or_are_refused() -> None:
    same = add_flips(score, metric="acc", baseline=old_run(**{"A": 1, "A#2": 1, "B": 0}))
    assert same({"answer": "A"}, ["B"])["negative_flip"] == 1
    differ = add_flips(score, metric="acc", baseline=old_run(**{"A": 1, "A#2": 1, "A#3": 0}))
    with pytest.raises(InputError, match="expected one verdict on equal documents in 'v1'"):
        differ({"answer": "A"}, ["B"])


def test_what_is_no_verdict_is_refused() -> None:
    task = add_flips(score, metric="acc", baseline=old_run(A=1))
    with pytest.raises(PairingError, match="expected the item 'B' in 'v1'"):
        task({"answer": "B"}, ["B"])
    with pytest.raises(InputError, match="'length' to be 0 or 1, got 2"):
        add_flips(score, metric="length", old_field="old")({"answer": "A", "old": 1}, ["AA"])
    with pytest.raises(InputError, match="expected 'f1' among the scores"):
        add_flips(score, metric="f1", old_field="old")({"answer": "A", "old": 1}, ["A"])
    for old in ("True", None):
        with pytest.raises(InputError, match="expected 'old' to be a finite number"):
            add_flips(score, metric="acc", old_field="old")({"answer": "A", "old": old}, ["A"])


def test_thresholds_make_graded_scores_verdicts() -> None:
    task = add_flips(
        lambda _, results: {"acc": float(results[0])},
        metric="acc",
        baseline=old_run(A=0.7),
        threshold=0.5,
    )
    assert task({"answer": "A"}, ["0.4"])["negative_flip"] == 1
    assert task({"answer": "A"}, ["0.5"])["negative_flip"] == 0


def test_the_baseline_is_read_once_and_not_before_it_is_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = []
    monkeypatch.setattr(
        lm_eval,
        "read_correctness",
        lambda path, original=lm_eval.read_correctness, **options: (
            read.append(path) or original(old_run(A=1), **options)
        ),
    )
    task = add_flips(score, metric="acc", baseline="v1.baseline")
    assert read == []
    for _ in range(3):
        task({"answer": "A"}, ["A"])
    assert read == ["v1.baseline"]


def test_one_source_of_old_verdicts() -> None:
    for options in ({}, {"baseline": "v1.baseline", "old_field": "old"}):
        with pytest.raises(UsageError, match="expected a baseline or the field"):
            add_flips(score, metric="acc", **options)
