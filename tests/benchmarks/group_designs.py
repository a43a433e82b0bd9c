"""How often bounds over groups let a limit pass that is just reached, design by design.

    python -m tests.benchmarks.group_designs                     # about an hour on one quiet core
    python -m tests.benchmarks.group_designs --runs 200 --every 8

Each of the 258 designs draws groups of some sizes with flips that depend on each other in some way.
At a true rate equal to the limit a PASS is false; at half the limit its share is the power. The
worst-case attack has equal groups, flips spread evenly, and rare groups that break as a whole.
Beside the bound of the gate stands a t interval on the logit scale by the jackknife variance (CR3).
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import betaincinv, expit, logit, stdtrit
from scipy.stats import norm

from muscle_metrics.statistics.clusters import allowed_clusters, clusters_keep_limit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Counts = NDArray[np.int64]
    Floats = NDArray[np.float64]

ALPHA = 0.05
PLACES = [(0.02, 200), (0.05, 100), (0.05, 200), (0.1, 50), (0.1, 200), (0.3, 10)]
ATTACKED = [(0.05, 60), (0.05, 120), (0.1, 100), (0.1, 150), (0.05, 200), (0.05, 300)]
EQUAL, UNEQUAL = ("equal 10", "equal 50"), ("1 to 40", "lognormal", "Zipf")
CORRELATIONS = (0.0, 0.1, 0.3, 0.6)
# Share of the limit that is spread evenly, and share of a rare group that breaks.
RARE = {"rare whole": (0.2, 1.0), "rare half": (0.3, 0.5)}


class Design(NamedTuple):
    """One way to draw groups; `law` is a correlation or the share that is spread evenly."""

    column: str
    limit: float
    groups: int
    sizes: str
    law: float
    broken: float = 0.0
    tied: bool = False


def designs() -> Iterator[Design]:
    """Yield the 258 designs."""
    for limit, groups in PLACES:
        for kind, all_sizes in (("equal", EQUAL), ("unequal", UNEQUAL)):
            for sizes in all_sizes:
                for law in CORRELATIONS:
                    yield Design(f"{kind}, ICC", limit, groups, sizes, law)
                for law, broken in RARE.values():
                    yield Design(f"{kind}, rare break", limit, groups, sizes, law, broken)
        for sizes in UNEQUAL:
            for law in CORRELATIONS:
                yield Design("size-tied, ICC", limit, groups, sizes, law, tied=True)
        yield Design("size-tied, ICC", limit, groups, "5 or 40", 0.1, tied=True)


def attacks() -> Iterator[Design]:
    """Yield the designs of the worst-case attack."""
    for (limit, groups), law in ((place, law) for place in ATTACKED for law in (0.5, 0.65, 0.8)):
        yield Design("attack", limit, groups, "equal 50", law, 1.0)


def draw_sizes(rng: np.random.Generator, kind: str, count: int) -> Counts:
    """Draw the sizes of groups."""
    if kind.startswith("equal"):
        return np.full(count, int(kind.split()[1]))
    if kind == "1 to 40":
        return rng.integers(1, 41, count)
    if kind == "5 or 40":
        return np.where(rng.random(count) < 0.1, 40, 5)
    if kind == "lognormal":
        return np.clip(np.round(np.exp(rng.normal(1.5, 1, count))), 1, 200).astype(np.int64)
    chances = np.arange(1, 201) ** -2.0
    return rng.choice(np.arange(1, 201), count, p=chances / chances.sum())


def tie_rates(kind: str, sizes: Counts, rate: float) -> Floats:
    """Rates of groups that rise with the root of their sizes; four to one for two sizes."""
    many = draw_sizes(np.random.default_rng(0), kind, 400_000)
    if kind == "5 or 40":
        prone, all_prone = np.where(sizes == 40, 4.0, 1.0), np.where(many == 40, 4.0, 1.0)
    else:
        prone, all_prone = np.sqrt(sizes), np.sqrt(many)
    return np.minimum(rate * prone * many.sum() / (all_prone @ many), 1.0)


def draw(rng: np.random.Generator, design: Design, rate: float) -> tuple[Counts, Counts]:
    """Draw broken items and sizes of groups at a true rate."""
    sizes = draw_sizes(rng, design.sizes, design.groups)
    if design.broken:
        spread = design.law * rate
        rare = rng.random(sizes.size) < (rate - spread) / (design.broken - spread)
        return rng.binomial(sizes, np.where(rare, design.broken, spread)), sizes
    rates = np.full(sizes.size, rate)
    if design.tied:
        rates = tie_rates(design.sizes, sizes, rate)
    if design.law:
        scale = 1 / design.law - 1
        rates = rng.beta(rates * scale, np.maximum((1 - rates) * scale, 1e-12))
    return rng.binomial(sizes, rates), sizes


def jackknife_bound(hits: Counts, sizes: Counts) -> float:
    """Upper bound on the logit scale and by effective size, by CR3 with few degrees of freedom."""
    groups, total, flipped = sizes.size, sizes.sum(), np.count_nonzero(hits)
    by_group = betaincinv(flipped + 1, max(groups - flipped, 1e-9), 1 - ALPHA)
    rate = hits.sum() / total
    if rate in (0, 1):
        return float(by_group)
    residuals = hits - rate * sizes
    variance = (groups - 1) / groups * ((residuals / (1 - sizes / total)) ** 2).sum() / total**2
    squares = residuals**2
    if not squares.any():
        return float(by_group)
    kurtosis = groups * (squares**2).sum() / squares.sum() ** 2
    mass = sizes.astype(float) ** 2
    effective = groups / (1 + mass.var() / mass.mean() ** 2)
    freedom = min(
        groups - 1, 2 / (2 / (groups - 1) + (kurtosis - 3) / groups), max(effective - 1, 0.5)
    )
    reach = -stdtrit(freedom, ALPHA)
    worth = total / max(1.0, variance * total / (rate * (1 - rate)))
    worth *= (norm.isf(ALPHA) / reach) ** 2
    on_logit = expit(logit(rate) + reach * np.sqrt(variance) / (rate * (1 - rate)))
    bounds = [betaincinv(rate * worth + 1, (1 - rate) * worth, 1 - ALPHA), on_logit]
    return float(max([*bounds, by_group] if flipped < 5 else bounds))


class Shares(NamedTuple):
    """Shares of runs that pass, at the limit and at half of it, by the gate and by CR3."""

    allowed: float
    at_limit: float
    at_half: float
    peer_at_limit: float
    peer_at_half: float


def measure(task: tuple[int, Design, int]) -> Shares:
    """Measure one design; the number of the design is its seed."""
    number, design, runs = task
    allowed, passed, peers = [], [], []
    for half, count in enumerate((runs, max(runs // 5, 100))):
        rng = np.random.default_rng([number, half])
        gate = peer = 0
        for _ in range(count):
            hits, sizes = draw(rng, design, design.limit / (1 + half))
            gate += clusters_keep_limit(design.limit, successes=hits, sizes=sizes)
            peer += jackknife_bound(hits, sizes) <= design.limit
            allowed.append(allowed_clusters(design.limit, sizes=sizes))
        passed.append(gate / count)
        peers.append(peer / count)
    return Shares(float(np.median(allowed)), *passed, *peers)


def measure_all(
    chosen: list[tuple[int, Design]], runs: int, workers: int = 1
) -> list[tuple[Design, Shares]]:
    """Measure designs, in processes of their own if there are several workers."""
    tasks = [(number, design, runs) for number, design in chosen]
    if workers == 1:
        shares = list(map(measure, tasks))
    else:
        with ProcessPoolExecutor(workers) as pool:
            shares = list(pool.map(measure, tasks))
    return [(design, found) for (_, design), found in zip(chosen, shares, strict=True)]


def print_table(results: list[tuple[Design, Shares]]) -> None:
    """Print one row for each kind of design, settled by the finite-sample bound or not."""
    rows = defaultdict(list)
    for design, found in results:
        rows[design.column, "R >= 10" if found.allowed >= 10 else "R < 10"].append(found)
    print("mean / max false PASS %; power %                    gate                    CR3")
    for (column, settled), found in sorted(rows.items()):
        _, limit, half, peer_limit, peer_half = 100 * np.array(found).T
        print(
            f"{column:20} {settled:8} {len(found):3} designs   "
            f"{limit.mean():5.1f} / {limit.max():4.1f}; {half.mean():5.1f}   "
            f"{peer_limit.mean():5.1f} / {peer_limit.max():4.1f}; {peer_half.mean():5.1f}"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2000, help="runs of each design at the limit")
    parser.add_argument("--every", type=int, default=1, help="take each n-th design only")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    options = parser.parse_args()
    chosen = list(enumerate([*designs(), *attacks()]))[:: options.every]
    print_table(measure_all(chosen, options.runs, options.workers))


if __name__ == "__main__":
    main()
