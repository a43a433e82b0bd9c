"""Evidence about a figure: an estimate, and a bound at any level that names its method."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.evidence.samples import Basis, Proposal
from muscle_metrics.statistics.interval import Interval

if TYPE_CHECKING:
    from collections.abc import Callable

    from muscle_metrics.statistics.interval import Side

__all__ = ["Bounds", "Evidence", "nothing_observed", "with_decoding_noise"]

# No benchmark has so many units, so no number is advised: the estimate is too near the limit.
MOST_ADVISED = 10**9


class Bounds(NamedTuple):
    """Two bounds, and the name of the method that computed each.

    Examples
    --------
    >>> Bounds(0.01, 0.08, "Gaffke", "approximate").method
    'Gaffke and approximate'
    >>> Bounds(0.01, 0.08, "Wilson", "Wilson").method
    'Wilson'
    """

    low: float
    high: float
    below: str
    above: str

    @classmethod
    def by(cls, method: str, interval: Interval) -> Bounds:
        """Name one method for both bounds."""
        return cls(*interval, method, method)

    @property
    def ends(self) -> Interval:
        """Both bounds without their methods."""
        return Interval(self.low, self.high)

    @property
    def method(self) -> str:
        """Method of both bounds, or that of the lower one and that of the upper one."""
        return self.below if self.below == self.above else f"{self.below} and {self.above}"

    @property
    def short_method(self) -> str:
        """Method of both bounds, for the narrow column of a table."""
        return self.method.replace(" and ", ", ").replace("approximate", "approx.")


@dataclass(frozen=True, slots=True)
class Evidence:
    """An estimate and its uncertainty, however the items depend on each other.

    Parameters
    ----------
    estimate : float
        The observed value; larger is worse.
    sample : str
        The observation in words, such as "3 of 100 items".
    interval : callable
        ``(confidence, side)`` -> Bounds.
    best : callable
        ``(confidence)`` -> the upper bound of a sample of this size in which nothing broke.
    units : int
        Number of independent units in the sample.
    unit : str
        Name of these units, such as "items" or "prompts".
    special : callable, optional
        ``(limit, confidence)`` -> advice that replaces the usual one, or None.
    settle : callable, optional
        ``(limit)`` -> the evidence whose bounds decide this limit, with its `basis`.
    basis : Basis, optional
        The largest units that a limit allows to break, where units are of more than one item.
    bounded : tuple of str, optional
        What the lower and the upper bound are of, where that is not the estimate.
    unlabelled : int
        Drawn items without a label, each of which counts as broken in the worst case.
    """

    estimate: float
    sample: str
    interval: Callable[[float, Side], Bounds]
    best: Callable[[float], float]
    units: int
    unit: str = "items"
    special: Callable[[float, float], str | None] = lambda limit, confidence: None
    settle: Callable[[float], Evidence] | None = None
    basis: Basis | None = None
    bounded: tuple[str, str] = ("", "")
    unlabelled: int = 0

    def at(self, limit: float) -> Evidence:
        """Evidence whose bounds decide a limit."""
        return self if self.settle is None else self.settle(limit)

    def lower(self, confidence: float) -> float:
        """One-sided lower bound."""
        return self.interval(confidence, "lower").low

    def upper(self, confidence: float) -> float:
        """One-sided upper bound."""
        return self.interval(confidence, "upper").high

    def advice(self, limit: float, confidence: float) -> str:
        """Say how many more units would decide: bounds narrow with the root of their number."""
        if special := self.special(limit, confidence):
            return special
        bound = self.upper(confidence) if self.estimate < limit else self.lower(confidence)
        reach, distance = bound - self.estimate, limit - self.estimate
        if self.units * reach**2 >= MOST_ADVISED * distance**2:
            return f"the observed value is too near the limit for more {self.unit} to decide"
        more = max(math.ceil(self.units * ((reach / distance) ** 2 - 1)), 1)
        return Proposal(more, f"about {{more}} more {self.unit} at this rate")


def nothing_observed(sample: str = "no item compared") -> Evidence:
    """Evidence of no item at all: any value is possible."""
    return Evidence(
        estimate=math.nan,
        sample=sample,
        interval=lambda confidence, side: Bounds(0.0, 1.0, "", ""),
        best=lambda confidence: 0.0,
        units=0,
        special=lambda limit, confidence: "nothing was observed",
    )


def with_decoding_noise(evidence: Evidence) -> Evidence:
    """Evidence whose decoding noise cannot be separated: a check can pass, but never fail.

    Two runs of one unchanged model differ, too; such flips must not count against the new one.
    """

    def special(limit: float, confidence: float) -> str | None:
        if evidence.estimate < limit:
            return evidence.special(limit, confidence)
        return "decoding noise is part of it and not told apart: use greedy decoding"

    def interval(confidence: float, side: Side) -> Bounds:
        bounds = evidence.interval(confidence, side)
        return Bounds(0.0, bounds.high, bounds.above, bounds.above)

    settle = evidence.settle
    return replace(
        evidence,
        interval=interval,
        special=special,
        settle=None if settle is None else lambda limit: with_decoding_noise(settle(limit)),
    )
