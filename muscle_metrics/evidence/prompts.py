"""Evidence about pass@k, pass^k and flaps of prompts, from several generations of each."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from muscle_metrics.evidence.evidence import Bounds, Evidence, nothing_observed
from muscle_metrics.evidence.rates import independent_rate
from muscle_metrics.evidence.repeats import prompt_bounds
from muscle_metrics.evidence.samples import Basis, groups_advice, within
from muscle_metrics.evidence.units import number_labels
from muscle_metrics.statistics.noise import PromptMean, estimate_noise
from muscle_metrics.statistics.pass_rates import flap_rates, pass_at_k, pass_hat_k
from muscle_metrics.words.numbers import percent

if TYPE_CHECKING:
    import numpy.typing as npt

    from muscle_metrics.statistics.interval import Side
    from muscle_metrics.statistics.noise import DecodingNoise

    Counts = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

__all__ = [
    "PassChange",
    "PassRate",
    "PromptCounts",
    "flap_evidence",
    "pass_changes",
    "pass_loss",
]

PassRate = Literal["pass_at_k", "pass_hat_k"]
ESTIMATORS = {"pass_at_k": pass_at_k, "pass_hat_k": pass_hat_k, "flap_rate": flap_rates}


class PromptCounts(NamedTuple):
    """Right generations of every prompt by both models.

    Parameters
    ----------
    old_right, new_right, total : numpy.ndarray of int, shape (prompts,)
        Right generations of each prompt, and all of them, which are as many of both models.
    groups : numpy.ndarray of int, shape (prompts,), optional
        Number of the group of each prompt.
    lost : numpy.ndarray of int, shape (prompts,), optional
        Generations that the new model lost, which count as wrong; None where none is lost.
    """

    old_right: Counts
    new_right: Counts
    total: Counts
    groups: npt.NDArray[np.intp] | None = None
    lost: Counts | None = None

    def with_at_least(self, k: int) -> PromptCounts:
        """Prompts with at least k generations of each model."""
        return self.take(np.flatnonzero(self.total >= k))

    def take(self, kept: npt.NDArray[np.intp]) -> PromptCounts:
        """Keep the counts of some of the prompts."""
        columns: dict[str, Any] = {
            name: None if column is None else column[kept]
            for name, column in self._asdict().items()
        }
        if columns["groups"] is not None:
            # Numbers of groups must have no gaps.
            columns["groups"] = number_labels(columns["groups"])[0]
        return PromptCounts(**columns)

    def noise(self) -> DecodingNoise:
        """Split the flip rate into decoding noise and regression; two generations at least."""
        return estimate_noise(
            old_right=self.old_right,
            old_repeats=self.total,
            new_right=self.new_right,
            new_repeats=self.total,
            groups=self.groups,
        )


class PassChange(NamedTuple):
    """A rate of k generations before and now, and the change between them.

    Parameters
    ----------
    name : str
        "pass_at_k", "pass_hat_k" or "flap_rate".
    title, meaning : str
        What reports call it, and what it is.
    k : int
        Number of generations it is about.
    old, new : float
        Means over prompts.
    change : Bounds
        95 % interval of new minus old, over prompts or the groups that they belong to.
    broke, fixed : float
        Mean chance that k generations of old have it and k of new lack it, and the reverse; where
        k is all generations, the share of prompts that lost it, and that gained it.
    """

    name: str
    title: str
    meaning: str
    k: int
    old: float
    new: float
    change: Bounds
    broke: float
    fixed: float


def pass_changes(counts: PromptCounts, k: int) -> list[PassChange]:
    """Compare pass@k and, from two generations on, pass^k and the flap rate of two models.

    Examples
    --------
    >>> old, new, total = (np.array(column) for column in ([2, 2, 1], [2, 0, 1], [2, 2, 2]))
    >>> change = pass_changes(PromptCounts(old, new, total), 2)[1]
    >>> change.title, round(change.old, 3), round(change.new, 3), round(change.broke, 3)
    ('pass^2', 0.667, 0.333, 0.333)
    """
    about = [
        ("pass_at_k", f"pass@{k}", "right" if k == 1 else f"any of {k} right"),
        ("pass_hat_k", f"pass^{k}", f"all of {k} right"),
        ("flap_rate", "flap rate", f"some of {k} right, some wrong"),
    ]
    return [_change(counts, k, *one) for one in about[: 1 if k < 2 else 3]]


def _change(counts: PromptCounts, k: int, name: str, title: str, meaning: str) -> PassChange:
    estimate = ESTIMATORS[name]
    old, new = (
        estimate(right=right, total=counts.total, k=k)
        for right in (counts.old_right, counts.new_right)
    )
    bounds = prompt_bounds(PromptMean(new - old, -1.0, 1.0, counts.groups))
    broke, fixed = float((old * (1 - new)).mean()), float((new * (1 - old)).mean())
    return PassChange(
        name, title, meaning, k, float(old.mean()), float(new.mean()), bounds, broke, fixed
    )


def pass_loss(
    counts: PromptCounts, rate: PassRate, k: int, *, strict: bool = False, broken: bool = False
) -> Evidence:
    """Loss of pass@k or pass^k, old minus new, over prompts with at least k generations.

    With `broken` every generation of new counts as wrong: the largest loss that could be seen. With
    `strict` only a finite-sample bound over groups can keep a limit.
    """
    kept = counts.with_at_least(k)
    if not kept.total.size:
        return nothing_observed(f"no prompt with {k} generations")
    estimate = partial(ESTIMATORS[rate], total=kept.total, k=k)
    old = estimate(right=kept.old_right)
    new = estimate(right=np.zeros_like(kept.new_right) if broken else kept.new_right)
    loss = PromptMean(old - new, -1.0, 1.0, kept.groups)
    title = f"{'pass@' if rate == 'pass_at_k' else 'pass^'}{k}"
    seen = f"{title} {percent(old.mean())} before, {percent(new.mean())} now, over"
    if broken:
        seen = f"{title} of {percent(old.mean())} over"
    return _mean_evidence(loss, seen, strict=strict)


def flap_evidence(counts: PromptCounts, k: int, *, strict: bool = False) -> Evidence:
    """Flap rate of the new model over prompts with at least k generations.

    A lost generation counts as the answer with which its prompt flaps most.
    """
    kept = counts.with_at_least(k)
    if not kept.total.size:
        return nothing_observed(f"no prompt with {k} generations")
    old = flap_rates(right=kept.old_right, total=kept.total, k=k).mean()
    flaps = PromptMean(_most_flaps(kept, k), 0.0, 1.0, kept.groups)
    return _mean_evidence(flaps, f"{percent(old)} before, over", strict=strict)


def _most_flaps(counts: PromptCounts, k: int) -> Floats:
    lost = np.zeros_like(counts.total) if counts.lost is None else counts.lost
    flaps: Floats = np.zeros(counts.total.shape)
    for answered in range(int(lost.max()) + 1):
        right = counts.new_right + np.minimum(answered, lost)
        flaps = np.maximum(flaps, flap_rates(right=right, total=counts.total, k=k))
    return flaps


def _mean_evidence(part: PromptMean, seen: str, *, strict: bool) -> Evidence:
    prompts, groups = part.values.size, part.groups
    units = prompts if groups is None else int(groups.max()) + 1

    def interval(confidence: float, side: Side, *, strict: bool = strict) -> Bounds:
        return prompt_bounds(part, confidence, side, strict=strict)

    def best(confidence: float) -> float:
        if groups is None and part.low == 0:
            return independent_rate(0, prompts).upper(confidence)
        return part.low

    where = within(units, "items" if groups is None else "groups")
    evidence = Evidence(
        estimate=part.mean,
        sample=f"{seen} {prompts} prompts{where}",
        interval=cache(interval),
        best=best,
        units=units,
        unit="prompts",
    )
    if groups is None:
        return evidence
    sizes = np.bincount(groups)
    evidence = replace(evidence, unit="groups", special=partial(groups_advice, units, "groups"))

    def settle(limit: float) -> Evidence:
        basis = Basis.of(limit, sizes, "groups", strict=strict)
        settled = cache(partial(interval, strict=basis.is_settled))
        return replace(evidence, interval=settled, settle=None, basis=basis)

    return replace(evidence, settle=settle)
