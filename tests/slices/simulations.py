"""Simulated flips over fixed descriptions of items; the figures are in docs/how-to/what-broke.md.

python tests/slices/simulations.py
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np

from muscle_metrics.slices.conditions import conditions_of
from muscle_metrics.slices.facets import Facet
from muscle_metrics.slices.find import ERROR_RATE, Outcomes, search_and_test
from muscle_metrics.statistics.multiplicity import benjamini_hochberg_adjusted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muscle_metrics.slices.conditions import Conditions

    Numbers = NDArray[np.intp]
    Flags = NDArray[np.bool_]

RATE = 0.08
# Runs that show the error of a test which takes items of clusters as independent.
_NAIVE = 100
# Clusters by number and size, and how they break.
DESIGNS = {
    "600 passages of 20, correlated": (600, 20, "correlated"),
    "600 passages of 20, some break whole": (600, 20, "whole"),
    "60 passages of 50, correlated": (60, 50, "correlated"),
    "60 passages of 50, some break whole": (60, 50, "whole"),
    "2400 prompts of 5 generations, correlated": (2400, 5, "correlated"),
    "2400 prompts of 5 generations, some break whole": (2400, 5, "whole"),
}


def described(rng: np.random.Generator, clusters: Numbers) -> Conditions:
    """Fields that clusters share, fields of single items, and forms of answers."""
    number, total = int(clusters.max()) + 1, len(clusters)

    def labels(values: int, shape: int) -> list[str]:
        shares = rng.dirichlet(np.ones(values))
        return rng.choice(values, shape, p=shares).astype(str).tolist()

    shared = [labels(values, number) for values in (3, 6, 12, 30)]
    facets = [
        *(Facet(f"s{k}", [column[c] for c in clusters]) for k, column in enumerate(shared)),
        Facet("length", rng.lognormal(5, 1, number)[clusters]),
        *(Facet(f"i{k}", labels(values, total)) for k, values in enumerate((2, 5, 15))),
        *(Facet(f"a{k}", labels(values, total), True) for k, values in enumerate((2, 4, 8))),
        Facet("answer", rng.lognormal(3, 1, total), True),
    ]
    return conditions_of(facets, total)


def broken(rng: np.random.Generator, clusters: Numbers, how: str) -> Flags:
    """Items that break at one rate, whatever describes them."""
    number, total = int(clusters.max()) + 1, len(clusters)
    if how == "alone":
        return rng.random(total) < RATE
    if how == "correlated":
        # Beta-binomial, with an intraclass correlation of .3.
        rates = rng.beta(RATE * (1 / 0.3 - 1), (1 - RATE) * (1 / 0.3 - 1), number)
        return rng.random(total) < rates[clusters]
    whole = rng.random(number) < 0.8 * RATE
    return whole[clusters] | (rng.random(total) < 0.2 * RATE)


def any_found(conditions: Conditions, outcomes: Outcomes) -> bool:
    """Whether any slice would be listed."""
    tested = search_and_test(conditions, outcomes)
    adjusted = benjamini_hochberg_adjusted([one.p_value for one in tested])
    return bool((adjusted <= ERROR_RATE).any())


def false_shares(
    number: int, size: int, how: str, *, runs: int, seed: int = 0
) -> tuple[float, float]:
    """Share of runs without any bad slice that list one: by clusters, and as if independent."""
    rng = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(number), size)
    conditions = described(rng, clusters)
    found = np.zeros(2)
    naive = min(runs, _NAIVE)
    for run in range(runs):
        if run % 50 == 49:
            conditions = described(rng, clusters)
        broke = broken(rng, clusters, how)
        for place, units in enumerate((clusters, None)):
            if place and (size == 1 or run >= naive):
                continue
            units = None if size == 1 else units
            found[place] += any_found(conditions, Outcomes.of(broke, units, run))
    return float(found[0] / runs), float(found[1] / naive)


def main(runs: int) -> None:
    """Print the shares of all designs."""
    designs = {"12000 items": (12000, 1, "alone"), **DESIGNS}
    for name, design in designs.items():
        by_clusters, naive = false_shares(*design, runs=runs)
        sys.stdout.write(f"{name}: {by_clusters:.3f} (as if independent {naive:.3f})\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
