from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from scipy.stats import binom

from muscle_metrics.errors import UsageError
from muscle_metrics.statistics.accuracy_power import noninferiority_items, paired_items


# Connor (1987), power .8: 7846.52 6180.46, 1959.86 1543.55, 3922.08 3089.19, rounded up.
@pytest.mark.parametrize(
    ("flips", "difference", "two_sided", "one_sided"),
    [(0.10, 0.01, 7847, 6181), (0.10, 0.02, 1960, 1544), (0.20, 0.02, 3923, 3090)],
)
def test_paired_items(flips, difference, two_sided, one_sided):
    assert paired_items(flips=flips, difference=difference) == two_sided
    assert paired_items(flips=flips, difference=difference, two_sided=False) == one_sided
    assert paired_items(flips=flips, difference=-difference) == two_sided


@pytest.mark.parametrize(("difference", "margin"), [(0.0, 0.02), (-0.005, 0.02), (0.01, 0.01)])
def test_noninferiority_items(difference, margin):
    z = NormalDist().inv_cdf(0.95) + NormalDist().inv_cdf(0.8)
    exact = z**2 * (0.1 - difference**2) / (difference + margin) ** 2
    items = noninferiority_items(flips=0.1, difference=difference, margin=margin)
    assert exact <= items < exact + 1


# Simulated with the Wald bound that the formula describes.
def test_noninferiority_items_reach_their_power():
    items = noninferiority_items(flips=0.1, difference=0.0, margin=0.02)
    generator = np.random.default_rng(0)
    better, worse, _ = generator.multinomial(items, [0.05, 0.05, 0.9], 20_000).T
    change = (better - worse) / items
    error = np.sqrt(((better + worse) / items - change**2) / items)
    assert np.mean(change - 1.645 * error > -0.02) == pytest.approx(0.8, abs=0.01)


def test_paired_items_reach_their_power():
    items, flips, difference = paired_items(flips=0.1, difference=0.02), 0.1, 0.02
    power = 0.0
    for total in range(items + 1):
        chance = binom.pmf(total, items, flips)
        if chance > 1e-9:
            reach = 1.959964 * np.sqrt(total)
            share = (flips + difference) / flips / 2
            power += chance * binom.sf(np.ceil((total + reach) / 2) - 1, total, share)
    assert power == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize(
    ("plan", "options", "message"),
    [
        (paired_items, {"difference": 0}, "a true change other than 0"),
        (paired_items, {"difference": 0.2}, "share of flips between the change of accuracy and 1"),
        (paired_items, {"flips": 10}, "share of flips between the change of accuracy and 1"),
        (paired_items, {"power": 1}, "power strictly between 0 and 1"),
        (noninferiority_items, {"margin": 0}, "a true change above minus the margin"),
        (noninferiority_items, {"margin": 0.01, "difference": -0.01}, "no number of items"),
        (noninferiority_items, {"margin": 0.01, "confidence": 95}, "confidence level"),
    ],
)
def test_impossible_plans_are_refused(plan, options, message):
    with pytest.raises(UsageError, match=message):
        plan(**{"flips": 0.1, "difference": 0.01, **options})
