"""Stopping early: an order that nobody chose, and bounds that are those that decided."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics import InputError, Policy, Record, Run, UsageError
from muscle_metrics.gate.sequential import check_growing
from muscle_metrics.gate.stream import seeded_order
from muscle_metrics.statistics.sequential import decide_stream

if TYPE_CHECKING:
    from random import Random


def benchmark(items: int, name: str = "v1") -> Run:
    return Run(tuple(Record(f"q{i}", "A", "A") for i in range(items)), name)


def growing(old: Run, flips: list[bool], seed: int) -> Run:
    order = seeded_order(old, seed)
    records = (
        Record(record.id, "B" if flip else "A", "A")
        for record, flip in zip(order, flips, strict=False)
    )
    return Run(tuple(records), "v2")


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.sampled_from(["0.05", "0.2", "0.5"]))
def test_the_verdict_is_that_of_the_stream_and_of_its_bounds(flips: list[bool], limit: str) -> None:
    old = benchmark(60)
    policy = Policy(max_nfr=limit)
    comparison, verdict, _ = check_growing(old, growing(old, flips, 3), policy, seed=3)
    (check,) = verdict.checks
    decision = decide_stream(flips, limit=float(limit))
    assert check.outcome.lower() == {"continue": "inconclusive"}.get(
        decision.verdict, decision.verdict
    )
    assert verdict.outcome == check.outcome
    assert comparison.total == len(flips)
    assert check.low <= check.estimate <= check.high
    assert (check.outcome == "PASS") == (Fraction(check.high) <= check.limit)
    assert (check.outcome == "FAIL") == (Fraction(check.low) >= check.limit)


def test_a_difference_that_is_not_accepted_is_invalid() -> None:
    old = benchmark(200)
    old = Run(old.records, "v1", {"judge": "x"})
    new = Run(growing(old, [False] * 100, 3).records, "v2", {"judge": "y"})
    assert check_growing(old, new, Policy(max_nfr="0.05"), seed=3)[1].outcome == "INVALID"
    accepting = Policy(max_nfr="0.05", accepted_differences=("judge",))
    assert check_growing(old, new, accepting, seed=3)[1].outcome == "PASS"


def test_graded_scores_need_a_threshold() -> None:
    records = tuple(Record(f"q{i}", scores={"f1": 0.7}) for i in range(100))
    old = Run(records, "v1")
    new = Run(seeded_order(old, 1)[:90], "v2")
    with pytest.raises(UsageError, match="--threshold"):
        check_growing(old, new, Policy(max_nfr="0.05"), seed=1)
    assert (
        check_growing(old, new, Policy(max_nfr="0.05"), seed=1, threshold=0.5)[1].outcome == "PASS"
    )


def test_an_empty_log_is_refused() -> None:
    with pytest.raises(InputError):
        check_growing(benchmark(9), Run((), "v2"), Policy(max_nfr="0.05"), seed=1)


@given(st.lists(st.booleans(), min_size=2, max_size=60), st.randoms())
def test_a_decision_stands_however_the_log_goes_on(flips: list[bool], chance: Random) -> None:
    old, policy = benchmark(60), Policy(max_nfr="0.3")
    cut = chance.randrange(1, len(flips))
    (early,), (late,) = (
        check_growing(old, growing(old, seen, 3), policy, seed=3)[1].checks
        for seen in (flips[:cut], flips)
    )
    if early.outcome != "INCONCLUSIVE":
        assert early == late
