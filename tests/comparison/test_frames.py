"""Frames of rates, slices, flips and steps against the comparison that they tabulate."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest

from muscle_metrics import Comparison, UsageError, compare, count_chain

IDS = ["q2", "q10", "вопрос", "q1"]
ANSWERS = {"old": ["A", "A", "B", "A"], "new": ["B", "A", "A", "C"], "references": ["A"] * 4}


@pytest.fixture
def comparison() -> Comparison:
    return compare(**ANSWERS, ids=IDS, slices=["x", "y", "y", None])


def test_every_rate_has_a_row(comparison: Comparison) -> None:
    frame = comparison.rates_frame().set_index("rate")
    assert list(frame.index) == list(comparison.counts.rates())
    row = frame.loc["negative_flip_rate"]
    assert (row["value"], row["count"], row["total"]) == (0.5, 2, 4)
    bounds = comparison.bounds("negative_flip_rate")
    assert bounds is not None
    assert (row["low"], row["high"], row["method"]) == (*bounds.ends, bounds.method)
    # No share of items, so without a count; its interval is that of paired items.
    change = frame.loc["accuracy_change"]
    assert change["value"] == -0.25
    assert math.isnan(change["count"])


def test_scores_have_rows_of_their_own() -> None:
    scored = compare(
        old=["a b", "c"], new=["a", "c d"], references=["a b", "c d"], metric="token_f1",
        threshold=0.9,
    )  # fmt: skip
    frame = scored.rates_frame()
    means = frame[frame.metric == "token_f1"].set_index("rate")
    changes = scored.changes["token_f1"]
    assert means.loc["mean_change", "value"] == changes.mean_change
    assert means.loc["mean_regression", "total"] == 1
    assert frame["value"].dtype == "float64"


def test_slices_with_the_largest_loss_first(comparison: Comparison) -> None:
    frame = comparison.slices_frame()
    assert list(frame["slice"]) == list(comparison.slices) == ["x", "y"]
    assert list(frame["negative"]) == [1, 0]
    assert frame.loc[0, "accuracy_change"] == -1
    assert comparison.slices_frame("task").empty
    assert list(comparison.slices_frame("task").columns) == ["task", *frame.columns[1:]]
    with pytest.raises(UsageError, match="expected by to be one of"):
        comparison.slices_frame("group")


def test_flips_broken_first_then_fixed(comparison: Comparison) -> None:
    assert list(comparison.flips_frame()["id"]) == ["q1", "q2", "вопрос"]
    assert list(comparison.flips_frame("both_right")["id"]) == ["q10"]
    with pytest.raises(UsageError, match="a quadrant"):
        comparison.flips_frame("broken")


def test_the_largest_loss_of_a_score_comes_first() -> None:
    texts = {"old": ["a b c"] * 3, "new": ["a b x", "x y z", "a x y"], "references": ["a b c"] * 3}
    graded = compare(**texts, metric="token_f1", threshold=0.9)
    frame = graded.flips_frame()
    assert list(frame["id"]) == ["1", "2", "0"]
    assert frame["new token_f1"].is_monotonic_increasing
    # An edit rate of 100 is worse than one of 10.
    edited = compare(**texts, metric="ter", threshold=1).flips_frame()
    assert edited["new ter"].is_monotonic_decreasing
    with pytest.raises(UsageError, match="--threshold"):
        compare(**texts, metric="token_f1").flips_frame()


def test_frames_of_nothing_have_their_columns() -> None:
    same = compare(old=["A"], new=["A"], references=["A"])
    assert same.flips_frame().empty
    assert "id" in same.flips_frame().columns
    assert same.slices_frame().empty


def test_steps_of_a_chain() -> None:
    versions = [["A", "A", "B"], ["A", "B", "A"], ["A", "B", "B"]]
    chain = count_chain(versions=versions, references=["A"] * 3, names=["v1", "v2", "v3"])
    frame = chain.to_frame()
    assert list(zip(frame["old"], frame["new"], strict=True)) == [
        ("v1", "v2"), ("v2", "v3"), ("v1", "v3"),
    ]  # fmt: skip
    assert list(frame["negative"]) == [step.negative for step in (*chain.steps, chain.overall)]
    assert list(frame["surviving"]) == [0.5, 0.5, 0.5]
    page = chain._repr_html_()
    assert page.count("<tr>") == 4
    assert "16.67% (1 of 6)" not in page
    assert str(chain.sum_negative_flip_rate) in page


def test_names_of_versions_are_escaped() -> None:
    chain = count_chain(versions=[["A"], ["B"]], references=["A"], names=["<b>", "v&\x1b[2J"])
    page = chain._repr_html_()
    assert "<b>" not in page
    assert "\x1b" not in page


def test_pandas_loads_for_frames_alone() -> None:
    script = (
        "import sys; from muscle_metrics import Comparison, compare;"
        "made = compare(old=['A'], new=['B'], references=['A'], slices=['x']);"
        "saved = Comparison.from_json(made.to_json());"
        "print(made, saved, saved.slices, made._repr_html_(), list(made.flips()));"
        "assert 'pandas' not in sys.modules; made.rates_frame(); assert 'pandas' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
