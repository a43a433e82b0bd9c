"""The gate: a comparison and a policy give a verdict. Only the command line knows exit codes."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from itertools import repeat
from typing import TYPE_CHECKING

from muscle_metrics.comparison.judges import recorded_metrics
from muscle_metrics.comparison.signature import OF_CHANGES
from muscle_metrics.errors import UsageError
from muscle_metrics.gate.advice import advise, list_looks
from muscle_metrics.gate.criteria import list_criteria
from muscle_metrics.gate.criterion import Criterion
from muscle_metrics.gate.equivalence import equivalence_note
from muscle_metrics.gate.pins import judge_pins
from muscle_metrics.gate.trust import check_coverage, list_notes, list_reasons
from muscle_metrics.gate.verdict import Check, Outcome, Verdict
from muscle_metrics.gate.waived import waiver_notes
from muscle_metrics.gate.waivers import waivers_digest
from muscle_metrics.statistics.looks import look_error
from muscle_metrics.statistics.multiplicity import holm_rejections
from muscle_metrics.words.place import list_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.evidence.evidence import Bounds, Evidence
    from muscle_metrics.gate.policy import Policy

__all__ = ["check_gate", "decide", "make_verdict", "refuse_unbreakable"]

LOSSES_DECIDE = (
    "the lost items decide, and this would fail if all of them {fate}: evaluate them again, or "
    'accept the loss with --accept-losses (missing = "ignore")'
)


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
        with probability at most ``1 - policy.confidence``: by exact bounds for rates
        over independent items, approximately for accuracy and for items in groups. With two looks
        this holds for both of them together, whatever number of items was added between them.

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
    checks = _judge(criteria, policy)
    verdict = make_verdict(comparison, policy, (*checks, *check_coverage(comparison, policy)))
    # A sequential verdict is made elsewhere: it may be asked again as often as one likes.
    undecided = verdict.outcome is Outcome.INCONCLUSIVE
    looks = list_looks(checks, policy, is_undecided=undecided)
    return replace(verdict, notes=(*verdict.notes, *looks))


def make_verdict(comparison: Facts, policy: Policy, checks: tuple[Check, ...]) -> Verdict:
    """Combine the checks with what makes the runs incomparable, broken pins and waivers."""
    _check_reading(comparison, policy)
    _check_judge(comparison, policy)
    pins = judge_pins(comparison, policy)
    reasons = list_reasons(comparison, policy, pins)
    invalid = any(not reason.is_accepted for reason in reasons)
    outcome = _combine(checks, broken=bool(pins.broken), invalid=invalid)
    within = equivalence_note(policy) if outcome is Outcome.PASS else ""
    return Verdict(
        outcome=outcome,
        checks=checks,
        broken_pins=pins.broken,
        reasons=tuple(reason.text for reason in reasons),
        names=comparison.names,
        confidence=policy.look_confidence,
        signature="; ".join([comparison.signature, *_waiver_recipe(policy)]),
        notes=(
            *filter(None, [within]),
            *waiver_notes(pins.waivers),
            *list_notes(comparison, policy),
        ),
        waivers=pins.waivers,
    )


def _waiver_recipe(policy: Policy) -> list[str]:
    """Digest of the waivers, and the day that they were judged by."""
    return [f"waivers {waivers_digest(policy.waivers)} on {policy.today}"] if policy.waivers else []


def _check_reading(comparison: Facts, policy: Policy) -> None:
    """Refuse a comparison by other readers of answers than those of the policy."""
    given = comparison.recipe.get("answer", "none").removesuffix(OF_CHANGES)
    if policy.answer not in (None, given):
        raise UsageError(
            f"expected a comparison of what {policy.answer} reads, as the policy says, got "
            f"answer {given}: compare with --answer (answer=), or change answer in the policy"
        )


def _check_judge(comparison: Facts, policy: Policy) -> None:
    """Refuse a comparison by other scores than those of the judge that the policy names."""
    given = recorded_metrics(comparison)
    if comparison.sample is not None:
        named = comparison.recipe.get("judge")
        given = [] if named is None else [re.split(" [<>]=? ", named)[0]]
    if policy.judge is not None and policy.judge not in given:
        raise UsageError(
            f"expected a comparison by the scores of the judge {policy.judge!r}, as the policy "
            f"says, got {list_names(given) or 'none'}: compare with --score-field or --metric of "
            f"that name, or drop --judge (judge=)"
        )


def decide(*, low: float, high: float, limit: Fraction, rejected: bool) -> Outcome:
    """Decide one criterion from its bounds; `rejected` is the lower bound's test after Holm."""
    # A float is an exact fraction: no rounding decides at the limit.
    if rejected and Fraction(low) > limit:
        return Outcome.FAIL
    if Fraction(low) <= limit and Fraction(high) <= limit:
        return Outcome.PASS
    return Outcome.INCONCLUSIVE


def _judge(criteria: Sequence[Criterion], policy: Policy) -> tuple[Check, ...]:
    observed = _reject([c.is_broken_at for c in criteria], policy)
    worst = _reject([c.would_be_broken_at for c in criteria], policy)
    return tuple(map(_check, criteria, observed, worst, repeat(policy.look_confidence)))


