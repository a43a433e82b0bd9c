"""Thresholds: a score that equals one up to rounding reaches it, in the direction it is judged."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics import Record, Run, compare, compare_runs, measure_changes, score_flips
from muscle_metrics.flips.thresholds import reaches
from muscle_metrics.runs.read import read_run

if TYPE_CHECKING:
    from pathlib import Path

# 12 words of 14 and of 16 are shared: F = 24 / 30 by hand, and 0.7999999999999999 in floats.
SHARED = " ".join(f"w{k}" for k in range(12))
OLD = f"{SHARED} a b"
REFERENCE = f"{SHARED} x y z q"


def test_a_score_that_rounds_below_the_threshold_reaches_it() -> None:
    columns: dict[str, Any] = {
        "old": ["no", OLD], "new": ["no", "no"], "references": ["yes", REFERENCE],
    }  # fmt: skip
    changes = score_flips(**columns)
    assert changes.old[1] == 0.7999999999999999
    assert changes.flips(threshold=0.8).negative == 1
    assert changes.flips(threshold=0.8, strict=True).negative == 0
    assert compare(**columns, metric="rouge1", threshold=0.8).counts.negative == 1


def test_recorded_scores_have_the_tie_of_stored_ones(tmp_path: Path) -> None:
    scale = pytest.importorskip("muscle_metrics.scale")
    pytest.importorskip("duckdb")
    scores = {"old": [0.1, 0.7999999], "new": [0.9, 0.79]}
    paths = []
    for name, column in scores.items():
        paths.append(tmp_path / f"{name}.jsonl")
        rows = (f'{{"id": {k}, "s": {score}}}\n' for k, score in enumerate(column))
        paths[-1].write_text("".join(rows))
    reading = {"score_field": "s"}
    runs = [read_run(path, **reading) for path in paths]
    for choices, negative in (
        ({"threshold": 0.8}, 1),
        ({"threshold": 0.8, "tie": 1e-9}, 0),
        ({"threshold": 0.8, "strict_threshold": True}, 0),
    ):
        in_memory = compare_runs(*runs, **choices)
        counted = scale.compare_files(*paths, old_options=reading, new_options=reading, **choices)
        assert in_memory.counts == counted.counts
        assert in_memory.counts.negative == negative
        assert in_memory.counts.positive == 1


@pytest.mark.parametrize(
    ("strict", "named", "negative"), [(False, "err <= 0.5", 1), (True, "err < 0.5", 0)]
)
def test_a_recorded_error_rate_is_judged_downward(strict: bool, named: str, negative: int) -> None:
    old, new = (
        Run(
            records=tuple(Record(id=str(k), scores={"err": x}) for k, x in enumerate(column)),
            name=name,
            lower_is_better=frozenset({"err"}),
        )
        for name, column in (("old", [0.9, 0.5000001]), ("new", [0.4, 0.7]))
    )
    found = compare_runs(old, new, threshold=0.5, strict_threshold=strict)
    assert f"metric {named};" in found.signature
    assert found.counts.negative == negative
    assert found.counts.positive == 1


def test_ter_is_judged_and_printed_downward() -> None:
    columns: dict[str, Any] = {
        "old": ["a x", "a b"], "new": ["a b", "x y"], "references": ["a b", "a b"],
    }  # fmt: skip
    # One edit of two words is 50, by hand.
    found = compare(**columns, metric=["ter", "rouge1"], threshold=50)
    assert "metric ter <= 50, rouge1;" in found.signature
    assert (found.counts.both_right, found.counts.negative) == (1, 1)
    strict = compare(**columns, metric="ter", threshold=50, strict_threshold=True)
    assert "metric ter < 50;" in strict.signature
    assert (strict.counts.positive, strict.counts.negative) == (1, 1)


def test_an_engine_prints_ter_downward(tmp_path: Path) -> None:
    scale = pytest.importorskip("muscle_metrics.scale")
    pytest.importorskip("duckdb")
    paths = []
    for name, answers in (("old", ["a x", "a b"]), ("new", ["a b", "x y"])):
        paths.append(tmp_path / f"{name}.jsonl")
        rows = (
            f'{{"id": {k}, "prediction": "{answer}", "reference": "a b"}}\n'
            for k, answer in enumerate(answers)
        )
        paths[-1].write_text("".join(rows))
    found = scale.compare_files(*paths, metric="ter", threshold=50)
    assert found.recipe["metric"] == "ter <= 50"
    assert (found.counts.both_right, found.counts.negative) == (1, 1)


FLOATS = st.floats(-100, 100)


@given(st.lists(FLOATS, min_size=1), FLOATS, st.sampled_from([0.0, 1e-9, 1e-6, 0.5]), st.booleans())
def test_laws_of_a_threshold(
    values: list[float], threshold: float, tie: float, higher: bool
) -> None:
    scores = np.array(values)
    loose = reaches(scores, threshold, tie=tie, higher_is_better=higher)
    strict = reaches(scores, threshold, tie=tie, strict=True, higher_is_better=higher)
    # Exactly the scores within a tie are reached and not exceeded.
    for score, is_reached, is_exceeded in zip(values, loose, strict, strict=True):
        exact = Fraction(score) - Fraction(threshold)
        if abs(abs(exact) - Fraction(tie)) > Fraction(1e-12):
            assert (is_reached and not is_exceeded) == (abs(exact) <= tie)
            assert is_exceeded == ((exact if higher else -exact) > tie)
        assert is_reached or not is_exceeded
    # Turning the scale around changes nothing.
    mirrored = reaches(-scores, -threshold, tie=tie, higher_is_better=not higher)
    assert mirrored.tolist() == loose.tolist()
    # As old and as new it is the same rule.
    changes = measure_changes(
        old=scores, new=scores, tie=tie, low=-100, high=100, higher_is_better=higher
    )
    assert changes.correctness(threshold=threshold).new_right.tolist() == loose.tolist()
