"""Rates of k generations against counts by hand, and their evidence."""

import numpy as np
import pytest

from muscle_metrics.evidence.prompts import PromptCounts, flap_evidence, pass_changes, pass_loss
from muscle_metrics.statistics.proportions import proportion_interval


def counts(old, new, total=5, **more):
    columns = [np.array(column) for column in (old, new)]
    return PromptCounts(*columns, np.broadcast_to(total, columns[0].shape), **more)


def test_flips_of_all_generations_are_counts_of_prompts():
    found = pass_changes(counts(old=[5, 5, 5, 3, 0, 4], new=[0, 4, 5, 5, 1, 0]), 5)
    assert [one.title for one in found] == ["pass@5", "pass^5", "flap rate"]
    any_right, all_right, flaps = found
    assert (any_right.old, any_right.new) == (5 / 6, 4 / 6)
    # Two prompts had a right answer and have none; one has its first.
    assert (any_right.broke, any_right.fixed) == (2 / 6, 1 / 6)
    assert (all_right.old, all_right.new) == (3 / 6, 2 / 6)
    assert (all_right.broke, all_right.fixed) == (2 / 6, 1 / 6)
    assert (flaps.old, flaps.new) == (2 / 6, 2 / 6)
    for one in found:
        assert one.fixed - one.broke == pytest.approx(one.new - one.old)
        assert one.change.low <= one.new - one.old <= one.change.high


def test_one_generation_has_no_flaps():
    assert [one.title for one in pass_changes(counts([1, 0], [1, 1], 1), 1)] == ["pass@1"]


def test_a_loss_of_certain_prompts_has_the_bound_of_a_rate():
    # Values 0 and 1 alone: Gaffke's bound is that of Clopper and Pearson, on the doubled range.
    loss = pass_loss(counts(old=[5] * 60, new=[0] * 6 + [5] * 54), "pass_hat_k", 5)
    exact = proportion_interval(6, 60, confidence=0.95, method="clopper-pearson", side="lower")
    assert loss.estimate == pytest.approx(0.1)
    assert loss.lower(0.95) < 0.1 < loss.upper(0.95)
    flaps = flap_evidence(counts(old=[5] * 60, new=[3] * 6 + [5] * 54), 5)
    assert flaps.lower(0.95) == pytest.approx(exact.low, abs=1e-6)


def test_lost_generations_are_the_answers_that_flap_most():
    # Of the second prompt one answer is lost, and all others are right; of the third all others
    # are wrong. Either may flap.
    lost = np.array([0, 1, 1, 0])
    found = flap_evidence(counts(old=[5] * 4, new=[5, 4, 0, 0], lost=lost), 5)
    assert found.estimate == 0.5


def test_prompts_with_too_few_generations_are_left_out():
    some = counts(old=[5, 2, 5], new=[0, 0, 5], total=[5, 2, 5], groups=np.array([0, 1, 2]))
    assert pass_loss(some, "pass_at_k", 5).estimate == 0.5
    assert some.with_at_least(5).groups.tolist() == [0, 1]
    none = pass_loss(some, "pass_at_k", 6)
    assert (none.lower(0.95), none.upper(0.95)) == (0, 1)


def test_everything_broken_is_the_largest_loss():
    some = counts(old=[5, 5, 0, 1], new=[5, 5, 0, 1])
    assert pass_loss(some, "pass_hat_k", 5, broken=True).estimate == 0.5
    assert pass_loss(some, "pass_at_k", 5, broken=True).estimate == 0.75


def test_groups_widen_the_bounds():
    old, new = [5] * 120, [0] * 12 + [5] * 108
    alone = pass_loss(counts(old, new), "pass_hat_k", 5).at(0.3)
    grouped = counts(old, new, groups=np.arange(120) // 12)
    together = pass_loss(grouped, "pass_hat_k", 5).at(0.3)
    assert together.upper(0.95) > alone.upper(0.95)
    assert together.basis.unit == "groups"
    assert "120 prompts in 10 groups (few: bounds are rough)" in together.sample