def _reject(rejected_at: Iterable[Callable[[float], bool]], policy: Policy) -> list[bool]:
    """Correct for the criteria by Holm's method, and each of its parts of alpha for the looks."""

    def over_looks(test: Callable[[float], bool]) -> Callable[[float], bool]:
        return lambda rate: test(look_error(rate, policy.looks))

    return holm_rejections(list(map(over_looks, rejected_at)), alpha=1 - policy.confidence)


def _check(criterion: Criterion, rejected: bool, at_worst: bool, confidence: float) -> Check:
    observed, limit = criterion.observed, criterion.limit
    bounds = criterion.bounds(confidence)
    low, high = bounds.low, bounds.high
    outcome = decide(low=low, high=high, limit=limit, rejected=rejected)
    advice = ""
    if outcome is not Outcome.FAIL and not criterion.can_fail(confidence):
        outcome, advice = Outcome.INVALID, _nothing_could_break(criterion)
    elif outcome is Outcome.INCONCLUSIVE and at_worst:
        outcome, advice = Outcome.INVALID, _losses_decide(criterion)
    elif outcome is Outcome.INCONCLUSIVE and Fraction(observed.upper(confidence)) <= limit:
        advice = _losses_leave_open(observed)
    elif outcome is Outcome.INCONCLUSIVE:
        advice = advise(observed, float(limit), confidence)
        if Fraction(low) > limit:
            advice = "broken on its own, but not after correcting for the number of criteria"
    basis = criterion.worst.basis
    return Check(
        criterion=criterion.name,
        outcome=outcome,
        estimate=observed.estimate,
        low=low,
        high=high,
        limit=limit,
        sample=observed.sample + _decided_by(criterion, bounds, outcome, confidence),
        advice=advice,
        method=bounds.method,
        is_share=criterion.is_share,
        bounded=observed.bounded,
        allowed_units=None if basis is None else basis.allowed,
        unseen_share=None if basis is None else basis.unseen(confidence),
    )


def _losses_decide(criterion: Criterion) -> str:
    observed = criterion.observed
    if not observed.unlabelled:
        return LOSSES_DECIDE.format(fate="changed" if criterion.is_mutual else "broke")
    return (
        f"{observed.unlabelled} rows without a label, or lost items, decide, and this would fail "
        f"if all of them broke: label these rows"
    )


def _losses_leave_open(observed: Evidence) -> str:
    if not observed.unlabelled:
        return "the lost items alone leave it open: evaluate them again"
    return f"{observed.unlabelled} rows without a label, or lost items, leave it open: label them"


def _decided_by(criterion: Criterion, bounds: Bounds, outcome: Outcome, confidence: float) -> str:
    """Say which bound over groups decided, and what it cannot see, where a verdict hangs on it."""
    basis = criterion.worst.basis
    if basis is None:
        return ""
    if outcome is Outcome.FAIL:
        by = "the approximate" if bounds.below == "approximate" else f"{bounds.below}'s"
        return f"; {by} lower bound decides"
    return f"; {basis.text(confidence)}"


def refuse_unbreakable(check: Check, breakable: Evidence, policy: Policy) -> Check:
    """Make a check of the negative flip rate INVALID if too few items could break."""
    criterion = Criterion(
        check.criterion, check.limit, observed=breakable, worst=breakable, breakable=breakable
    )
    if criterion.can_fail(policy.look_confidence):
        return check
    return replace(check, outcome=Outcome.INVALID, advice=_nothing_could_break(criterion))


def _nothing_could_break(criterion: Criterion) -> str:
    most = "no item" if criterion.breakable is None else criterion.breakable.sample
    why = "so the limit can hardly be exceeded"
    if criterion.is_mutual:
        why = "and runs that are wrong alike say little of each other"
    if criterion.observed.unit == "labels":
        return (
            f"only {most} could break, {why}: look at the answers, or add labels with "
            f"'muscle-metrics label --extend'"
        )
    return (
        f"only {most} could break, {why}: see how answers are judged with 'muscle-metrics "
        f"compare', or limit the items that old got right with --max-conditional-nfr "
        f"(max_conditional_nfr)"
    )


def _combine(checks: Sequence[Check], *, broken: bool, invalid: bool) -> Outcome:
    outcomes = {check.outcome for check in checks}
    if invalid:
        return Outcome.INVALID
    if broken or Outcome.FAIL in outcomes:
        return Outcome.FAIL
    if Outcome.INVALID in outcomes:
        return Outcome.INVALID
    if outcomes == {Outcome.PASS}:
        return Outcome.PASS
    return Outcome.INCONCLUSIVE


def _check_sizes(criteria: Sequence[Criterion], policy: Policy) -> None:
    for criterion in criteria:
        if criterion.worst.best(policy.look_confidence) > criterion.limit:
            raise UsageError(
                f"expected enough items to show that the {criterion.name} keeps the limit "
                f"{float(criterion.limit):g}, got {criterion.worst.sample}: even with nothing "
                f"broken so few can never pass; see 'muscle-metrics power'"
            )
