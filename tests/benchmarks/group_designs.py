"""How often bounds over groups let a limit pass that is just reached, design by design.

    python -m tests.benchmarks.group_designs --results designs.jsonl
    python -m tests.benchmarks.group_designs --runs 200 --every 8

The first takes about 7 minutes on one quiet core; a run that is cut goes on from its file.

Each of the 258 designs draws groups of some sizes with flips that depend on each other in some way.
At a true rate equal to the limit a PASS is false; at half the limit its share is the power. The
worst-case attack has equal groups, flips spread evenly, and rare groups that break as a whole.
Beside the bound of the gate stand two t intervals on the logit scale: by the jackknife variance
(CR3), and the bound that the gate had before.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import betaincinv, expit, logit, stdtrit
from scipy.stats import norm

from muscle_metrics.statistics.clusters import clusters_keep_limit

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


def draw_sizes(rng: np.random.Generator, kind: str, count: int | tuple[int, int]) -> Counts:
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


def proneness(kind: str, sizes: Counts) -> Floats:
    """How prone groups are to break: the root of their sizes, or four to one for two sizes."""
    return np.where(sizes == 40, 4.0, 1.0) if kind == "5 or 40" else np.sqrt(sizes)


@cache
def mean_proneness(kind: str) -> float:
    """Proneness of the average item."""
    many = draw_sizes(np.random.default_rng(0), kind, 400_000)
    return float(proneness(kind, many) @ many / many.sum())


def draw(rng: np.random.Generator, design: Design, rate: float, runs: int) -> tuple[Counts, Counts]:
    """Draw broken items and sizes of groups at a true rate, each of shape (runs, groups)."""
    sizes = draw_sizes(rng, design.sizes, (runs, design.groups))
    if design.broken:
        spread = design.law * rate
        rare = rng.random(sizes.shape) < (rate - spread) / (design.broken - spread)
        return rng.binomial(sizes, np.where(rare, design.broken, spread)), sizes
    rates = np.full(sizes.shape, rate)
    if design.tied:
        rates = rate * proneness(design.sizes, sizes) / mean_proneness(design.sizes)
        rates = np.minimum(rates, 1.0)
    if design.law:
        scale = 1 / design.law - 1
        rates = rng.beta(rates * scale, np.maximum((1 - rates) * scale, 1e-12))
    return rng.binomial(sizes, rates), sizes


def t_bound(hits: Counts, sizes: Counts, *, jackknife: bool) -> Floats:
    """Upper bounds of each run on the logit scale and by effective size, by a t interval.

    The variance is CR1 with degrees of freedom from the kurtosis of the residuals: the former
    bound of the gate. `jackknife` takes CR3 and at most the degrees of freedom of unequal sizes.
    """
    groups, total = sizes.shape[1], sizes.sum(axis=1)
    rate, flipped = hits.sum(axis=1) / total, np.count_nonzero(hits, axis=1)
    by_group = betaincinv(flipped + 1, np.maximum(groups - flipped, 1e-9), 1 - ALPHA)
    residuals = hits - rate[:, None] * sizes
    squares = residuals**2
    with np.errstate(divide="ignore", invalid="ignore"):
        kurtosis = groups * (squares**2).sum(axis=1) / squares.sum(axis=1) ** 2
        freedom = np.minimum(groups - 1, 2 / (2 / (groups - 1) + (kurtosis - 3) / groups))
        freedom = np.where(squares.any(axis=1), freedom, groups - 1)
        factor = groups / (groups - 1)
        if jackknife:
            factor = (groups - 1) / groups
            squares = (residuals / (1 - sizes / total[:, None])) ** 2
            mass = sizes.astype(float) ** 2
            effective = groups / (1 + mass.var(axis=1) / mass.mean(axis=1) ** 2)
            freedom = np.minimum(freedom, np.maximum(effective - 1, 0.5))
        variance = factor * squares.sum(axis=1) / total**2
        reach = -stdtrit(freedom, ALPHA)
        worth = total / np.maximum(1.0, variance * total / (rate * (1 - rate)))
        worth *= (norm.isf(ALPHA) / reach) ** 2
        on_logit = expit(logit(rate) + reach * np.sqrt(variance) / (rate * (1 - rate)))
        bounds = np.maximum(on_logit, betaincinv(rate * worth + 1, (1 - rate) * worth, 1 - ALPHA))
    bounds = np.where(flipped < 5, np.maximum(bounds, by_group), bounds)
    return np.where((rate == 0) | (rate == 1), by_group, bounds)


class Shares(NamedTuple):
    """R, and shares of runs that pass at the limit and at half of it, by each bound."""

    allowed: float
    at_limit: float
    at_half: float
    peer_at_limit: float
    peer_at_half: float
    former_at_limit: float
    former_at_half: float


def measure(number: int, design: Design, runs: int) -> Shares:
    """Measure one design; the number of the design is its seed."""
    allowed, passed = [], []
    for half, count in enumerate((runs, max(runs // 5, 100))):
        rng = np.random.default_rng([number, half])
        hits, sizes = draw(rng, design, design.limit / (1 + half), count)
        kept = [
            clusters_keep_limit(design.limit, successes=broken, sizes=items)
            for broken, items in zip(hits, sizes, strict=True)
        ]
        bounds = [t_bound(hits, sizes, jackknife=jackknife) for jackknife in (True, False)]
        passed.append([np.mean(kept), *(np.mean(bound <= design.limit) for bound in bounds)])
        allowed.extend(design.limit * sizes.sum(axis=1) / sizes.max(axis=1))
    at_limit, at_half = np.array(passed).tolist()
    pairs = zip(at_limit, at_half, strict=True)
    return Shares(float(np.median(allowed)), *(share for pair in pairs for share in pair))


def recorded(path: Path | None) -> dict[tuple[int, int], Shares]:
    """Shares of an earlier run, by number of the design and runs."""
    if path is None or not path.exists():
        return {}
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {(row.pop("number"), row.pop("runs")): Shares(**row) for row in rows}


def measure_all(
    chosen: list[tuple[int, Design]], runs: int, path: Path | None = None
) -> list[tuple[Design, Shares]]:
    """Measure designs that a file does not hold yet, and add them to it, one line each."""
    known, results = recorded(path), []
    for number, design in chosen:
        found = known.get((number, runs))
        if found is None:
            found = measure(number, design, runs)
            print(f"{number:3} {describe(design)}: {found.at_limit:.2%}", flush=True)
            if path is not None:
                with path.open("a", encoding="utf-8") as file:
                    row = {"number": number, "runs": runs, **found._asdict()}
                    file.write(json.dumps(row) + "\n")
        results.append((design, found))
    return results


def describe(design: Design) -> str:
    """Name one design in a line."""
    return (
        f"{design.column}, limit {design.limit:.0%}, {design.groups} groups, {design.sizes}, "
        f"{design.law:g}"
    )


def print_table(results: list[tuple[Design, Shares]]) -> None:
    """Print one row for each kind of design, settled by the finite-sample bound or not."""
    rows = defaultdict(list)
    for design, found in results:
        rows[design.column, "R >= 10" if found.allowed >= 10 else "R < 10"].append(found)
    print("mean / max false PASS %; power %                gate               CR3          former")
    for (column, settled), found in sorted(rows.items()):
        print(f"{column:20} {settled:8} {len(found):3} designs", end="")
        for limit, half in 100 * np.array(found).T[1:].reshape(3, 2, -1):
            print(f"   {limit.mean():4.1f} / {limit.max():4.1f}; {half.mean():5.1f}", end="")
        print()


def broken_promises(results: list[tuple[Design, Shares]], runs: int) -> list[str]:
    """Name designs that pass too often where the finite-sample bound decides."""
    allowance = 0.055 + 2 * (0.05 * 0.95 / runs) ** 0.5
    return [
        f"{describe(design)}: a false PASS in {found.at_limit:.1%}"
        for design, found in results
        if found.allowed >= 10 and found.at_limit > allowance
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2000, help="runs of each design at the limit")
    parser.add_argument("--every", type=int, default=1, help="take each n-th design only")
    parser.add_argument("--results", type=Path, help="file to go on from and to add designs to")
    options = parser.parse_args()
    chosen = list(enumerate([*designs(), *attacks()]))[:: options.every]
    results = measure_all(chosen, options.runs, options.results)
    print_table(results)
    sys.exit("\n".join(broken_promises(results, options.runs)))


if __name__ == "__main__":
    main()
