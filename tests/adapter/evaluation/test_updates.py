"""Updates of one old model, each against its baselines."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics import compare
from muscle_metrics.errors import InputError
from muscle_metrics.runs.record import Record, Run

pytest.importorskip("torch")
pytest.importorskip("peft")

from muscle_metrics.adapter.evaluation.updates import measure_updates, score_run

VERDICTS = st.lists(st.tuples(*[st.integers(0, 1)] * 3), min_size=1, max_size=60)


@given(VERDICTS)
def test_rates_are_those_of_compare(rows: list[tuple[int, int, int]]) -> None:
    old, new, ours = (list(column) for column in zip(*rows, strict=True))
    measured = measure_updates(old=old, updates={"v2": new, "ours": ours}, baselines=("v2",))
    for update, scores in zip(measured, (new, ours), strict=True):
        counts = compare(old=old, new=scores, references=[1] * len(old)).counts
        assert update.negative_flip_rate == counts.negative_flip_rate
        assert update.positive_flip_rate == counts.positive_flip_rate
        assert update.accuracy == pytest.approx(counts.new_accuracy)
    change = measured[1].against["v2"]
    before, after = (float(update.negative_flip_rate) for update in measured)
    expected = after / before - 1 if before else math.nan
    assert change.nfr == pytest.approx(expected, nan_ok=True)
    low, high = change.accuracy_interval
    assert low <= change.accuracy <= high


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(5)
    held = []
    for _ in range(200):
        old = np.ones(1500)
        before = rng.random(1500) < 0.12
        # Half of the flips stay, and a few are new: the truth is -40 %.
        after = np.where(before, rng.random(1500) < 0.5, rng.random(1500) < 0.012 / 0.88)
        change = measure_updates(
            old=old, updates={"v2": 1.0 - before, "ours": 1.0 - after}, baselines=("v2",)
        )[1].against["v2"]
        held.append(change.nfr_interval.low <= -0.4 <= change.nfr_interval.high)
    assert 0.9 <= np.mean(held) <= 0.99


def test_graded_scores_keep_their_sizes() -> None:
    update = measure_updates(
        old=[0.5] * 6,
        updates={"v2": [0.4] * 6, "ours": [0.4, 0.5, 0.6, 0.5, 0.5, 0.5]},
        baselines=("v2",),
    )[1]
    assert update.negative_flip_rate.count == 1
    assert update.accuracy == pytest.approx(0.5)
    assert update.against["v2"].nfr == pytest.approx(-5 / 6)
    assert update.against["v2"].accuracy == pytest.approx(0.1)


def test_too_few_flips_tell_nothing() -> None:
    change = measure_updates(
        old=[1, 1, 1], updates={"v2": [1, 1, 1], "ours": [0, 1, 1]}, baselines=("v2",)
    )[1].against["v2"]
    assert math.isnan(change.nfr)
    assert all(map(math.isnan, change.nfr_interval))


def test_a_baseline_must_be_there() -> None:
    with pytest.raises(InputError, match="expected baselines among \\['v2'\\], got 'control'"):
        measure_updates(old=[1], updates={"v2": [1]}, baselines=("control",))


def test_a_score_must_be_recorded() -> None:
    run = Run((Record("1", prediction="a", reference="a"),), name="old")
    with pytest.raises(InputError, match="expected the score 'rouge1' of every item of 'old'"):
        score_run(run, metric="rouge1")
