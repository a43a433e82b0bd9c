"""Plans for groups, repeats, several criteria and missing items, against the gate itself."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from scipy.stats import binom

from muscle_metrics import Policy, Record, Run, check_gate, compare, compare_runs
from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.statistics.plans import (
    Design,
    finite_sample_groups,
    planned_items,
    planned_power,
)
from muscle_metrics.statistics.power import gate_power, required_items

PLAN = {"limit": 0.05, "true_rate": 0.025}


def test_independent_items_have_the_exact_power():
    assert planned_power(Design(), items=500, **PLAN) == gate_power(items=500, **PLAN)
    assert planned_items(Design(), **PLAN) == required_items(**PLAN) == 386
    failing = {"limit": 0.05, "true_rate": 0.1, "verdict": "fail"}
    assert planned_items(Design(), **failing) == required_items(**failing) == 191


# Several criteria


# Eleven independent criteria of power .8 pass together in .8**11 = 8.6 % of all cases; a plan of
# 969 items has a power of .82, and so 11.4 %.
def test_eleven_criteria_pass_together_in_one_of_nine_cases():
    one = gate_power(items=969, limit=0.02, true_rate=0.01).passes
    chances = planned_power(Design(criteria=11), items=969, limit=0.02, true_rate=0.01)
    assert chances.passes == pytest.approx(one**11)
    assert chances.passes == pytest.approx(0.114, abs=0.001)


@pytest.mark.parametrize("criteria", [2, 5, 11])
def test_a_plan_for_several_criteria_makes_all_pass(criteria):
    items = planned_items(Design(criteria=criteria), **PLAN)
    assert planned_power(Design(criteria=criteria), items=items, **PLAN).passes >= 0.8
    assert gate_power(items=items, **PLAN).passes ** criteria >= 0.8


# Holm rejects anything only if the smallest p-value is at most alpha / criteria.
def test_one_of_several_criteria_fails_by_the_corrected_bound():
    found = planned_power(Design(criteria=4), items=400, limit=0.05, true_rate=0.09).fails
    fewest = next(x for x in range(401) if binom.sf(x - 1, 400, 0.05) < 0.05 / 4)
    assert found == pytest.approx(binom.sf(fewest - 1, 400, 0.09))


def outcomes(make, limit, runs, **policy):
    found = [
        check_gate(make(np.random.default_rng(seed)), Policy(max_nfr=limit, **policy)).outcome
        for seed in range(runs)
    ]
    return {name: found.count(name) / runs for name in ("PASS", "FAIL")}


def broken(flips, **columns):
    """Runs of which the old one is right, and the new one wrong where items flip."""
    new = ["B" if flip else "A" for flip in flips]
    return compare(old=["A"] * len(new), new=new, references=["A"] * len(new), **columns)


# The limit of all items is far away, so that the four slices decide.
def test_the_gate_passes_slices_as_often_as_planned():
    names = [f"s{row % 4}" for row in range(4 * 400)]

    def make(rng):
        return broken(rng.random(len(names)) < 0.025, slices=names)

    slices = dict.fromkeys(sorted(set(names)), "0.05")
    expected = planned_power(Design(criteria=4), items=400, **PLAN).passes
    # Two standard errors of 300 runs are 6 points.
    assert outcomes(make, "0.3", 300, slices=slices)["PASS"] == pytest.approx(expected, abs=0.06)


# Missing items


def test_a_missing_item_counts_as_broken_for_pass_and_not_at_all_for_fail():
    design = Design(missing_share=0.02)
    worst = 0.02 + 0.98 * 0.025
    assert planned_items(design, **PLAN) == required_items(limit=0.05, true_rate=worst)
    failing = {"limit": 0.05, "true_rate": 0.1, "verdict": "fail"}
    assert planned_items(design, **failing) == math.ceil(191 / 0.98)
    chances = planned_power(design, items=1000, **PLAN)
    assert chances.passes == gate_power(items=1000, limit=0.05, true_rate=worst).passes


def test_the_gate_passes_with_missing_items_as_often_as_planned():
    old = Run(tuple(Record(str(row), "A", "A") for row in range(700)), "old")

    def make(rng):
        flips, kept = rng.random(700) < 0.025, rng.random(700) >= 0.01
        rows = ((row, "B" if flips[row] else "A") for row in np.flatnonzero(kept).tolist())
        new = Run(tuple(Record(str(row), text, "A") for row, text in rows), "new")
        return compare_runs(old, new, missing="drop")

    expected = planned_power(Design(missing_share=0.01), items=700, **PLAN).passes
    found = outcomes(make, "0.05", 300, min_coverage="0.9")["PASS"]
    assert found == pytest.approx(expected, abs=0.06)


def test_missing_items_that_reach_the_limit_leave_nothing_to_plan():
    with pytest.raises(
        UsageError, match=r"^expected missing items below the limit 0.05, got a sha"
    ):
        planned_items(Design(missing_share=0.03), **PLAN)
    assert planned_power(Design(missing_share=0.06), items=5000, **PLAN).passes < 0.05


# Groups


# 1 + (m - 1) * rho (Kish 1965).
def test_the_design_effect_is_that_of_kish():
    assert Design(group_size=20, correlation=0.1).effect == pytest.approx(2.9)
    assert Design(repeats=4, repeat_correlation=0.5).effect == pytest.approx(2.5 / 4)
    assert Design(repeats=9, repeat_correlation=1).effect == 1


def test_a_finite_sample_bound_needs_ten_of_the_largest_groups_within_the_limit():
    assert finite_sample_groups(Design(group_size=10), 0.05) == 200
    assert finite_sample_groups(Design(group_size=10, largest_group=40), 0.02) == 2000
    assert finite_sample_groups(Design(group_size=3), 0.3) == 34


def test_larger_groups_repeats_and_guesses_move_a_plan_the_right_way():
    def items(**design):
        return planned_items(Design(**design), **PLAN)

    assert 386 < items(group_size=5) < items(group_size=10) < items(group_size=10, correlation=0.6)
    assert items(group_size=10) < items(group_size=10, largest_group=40)
    assert items(repeats=5) < items(repeats=2) < items(repeats=2, repeat_correlation=1)
    assert items(group_size=10) % 10 == 0


@pytest.mark.parametrize("goal", ["pass", "fail"])
def test_a_plan_for_groups_has_its_power(goal):
    design, rate = Design(group_size=10), 0.025 if goal == "pass" else 0.1
    plan = {"limit": 0.05, "true_rate": rate}
    items = planned_items(design, verdict=goal, **plan)
    chances, fewer = (planned_power(design, items=n, **plan) for n in (items, items - 100))
    assert getattr(chances, f"{goal}es" if goal == "pass" else "fails") >= 0.8
    assert getattr(fewer, f"{goal}es" if goal == "pass" else "fails") < 0.8


def test_fewer_groups_than_the_limit_needs_can_never_pass():
    assert planned_power(Design(group_size=10), items=580, limit=0.05, true_rate=0).passes == 0
    assert planned_power(Design(group_size=10), items=590, limit=0.05, true_rate=0).passes == 1


def beta_binomial(rng, rate, correlation, units, size):
    spread = 1 / correlation - 1
    chances = rng.beta(rate * spread, (1 - rate) * spread, units)
    return rng.random((units, size)) < chances[:, None]


# 150 runs have a standard error of 3.5 points at .75; the plan is an approximation of 5 points.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("groups", "size", "correlation", "limit", "rate"),
    [
        (200, 10, 0.3, 0.05, 0.025),
        (200, 10, 0.1, 0.05, 0.025),
        (300, 5, 0.3, 0.05, 0.025),
        (200, 4, 0.6, 0.1, 0.05),
        (100, 10, 0.3, 0.05, 0.1),
    ],
)
def test_the_gate_decides_groups_as_often_as_planned(groups, size, correlation, limit, rate):
    names = np.repeat(np.arange(groups), size).astype(str).tolist()

    def make(rng):
        return broken(beta_binomial(rng, rate, correlation, groups, size).ravel(), groups=names)

    design = Design(group_size=size, correlation=correlation)
    expected = planned_power(design, items=groups * size, limit=limit, true_rate=rate)
    found = outcomes(make, str(limit), 150)
    assert found["PASS"] == pytest.approx(expected.passes, abs=0.1)
    assert found["FAIL"] == pytest.approx(expected.fails, abs=0.1)


# Repeats: old is always right, and new wrong by a chance of each prompt


@pytest.mark.slow
@pytest.mark.parametrize(
    ("prompts", "repeats", "correlation", "rate"),
    [(200, 5, 0.5, 0.025), (200, 3, 0.2, 0.025), (150, 5, 0.5, 0.12), (150, 5, 0.2, 0.09)],
)
def test_the_gate_decides_repeats_as_often_as_planned(prompts, repeats, correlation, rate):
    names = np.repeat(np.arange(prompts), repeats).astype(str)
    rows = [(name, str(k % repeats)) for k, name in enumerate(names.tolist())]
    old = Run(tuple(Record(name, "A", "A", repeat=k) for name, k in rows), "old")

    def make(rng):
        flips = beta_binomial(rng, rate, correlation, prompts, repeats).ravel().tolist()
        pairs = zip(rows, flips, strict=True)
        new = (Record(name, "B" if flip else "A", "A", repeat=k) for (name, k), flip in pairs)
        return compare_runs(old, Run(tuple(new), "new"))

    design = Design(repeats=repeats, repeat_correlation=correlation)
    expected = planned_power(design, items=prompts, limit=0.05, true_rate=rate)
    found = outcomes(make, "0.05", 60)
    assert found["PASS"] == pytest.approx(expected.passes, abs=0.14)
    assert found["FAIL"] == pytest.approx(expected.fails, abs=0.14)


# What cannot be planned


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"group_size": 0.5}, "expected --group-size (group_size=) of at least 1, got 0.5: "),
        ({"repeats": 0}, "expected --repeats (repeats=) of at least 1, got 0: "),
        ({"criteria": math.nan}, "expected --criteria (criteria=) of at least 1, got nan: "),
        (
            {"group_size": 10, "largest_group": 5},
            "expected --largest-group (largest_group=) of at least the mean size, got 5 and a ",
        ),
        ({"correlation": 30}, "expected --correlation (correlation=) between 0 and 1, got 30: "),
        ({"missing_share": 1}, "expected --missing-share (missing_share=) of at least 0 and below"),
    ],
)
def test_an_impossible_design_is_refused(options, message):
    with pytest.raises(UsageError, match=f"^{re.escape(message)}"):
        Design(**options)


def test_no_item_and_no_rate_are_refused():
    with pytest.raises(InputError, match=r"^expected at least 1 item, got 0"):
        planned_power(Design(criteria=2), items=0, **PLAN)
    with pytest.raises(UsageError, match=r"^expected power strictly between 0 and 1, got 80"):
        planned_items(Design(criteria=2), **PLAN, power=80)
    with pytest.raises(UsageError, match=r"^expected a true rate below the limit"):
        planned_items(Design(group_size=10), limit=0.05, true_rate=0.06)
