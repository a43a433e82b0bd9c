"""Advice on an undecided gate: the chance of a proposed number, and whether a look is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.evidence.samples import Proposal
from muscle_metrics.statistics.deciding import chance_of_items, chance_of_units

if TYPE_CHECKING:
    from collections.abc import Iterable

    from muscle_metrics.evidence.evidence import Evidence
    from muscle_metrics.gate.policy import Policy
    from muscle_metrics.gate.verdict import Check

__all__ = ["advise", "list_looks"]

PROPOSES = "would decide"


def advise(evidence: Evidence, limit: float, confidence: float) -> str:
    """Advice of evidence; a proposed number comes with the chance that it decides."""
    advice = evidence.advice(limit, confidence)
    if not isinstance(advice, Proposal):
        return advice
    if advice.is_exact:
        chance = chance_of_items(
            round(evidence.estimate * evidence.units),
            evidence.units,
            more=advice.more,
            limit=limit,
            confidence=confidence,
        )
    else:
        is_below = evidence.estimate < limit
        bound = evidence.upper(confidence) if is_below else evidence.lower(confidence)
        chance = chance_of_units(
            reach=abs(bound - evidence.estimate),
            distance=abs(limit - evidence.estimate),
            confidence=confidence,
        )
    return f"{advice} (in about {min(max(round(10 * chance), 1), 9)} of 10 cases)"


def list_looks(checks: Iterable[Check], policy: Policy, *, is_undecided: bool) -> tuple[str, ...]:
    """Say in the first line which look this is, and whether items may be added for another."""
    notes = [f"look {policy.look} of {policy.looks}"] if policy.looks > 1 else []
    if not (is_undecided and any(PROPOSES in check.advice for check in checks)):
        return tuple(notes)
    if policy.look < policy.looks:
        notes.append("add items to these and look again with --look 2 (look = 2)")
    elif policy.looks > 1:
        notes.append("no look is left: judge other items on their own")
    else:
        notes.append(
            "to add items and look again, plan it before the first look with --looks 2 (looks = 2)"
        )
    return tuple(notes)
