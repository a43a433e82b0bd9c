"""Counting is as fast as the numpy expression that one would write by hand."""

from __future__ import annotations

from timeit import timeit

import numpy as np
import pytest

from muscle_metrics.flips.counting import count_flips
from muscle_metrics.flips.counts import FlipCounts

ITEMS = 10_000_000
LABELS = 10


@pytest.fixture(scope="module")
def columns() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(1)
    return {
        name: generator.integers(0, LABELS, ITEMS, dtype=np.int8)
        for name in ("old", "new", "references")
    }


def count_by_hand(old: np.ndarray, new: np.ndarray, references: np.ndarray) -> FlipCounts:
    old_right, new_right, changed = old == references, new == references, old != new
    both_right, both_wrong = old_right & new_right, ~old_right & ~new_right
    return FlipCounts(
        both_right=np.count_nonzero(both_right),
        negative=np.count_nonzero(old_right & ~new_right),
        positive=np.count_nonzero(~old_right & new_right),
        both_wrong=np.count_nonzero(both_wrong),
        both_right_changed=np.count_nonzero(both_right & changed),
        wrong_changed=np.count_nonzero(both_wrong & changed),
    )


BOTH = [count_by_hand, count_flips]


def test_counting_takes_at_most_twice_as_long_as_by_hand(columns):
    assert count_flips(**columns) == count_by_hand(**columns)
    # A ratio, in turns, and the best of five: seconds would measure the machine's other work.
    rounds = [
        [timeit(lambda count=count: count(**columns), number=1) for count in BOTH] for _ in range(5)
    ]
    by_hand, counted = map(min, zip(*rounds, strict=True))
    assert counted <= 2 * by_hand


@pytest.mark.parametrize("count", BOTH, ids=lambda f: f.__name__)
def test_counting_ten_million_labels(benchmark, columns, count):
    counts = benchmark(count, **columns)
    assert counts.total == ITEMS
