"""What the text of a comparison says, and how much of it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics import Comparison, Record, Run, compare, compare_runs
from muscle_metrics.comparison.text import comparison_text
from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.flips.rate_table import PLAIN_RATES, RATES


def counted(both_right: int, negative: int, positive: int, both_wrong: int, **more):
    """A comparison with these quadrants; every wrong answer stays the same."""
    old = ["A"] * (both_right + negative) + ["B"] * (positive + both_wrong)
    new = ["A"] * both_right + ["B"] * negative + ["A"] * positive + ["B"] * both_wrong
    return compare(old=old, new=new, references=["A"] * len(old), **more)


def head(comparison) -> str:
    return comparison_text(comparison).splitlines()[1]


@given(st.tuples(*[st.integers(0, 60)] * 4).filter(any))
def test_a_direction_is_said_only_where_the_interval_excludes_no_change(quadrants) -> None:
    comparison = counted(*quadrants)
    low, high = comparison.counts.accuracy_change.interval()
    text = head(comparison)
    assert text.startswith("accuracy rose by") == (low > 0)
    assert text.startswith("accuracy fell by") == (high < 0)
    assert text.startswith("no clear change of accuracy (") == (low <= 0 <= high)
    # The numbers are there in any case.
    assert f"{float(comparison.counts.old_accuracy):.2%} to " in text
    assert f"{abs(100 * float(comparison.counts.accuracy_change)):.2f} points" in text
    assert f"95 % interval {100 * low:+.2f} to {100 * high:+.2f}, Tango" in text
    assert text.endswith(f"broke, {quadrants[2]} got fixed")


def test_groups_decide_the_direction_where_rows_share_them() -> None:
    """Six passages that broke and three that got fixed are nine observations, not ninety."""
    rows = {"both_right": 10, "negative": 60, "positive": 30, "both_wrong": 0}
    groups = [f"текст {row // 10}" for row in range(100)]
    assert head(counted(**rows)).startswith("accuracy fell by 30.00 points")
    assert head(counted(**rows, groups=groups)).startswith("no clear change of accuracy")


def test_four_rates_in_plain_words_and_the_others_where_asked() -> None:
    comparison = counted(279, 52, 114, 55)
    text = comparison_text(comparison)
    shares = {
        "broke (NFR)": "10.40%", "of what was right, broke": "15.71%", "fixed (PFR)": "22.80%",
        "wrong in another way": "0.00%",
    }  # fmt: skip
    for name, share in shares.items():
        assert re.search(rf"^{re.escape(name)} +{share} ", text, re.MULTILINE), name
    assert "52   of all 500 items" in text
    assert "52   of 331 right before" in text
    assert text.count(" to ") < 12
    assert "McNemar" not in text
    assert "--all-rates (all_rates=)" in text
    everything = comparison_text(comparison, all_rates=True)
    for key, measure in RATES.items():
        name = PLAIN_RATES.get(key, measure.name)
        assert f"\n{name[:34]}" in everything, key
    assert "McNemar mid-p" in everything
    assert "--all-rates" not in everything


def test_an_unknown_rate_says_what_it_needs() -> None:
    runs = [
        Run((Record("1", scores={"ok": ok}), Record("ü", scores={"ok": 1.0})), f"v{ok}")
        for ok in (1.0, 0.0)
    ]
    text = comparison_text(compare_runs(*runs))
    assert re.search("wrong in another way +unknown +needs answers", text)


def test_slices_come_by_shrunken_rate_and_the_others_are_counted() -> None:
    """One broken item of one does not lead a slice in which 30 of 60 broke."""
    sizes = {"тема": (60, 30), "tiny": (1, 1), **{f"s{n:02}": (20, n % 4) for n in range(45)}}
    slices = [name for name, (items, _) in sizes.items() for _ in range(items)]
    broken = [row < count for items, count in sizes.values() for row in range(items)]
    comparison = compare(
        old=["A"] * len(slices),
        new=["B" if is_broken else "A" for is_broken in broken],
        references=["A"] * len(slices),
        slices=slices,
    )
    lines = comparison_text(comparison).splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("slice (most broken first)"))
    assert lines[start + 2].split()[0] == "тема"
    assert lines[start + 12] == "37 more slices: --all-slices (all_slices=)"
    everything = comparison_text(comparison, all_slices=True)
    assert "more slices" not in everything
    assert all(f"\n{name} " in everything for name in sizes)


def test_nulls_are_counted_in_each_run_and_among_what_broke() -> None:
    rows = 40
    comparison = compare(
        old=["A"] * (rows - 2) + [None, "B"],
        new=["A", "B", None, None] * 9 + ["A", "B", None, None],
        references=["A"] * rows,
        missing="wrong",
    )
    lines = comparison_text(comparison).splitlines()
    assert "note: answers that say nothing, or not all: no answer 1 in old, 20 in new" in lines
    (note,) = [line for line in lines if line.startswith("note: of 28 broken items, 18 came")]
    assert note.removeprefix("note: ") in str(comparison.to_dict()["notes"])
    full = compare(old=["A"], new=[""], references=["A"])
    # An empty text is an answer.
    assert "no answer" not in comparison_text(full, flips=1)


def test_json_without_items_holds_all_else() -> None:
    comparison = counted(5, 3, 2, 1, slices=["x", "é"] * 5 + ["x"])
    bare, whole = comparison.to_dict(items="none"), comparison.to_dict()
    assert bare.pop("flips") is None
    assert len(whole.pop("flips")) == 5
    assert bare == whole
    saved = Comparison.from_json(comparison.to_json(items="none"))
    assert saved.counts == comparison.counts
    with pytest.raises(InputError, match="--json-items none"):
        list(saved.flips())
    with pytest.raises(UsageError, match="one of"):
        comparison.to_dict(items="some")  # type: ignore[arg-type]


def test_a_secret_in_the_name_of_a_slice_is_hidden_also_where_the_name_is_cut() -> None:
    for start in (360, 385, 395):
        name = "я" * start + " sk-abcdefghijklmnopqrstuvwx123456"
        shown = str(compare(old=["A"], new=["B"], references=["A"], slices=[name]))
        assert "sk-" not in shown
