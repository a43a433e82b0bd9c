"""Where the marks of charts lie: areas are shares, axes hold every value, bars hold every item."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics import FlipCounts, Policy, check_gate, compare, measure_changes
from muscle_metrics.reports.charts import (
    answer_table,
    axis_from_zero,
    check_axis,
    mosaic_tiles,
    score_charts,
)

COUNTS = st.builds(
    FlipCounts,
    both_right=st.integers(0, 50),
    negative=st.integers(0, 50),
    positive=st.integers(0, 50),
    both_wrong=st.integers(0, 50),
).filter(lambda counts: counts.total > 0)


@given(COUNTS)
def test_areas_are_shares_of_all_items(counts: FlipCounts) -> None:
    for tile in mosaic_tiles(counts):
        assert tile.share.count == getattr(counts, tile.quadrant)
        assert tile.width * tile.height == pytest.approx(tile.share, abs=1e-12)
        assert tile.left + tile.width <= 1 + 1e-12
        assert tile.top + tile.height <= 1 + 1e-12


@given(COUNTS)
def test_old_right_is_left_and_new_right_on_top(counts: FlipCounts) -> None:
    tiles = {tile.quadrant.value: tile for tile in mosaic_tiles(counts)}
    assert tiles["negative"].left == tiles["both_right"].left == 0
    assert tiles["negative"].top == pytest.approx(tiles["both_right"].height)
    assert tiles["both_wrong"].top == pytest.approx(tiles["positive"].height)
    assert tiles["positive"].left == tiles["both_wrong"].left == tiles["both_right"].width


@pytest.mark.parametrize("largest", [0.0004, 0.03, 0.051, 0.2, 0.71, 1.0])
def test_axes_reach_a_little_beyond_the_largest(largest: float) -> None:
    axis = axis_from_zero(largest)
    assert largest <= axis.length <= 2.5 * largest
    assert 2 <= len(axis.ticks) <= 6
    assert (axis.ticks[0].text, axis.ticks[-1].position) == ("0%", 1.0)


@pytest.mark.parametrize("broken", [0, 9, 60])
def test_the_axis_of_a_check_holds_its_bounds_and_its_limit(broken: int) -> None:
    new = ["B"] * broken + ["A"] * (300 - broken)
    comparison = compare(old=["A"] * 300, new=new, references=["A"] * 300)
    policy = Policy(max_nfr="0.05", max_accuracy_loss="0.02")
    for check in check_gate(comparison, policy).checks:
        axis = check_axis(check)
        values = (0.0, check.low, check.estimate, check.high, float(check.limit))
        assert all(0 <= axis.position(value) <= 1 for value in values)
        # The largest value keeps a distance from the frame.
        assert axis.position(max(values)) < 0.99


def test_bars_hold_every_item_that_moved() -> None:
    old = [0.5] * 10
    new = [0.5, 0.5, 0.52, 0.6, 0.6, 0.9, 0.4, 0.4, 0.4, 0.1]
    charts = score_charts(measure_changes(old=old, new=new, minimum_effect=0.05))
    items = {"worse": 0.0, "better": 0.0}
    for bar in charts.bars:
        items[bar.kind] += bar.height * charts.most
    assert items == {"worse": pytest.approx(4), "better": pytest.approx(3)}
    assert charts.band == pytest.approx(0.05 / 0.4)
    (_, first), *_, (_, last) = charts.curve
    assert first * charts.up.length == pytest.approx(0.4)
    assert last == 0


def test_answers_of_a_closed_set_turn_into_each_other() -> None:
    # Letters move by one, as a model does that counts from B.
    old = list("AAAABBBBCCCC") * 3
    new = list("BBBACCCBAAAC") * 3
    table = answer_table(compare(old=old, new=new, references=old))
    assert table.answers == ["A", "B", "C"]
    assert [change[:3] for change in table.transitions] == [
        ("A", "B", 9), ("B", "C", 9), ("C", "A", 9),
    ]  # fmt: skip
    assert sum(count for row in table.rows for count, _ in row) == 36
    assert max(depth for row in table.rows for _, depth in row) == 100


def test_open_answers_have_no_matrix() -> None:
    texts = [f"answer {i}" for i in range(40)]
    assert answer_table(compare(old=texts, new=texts[::-1], references=texts)) is None
    numbers = [1, 2] * 20
    assert answer_table(compare(old=numbers, new=numbers, references=numbers)) is None


def test_answers_that_were_not_given_are_counted_apart() -> None:
    letters = list("ABCD") * 10
    new = [None, *letters[1:]]
    table = answer_table(compare(old=letters, new=new, references=letters, missing="wrong"))
    assert table.left_out == 1
