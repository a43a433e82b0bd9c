"""Messages of the intervals, tests and plans."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from muscle_metrics.statistics.accuracy_power import noninferiority_items, paired_items
from muscle_metrics.statistics.bounded import bounded_mean_interval, net_share_interval
from muscle_metrics.statistics.clusters import (
    clustered_mean_interval,
    clustered_proportion_interval,
)
from muscle_metrics.statistics.deciding import items_to_decide, required_repeats
from muscle_metrics.statistics.discrete import discrete_discoveries
from muscle_metrics.statistics.mean_loss import mean_loss
from muscle_metrics.statistics.multiplicity import holm_adjusted, shrunken_rates
from muscle_metrics.statistics.noise import estimate_noise
from muscle_metrics.statistics.pass_rates import pass_at_k
from muscle_metrics.statistics.plans import Design, planned_items
from muscle_metrics.statistics.power import gate_power, minimum_items, required_items
from muscle_metrics.statistics.proportions import proportion_interval
from muscle_metrics.statistics.resampling import bootstrap_cells, bootstrap_rows
from muscle_metrics.statistics.sequential import decide_stream, finite_rate_interval, log_e_values

if TYPE_CHECKING:
    from collections.abc import Callable

WATCHED = [
    "statistics/accuracy_power",
    "statistics/bisection",
    "statistics/bounded",
    "statistics/cluster_bounds",
    "statistics/clusters",
    "statistics/counts",
    "statistics/deciding",
    "statistics/interval",
    "statistics/mean_loss",
    "statistics/discrete",
    "statistics/multiplicity",
    "statistics/noise",
    "statistics/pass_rates",
    "statistics/paired",
    "statistics/plans",
    "statistics/power",
    "statistics/proportions",
    "statistics/resampling",
    "statistics/sequential",
]

bounded = partial(bounded_mean_interval, low=0, high=1)
clustered_rate = partial(clustered_proportion_interval, successes=[1, 0], sizes=[2, 3])
clustered_mean = partial(clustered_mean_interval, totals=[1, 0], sizes=[2, 3])
repeats = partial(
    required_repeats,
    prompts=100, repeats=4, repeat_variance=0.01, prompt_variance=0.01, margin=0.01,
)  # fmt: skip
discoveries = partial(discrete_discoveries, supports=[[0.1, 1.0]], rate=0.05)
passes = partial(pass_at_k, right=[3, 4], total=5, k=2)
noise = partial(estimate_noise, old_right=[3, 4], old_repeats=4, new_right=[4, 4], new_repeats=4)
cells = partial(bootstrap_cells, lambda table: table[..., 1], [5, 1, 1, 3], seed=0)
PLANE = [[0.1, 0.2], [0.3, 0.4]]


def undefined() -> object:
    return bootstrap_cells(lambda table: table[..., 1] / table[..., 2], [5, 1, 0, 3], seed=0)


CASES: dict[str, Callable[[], object]] = {
    "proportions: count above total": lambda: proportion_interval(3, 2),
    "proportions: no count": lambda: proportion_interval(0.5, 2),
    "bounded: empty range": lambda: bounded([0.5], low=1),
    "bounded: endless range": lambda: bounded([0.5], high=float("inf")),
    "bounded: a table": lambda: bounded(PLANE),
    "bounded: more counted than there are": lambda: net_share_interval(lost=3, gained=4, total=6),
    "bounded: outside": lambda: bounded([0.5, 1.5, -1]),
    "clusters: other lengths": lambda: clustered_rate(successes=[1, 0, 0]),
    "clusters: an empty one": lambda: clustered_rate(sizes=[2, 0]),
    "clusters: an undefined one": lambda: clustered_mean(totals=[float("nan"), 0]),
    "clusters: more successes than items": lambda: clustered_rate(successes=[1, 4]),
    "clusters: mean out of range": lambda: clustered_mean(totals=[1, -4]),
    "clusters: above the largest": lambda: clustered_rate(largest=2),
    "mean loss: no range": lambda: mean_loss([0.5], span=float("inf")),
    "mean loss: a table": lambda: mean_loss(PLANE, span=1),
    "mean loss: above the range": lambda: mean_loss([0.5, -2.0], span=1),
    "mean loss: other number of groups": lambda: mean_loss([0.5, -0.5], span=1, groups=["a"]),
    "deciding: count above total": lambda: items_to_decide(3, 2, limit=0.02),
    "deciding: limit as percentage": lambda: items_to_decide(1, 200, limit=2),
    "repeats: no prompts": lambda: repeats(prompts=0),
    "repeats: at the limit": lambda: repeats(margin=0),
    "discrete: kinds of other tests": lambda: discoveries([0.1, 1.0], [0]),
    "discrete: no support": lambda: discoveries([0.1, 1.0], [0, 1]),
    "discrete: no such p-value": lambda: discoveries([0.1, 0.2], [0, 0]),
    "multiplicity: a table of p-values": lambda: holm_adjusted(PLANE),
    "multiplicity: no p-value": lambda: holm_adjusted([0.01, 1.5]),
    "slices: other lengths": lambda: shrunken_rates([1, 2], [10, 10, 10]),
    "slices: count above total": lambda: shrunken_rates([1, 11], [10, 10]),
    "noise: shares": lambda: noise(old_right=[0.75, 1.0]),
    "noise: other lengths of repeats": lambda: noise(new_repeats=[4, 4, 4]),
    "noise: one generation": lambda: noise(old_repeats=[4, 1]),
    "noise: more right than generated": lambda: noise(new_right=[4, 5]),
    "noise: other prompts": lambda: noise(new_right=[4, 4, 4]),
    "pass rates: k of no generation": lambda: passes(k=0),
    "pass rates: shares": lambda: passes(right=[0.5]),
    "pass rates: too few generations": lambda: passes(total=[5, 1], right=[3, 1]),
    "pass rates: more right than generated": lambda: passes(right=[3, 6]),
    "noise: other number of groups": lambda: noise(groups=["a"]),
    "plans: less than one item a group": lambda: Design(group_size=0.5),
    "plans: largest group below the mean": lambda: Design(group_size=10, largest_group=5),
    "plans: correlation as percentage": lambda: Design(correlation=30),
    "plans: all missing": lambda: Design(missing_share=1),
    "plans: missing items reach the limit": lambda: planned_items(
        Design(missing_share=0.03), limit=0.05, true_rate=0.025
    ),
    "power: true rate as percentage": lambda: gate_power(items=200, limit=0.02, true_rate=1.5),
    "power: too small a limit": lambda: minimum_items(1e-320),
    "power: no items": lambda: gate_power(items=0, limit=0.02, true_rate=0.01),
    "power: unknown verdict": lambda: required_items(limit=0.02, true_rate=0.01, verdict="PASS"),
    "power: on the wrong side": lambda: required_items(limit=0.02, true_rate=0.05),
    "power: too near": lambda: required_items(limit=0.02, true_rate=0.01999),
    "accuracy: margin lost": lambda: noninferiority_items(flips=0.1, difference=-0.05, margin=0.02),
    "accuracy: no change": lambda: paired_items(flips=0.1, difference=0),
    "accuracy: fewer flips than change": lambda: paired_items(flips=0.01, difference=0.05),
    "resampling: no items": lambda: bootstrap_cells(np.sum, [0, 0], seed=0),
    "resampling: negative cell": lambda: bootstrap_cells(np.sum, [1, -1], seed=0),
    "resampling: statistic of one table": lambda: bootstrap_cells(np.sum, [1, 1], seed=0),
    "resampling: undefined": undefined,
    "resampling: one row": lambda: bootstrap_rows(np.mean, [0.1], seed=0),
    "resampling: other lengths": lambda: bootstrap_rows(np.mean, [0.1], [0.1, 0.2], seed=0),
    "resampling: one replicate": lambda: cells(replicates=1),
    "resampling: unknown method": lambda: cells(method="basic"),
    "resampling: no seed": lambda: cells(seed=None),
    "stream: more flips than items": lambda: log_e_values([1, 5], [10, 4], limit=0.02),
    "stream: a table": lambda: decide_stream([[True], [False]], limit=0.02),
    "stream: counts": lambda: decide_stream([0, 1, 2], limit=0.02),
    "stream: more than the benchmark": lambda: finite_rate_interval(3, 300, population=250),
}
