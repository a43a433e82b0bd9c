"""The gate on counts judges as the gate on items does, and refuses what only items tell."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics import Policy, check_gate, compare
from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.scale import CountedComparison, Totals

if TYPE_CHECKING:
    from muscle_metrics.comparison.comparison import Comparison


def counted(comparison: Comparison, **parts: Any) -> CountedComparison:
    return CountedComparison(
        names=comparison.names, totals=Totals.of(comparison), dropped={}, recipe={}, **parts
    )


def update(seed: int, number: int = 400, **columns: Any) -> Comparison:
    draw = np.random.default_rng(seed)
    answers = [draw.choice(list("ABC"), number).tolist() for _ in range(2)]
    # Half of the new answers are the old ones, and A is right most of the time.
    new = [a if keep else b for a, b, keep in zip(*answers, draw.random(number) < 0.5, strict=True)]
    references = draw.choice(list("AAAB"), number).tolist()
    return compare(old=answers[0], new=new, references=references, **columns)


def checks(comparison: Comparison | CountedComparison, policy: Policy) -> list[tuple[Any, ...]]:
    return [
        (c.criterion, c.outcome, pytest.approx(c.estimate), pytest.approx(c.low, abs=1e-12),
         pytest.approx(c.high, abs=1e-12), c.limit, c.sample, c.advice)
        for c in check_gate(comparison, policy).checks
    ]  # fmt: skip


POLICY = Policy(
    max_nfr="0.2",
    max_accuracy_loss="0.1",
    max_nfr_mc="0.3",
    slices={"x": "0.25"},
    protected=("y",),
)


@given(st.integers(0, 10**6), st.sampled_from(["independent", "groups", "some in groups"]))
def test_counts_are_judged_like_items(seed, kind):
    draw = np.random.default_rng(seed)
    columns: dict[str, Any] = {"slices": draw.choice(["x", "y"], 400).tolist()}
    if kind != "independent":
        columns["groups"] = [f"g{n}" for n in draw.integers(0, 60, 400)]
    if kind == "some in groups":
        columns["groups"] = [g if n % 3 else None for n, g in enumerate(columns["groups"])]
    comparison = update(seed, **columns)
    assert checks(counted(comparison), POLICY) == checks(comparison, POLICY)
    correctness = [check_gate(c, POLICY) for c in (comparison, counted(comparison))]
    assert correctness[0].outcome == correctness[1].outcome


def test_graded_scores_are_judged_by_their_counts():
    texts = {"old": ["a b", "c d"] * 50, "new": ["a b", "c x"] * 50, "references": ["a b"] * 100}
    comparison = compare(**texts, metric=["rouge1", "chrf"])
    policy = Policy(max_nfr="0.6", metrics={"chrf": "0.7"})
    assert checks(counted(comparison), policy) == checks(comparison, policy)
    with pytest.raises(UsageError, match="threshold"):
        check_gate(counted(comparison), replace(policy, max_accuracy_loss="0.1"))
    judged = compare(**texts, metric="rouge1", threshold=0.5)
    whole = replace(policy, metrics={"rouge1": "0.7"}, max_accuracy_loss="0.5")
    assert checks(counted(judged), whole) == checks(judged, whole)


@pytest.mark.parametrize(
    "limits",
    [
        {"max_mean_regression": "0.1"},
        {"max_weighted_nfr": "0.1", "weights": {"x": 2.0}},
        {"pinned": frozenset({"1"})},
        {"tasks": {"math": "0.1"}},
        {"slices": {"z": "0.1"}},
        {"protected": ("z",)},
        {"metrics": {"rouge1": "0.1"}},
    ],
)
def test_what_only_items_tell_is_refused(limits):
    with pytest.raises(UsageError, match="expected"):
        check_gate(counted(update(1, slices=["x"] * 400)), Policy(max_nfr="0.5", **limits))


def test_repeats_unknown_answers_and_smaller_effects_are_refused():
    comparison = update(2)
    with pytest.raises(UsageError, match="repeats"):
        check_gate(counted(comparison, is_repeated=True), Policy(max_nfr="0.5"))
    correctness = comparison.correctness
    assert correctness is not None
    silent = replace(comparison, correctness=correctness._replace(changed=None))
    with pytest.raises(InputError, match="record answers"):
        check_gate(counted(silent), Policy(max_nfr="0.5", max_nfr_mc="0.5"))
    graded = compare(old=["a b"] * 99, new=["a c"] * 99, references=["a b"] * 99, metric="rouge1")
    with pytest.raises(UsageError, match="minimum effect"):
        check_gate(counted(graded), Policy(max_nfr="0.5", minimum_effect=0.1))
    with pytest.raises(UsageError, match="groups"):
        check_gate(counted(graded, is_grouped=True), Policy(max_nfr="0.5"))
