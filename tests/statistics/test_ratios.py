from __future__ import annotations

import numpy as np
import pytest

from muscle_metrics.statistics import ratios
from muscle_metrics.statistics.bounded import bounded_mean_interval
from muscle_metrics.statistics.proportions import proportion_interval
from muscle_metrics.statistics.ratios import Group, keeps_share, largest_share


def test_groups_of_one_size_are_values_on_a_range():
    hits = np.random.default_rng(0).integers(0, 8, 40).astype(float)
    found = largest_share(hits, np.full(40, 8.0), extra=Group(8), alpha=0.05)
    expected = bounded_mean_interval(hits / 8, low=0, high=1, side="upper").high
    assert found.hits == pytest.approx(expected, rel=1e-9)
    assert found.hits + found.misses == pytest.approx(1)


# One hit in 1e9 groups, and one miss: bounds next to an end keep their digits.
def test_shares_near_an_end_keep_their_digits():
    few, many = np.array([1.0] + [0.0] * 999), np.array([0.0] + [1.0] * 999)
    expected = proportion_interval(1, 1000, confidence=0.9, method="clopper-pearson")
    low = largest_share(few, np.ones(1000), extra=Group(1), alpha=0.05)
    assert low.hits == pytest.approx(expected.high, rel=1e-6)
    high = largest_share(many, np.ones(1000), extra=Group(1), alpha=0.95)
    assert high.misses == pytest.approx(
        1 - proportion_interval(999, 1000, confidence=0.05, side="upper",
                                method="clopper-pearson").high,
        rel=1e-6,
    )  # fmt: skip


def test_nothing_hit_and_nothing_missed_are_certain():
    sizes = np.array([2.0, 5.0])
    assert largest_share(np.zeros(2), sizes, extra=Group(0), alpha=0.05) == (0, 1)
    assert largest_share(sizes, sizes, extra=Group(5), alpha=0.05) == (1, 0)
    assert keeps_share(np.zeros(2), sizes, 0.01, extra=Group(0), alpha=0.05)
    assert not keeps_share(sizes, sizes, 0.99, extra=Group(5), alpha=0.05)


def test_averaging_in_cells_hardly_moves_a_bound(monkeypatch):
    generator = np.random.default_rng(1)
    sizes = generator.integers(1, 2000, 3000).astype(float)
    hits = np.round(sizes * generator.beta(0.5, 8, 3000))
    averaged = largest_share(hits, sizes, extra=Group(2000), alpha=0.05).hits
    monkeypatch.setattr(ratios, "_MOST_CELLS", 3000)
    exact = largest_share(hits, sizes, extra=Group(2000), alpha=0.05).hits
    rate = hits.sum() / sizes.sum()
    assert averaged != exact
    assert averaged - rate == pytest.approx(exact - rate, rel=1e-4)
