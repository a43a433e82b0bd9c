"""Two looks at a growing sample err no more often than one, whoever chooses the second sample."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, norm

from muscle_metrics.errors import UsageError
from muscle_metrics.statistics.deciding import items_to_decide
from muscle_metrics.statistics.looks import look_confidence, look_error
from muscle_metrics.statistics.power import fewest_to_fail, most_to_pass


def worst_errors(items, limit, confidence, reach=20):
    """Chance of a false PASS and a false FAIL over both looks, if the added number is chosen worst.

    Exact: for every count of the first look, the number of up to `reach` times as many items that
    errs most often.
    """
    more = np.unique(
        np.append(np.arange(1, 4 * items), np.geomspace(1, reach * items, 200).astype(int))
    )
    passing, failing = limits(np.append(items, items + more), limit, confidence)
    undecided = np.arange(passing[0] + 1, failing[0])[:, None]
    chances = binom.pmf(undecided[:, 0], items, limit)
    passes = binom.cdf(passing[1:] - undecided, more, limit).max(axis=1)
    fails = binom.sf(failing[1:] - undecided - 1, more, limit).max(axis=1)
    return (
        binom.cdf(passing[0], items, limit) + chances @ passes,
        binom.sf(failing[0] - 1, items, limit) + chances @ fails,
    )


def limits(sizes, limit, confidence):
    return (
        most_to_pass(sizes, limit, 1 - confidence),
        fewest_to_fail(sizes, limit, 1 - confidence),
    )


@pytest.mark.parametrize("items", [60, 150, 300, 969])
@pytest.mark.parametrize("limit", [0.01, 0.02, 0.05, 0.1, 0.3])
def test_no_choice_of_added_items_errs_beyond_alpha(items, limit):
    assert max(worst_errors(items, limit, look_confidence(0.95, 2))) <= 0.05


@pytest.mark.parametrize("confidence", [0.9, 0.99])
def test_other_levels_hold_too(confidence):
    worst = worst_errors(300, 0.1, look_confidence(confidence, 2))
    assert max(worst) <= 1 - confidence


# The error is used up: with half of alpha for each look the same choice errs beyond it.
def test_half_of_alpha_for_each_look_would_err_beyond_it():
    assert max(worst_errors(969, 0.05, 0.975)) > 0.055


# Criteria over independent slices, all at their limits; each slice gets the worst number of items.
def family_error(criteria, items, limit, each):
    (error,) = worst_errors(items, limit, 1 - each)[1:]
    return 1 - (1 - error) ** criteria


@pytest.mark.parametrize("criteria", [2, 5, 10, 20])
@pytest.mark.parametrize(("items", "limit"), [(300, 0.3), (969, 0.05), (969, 0.02)])
def test_holm_over_two_looks_keeps_the_error_of_all_criteria(criteria, items, limit):
    assert family_error(criteria, items, limit, look_error(0.05 / criteria, 2)) <= 0.05


def test_an_equal_part_of_the_error_of_a_look_would_not_keep_it():
    assert family_error(20, 300, 0.3, look_error(0.05, 2) / 20) > 0.051


def errors_of_advice(items, limit, first, confidence):
    """The same where the number of the advice is added; without it nothing is."""
    total = [0.0, 0.0]
    (passing,), (failing,) = limits(np.array([items]), limit, first)
    for count in range(items + 1):
        chance = binom.pmf(count, items, limit)
        if count <= passing or count >= failing:
            total[int(count >= failing)] += chance
        elif more := items_to_decide(count, items, limit=limit, confidence=confidence):
            (most,), (fewest,) = limits(np.array([items + more]), limit, confidence)
            total[0] += chance * binom.cdf(most - count, more, limit)
            total[1] += chance * binom.sf(fewest - count - 1, more, limit)
    return total


@pytest.mark.parametrize(("items", "limit"), [(150, 0.02), (300, 0.05), (200, 0.1)])
def test_advice_that_is_followed_errs_beyond_alpha_only_without_a_plan(items, limit):
    planned = look_confidence(0.95, 2)
    assert max(errors_of_advice(items, limit, planned, planned)) <= 0.05
    assert max(errors_of_advice(items, limit, 0.95, 0.95)) > 0.07


# Proschan and Hunsberger (1995): a design of two stages has at most the error
# a + exp(-z^2 / 2) / 4 where z is the normal quantile of a; one look at 5 % allows 11.5 %.
def test_the_level_solves_the_published_bound():
    error = 1 - look_confidence(0.95, 2)
    assert error == pytest.approx(0.0198)
    bound = [a + np.exp(-(norm.isf(a) ** 2) / 2) / 4 for a in (error, error + 0.0001, 0.05)]
    assert bound[0] <= 0.05 < bound[1]
    assert bound[2] == pytest.approx(0.1146, abs=5e-5)


def test_one_look_has_the_level_itself():
    assert look_confidence(0.95, 1) == 0.95


def test_a_percentage_is_no_level():
    with pytest.raises(UsageError, match=r"^expected a confidence level between 0 and 1, got 95"):
        look_confidence(95, 2)
