from __future__ import annotations

import re
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


# An error of 40 % or 10 % shows it by chance more often than asked for.
@pytest.mark.parametrize(("power", "confidence"), [(0.3, 0.6), (0.05, 0.9)])
def test_a_power_below_the_error_needs_no_items(power, confidence):
    level = {"power": power, "confidence": confidence}
    assert noninferiority_items(flips=0.1, difference=0.0, margin=0.02, **level) == 0
    assert paired_items(flips=0.1, difference=0.01, two_sided=False, **level) == 0


# Connor's formula where every flip goes the same way, and where every item flips.
def test_the_share_of_flips_reaches_from_the_change_to_one():
    z = NormalDist().inv_cdf
    one_way = z(0.95) * 0.2**0.5 + z(0.8) * (0.2 - 0.2**2) ** 0.5
    everything = z(0.95) + z(0.8) * (1 - 0.2**2) ** 0.5
    for flips, spread in ((0.2, one_way), (1, everything)):
        exact = (spread / 0.2) ** 2
        items = paired_items(flips=flips, difference=-0.2, two_sided=False)
        assert exact <= items < exact + 1


SHARE = "a share of flips between the change of accuracy and 1"


@pytest.mark.parametrize(
    ("plan", "options", "message"),
    [
        (
            paired_items,
            {"difference": 0},
            "a true change other than 0, got 0: there is nothing to tell",
        ),
        (paired_items, {"difference": 0.2}, f"{SHARE}, got 0.1 for a change of 0.2"),
        (paired_items, {"flips": 1.01}, f"{SHARE}, got 1.01 for a change of 0.01"),
        (paired_items, {"power": 1}, "power strictly between 0 and 1, got 1: write 2 % as 0.02"),
        (
            noninferiority_items,
            {"margin": 0},
            "a true change above minus the margin, got 0.01 and margin 0: no number of items "
            "shows it",
        ),
        (
            noninferiority_items,
            {"margin": 0.01, "difference": -0.01},
            "a true change above minus the margin, got -0.01 and margin 0.01: no number of items "
            "shows it",
        ),
        (
            noninferiority_items,
            {"margin": 0.01, "power": 80},
            "power strictly between 0 and 1, got 80: write 2 % as 0.02",
        ),
        (
            noninferiority_items,
            {"margin": 0.01, "confidence": 95},
            "a confidence level between 0 and 1, got 95: write 95 % as 0.95",
        ),
    ],
)
def test_impossible_plans_are_refused(plan, options, message):
    with pytest.raises(UsageError, match=f"^expected {re.escape(message)}$"):
        plan(**{"flips": 0.1, "difference": 0.01, **options})
