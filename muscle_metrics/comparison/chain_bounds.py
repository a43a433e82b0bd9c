"""Intervals of the figures of a chain: over items, or over the groups or prompts they share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np

from muscle_metrics.evidence.evidence import Bounds
from muscle_metrics.evidence.rates import clustered_loss, conditional_rate, rate
from muscle_metrics.evidence.units import Units

if TYPE_CHECKING:
    import numpy.typing as npt

    from muscle_metrics.comparison.chains import Chain
    from muscle_metrics.flips.rates import Rate

    Flags = npt.NDArray[np.bool_]

__all__ = ["SummaryRate", "step_bounds", "summary_bounds", "survival_bounds"]

SummaryRate = Literal["sum_negative_flip_rate", "sum_positive_flip_rate", "flip_flop_rate"]
CONFIDENCE = 0.95


def step_bounds(chain: Chain, name: str, first: int, last: int) -> Bounds | None:
    """Interval of the NFR or of the accuracy change from one version to another.

    Parameters
    ----------
    chain : Chain
        Versions of a model.
    name : str
        "negative_flip_rate" or "accuracy_change"; other rates have none where items share units.
    first, last : int
        Positions of the two versions.

    Examples
    --------
    >>> from muscle_metrics import count_chain
    >>> chain = count_chain(versions=[["A"], ["B"], ["A"]], references=["A"])
    >>> step_bounds(chain, "accuracy_change", 0, 1).method
    'Tango'
    """
    counts = chain.overall if (first, last) == (0, len(chain.steps)) else chain.steps[first]
    if chain.units is None:
        value = getattr(counts, name)
        if math.isnan(value) or not hasattr(value, "interval"):
            return None
        return Bounds.by("Tango" if name == "accuracy_change" else "Wilson", value.interval())
    old, new = chain.right[first], chain.right[last]
    if name == "negative_flip_rate":
        return rate(_over_units(chain, old & ~new)).interval(CONFIDENCE, "two-sided")
    if name != "accuracy_change":
        return None
    losses = np.subtract(old, new, dtype=np.int64)
    low, high, below, above = clustered_loss(_over_units(chain, losses)).interval(
        CONFIDENCE, "two-sided"
    )
    return Bounds(-high, -low, above, below)


def survival_bounds(chain: Chain, version: int) -> Bounds | None:
    """Interval of the share of the first version's right items that survive up to a version."""
    if chain.units is None:
        return _wilson(chain.survival[version])
    if not chain.right[0].any():
        return None
    surviving = np.logical_and.accumulate(chain.right)[version]
    found, whole = _over_units(chain, surviving), _over_units(chain, chain.right[0])
    return conditional_rate(found, whole).interval(CONFIDENCE, "two-sided")


def summary_bounds(chain: Chain, name: SummaryRate) -> Bounds | None:
    """Interval of a rate over all updates: an item counts once for each, so it is one unit."""
    old, new = chain.right[:-1], chain.right[1:]
    if name == "flip_flop_rate":
        if chain.units is None:
            return _wilson(chain.flip_flop_rate)
        return rate(_over_units(chain, chain.flip_flops)).interval(CONFIDENCE, "two-sided")
    flips = (old & ~new if name == "sum_negative_flip_rate" else ~old & new).sum(axis=0)
    numbers = np.arange(chain.total) if chain.units is None else chain.units
    sizes = len(chain.steps) * np.bincount(numbers)
    sums = np.bincount(numbers, weights=flips).astype(np.float64)
    return rate(Units(sums, sizes, "items of the chain")).interval(CONFIDENCE, "two-sided")


def _over_units(chain: Chain, values: Flags | npt.NDArray[np.int64]) -> Units:
    return Units.of(values, () if chain.units is None else chain.units, chain.unit)


def _wilson(value: Rate) -> Bounds | None:
    return None if math.isnan(value) else Bounds.by("Wilson", value.interval())
