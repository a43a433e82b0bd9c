"""Leniency of a judge on one of two models: known tests as oracles, symmetry, and its level."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm, t

from muscle_metrics.errors import InputError
from muscle_metrics.statistics.judge_bias import leniency_test
from muscle_metrics.statistics.paired import mcnemar


def drawn(random, items, shares, of_right, of_wrong, together=0.0):
    """Labels and verdicts; a share of the items has one error for both answers."""
    kinds = random.choice(4, size=items, p=shares)
    right = np.stack([(kinds == 0) | (kinds == 2), (kinds == 1) | (kinds == 2)], axis=1)
    chances = random.random(right.shape)
    same = random.random(items) < together
    chances[same, 1] = chances[same, 0]
    return right, chances < np.where(right, of_right, of_wrong)


def test_items_that_both_got_wrong_give_the_test_of_mcnemar():
    judged = np.array([[0, 1]] * 17 + [[1, 0]] * 5 + [[1, 1]] * 9 + [[0, 0]] * 60, dtype=bool)
    found = leniency_test(np.zeros_like(judged), judged)
    theirs = mcnemar(negative=5, positive=17, method="asymptotic")
    # Student's law in place of the normal one: 31 items have an error.
    z = norm.isf(theirs.p_value / 2)
    assert found.p_value == pytest.approx(2 * t.sf(z, df=30))
    assert found.difference == pytest.approx(12 / 91)


def test_a_judge_that_errs_alike_is_not_lenient_where_one_model_is_much_worse():
    """It flatters the worse model, because it errs where that is wrong; the rates are the same."""
    random = np.random.default_rng(5)
    right, judged = drawn(random, 4000, (0.4, 0.05, 0.3, 0.25), 0.85, 0.15)
    assert (
        judged[:, 1].mean() - right[:, 1].mean() > 0.03 > judged[:, 0].mean() - right[:, 0].mean()
    )
    assert leniency_test(right, judged).p_value > 0.05


def test_the_other_order_of_models_turns_the_sign():
    random = np.random.default_rng(3)
    right, judged = drawn(random, 300, (0.1, 0.1, 0.5, 0.3), [0.9, 0.97], [0.1, 0.35])
    there, back = leniency_test(right, judged), leniency_test(right[:, ::-1], judged[:, ::-1])
    assert there.difference == pytest.approx(-back.difference)
    assert there.p_value == pytest.approx(back.p_value)
    assert there.difference > 0.05 > there.p_value


def test_weights_count_like_items():
    random = np.random.default_rng(4)
    right, judged = drawn(random, 60, (0.1, 0.1, 0.5, 0.3), 0.8, 0.3)
    weights = np.where(np.arange(60) % 3 == 1, 2.0, 1.0)
    twice = np.repeat(np.arange(60), weights.astype(int))
    one, many = leniency_test(right, judged, weights), leniency_test(right[twice], judged[twice])
    assert one.difference == pytest.approx(many.difference)
    # One label that stands for two items is no two labels.
    assert one.p_value >= many.p_value


def test_few_errors_and_one_kind_of_answers_show_nothing():
    right = np.array([[False, True]] * 40)
    assert math.isnan(leniency_test(right, right).difference)
    judged = right.copy()
    judged[:9, 0] = True
    assert leniency_test(right, judged).p_value == 1
    assert leniency_test(np.zeros((0, 2)), np.zeros((0, 2))).p_value == 1


def test_other_shapes_are_refused():
    with pytest.raises(InputError, match="one row per item"):
        leniency_test([[True, False]], [[True, False], [True, True]])


@pytest.mark.slow
@pytest.mark.parametrize("labels", [30, 120, 400])
@pytest.mark.parametrize("together", [0.0, 0.8])
def test_the_level_holds_where_models_differ_and_the_judge_does_not(labels, together):
    random, runs = np.random.default_rng(7), 1500
    named = sum(
        leniency_test(*drawn(random, labels, (0.3, 0.06, 0.35, 0.29), 0.85, 0.2, together)).p_value
        < 0.05
        for _ in range(runs)
    )
    # Three standard errors of 1500 runs at 5 %.
    assert named / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
