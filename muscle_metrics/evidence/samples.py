"""Samples of evidence in words: their units, the method of their bounds, and what would decide."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.statistics.cluster_bounds import SETTLED
from muscle_metrics.statistics.clusters import FEW_CLUSTERS, allowed_clusters, unseen_share
from muscle_metrics.statistics.deciding import required_repeats

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from muscle_metrics.statistics.clusters import Method
    from muscle_metrics.statistics.noise import DecodingNoise

__all__ = ["Basis", "Proposal", "groups_advice", "name_bound", "repeats_advice", "within"]


class Proposal(str):
    """Advice to add a number of units; `is_exact` where just this number decides at this rate."""

    more: int
    is_exact: bool

    def __new__(cls, more: int, what: str, *, is_exact: bool = False) -> Proposal:
        """Write the advice, such as "about 40 more items at this rate would decide"."""
        proposal = super().__new__(cls, f"{what.format(more=more)} would decide")
        proposal.more, proposal.is_exact = more, is_exact
        return proposal


def within(units: int, unit: str) -> str:
    """Text that gives the number of units, unless each row is one."""
    rough = " (few: bounds are rough)" if units < FEW_CLUSTERS else ""
    return "" if unit == "items" else f" in {units} {unit}{rough}"


class Basis(NamedTuple):
    """How many of the largest units a limit allows to break, and which bound decides it.

    Parameters
    ----------
    allowed : float
        Largest units that can break as a whole within the limit (R).
    units : int
        Number of units.
    unit : str
        Name of these units, such as "groups".
    is_settled : bool
        Whether the finite-sample bound decides the limit.
    """

    allowed: float
    units: int
    unit: str
    is_settled: bool

    @classmethod
    def of(
        cls,
        limit: float,
        sizes: npt.NDArray[np.intp] | npt.NDArray[np.float64],
        unit: str,
        *,
        strict: bool,
        largest: float | None = None,
    ) -> Basis:
        """Basis of a limit on a rate over units of these sizes."""
        allowed = allowed_clusters(limit, sizes=sizes, largest=largest)
        return cls(allowed, len(sizes), unit, strict or allowed >= SETTLED)

    def unseen(self, confidence: float) -> float | None:
        """Share of the units that could break unseen; None where the bound allows for them."""
        return None if self.is_settled else unseen_share(self.units, confidence=confidence)

    def text(self, confidence: float) -> str:
        """Which bound decides the limit, and what it cannot see.

        Examples
        --------
        >>> print(Basis(12.5, 100, "groups", True).text(0.95))
        the limit allows 12.5 of the largest groups to break: Gaffke's bound decides
        """
        allowed = f"the limit allows {self.allowed:.1f} of the largest {self.unit} to break"
        unseen = self.unseen(confidence)
        if unseen is None:
            return f"{allowed}: Gaffke's bound decides"
        return (
            f"{allowed}, and below {SETTLED} an approximate bound decides: {unseen:.1%} of the "
            f"{self.unit} could break unseen"
        )


def name_bound(method: Method) -> str:
    """Name a bound over units of several items."""
    return "Gaffke" if method == "finite-sample" else "approximate"


def groups_advice(units: int, unit: str, limit: float, confidence: float) -> str | None:
    """Say how many groups are needed for anything to pass, if there are fewer."""
    if unseen_share(units, confidence=confidence) <= limit or not 0 < limit < 1:
        return None
    needed = math.ceil(math.log(1 - confidence) / math.log1p(-limit))
    return (
        f"at least {needed - units} more {unit} are needed: even with nothing broken {units} are "
        "too few to pass"
    )


def repeats_advice(
    noise: DecodingNoise,
    prompts: int,
    repeats: int,
    is_adjusted: bool,
    limit: float,
    confidence: float,
) -> str | None:
    """Say what would decide a sample of repeats: more prompts, more repeats, or less noise."""
    if prompts < 2:
        return "one prompt says nothing about others: more prompts would decide"
    rate, floor = noise.flip_rate.mean, noise.floor.mean
    beyond_noise = max(noise.net_loss.mean, noise.clear_loss.mean)
    if beyond_noise > limit:
        return "what exceeds noise is above the limit, but not for sure: more prompts would decide"
    if is_adjusted and noise.excess_at_most.mean > limit:
        return (
            "so few repeats hardly tell the excess from noise: more repeats of every prompt may "
            "decide"
        )
    if is_adjusted:
        return "what exceeds noise is too near the limit: more prompts may decide"
    quieter = "use a lower temperature, or greedy decoding"
    if floor > limit:
        return (
            f"noise floor {floor:.1%} exceeds the limit {100 * limit:g}%, and more prompts or "
            f"repeats do not lower it: {quieter}"
        )
    if rate >= limit:
        return f"decoding noise may be what exceeds the limit: {quieter}"
    groups = noise.flip_rate.groups
    if groups is not None:
        # More repeats leave the variance between groups.
        return groups_advice(int(groups.max()) + 1, "groups", limit, confidence)
    needed = required_repeats(
        prompts=prompts,
        repeats=repeats,
        repeat_variance=noise.repeat_variance,
        prompt_variance=noise.prompt_variance,
        margin=limit - rate,
        confidence=confidence,
    )
    more = 0 if needed is None else needed - repeats
    return Proposal(more, "{more} more repeats of every prompt") if more else None
