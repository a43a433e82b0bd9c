"""Gating a run that still grows: stop as soon as the items seen so far decide, or go on.

Early stopping keeps its error rates only if the order of the items was fixed before any result was
seen. Ids and a seed give the order, so that anyone can check it.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import fields, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from muscle_metrics.comparison.compare import compare_runs
from muscle_metrics.errors import PairingError, UsageError
from muscle_metrics.gate.check import make_verdict, refuse_unbreakable
from muscle_metrics.gate.policy import Policy
from muscle_metrics.gate.verdict import Check, Outcome
from muscle_metrics.statistics.bisection import last_where
from muscle_metrics.statistics.sequential import StreamDecision, decide_stream, log_e_values
from muscle_metrics.words.place import item_name, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.gate.verdict import Verdict
    from muscle_metrics.runs.record import Record, Run

__all__ = ["check_growing", "seeded_order"]

# Policy keys that a sequential test supports. The other limits need a fixed sample size.
SEQUENTIAL = {"max_nfr", "confidence", "on_inconclusive", "accepted_differences"}
OUTCOMES = {"pass": Outcome.PASS, "fail": Outcome.FAIL, "continue": Outcome.INCONCLUSIVE}


def seeded_order(run: Run, seed: int) -> tuple[Record, ...]:
    """Put records in a random order that only their ids and the seed decide.

    Parameters
    ----------
    run : Run
        The items; their order in the file does not matter.
    seed : int
        Another seed gives another order.

    Returns
    -------
    tuple of Record

    Examples
    --------
    >>> from muscle_metrics.runs.record import Record, Run
    >>> run = Run(tuple(Record(name) for name in "abcd"), "v1")
    >>> [record.id for record in seeded_order(run, 1)]
    ['b', 'c', 'd', 'a']
    """

    def rank(record: Record) -> bytes:
        name = json.dumps([seed, record.task, record.id, record.repeat])
        return hashlib.sha256(name.encode()).digest()

    return tuple(sorted(run, key=rank))


def check_growing(
    old: Run, new: Run, policy: Policy, *, seed: int, **options: Any
) -> tuple[Comparison, Verdict]:
    """Judge the items of the new run so far, and say whether they suffice.

    Parameters
    ----------
    old : Run
        The whole benchmark.
    new : Run
        The first items in the order of `seeded_order`; the run may still grow.
    policy : Policy
        With a limit `max_nfr` and no other.
    seed : int
        Seed of the order.
    **options
        Those of `compare_runs`.

    Returns
    -------
    Comparison
        Of the items seen so far.
    Verdict
        INCONCLUSIVE means: go on. Over all looks together, false PASS and false FAIL at the limit
        each happen with probability at most ``1 - policy.confidence``.

    Raises
    ------
    InputError
        If the new run holds other items or another order, or the runs cannot be compared.
    UsageError
        If the policy or an option does not fit, or items are not independent.
    """
    _check_policy(policy)
    _check_options(options)
    order = seeded_order(old, seed)
    _check_order(order, new, seed)
    seen = order[: len(new)]
    comparison = compare_runs(replace(old, records=seen), new, **options)
    stream = _stream(comparison, seen)
    check = _check(stream, policy, seed, total=len(order))
    if check.outcome is Outcome.PASS:
        check = refuse_unbreakable(check, comparison, policy)
    return comparison, make_verdict(comparison, policy, (check,))


def _check(stream: npt.NDArray[np.bool_], policy: Policy, seed: int, total: int) -> Check:
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
        sample=f"{decision.flips} of the first {decision.items} items in the order of seed {seed}",
        advice=_advice(decision, seen=len(stream), total=total),
    )


def _advice(decision: StreamDecision, *, seen: int, total: int) -> str:
    if decision.verdict != "continue":
        return f"stop: the other {total - decision.items} of {total} items are not needed"
    if seen < total:
        return f"go on: {total - seen} of {total} items are left"
    return "all items are used up; only more of them would decide"


def _bounds(stream: npt.NDArray[np.bool_], confidence: float) -> tuple[float, float]:
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


def _stream(comparison: Comparison, seen: Sequence[Record]) -> npt.NDArray[np.bool_]:
    """Whether each item flipped, in the order in which the items were seen."""
    correctness, table = comparison.correctness, comparison.table
    if correctness is None:
        raise UsageError(
            "expected right and wrong answers for --sequential, got graded scores: pass --threshold"
        )
    if table.is_repeated or any(table.groups):
        raise UsageError(
            "expected independent items for --sequential, got repeats or groups: gate the whole run"
        )
    flipped = (correctness.old_right & ~correctness.new_right).tolist()
    by_name = dict(zip(zip(table.tasks, table.ids, strict=True), flipped, strict=True))
    return np.array([by_name[record.task, record.id] for record in seen], dtype=bool)


def _check_order(order: Sequence[Record], new: Run, seed: int) -> None:
    if len(new) > len(order):
        raise PairingError(
            f"expected at most the {len(order)} items of old, got {len(new)} in {show(new.name)}: "
            f"what old lacks cannot be compared"
        )
    for place, (wanted, given) in enumerate(zip(order, new, strict=False), 1):
        if _name(wanted) != _name(given):
            raise PairingError(
                f"expected item {show(_name(wanted))} at place {place} of {show(new.name)}, got "
                f"{show(_name(given))}: evaluate items in the order that 'muscle-metrics order' "
                f"prints for seed {seed}, and drop none"
            )


def _name(record: Record) -> str:
    return item_name(record.task, record.id, record.repeat)


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
            f"expected a policy of max_nfr alone for --sequential, got {others} too: gate the "
            f"whole run by these"
        )


def _check_options(options: dict[str, Any]) -> None:
    losing = [
        f"{name}={value}" for name, value in options.items() if value in ("drop", "own", "last")
    ]
    if losing:
        raise UsageError(
            f"expected every item to count by the references of old for --sequential, got "
            f"{losing}: an item that is lost could be the flip that decides; leave these out, or "
            f"gate the whole run"
        )
