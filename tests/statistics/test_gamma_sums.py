from __future__ import annotations

from math import exp, inf

import numpy as np
import pytest
from scipy.stats import beta, gamma

from muscle_metrics.statistics import gamma_sums
from muscle_metrics.statistics.gamma_sums import log_chance_positive

descend = gamma_sums._along_steepest_descent


# X / (X + Y) is Beta(a, b) for Gamma variables of shapes a and b.
@pytest.mark.parametrize(("first", "second"), [(1, 1), (1, 30), (4, 2), (250, 3)])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
def test_two_variables_give_the_tail_of_a_beta_law(first, second, share):
    found = log_chance_positive(np.array([1 - share, -share]), np.array([first, second], float))
    assert exp(found) == pytest.approx(beta.sf(share, first, second), rel=1e-8, abs=1e-14)


# Large and small variables of both signs: the hyperbola passes too near to a pole.
def test_variables_of_two_scales_take_the_other_contour(monkeypatch):
    taken = []
    monkeypatch.setattr(
        gamma_sums,
        "_along_steepest_descent",
        lambda *pole: taken.append(descend(*pole)) or taken[-1],
    )
    scales, shapes = np.array([1.0, -5, 6e-4, -0.012]), np.array([1.0, 1, 1000, 50])
    found = exp(log_chance_positive(scales, shapes))
    sums = gamma.rvs(shapes, size=(200_000, 4), random_state=1) @ scales
    assert taken
    assert found == pytest.approx(np.mean(sums > 0), abs=0.0045)


@pytest.mark.parametrize("seed", range(20))
def test_both_contours_give_one_chance(monkeypatch, seed):
    generator = np.random.default_rng(seed)
    scales, shapes = generator.normal(-0.3, 1, 40), generator.integers(1, 5, 40).astype(float)
    found = log_chance_positive(scales, shapes)
    monkeypatch.setattr(gamma_sums, "_along_hyperbola", lambda *_: None)
    assert found == pytest.approx(log_chance_positive(scales, shapes), rel=1e-8)


@pytest.mark.parametrize("unit", [1e-214, 1e200])
def test_the_unit_of_the_variables_does_not_matter(unit):
    scales, shapes = np.array([1.0, -2, 0.5]), np.array([1.0, 2, 3])
    expected = log_chance_positive(scales, shapes)
    assert log_chance_positive(unit * scales, shapes) == pytest.approx(expected, rel=1e-12)


def test_sums_of_one_sign_are_certain():
    assert log_chance_positive(np.array([-1.0, 0.0]), np.ones(2)) == -inf
    assert log_chance_positive(np.array([2.0, 0.5]), np.ones(2)) == pytest.approx(0, abs=1e-9)


def test_many_variables_agree_with_random_ones():
    generator = np.random.default_rng(0)
    scales, shapes = generator.normal(-0.1, 1, 12), generator.integers(1, 4, 12).astype(float)
    sums = gamma.rvs(shapes, size=(200_000, 12), random_state=1) @ scales
    # Four standard errors.
    assert exp(log_chance_positive(scales, shapes)) == pytest.approx(np.mean(sums > 0), abs=0.0045)
