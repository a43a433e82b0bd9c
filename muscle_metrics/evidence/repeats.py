"""Evidence about the flip rate of stochastic models, from several generations of each prompt."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from muscle_metrics.evidence.evidence import Bounds, Evidence
from muscle_metrics.evidence.rates import independent_rate
from muscle_metrics.evidence.samples import (
    Basis,
    name_bound,
    repeats_advice,
    within,
)
from muscle_metrics.evidence.units import number_labels
from muscle_metrics.statistics.clusters import clustered_mean, clustered_proportion_interval
from muscle_metrics.statistics.noise import estimate_noise_of_rows

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from muscle_metrics.answers.correctness import Correctness
    from muscle_metrics.statistics.interval import Side
    from muscle_metrics.statistics.noise import DecodingNoise, PromptMean

    Labels = Sequence[Hashable] | npt.NDArray[np.intp]

__all__ = [
    "NoisePart",
    "noise_evidence",
    "noise_of_rows",
    "noise_parts",
    "prompt_bounds",
    "repeated_rate",
]

# Attributes of `DecodingNoise`, and how reports write them.
PARTS = (
    ("flip_rate", "flip rate", "right, then wrong, over all pairs of generations"),
    ("floor", "noise floor", "what two runs of unchanged models would show"),
    ("excess", "excess", "flip rate beyond the noise floor"),
    ("net_loss", "net loss", "accuracy lost, which gains balance"),
)
BEYOND_NOISE = "beyond noise"


class NoisePart(NamedTuple):
    """One part of the flip rate of repeats, with its 95 % interval.

    Parameters
    ----------
    name : str
        Attribute of `DecodingNoise`.
    title, meaning : str
        What reports call it, and what it is.
    value : float
        Its estimate.
    bounds : Bounds
        Over prompts, or over the groups that they belong to.
    """

    name: str
    title: str
    meaning: str
    value: float
    bounds: Bounds


def repeated_rate(
    correctness: Correctness,
    prompts: Labels,
    groups: Labels | None = None,
    *,
    noise_adjusted_pass: bool = False,
    strict: bool = False,
) -> Evidence:
    """Flip rate of stochastic models, from several generations of each per prompt.

    The upper bound is for the flip rate with noise. The lower bound is for the regression that
    noise does not explain. With `strict` only a finite-sample bound over groups can keep a limit.
    """
    codes, sizes = number_labels(prompts)
    noise, units = noise_of_rows(correctness, codes, groups)
    return noise_evidence(
        noise, units, sizes, noise_adjusted_pass=noise_adjusted_pass, strict=strict
    )


def noise_evidence(
    noise: DecodingNoise,
    units: npt.NDArray[np.intp] | None,
    sizes: npt.NDArray[np.integer[Any]],
    *,
    noise_adjusted_pass: bool = False,
    strict: bool = False,
) -> Evidence:
    """Evidence of `repeated_rate`, where the flip rate is already split.

    Parameters
    ----------
    noise : DecodingNoise
        Parts of the flip rate.
    units : numpy.ndarray of int, shape (prompts,), optional
        Number of the group of each prompt.
    sizes : numpy.ndarray of int, shape (prompts,)
        Generations of each prompt.
    noise_adjusted_pass, strict
        As in `repeated_rate`.
    """
    independent = len(sizes) if units is None else int(units.max()) + 1

    def interval(confidence: float, side: Side, *, strict: bool = strict) -> Bounds:
        if side == "two-sided":
            confidence = (1 + confidence) / 2
        method = "Gaffke" if units is None else "approximate"
        low = 0.0 if side == "upper" else noise.regression_lower_bound(confidence=confidence)
        if side == "lower":
            return Bounds(low, 1.0, method, method)
        if noise_adjusted_pass:
            high = noise.regression_upper_bound(confidence=confidence)
            return Bounds(low, high, method, method)
        flips = prompt_bounds(noise.flip_rate, confidence, "upper", strict=strict)
        return Bounds(low, flips.high, method, flips.above)

    where = within(independent, "items" if units is None else "groups")
    unseen = (
        ", PASS by what exceeds noise has no guarantee: losses that equal gains balance may pass"
    )

    def best(confidence: float) -> float:
        return independent_rate(0, independent).upper(confidence) if units is None else 0.0

    evidence = Evidence(
        estimate=noise.flip_rate.mean,
        sample=(
            f"{sizes.sum()} generations of {len(sizes)} prompts{where}, noise floor "
            f"{noise.floor.mean:.2%}, excess {noise.excess.mean:+.2%}, net loss "
            f"{noise.net_loss.mean:+.2%}, clear loss {noise.clear_loss.mean:+.2%}"
            f"{unseen if noise_adjusted_pass else ''}"
        ),
        interval=cache(interval),
        best=best,
        units=len(sizes),
        unit="prompts",
        special=partial(repeats_advice, noise, len(sizes), int(sizes.min()), noise_adjusted_pass),
        bounded=(BEYOND_NOISE, BEYOND_NOISE if noise_adjusted_pass else "with noise"),
    )
    if units is None or noise_adjusted_pass:
        return evidence
    prompts_of_groups = np.bincount(units)

    def settle(limit: float) -> Evidence:
        basis = Basis.of(limit, prompts_of_groups, "groups", strict=strict)
        settled = cache(partial(interval, strict=basis.is_settled))
        return replace(evidence, interval=settled, settle=None, basis=basis)

    return replace(evidence, settle=settle)


def noise_of_rows(
    correctness: Correctness, prompts: npt.NDArray[np.intp], groups: Labels | None = None
) -> tuple[DecodingNoise, npt.NDArray[np.intp] | None]:
    """Split the flip rate of rows, and number the group of every prompt.

    Parameters
    ----------
    correctness : Correctness
        Of N rows.
    prompts : numpy.ndarray of int, shape (N,)
        Number of the prompt of each row, from 0.
    groups : sequence of hashable, shape (N,), optional
        Label of the group of each row.
    """
    units = None
    if groups is not None:
        firsts = np.unique(prompts, return_index=True)[1]
        units = number_labels([groups[i] for i in firsts])[0]
    noise = estimate_noise_of_rows(
        old_right=correctness.old_right,
        new_right=correctness.new_right,
        prompts=prompts,
        groups=units,
    )
    return noise, units


def prompt_bounds(
    part: PromptMean, confidence: float = 0.95, side: Side = "two-sided", *, strict: bool = False
) -> Bounds:
    """Bounds of a mean over prompts, or over the groups that they belong to, with their method."""
    if part.groups is None:
        return Bounds.by("Gaffke", part.interval(confidence=confidence, side=side))
    totals, sizes = np.bincount(part.groups, weights=part.values), np.bincount(part.groups)
    if part.low == 0:
        rate = clustered_proportion_interval(
            successes=totals, sizes=sizes, strict=strict, confidence=confidence, side=side
        )
        return Bounds(*rate.interval, "Gaffke", name_bound(rate.upper_method))
    mean = clustered_mean(
        totals=totals,
        sizes=sizes,
        low=part.low,
        high=part.high,
        strict=strict,
        confidence=confidence,
        side=side,
    )
    return Bounds(*mean.interval, "approximate", name_bound(mean.upper_method))


def noise_parts(noise: DecodingNoise | None) -> list[NoisePart]:
    """List the parts of the flip rate of repeats with their 95 % intervals; none without repeats.

    Examples
    --------
    >>> from muscle_metrics.statistics.noise import estimate_noise
    >>> parts = noise_parts(
    ...     estimate_noise(old_right=[2, 1, 2], old_repeats=2, new_right=[2, 1, 0], new_repeats=2)
    ... )
    >>> [part.title for part in parts]
    ['flip rate', 'noise floor', 'excess', 'net loss']
    """
    if noise is None:
        return []
    parts = []
    for name, title, meaning in PARTS:
        part = getattr(noise, name)
        parts.append(NoisePart(name, title, meaning, part.mean, prompt_bounds(part)))
    return parts
