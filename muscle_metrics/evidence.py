"""What the items say about a criterion: an estimate, and a bound at any level.

Independent items, items in groups (several per passage) and repeats (several generations per
prompt) are told apart by the comparison, and never pooled as if all rows were independent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from muscle_metrics.statistics.bounded import bounded_mean_interval
from muscle_metrics.statistics.clusters import (
    clustered_mean_interval,
    clustered_proportion_interval,
)
from muscle_metrics.statistics.deciding import items_to_decide, required_repeats
from muscle_metrics.statistics.interval import Interval, Side
from muscle_metrics.statistics.noise import DecodingNoise, estimate_noise
from muscle_metrics.statistics.paired import paired_interval
from muscle_metrics.statistics.proportions import proportion_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from muscle_metrics.flips import FlipCounts
    from muscle_metrics.magnitudes import Magnitude
    from muscle_metrics.verdicts import Verdicts

__all__ = [
    "Evidence",
    "accuracy_loss",
    "clustered_loss",
    "clustered_rate",
    "independent_rate",
    "mean_regression",
    "repeated_rate",
    "weighted_rate",
]

Flags = npt.NDArray[np.bool_]
Labels = "Sequence[Hashable]"
FEW_CLUSTERS = 30


@dataclass(frozen=True, slots=True)
class Evidence:
    """An estimate and its uncertainty, however the items depend on each other.

    Parameters
    ----------
    estimate : float
        The observed value; larger is worse.
    sample : str
        What was observed, such as "3 of 100 items".
    interval : callable
        ``(confidence, side)`` -> Interval.
    best : callable
        ``(confidence)`` -> the upper bound had nothing gone wrong in a sample of this size.
    advice : callable
        ``(limit, confidence)`` -> what would decide it.

    Examples
    --------
    >>> evidence = independent_rate(0, 100)
    >>> round(evidence.upper(0.95), 4), evidence.advice(0.02, 0.95)
    (0.0295, '49 more items at this rate would decide')
    """

    estimate: float
    sample: str
    interval: Callable[[float, Side], Interval]
    best: Callable[[float], float]
    advice: Callable[[float, float], str]

    def lower(self, confidence: float) -> float:
        """One-sided lower bound."""
        return self.interval(confidence, "lower").low

    def upper(self, confidence: float) -> float:
        """One-sided upper bound."""
        return self.interval(confidence, "upper").high


def independent_rate(count: int, total: int) -> Evidence:
    """Share of independent items, with Clopper-Pearson bounds.

    Examples
    --------
    >>> independent_rate(3, 100).sample
    '3 of 100 items'
    """

    def interval(confidence: float, side: Side, count: int = count) -> Interval:
        return proportion_interval(
            count, total, confidence=confidence, method="clopper-pearson", side=side
        )

    def advice(limit: float, confidence: float) -> str:
        more = items_to_decide(count, total, limit=limit, confidence=confidence)
        if more is None:
            return "the observed rate is too near the limit for more items to decide"
        if more == 0:
            return "its own bound is beyond the limit, but not after correcting for all criteria"
        return f"{more} more items at this rate would decide"

    return Evidence(
        estimate=count / total,
        sample=f"{count} of {total} items",
        interval=interval,
        best=lambda confidence: interval(confidence, "upper", 0).high,
        advice=advice,
    )


def clustered_rate(flags: Flags, labels: Sequence[Hashable], unit: str) -> Evidence:
    """Share of items that come in groups, with bounds over the groups.

    Examples
    --------
    >>> flags = np.array([True, True, False, False])
    >>> clustered_rate(flags, ["a", "a", "b", "b"], "groups").sample
    '2 of 4 items in 2 groups, 1 of them with any, design effect 4.0'
    """
    codes, sizes = _clusters(labels)
    hits = np.bincount(codes, weights=flags)
    found = clustered_proportion_interval(successes=hits, sizes=sizes)

    def interval(confidence: float, side: Side, hits: npt.ArrayLike = hits) -> Interval:
        return clustered_proportion_interval(
            successes=hits, sizes=sizes, confidence=confidence, side=side
        ).interval

    return Evidence(
        estimate=found.rate,
        sample=(
            f"{np.count_nonzero(flags)} of {len(flags)} items in {len(sizes)} {unit}, "
            f"{found.flipped_clusters} of them with any, design effect {found.design_effect:.1f}"
        ),
        interval=interval,
        best=lambda confidence: interval(confidence, "upper", np.zeros_like(hits)).high,
        advice=partial(_more_clusters, len(sizes), unit),
    )


def repeated_rate(
    verdicts: Verdicts,
    prompts: Sequence[Hashable],
    groups: Sequence[Hashable] | None = None,
    *,
    noise_adjusted_pass: bool = False,
) -> Evidence:
    """Flip rate of stochastic models, from several generations of each per prompt.

    The upper bound is that of the flip rate, noise included; the lower one that of the regression
    which noise does not explain.

    Examples
    --------
    >>> from muscle_metrics.verdicts import Verdicts
    >>> right = np.array([True, False] * 20)
    >>> prompts = [i // 2 for i in range(40)]
    >>> repeated_rate(Verdicts(right, right, None), prompts).sample
    '20 prompts x 2 generations, noise floor 50.00%, excess -25.00%, regression mass -25.00%'
    """
    codes, sizes = _clusters(prompts)
    first = np.unique(codes, return_index=True)[1]
    noise = estimate_noise(
        old_right=np.bincount(codes, weights=verdicts.old_right).astype(np.int64),
        old_repeats=sizes,
        new_right=np.bincount(codes, weights=verdicts.new_right).astype(np.int64),
        new_repeats=sizes,
        groups=None if groups is None else [str(groups[position]) for position in first],
    )
    limiting = [noise.excess, noise.regression_mass] if noise_adjusted_pass else [noise.flip_rate]

    def interval(confidence: float, side: Side) -> Interval:
        if side == "lower":
            return Interval(noise.regression_lower_bound(confidence=confidence), 1.0)
        uppers = [part.interval(confidence=confidence, side="upper").high for part in limiting]
        return Interval(0.0, max(uppers))

    repeats = int(sizes.min())
    return Evidence(
        estimate=noise.flip_rate.mean,
        sample=(
            f"{len(sizes)} prompts x {repeats} generations, noise floor {noise.floor.mean:.2%}, "
            f"excess {noise.excess.mean:+.2%}, regression mass {noise.regression_mass.mean:+.2%}"
        ),
        interval=interval,
        best=lambda confidence: independent_rate(0, len(sizes)).upper(confidence),
        advice=partial(_repeats_advice, noise, len(sizes), repeats),
    )


def accuracy_loss(counts: FlipCounts) -> Evidence:
    """Old accuracy minus new accuracy over independent items, with Tango's bounds.

    Examples
    --------
    >>> from muscle_metrics import FlipCounts
    >>> accuracy_loss(FlipCounts(both_right=80, negative=40, positive=20, both_wrong=20)).estimate
    0.125
    """

    def interval(confidence: float, side: Side) -> Interval:
        return _mirrored(partial(counts.accuracy_change.interval, confidence), side)

    def best(confidence: float) -> float:
        return -paired_interval(
            both_right=counts.total,
            negative=0,
            positive=0,
            both_wrong=0,
            confidence=confidence,
            side="lower",
        ).low

    return Evidence(
        estimate=-float(counts.accuracy_change),
        sample=f"{counts.negative} broken, {counts.positive} fixed, of {counts.total} items",
        interval=interval,
        best=best,
        advice=lambda limit, confidence: "more items would decide",
    )


def clustered_loss(verdicts: Verdicts, labels: Sequence[Hashable], unit: str) -> Evidence:
    """Old accuracy minus new accuracy over items in groups, with CR1 bounds over the groups.

    Examples
    --------
    >>> from muscle_metrics.verdicts import Verdicts
    >>> old, new = np.array([True, True, False]), np.array([True, False, False])
    >>> round(clustered_loss(Verdicts(old, new, None), ["a", "b", "c"], "groups").estimate, 3)
    0.333
    """
    codes, sizes = _clusters(labels)
    losses = verdicts.old_right.astype(np.int64) - verdicts.new_right
    totals = np.bincount(codes, weights=losses)

    def interval(confidence: float, side: Side) -> Interval:
        return clustered_mean_interval(totals=totals, sizes=sizes, confidence=confidence, side=side)

    return Evidence(
        estimate=float(losses.mean()),
        sample=f"{len(losses)} items in {len(sizes)} {unit}",
        interval=interval,
        best=lambda confidence: 0.0,
        advice=partial(_more_clusters, len(sizes), unit),
    )


def mean_regression(size: Magnitude) -> Evidence:
    """Mean loss of the items whose score regressed, with Gaffke's bounds on the score's range.

    Examples
    --------
    >>> from muscle_metrics import measure_changes
    >>> changes = measure_changes(old=[0.9] * 20, new=[0.4] * 20)
    >>> mean_regression(changes.mean_regression).estimate
    0.5
    """

    def advice(limit: float, confidence: float) -> str:
        if size.too_few:
            return f"only {size.count} items regressed, too few to judge by how much"
        return "more items would decide"

    return Evidence(
        estimate=float(size),
        sample=f"{size.count} items regressed",
        interval=size.interval,
        best=lambda confidence: 0.0,
        advice=advice,
    )


def weighted_rate(flags: Flags, weights: npt.NDArray[np.float64]) -> Evidence:
    """Weight of the items that flipped over the weight of all, with Gaffke's bounds.

    Examples
    --------
    >>> weighted_rate(np.array([False, True]), np.array([1.0, 3.0])).estimate
    0.75
    """
    scaled = weights / weights.mean()
    limit_of_one = float(scaled.max())

    def interval(confidence: float, side: Side, values: npt.ArrayLike = flags * scaled) -> Interval:
        return bounded_mean_interval(
            values, low=0.0, high=limit_of_one, confidence=confidence, side=side
        )

    return Evidence(
        estimate=float((flags * scaled).mean()),
        sample=f"{np.count_nonzero(flags)} of {len(flags)} items, weighted",
        interval=interval,
        best=lambda confidence: interval(confidence, "upper", np.zeros(len(flags))).high,
        advice=lambda limit, confidence: "more items would decide, of severe slices most of all",
    )


def _clusters(labels: Sequence[Hashable]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    numbers: dict[Hashable, int] = {}
    codes = np.array([numbers.setdefault(label, len(numbers)) for label in labels], dtype=np.intp)
    return codes, np.bincount(codes)


def _mirrored(interval: Callable[..., Interval], side: Side) -> Interval:
    opposite: dict[Side, Side] = {"lower": "upper", "upper": "lower", "two-sided": "two-sided"}
    low, high = interval(side=opposite[side])
    return Interval(-high, -low)


def _more_clusters(clusters: int, unit: str, limit: float, confidence: float) -> str:
    rough = f"; bounds over fewer than {FEW_CLUSTERS} are rough" if clusters < FEW_CLUSTERS else ""
    return f"more {unit} would decide, more items in each would not{rough}"


def _repeats_advice(
    noise: DecodingNoise, prompts: int, repeats: int, limit: float, confidence: float
) -> str:
    floor = noise.floor.mean
    if floor > limit:
        return (
            f"noise floor {floor:.1%} exceeds the limit {limit:.4g}: more repeats, a lower "
            f"temperature, or greedy decoding"
        )
    margin = abs(noise.flip_rate.mean - limit)
    needed = margin and required_repeats(
        prompts=prompts,
        repeats=repeats,
        repeat_variance=noise.repeat_variance,
        prompt_variance=noise.prompt_variance,
        margin=margin,
        confidence=confidence,
    )
    if not needed or needed <= repeats:
        return "more prompts would decide, more repeats of these would not"
    return f"{needed - repeats} more repeats of every prompt would decide"
