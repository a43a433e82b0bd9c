"""Gating a run that still grows: stop as soon as the items seen so far decide, or go on.

Early stopping keeps its error rates only if the order of the items was fixed before any result was
seen. Ids and a seed give the order, so that anyone can check it.
"""

from __future__ import annotations

import math
from dataclasses import fields, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from muscle_metrics.comparison.compare import compare_runs
from muscle_metrics.errors import UsageError
from muscle_metrics.evidence.rates import independent_rate
from muscle_metrics.gate.check import make_verdict, refuse_unbreakable
from muscle_metrics.gate.policy import Policy
from muscle_metrics.gate.stream import (
    check_independent,
    flips_of,
    right_in,
    see_items,
    seeded_order,
)
from muscle_metrics.gate.verdict import Check, Outcome
from muscle_metrics.statistics.bisection import last_where
from muscle_metrics.statistics.sequential import StreamDecision, decide_stream, log_e_values

if TYPE_CHECKING:
    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.gate.verdict import Verdict
    from muscle_metrics.runs.record import Run

__all__ = ["Growing", "check_growing"]

Flags = npt.NDArray[np.bool_]

# Policy keys that a sequential test supports. The other limits need a fixed sample size.
SEQUENTIAL = {"max_nfr", "confidence", "on_inconclusive", "accepted_differences", "today"}
OUTCOMES = {"pass": Outcome.PASS, "fail": Outcome.FAIL, "continue": Outcome.INCONCLUSIVE}


class Growing(NamedTuple):
    """A look at a run that grows.

    Parameters
    ----------
    comparison : Comparison
        Of the items that were run.
    verdict : Verdict
        INCONCLUSIVE means: go on, unless all items are known.
    is_complete : bool
        Whether all items are known, so that nothing can be added.
    """

    comparison: Comparison
    verdict: Verdict
    is_complete: bool


def check_growing(old: Run, new: Run, policy: Policy, *, seed: int, **options: Any) -> Growing:
    """Judge the items of the new run so far, and say whether they suffice.

    Parameters
    ----------
    old : Run
        The whole benchmark.
    new : Run
        The first items in the order of `seeded_order`; the run may still grow. It may leave out
        items that old got wrong, which cannot be negative flips.
    policy : Policy
        With a limit `max_nfr` and no other.
    seed : int
        Seed of the order.
    **options
        Those of `compare_runs`.

    Returns
    -------
    Growing
        Over all looks together, false PASS and false FAIL at the limit each happen with probability
        at most ``1 - policy.confidence``.

    Raises
    ------
    InputError
        If the new run holds other items or another order, leaves out an item that old got right, or
        the runs cannot be compared.
    UsageError
        If the policy or an option does not fit, or items are not independent.
    """
    _check_policy(policy)
    order = seeded_order(old, seed)
    right = right_in(old, order, **options)
    check_independent(old)
    seen = see_items(order, right, new, seed)
    length = len(seen.records)
    held = tuple(record for record, ran in zip(*seen, strict=True) if ran)
    comparison = compare_runs(replace(old, records=held), new, **options)
    stream = flips_of(comparison, seen, right[:length])
    check = _check(stream, seen.was_run, right, policy, seed)
    if check.outcome is Outcome.PASS:
        breakable = independent_rate(int(right[:length].sum()), length)
        check = refuse_unbreakable(check, breakable, policy)
    skipped = length - len(held)
    if skipped:
        recipe = {**comparison.recipe, "skipped": str(skipped)}
        comparison = replace(comparison, recipe=recipe)
    verdict = make_verdict(comparison, policy, (check,))
    return Growing(comparison, verdict, is_complete=length == len(order))


def _check(stream: Flags, was_run: Flags, right: Flags, policy: Policy, seed: int) -> Check:
    limit = Fraction(policy.max_nfr or 0)
    decision = decide_stream(stream, limit=float(limit), confidence=policy.confidence)
    low, high = _bounds(stream[: decision.items], policy.confidence)
    return Check(
        criterion="negative flip rate, sequential",
        outcome=OUTCOMES[decision.verdict],
        estimate=decision.flips / decision.items,
        low=low,
        high=high,
        limit=limit,
        method="anytime-valid",
        sample=_sample(decision, was_run, seed),
        advice=_advice(decision, right, seen=len(stream)),
    )


def _sample(decision: StreamDecision, was_run: Flags, seed: int) -> str:
    runs = int(was_run[: decision.items].sum())
    skipped = decision.items - runs
    sample = f"{decision.flips} of the first {decision.items} items in the order of seed {seed}"
    if not skipped:
        return sample
    return f"{sample}, {runs} of them run and {skipped} skipped, which old got wrong"


def _advice(decision: StreamDecision, right: Flags, *, seen: int) -> str:
    total = len(right)
    if decision.verdict != "continue":
        return f"stop: the other {total - decision.items} of {total} items are not needed"
    if seen == total:
        return (
            "all items are used up; only more of them would decide, and an ordinary gate after "
            "these looks errs more often than it states"
        )
    advice = f"go on: {total - seen} of {total} items are left"
    needless = int(np.count_nonzero(~right[seen:]))
    if not needless:
        return advice
    return f"{advice}, and {needless} of them need no run, as old got them wrong"


def _bounds(stream: Flags, confidence: float) -> tuple[float, float]:
    """Least and largest limit that no look at the stream has rejected."""
    needed = -math.log(1 - confidence)
    flips, items = np.cumsum(stream), np.arange(1, len(stream) + 1)

    def is_more_than(rate: float) -> bool:
        return bool((log_e_values(flips, items, limit=rate).for_fail >= needed).any())

    def is_not_less_than(rate: float) -> bool:
        return not (log_e_values(flips, items, limit=rate).for_pass >= needed).any()

    low = last_where(is_more_than, 0.0, 1.0) if stream.any() else 0.0
    high = last_where(is_not_less_than, 0.0, 1.0) if not stream.all() else 1.0
    return low, high


def _check_policy(policy: Policy) -> None:
    plain = Policy(max_nfr="0.5")
    others = [
        field.name
        for field in fields(Policy)
        if field.name not in SEQUENTIAL
        and getattr(policy, field.name) != getattr(plain, field.name)
    ]
    if others:
        raise UsageError(
            f"expected a policy of max_nfr alone for --sequential, got other keys {others}: gate "
            f"the whole run by these"
        )
