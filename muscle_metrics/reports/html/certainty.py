"""The limits that independent items can decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.gate.verdict import Verdict
    from muscle_metrics.statistics.power import GatePower

__all__ = ["ReachableLimits", "reachable_limits"]

NFR = "negative flip rate"
# True rates to plan for, as multiples of the limit.
MULTIPLES = (0.25, 0.5, 0.75, 1.5, 2.0)


class ReachableLimits(NamedTuple):
    """Limits of NFR that these items keep or break, and the power of the gate at one limit.

    Parameters
    ----------
    confidence : float
        One-sided level.
    keeps, breaks : float
        A gate passes at a limit of `keeps` or more, and fails at a limit below `breaks`.
    limit : float or None
        The limit of the policy, if it has one.
    powers : list of tuple of (float, GatePower)
        True rates, and how likely each verdict is at that limit.
    """

    confidence: float
    keeps: float
    breaks: float
    limit: float | None
    powers: list[tuple[float, GatePower]]


def reachable_limits(comparison: Comparison, verdict: Verdict | None) -> ReachableLimits | None:
    """Limits of NFR that a gate could decide with these items; None where items are dependent."""
    from muscle_metrics.statistics.power import gate_power

    if comparison.correctness is None or comparison.is_clustered:
        return None
    confidence = 0.95 if verdict is None else verdict.confidence
    rate = comparison.counts.negative_flip_rate
    low = rate.interval(confidence, "clopper-pearson", side="lower").low
    worst = comparison.worst_case.counts.negative_flip_rate
    high = worst.interval(confidence, "clopper-pearson", side="upper").high
    checks = () if verdict is None else verdict.checks
    limits = [float(c.limit) for c in checks if c.criterion == NFR and 0 < c.limit < 1]
    limit = limits[0] if limits else None
    powers = [
        (true, gate_power(items=rate.total, limit=limit, true_rate=true, confidence=confidence))
        for true in (multiple * limit for multiple in MULTIPLES if limit)
        if limit and true < 1
    ]
    return ReachableLimits(confidence, high, low, limit, powers)
