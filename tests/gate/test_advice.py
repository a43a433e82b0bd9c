"""What an undecided gate advises: how likely a number decides, and whether a look is left."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from muscle_metrics import Policy, Record, Run, check_gate, compare
from muscle_metrics.gate.sequential import check_growing, seeded_order


def judged(flips, total, groups=None, **policy):
    new = ["B"] * flips + ["A"] * (total - flips)
    runs = compare(old=["A"] * total, new=new, references=["A"] * total, groups=groups)
    return check_gate(runs, Policy(**policy))


def test_a_number_of_items_comes_with_its_chance():
    (check,) = judged(2, 100, max_nfr="0.05").checks
    assert check.advice == "57 more items at this rate would decide (in about 6 of 10 cases)"


def test_a_number_of_groups_comes_with_its_chance():
    groups = [str(row // 5) for row in range(1000)]
    (check,) = judged(40, 1000, groups, max_nfr="0.05").checks
    assert re.fullmatch(
        r"about \d+ more groups at this rate would decide \(in about [5-9] of 10 cases\)",
        check.advice,
    )


def test_next_to_the_limit_there_is_no_number_and_no_chance():
    (check,) = judged(50, 1000, max_nfr="0.05").checks
    assert "too near the limit" in check.advice
    assert "cases" not in check.advice


UNDECIDED = {"flips": 20, "total": 500, "max_nfr": "0.05"}


@pytest.mark.parametrize(
    ("looks", "said"),
    [
        (
            {},
            "to add items and look again, plan it before the first look with --looks 2 (looks = 2)",
        ),
        (
            {"looks": 2},
            "look 1 of 2; add items to these and look again with --look 2 (look = 2)",
        ),
        (
            {"looks": 2, "look": 2},
            "look 2 of 2; no look is left: judge other items on their own",
        ),
    ],
)
def test_the_first_line_says_whether_a_look_is_left(looks, said):
    assert judged(**UNDECIDED, **looks).headline == f"INCONCLUSIVE: old -> new; {said}"


def test_a_decision_needs_no_other_look():
    assert "look" not in judged(20, 500, max_nfr="0.1").headline
    headline = judged(20, 500, max_nfr="0.1", looks=2).headline
    assert headline == "PASS: old -> new; look 1 of 2"


def test_more_items_are_not_offered_where_they_cannot_help():
    assert judged(50, 1000, max_nfr="0.05").headline == "INCONCLUSIVE: old -> new"


# 14 of 500 items: the bound at .95 is 4.33 %, and at .9802 it is 4.79 %.
def test_a_planned_look_has_a_stricter_bound():
    verdicts = [judged(14, 500, max_nfr="0.045", looks=looks) for looks in (1, 2)]
    assert [verdict.outcome for verdict in verdicts] == ["PASS", "INCONCLUSIVE"]
    assert [verdict.confidence for verdict in verdicts] == pytest.approx([0.95, 0.9802])


# Two criteria; 31 or more of 200 items break with probability .0095 at the limit of 10 %. Half of
# the error of a look is .0099, and the error of a look of a plan at .025 is .0093.
@pytest.mark.parametrize(("flips", "outcome"), [(31, "INCONCLUSIVE"), (32, "FAIL")])
def test_holm_corrects_the_error_of_the_plan_and_not_that_of_a_look(flips, outcome):
    verdict = judged(flips, 200, max_nfr="0.1", max_conditional_nfr="0.1", looks=2)
    assert verdict.outcome == outcome
    assert judged(flips, 200, max_nfr="0.1", looks=2).outcome == "FAIL"


def test_a_sequential_gate_that_used_up_its_items_speaks_of_no_second_look():
    old = Run(tuple(Record(str(row), "A", "A") for row in range(60)), "old")
    order = seeded_order(old, 3)
    new = (
        replace(record, prediction="B" if row % 9 == 8 else "A") for row, record in enumerate(order)
    )
    verdict = check_growing(old, Run(tuple(new), "new"), Policy(max_nfr="0.12"), seed=3)[1]
    assert verdict.headline == "INCONCLUSIVE: old -> new"
