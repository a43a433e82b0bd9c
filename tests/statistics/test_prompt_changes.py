"""Tests per prompt against scipy, and planted prompts among noisy ones."""

import numpy as np
import pytest
from scipy.stats import fisher_exact

from muscle_metrics.statistics.multiplicity import benjamini_hochberg_adjusted
from muscle_metrics.statistics.noise_tables import fisher_tails
from muscle_metrics.statistics.prompt_changes import find_falls


@pytest.mark.parametrize(("old", "new"), [(2, 2), (5, 5), (3, 8), (10, 10)])
def test_p_values_are_those_of_scipy(old, new):
    tails = fisher_tails(old, new)
    for a in range(old + 1):
        for b in range(new + 1):
            table = [[a, old - a], [b, new - b]]
            assert tails[a, b] == pytest.approx(fisher_exact(table, "greater")[1], rel=1e-9)


def plant(rng, repeats, planted, noisy=600):
    """Noisy prompts of any chance, then prompts that break for good."""
    chances = rng.random(noisy)
    old, new = (rng.binomial(repeats, chances) for _ in range(2))
    old = np.concatenate([old, np.full(planted, repeats)])
    new = np.concatenate([new, np.zeros(planted, dtype=int)])
    return old, new, np.full(noisy + planted, repeats)


def test_planted_prompts_are_found_where_benjamini_hochberg_finds_none():
    old, new, total = plant(np.random.default_rng(3), 5, 12)
    falls = find_falls(old_right=old, new_right=new, total=total)
    assert falls.certain[-12:].all()
    assert falls.certain[:-12].sum() <= 1
    assert not (benjamini_hochberg_adjusted(falls.p_values) <= 0.05).any()


def test_prompts_may_have_different_numbers_of_generations():
    old, new, total = (np.array(column) for column in ([5, 3, 1, 8], [0, 0, 0, 8], [5, 3, 1, 8]))
    falls = find_falls(old_right=old, new_right=new, total=total)
    assert falls.p_values == pytest.approx([1 / 252, 1 / 20, 1 / 2, 1])
    assert falls.certain.tolist() == [True, True, False, False]


def test_certain_changes_are_likely_ones_too():
    old, new, total = plant(np.random.default_rng(5), 10, 20)
    falls = find_falls(old_right=old, new_right=new, total=total)
    assert falls.certain.sum() >= 20
    assert falls.likely[falls.certain].all()


@pytest.mark.slow
@pytest.mark.parametrize(("repeats", "planted"), [(5, 10), (10, 5)])
def test_at_most_one_in_twenty_certain_ones_is_noise(repeats, planted):
    rng = np.random.default_rng(7)
    false, found, likely = [], [], []
    for _ in range(150):
        old, new, total = plant(rng, repeats, planted)
        falls = find_falls(old_right=old, new_right=new, total=total)
        false.append(falls.certain[:-planted].sum() / max(falls.certain.sum(), 1))
        likely.append(falls.likely[:-planted].sum() / max(falls.likely.sum(), 1))
        found.append(falls.certain[-planted:].mean())
    assert np.mean(false) <= 0.05
    assert np.mean(likely) <= 0.5
    assert np.mean(found) >= 0.95
