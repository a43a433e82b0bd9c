"""Laws of the mosaic: areas are shares, and tiles fill the square."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics import FlipCounts
from muscle_metrics.reports.mosaic import mosaic_tiles

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
        assert tile.items == getattr(counts, tile.quadrant)
        assert tile.width * tile.height == pytest.approx(tile.items / counts.total, abs=1e-12)
        assert tile.left + tile.width <= 1 + 1e-12
        assert tile.top + tile.height <= 1 + 1e-12


@given(COUNTS)
def test_old_right_is_left_and_new_right_on_top(counts: FlipCounts) -> None:
    tiles = {tile.quadrant.value: tile for tile in mosaic_tiles(counts)}
    assert tiles["negative"].left == tiles["both_right"].left == 0
    assert tiles["negative"].top == pytest.approx(tiles["both_right"].height)
    assert tiles["both_wrong"].top == pytest.approx(tiles["positive"].height)
    assert tiles["positive"].left == tiles["both_wrong"].left == tiles["both_right"].width
