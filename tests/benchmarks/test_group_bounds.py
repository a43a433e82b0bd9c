"""How often a bound over groups lets a limit pass that is just reached, by kind of groups.

``python -m pytest tests/benchmarks/test_group_bounds.py -s`` prints the shares; two minutes.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest

from muscle_metrics.statistics.clusters import clustered_proportion_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Sizes = NDArray[np.int64]

RUNS = 10_000
CORRELATIONS = (0.1, 0.3)
# A simulation of so many runs is off by this much once in a thousand times.
ALLOWANCE = 0.007


def flips(rng: np.random.Generator, sizes: Sizes, rates: object, correlation: float) -> Sizes:
    """Flips of groups whose own rates vary so that items of one are this much alike."""
    spread = 1 / correlation - 1
    mean = np.asarray(rates)
    return rng.binomial(sizes, rng.beta(mean * spread, (1 - mean) * spread, sizes.size))


def share_passed(limit: float, draw: object) -> float:
    """Share of runs whose upper bound is below the true rate."""
    rng = np.random.default_rng(1)
    passed = 0
    for _ in range(RUNS):
        hits, sizes = draw(rng)  # type: ignore[operator]
        found = clustered_proportion_interval(successes=hits, sizes=sizes, side="upper")
        passed += found.interval.high < limit
    return passed / RUNS


@pytest.mark.parametrize("limit", [0.02, 0.05, 0.1, 0.3])
def test_groups_of_one_size(limit):
    shares = {}
    for (groups, size), correlation in product(
        [(30, 10), (100, 10), (200, 10), (300, 5)], CORRELATIONS
    ):
        sizes = np.full(groups, size)

        def draw(rng, sizes=sizes, correlation=correlation):
            return flips(rng, sizes, np.full(sizes.size, limit), correlation), sizes

        shares[groups, size, correlation] = share_passed(limit, draw)
    print(f"\n{limit:.0%}, groups of one size: at most {max(shares.values()):.1%} of {shares}")
    assert max(shares.values()) <= 0.05 + ALLOWANCE


@pytest.mark.parametrize("limit", [0.02, 0.05, 0.1])
@pytest.mark.parametrize("kind", ["1 to 40", "lognormal", "long ones break more"])
def test_groups_of_unequal_sizes(kind, limit):
    def draw_sizes(rng, groups):
        if kind == "1 to 40":
            return rng.integers(1, 41, groups)
        if kind == "lognormal":
            return np.maximum(1, np.round(np.exp(rng.normal(1.5, 1, groups)))).astype(int)
        return np.where(rng.random(groups) < 0.1, 40, 5)

    shares = {}
    for groups, correlation in product([30, 50, 100, 200], CORRELATIONS):

        def draw(rng, groups=groups, correlation=correlation):
            sizes = draw_sizes(rng, groups)
            rates = np.full(groups, limit)
            if kind == "long ones break more":
                # A tenth of the groups, 40 items in place of 5, holds 4 in 8.5 of all items.
                rates = limit * 8.5 / 20.5 * np.where(sizes == 40, 4, 1)
            return flips(rng, sizes, rates, correlation), sizes

        shares[groups, correlation] = share_passed(limit, draw)
    print(f"\n{limit:.0%}, {kind}: at most {max(shares.values()):.1%} of {shares}")
    assert max(shares.values()) <= 0.13 + ALLOWANCE
