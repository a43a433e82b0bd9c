"""How often single bounds let a limit pass that is just reached, in the worst cases known.

    python -m tests.benchmarks.worst_cases                       # about two minutes on one core

The rows of docs/gate-error-rates.md; groups in many more ways are in group_designs.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from muscle_metrics.statistics.clusters import clustered_mean_interval, clusters_keep_limit
from muscle_metrics.statistics.weighted import weighted_proportion_interval
from tests.benchmarks.group_designs import Design, draw

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS = 1000


def rare_groups(rng: np.random.Generator, groups: int, share: float, *, strict: bool) -> bool:
    """Groups of 50, a limit of 5 %: a share of it spread evenly, the rest in groups that break."""
    (hits,), (sizes,) = draw(rng, Design("", 0.05, groups, "equal 50", share, 1.0), 0.05, 1)
    return clusters_keep_limit(0.05, successes=hits, sizes=sizes, strict=strict)


def accuracy_of_collapsed_groups(rng: np.random.Generator) -> bool:
    """20 groups of 50; a tenth of them loses everything."""
    losses = 50.0 * (rng.random(20) < 0.1)
    bounds = clustered_mean_interval(totals=losses, sizes=np.full(20, 50), side="upper")
    return bounds.high <= 0.1


def accuracy_of_zipf_groups(rng: np.random.Generator) -> bool:
    """100 groups of Zipf's sizes, a loss of 10 % with a correlation of .3."""
    (losses,), (sizes,) = draw(rng, Design("", 0.1, 100, "Zipf", 0.3), 0.1, 1)
    return clustered_mean_interval(totals=losses, sizes=sizes, side="upper").high <= 0.1


def rare_weights(rng: np.random.Generator) -> bool:
    """1000 items, of which 1 % weigh 50 and the others 1; a tenth of the weight breaks."""
    weights = np.where(rng.random(1000) < 0.01, 50.0, 1.0)
    broken = weights * (rng.random(1000) < 0.1)
    bounds = weighted_proportion_interval(
        successes=broken, weights=weights, largest=50, side="upper"
    )
    return bounds.high <= 0.1


CASES: dict[str, Callable[[np.random.Generator], bool]] = {
    "60 groups of 50, half of the limit in groups that break whole (R = 3)": lambda rng: (
        rare_groups(rng, 60, 0.5, strict=False)
    ),
    "the same with --strict-groups": lambda rng: rare_groups(rng, 60, 0.5, strict=True),
    "120 groups of 50, a fifth of the limit in groups that break whole (R = 6)": lambda rng: (
        rare_groups(rng, 120, 0.8, strict=False)
    ),
    "200 groups of 50, half of the limit in groups that break whole (R = 10)": lambda rng: (
        rare_groups(rng, 200, 0.5, strict=False)
    ),
    "accuracy loss, 20 groups of 50 of which a tenth collapses": accuracy_of_collapsed_groups,
    "accuracy loss, 100 groups of Zipf's sizes": accuracy_of_zipf_groups,
    "weights: 1 % of 1000 items weigh 50": rare_weights,
}


def false_passes(case: str, runs: int = RUNS) -> float:
    """Share of seeded runs that pass."""
    return float(np.mean([CASES[case](np.random.default_rng(seed)) for seed in range(runs)]))


if __name__ == "__main__":
    for name in CASES:
        print(f"| {name} | {false_passes(name):.1%} |", flush=True)
