"""What hosts ask of an old run, and the scores of theirs that are verdicts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from muscle_metrics import InputError, PairingError, Record, Run, UsageError, label_flips
from muscle_metrics.comparison.baseline import make_baseline
from muscle_metrics.integrations.stored_correctness import is_right, quadrant_of, read_correctness
from muscle_metrics.runs.readers.baseline import baseline_text

if TYPE_CHECKING:
    from pathlib import Path


def run(*records: Record) -> Run:
    return Run(records, "v1")


def scored(score: float, item: str = "1", **labels: str) -> Record:
    return Record(item, scores={"acc": score}, **labels)


def test_a_run_and_its_baseline_say_the_same(tmp_path: Path) -> None:
    old = run(Record("1", "A", "A"), Record("2", "B", ["A", "C"]), Record("10", "C", "C"))
    path = tmp_path / "v1.baseline"
    path.write_text(baseline_text(make_baseline(old)), encoding="utf-8")
    for stored in (read_correctness(old), read_correctness(path)):
        assert [stored.of(item) for item in ("1", "2", "10")] == [True, False, True]


def test_repeats_are_told_apart() -> None:
    stored = read_correctness(run(scored(1, repeat="1"), scored(0, repeat="2")))
    assert (stored.of("1", "1"), stored.of("1", "2")) == (True, False)
    with pytest.raises(PairingError, match="expected the item '1' with repeat '3' in 'v1'"):
        stored.of("1", "3")
    with pytest.raises(PairingError, match="expected the item '1' in 'v1'"):
        stored.of("1")


def test_a_run_without_repeats_stands_for_all_of_them() -> None:
    assert read_correctness(run(scored(1))).of("1", "7") is True


def test_an_item_that_was_not_there_is_no_verdict() -> None:
    with pytest.raises(PairingError, match=r"expected the item '2' in 'v1', got none among 1"):
        read_correctness(run(scored(1))).of("2")


def test_tasks_are_told_apart() -> None:
    old = run(scored(1, task="sums"), scored(0, task="words"))
    assert read_correctness(old, task="sums").of("1") is True
    assert read_correctness(old, task="words").of("1") is False
    with pytest.raises(UsageError, match="got None: there is 'sums', 'words'"):
        read_correctness(old)
    with pytest.raises(UsageError, match="got 'letters'"):
        read_correctness(old, task="letters")


def test_graded_scores_need_a_threshold() -> None:
    old = run(scored(0.4), scored(0.6, "2"))
    with pytest.raises(UsageError, match="threshold"):
        read_correctness(old)
    stored = read_correctness(old, threshold=0.5)
    assert (stored.of("1"), stored.of("2")) == (False, True)


@pytest.mark.parametrize("score", [1, 1.0, True, np.float32(1), np.bool_(True)])
def test_scores_that_are_right(score: object) -> None:
    assert is_right(score, "acc") is True
    assert is_right(0, "acc") is False


@pytest.mark.parametrize("score", ["True", "1", None, math.nan, 0.5, math.inf, [1], 2])
def test_scores_that_are_no_verdict(score: object) -> None:
    with pytest.raises(InputError):
        is_right(score, "acc")


def test_thresholds() -> None:
    assert [is_right(score, "f1", 0.5) for score in (0.49, 0.5, 1)] == [False, True, True]
    for score in (math.nan, math.inf):
        with pytest.raises(InputError):
            is_right(score, "f1", 0.5)


@pytest.mark.parametrize("old", [True, False])
@pytest.mark.parametrize("new", [True, False])
def test_quadrants_are_those_of_label_flips(old: bool, new: bool) -> None:
    labels = label_flips(old=[old], new=[new], references=[True])
    assert quadrant_of(old_right=old, new_right=new) == labels.quadrants[0]
