"""A gate with many slice limits costs little more than a gate with none."""

from __future__ import annotations

import time

import numpy as np
import pytest

from muscle_metrics import Policy, check_gate, compare

pytestmark = pytest.mark.slow

ITEMS, SLICES = 100_000, 50


def cost(limits: int, groups: list[str] | None) -> float:
    """Least CPU time of three gates, each over a new comparison that has cached nothing."""
    draw = np.random.default_rng(1)
    new = np.where(draw.random(ITEMS) < 0.02, "B", "A").tolist()
    slices = [f"s{number}" for number in draw.integers(0, SLICES, ITEMS)]
    policy = Policy(max_nfr="0.05", slices={f"s{number}": "0.06" for number in range(limits)})
    seconds = []
    for _ in range(3):
        comparison = compare(
            old=["A"] * ITEMS, new=new, references=["A"] * ITEMS, slices=slices, groups=groups
        )
        start = time.process_time()
        verdict = check_gate(comparison, policy)
        seconds.append(time.process_time() - start)
        assert len(verdict.checks) == 1 + limits
    return min(seconds)


@pytest.mark.parametrize("grouped", [False, True])
def test_many_slice_limits_cost_little(grouped):
    groups = [f"g{number // 5}" for number in range(ITEMS)] if grouped else None
    none, many = cost(0, groups), cost(SLICES, groups)
    print(f"\n{none:.3f} s without slice limits, {many:.3f} s with {SLICES}: {many / none:.1f} x")
