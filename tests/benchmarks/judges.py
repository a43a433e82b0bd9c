"""Judges that err, corrected by 400 labels: coverage, widths, false PASS and the test of a bias.

    python -m tests.benchmarks.judges --runs 1000 --results judges.jsonl
    python -m tests.benchmarks.judges --runs 50 --judge lenient

The first takes about 25 minutes on one quiet core. Each run draws 4000 items: 6 % broke, 5 % got
fixed, so the truth is -1 point, and of 44 % more the answers differ with equal correctness. A
judge says of each answer whether it is right, and people label 380 items that differ. The sheet is
drawn without the judge, or by it as `label --judge` draws. Beside the corrected intervals stand
those of the same labels alone.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from muscle_metrics.statistics.assisted import AssistedMean, Cell
from muscle_metrics.statistics.judge_bias import leniency_test
from muscle_metrics.statistics.strata import Stratum, allocate_labels, stratified_mean_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from muscle_metrics.statistics.interval import Interval

    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.int64]

ITEMS, LABELS = 4000, 380
BROKEN, FIXED, BOTH_RIGHT, BOTH_WRONG, EQUAL = range(5)
NFR, PFR = 0.06, 0.05
SHARES = (NFR, PFR, 0.264, 0.176, 0.45)
TRUTH = {"NFR": NFR, "loss": NFR - PFR}
# Shares of right and of wrong answers that a judge calls right, of the old and of the new model.
JUDGES = {
    "perfect": ((1.0, 0.0), (1.0, 0.0)),
    "accurate": ((0.95, 0.05), (0.95, 0.05)),
    "noisy": ((0.85, 0.15), (0.85, 0.15)),
    "lenient": ((0.9, 0.1), (0.95, 0.33)),
    "useless": ((0.5, 0.5), (0.5, 0.5)),
    "of one word": ((1.0, 1.0), (1.0, 1.0)),
    "inverted": ((0.2, 0.8), (0.2, 0.8)),
}
SHEETS = ("drawn without it", "drawn by it")


class Sample(NamedTuple):
    """Items that differ: what happened to each, the verdicts on both answers, and all others."""

    kinds: Numbers
    right: Flags
    judged: Flags
    equal: int


def sample(random: np.random.Generator, judge: str, items: int = ITEMS) -> Sample:
    kinds = random.choice(5, size=items, p=SHARES)
    differs = kinds[kinds != EQUAL]
    right = np.stack(
        [np.isin(differs, (BROKEN, BOTH_RIGHT)), np.isin(differs, (FIXED, BOTH_RIGHT))], axis=1
    )
    of_right, of_wrong = np.array(JUDGES[judge]).T
    judged = random.random(right.shape) < np.where(right, of_right, of_wrong)
    return Sample(differs, right, judged, items - len(differs))


def draw(
    random: np.random.Generator, strata: Numbers, labels: int = LABELS
) -> Sequence[NDArray[np.intp]]:
    """Draw items of each stratum, as `plan_labels` does for a new sheet."""
    levels = range(int(strata.max()) + 1)
    sizes = [int((strata == level).sum()) for level in levels]
    spreads = [1 + level / max(len(sizes) - 1, 1) for level in levels]
    drawn = allocate_labels(sizes, spreads, labels, least=5)
    return [
        random.choice((strata == level).nonzero()[0], number, replace=False)
        for level, number in zip(levels, drawn, strict=True)
    ]


def outcomes(kinds: Numbers, rate: str) -> tuple[int, int, int]:
    lost, gained = int((kinds == BROKEN).sum()), int((kinds == FIXED).sum()) * (rate == "loss")
    return lost, gained, len(kinds) - lost - gained


def intervals(
    one: Sample, strata: Numbers, drawn: Sequence[NDArray[np.intp]], rate: str
) -> dict[str, tuple[Interval, float]]:
    """Two-sided interval of 95 % and one-sided upper bound, by labels alone and corrected."""
    low = -1.0 if rate == "loss" else 0.0
    known = Stratum(one.equal, kept=one.equal)
    counted = [
        Stratum(int((strata == level).sum()), *outcomes(one.kinds[picked], rate))
        for level, picked in enumerate(drawn)
    ]
    verdicts = 2 * one.judged[:, 0] + one.judged[:, 1]
    cells = tuple(
        Cell(level, size, *outcomes(one.kinds[picked[verdicts[picked] == cell]], rate))
        for level, picked in enumerate(drawn)
        for cell in range(4)
        if (size := int(((strata == level) & (verdicts == cell)).sum()))
    )
    mean = AssistedMean(cells, kept=one.equal, low=low)
    alone = [
        stratified_mean_interval([known, *counted], low=low, side=side)
        for side in ("two-sided", "upper")
    ]
    return {
        "alone": (alone[0], alone[1].high),
        "corrected": (mean.interval(), mean.interval(side="upper").high),
    }


def simulate(random: np.random.Generator, judge: str) -> dict[str, object]:
    """One run: for each sheet and rate both intervals, and the p value of the bias."""
    one = sample(random, judge)
    votes = np.sign(one.judged[:, 0].astype(int) - one.judged[:, 1])
    by_judge = np.unique(votes, return_inverse=True)[1].reshape(-1)
    found: dict[str, object] = {}
    for sheet, strata in zip(SHEETS, (np.zeros_like(by_judge), by_judge), strict=True):
        drawn = draw(random, strata)
        for rate in TRUTH:
            for method, (interval, upper) in intervals(one, strata, drawn, rate).items():
                found[f"{sheet}, {rate}, {method}"] = [*interval, upper]
        labelled = np.concatenate(drawn)
        weights = [(strata == strata[k]).sum() / len(drawn[strata[k]]) for k in labelled]
        bias = leniency_test(one.right[labelled], one.judged[labelled], weights)
        found[f"{sheet}, bias"] = [bias.difference, bias.p_value]
    return found


def summary(rows: Sequence[dict[str, list[float]]], judge: str) -> list[str]:
    """Lines of one judge: coverage, false PASS at the truth, and width over labels alone."""
    lines = []
    for sheet in SHEETS:
        for rate, truth in TRUTH.items():
            widths, cover, passed = {}, {}, {}
            for method in ("alone", "corrected"):
                low, high, upper = np.array([row[f"{sheet}, {rate}, {method}"] for row in rows]).T
                widths[method] = high - low
                cover[method] = float(((low <= truth) & (truth <= high)).mean())
                passed[method] = float((upper <= truth).mean())
            base = np.array([row[f"{SHEETS[0]}, {rate}, alone"] for row in rows])
            plain = float((base[:, 1] - base[:, 0]).mean())
            each = widths["corrected"] / widths["alone"]
            lines.append(
                f"{judge:<12} {sheet:<17} {rate:<5} covers {cover['alone']:.1%} -> "
                f"{cover['corrected']:.1%}, false PASS {passed['alone']:.1%} -> "
                f"{passed['corrected']:.1%}, width of the same labels alone x {each.mean():.3f} "
                f"(at most {each.max():.3f}), of a sheet without judge x "
                f"{widths['corrected'].mean() / plain:.3f}"
            )
        bias = np.array([row[f"{sheet}, bias"] for row in rows])
        named = bias[:, 1] < 0.05
        lenient, strict = (named & (bias[:, 0] > 0)).mean(), (named & (bias[:, 0] < 0)).mean()
        lines.append(f"{judge:<12} {sheet:<17} lenient on NEW {lenient:.1%}, strict {strict:.1%}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--judge", action="append", choices=JUDGES)
    parser.add_argument("--results", type=Path, help="file of results, to go on from")
    options = parser.parse_args()
    kept: dict[str, list[dict[str, list[float]]]] = defaultdict(list)
    if options.results and options.results.exists():
        for line in options.results.read_text(encoding="utf-8").splitlines():
            judge, row = json.loads(line)
            kept[judge].append(row)
    for judge in options.judge or JUDGES:
        while len(kept[judge]) < options.runs:
            number = len(kept[judge])
            row = simulate(np.random.default_rng([number, [*JUDGES].index(judge)]), judge)
            kept[judge].append(json.loads(json.dumps(row)))
            if options.results:
                with options.results.open("a", encoding="utf-8") as file:
                    file.write(json.dumps([judge, row]) + "\n")
        print("\n".join(summary(kept[judge][: options.runs], judge)), flush=True)


if __name__ == "__main__":
    main()
