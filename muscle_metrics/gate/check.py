"""The gate: a comparison and a policy give a verdict. Only the command line knows exit codes."""

from __future__ import annotations

from fractions import Fraction
from itertools import repeat
from typing import TYPE_CHECKING

from muscle_metrics.errors import UsageError
from muscle_metrics.gate.criteria import Criterion, broken_pins, list_criteria
from muscle_metrics.gate.verdict import Check, Outcome, Verdict
from muscle_metrics.runs.fingerprints import list_concerns
from muscle_metrics.statistics.multiplicity import holm_rejections

if TYPE_CHECKING:
    from collections.abc import Sequence

    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.gate.policy import Policy

__all__ = ["check_gate", "decide"]


def check_gate(comparison: Facts, policy: Policy) -> Verdict:
    """Judge a comparison by a policy.

    Parameters
    ----------
    comparison : Comparison or CountedComparison
        Old against new; counted runs support limits on counts only.
    policy : Policy
        Limits of the update.

    Returns
    -------
    Verdict
        At the limit, false PASS of each criterion and false FAIL of all of them together happen
        with probability at most ``1 - policy.confidence``: exactly so for rates over independent
        items, approximately for accuracy and for items in groups.

    Raises
    ------
    UsageError
        If the policy does not fit the data: a slice that is not there, a limit that so few items
        can never keep.

    Notes
    -----
    Repeats pass by their flip rate, decoding noise included, and fail by the regression beyond
    noise. In other rates and in the mean regression noise cannot be separated: they pass or stay
    undecided.

    Examples
    --------
    >>> from muscle_metrics import Policy, compare
    >>> comparison = compare(old=["A"] * 99, new=["A"] * 99, references=["A"] * 99)
    >>> print(check_gate(comparison, Policy(max_nfr="0.05")).outcome)
    PASS
    """
    criteria = list_criteria(comparison, policy)
    _check_sizes(criteria, policy)
    checks = _judge(criteria, policy.confidence)
    reasons = [*_differences(comparison, policy), *_missing_pins(comparison, policy)]
    broken = broken_pins(comparison, policy)
    invalid = [reason for reason, accepted in reasons if not accepted]
    return Verdict(
        outcome=_combine(checks, broken=bool(broken), invalid=bool(invalid)),
        checks=checks,
        broken_pins=broken,
        reasons=tuple(reason for reason, _ in reasons),
        names=comparison.names,
        confidence=policy.confidence,
        signature=comparison.signature,
    )


def decide(*, low: float, high: float, limit: Fraction, rejected: bool) -> Outcome:
    """Decide one criterion from its bounds; `rejected` is the lower bound's test after Holm."""
    # A float is an exact fraction: no rounding decides at the limit.
    if Fraction(high) <= limit:
        return Outcome.PASS
    if rejected and Fraction(low) > limit:
        return Outcome.FAIL
    return Outcome.INCONCLUSIVE


def _judge(criteria: Sequence[Criterion], confidence: float) -> tuple[Check, ...]:
    tests = [criterion.is_broken_at for criterion in criteria]
    rejections = holm_rejections(tests, alpha=1 - confidence)
    return tuple(map(_check, criteria, rejections, repeat(confidence)))


def _check(criterion: Criterion, rejected: bool, confidence: float) -> Check:
    evidence, limit = criterion.evidence, criterion.limit
    low, high = evidence.lower(confidence), evidence.upper(confidence)
    outcome = decide(low=low, high=high, limit=limit, rejected=rejected)
    advice = ""
    if outcome is Outcome.INCONCLUSIVE:
        advice = evidence.advice(float(limit), confidence)
        if Fraction(low) > limit:
            advice = "broken on its own, but not after correcting for the number of criteria"
    return Check(
        criterion=criterion.name,
        outcome=outcome,
        estimate=evidence.estimate,
        low=low,
        high=high,
        limit=limit,
        sample=evidence.sample,
        advice=advice,
        is_share=criterion.is_share,
    )


def _combine(checks: Sequence[Check], *, broken: bool, invalid: bool) -> Outcome:
    outcomes = {check.outcome for check in checks}
    if invalid:
        return Outcome.INVALID
    if broken or Outcome.FAIL in outcomes:
        return Outcome.FAIL
    if outcomes == {Outcome.PASS}:
        return Outcome.PASS
    return Outcome.INCONCLUSIVE


def _check_sizes(criteria: Sequence[Criterion], policy: Policy) -> None:
    for criterion in criteria:
        if criterion.evidence.best(policy.confidence) > criterion.limit:
            raise UsageError(
                f"expected enough items to show that the {criterion.name} keeps the limit "
                f"{float(criterion.limit):g}, got {criterion.evidence.sample}: even with nothing "
                f"broken so few can never pass; see 'muscle-metrics power'"
            )


def _differences(comparison: Facts, policy: Policy) -> list[tuple[str, bool]]:
    """Name each other difference between the runs, and whether the policy accepts it."""
    differences = []
    for part, text in list_concerns(comparison.fingerprints, comparison.names):
        accepted = part in policy.accepted_differences
        differences.append((f"{text} (accepted)" if accepted else text, accepted))
    return differences


def _missing_pins(comparison: Facts, policy: Policy) -> list[tuple[str, bool]]:
    if comparison.in_memory is None:
        return []
    missing = sorted(policy.pinned.difference(comparison.in_memory.table.ids))
    if not missing:
        return []
    shown = ", ".join(map(repr, missing[:5]))
    return [(f"{len(missing)} pinned items are not in the comparison (first {shown})", False)]
