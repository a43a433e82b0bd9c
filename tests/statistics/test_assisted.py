"""A judge's cells corrected by labels: closed forms, exact error rates, and simulated judges."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.statistics.assisted import AssistedMean, Cell
from muscle_metrics.statistics.bounded import bounded_mean_interval
from muscle_metrics.statistics.proportions import proportion_interval
from muscle_metrics.statistics.strata import Stratum, stratified_mean_interval


@pytest.mark.parametrize("lost", [0, 3, 97, 100])
def test_one_cell_has_the_interval_of_clopper_and_pearson(lost):
    ours = AssistedMean((Cell(0, 10**9, lost, kept=100 - lost),)).interval()
    theirs = proportion_interval(lost, 100, method="clopper-pearson")
    assert ours == pytest.approx(theirs, abs=5e-5)


def test_one_cell_of_gains_and_losses_has_gaffkes_interval():
    ours = AssistedMean((Cell(0, 10**9, 7, 5, 88),), low=-1.0).interval()
    theirs = bounded_mean_interval([1.0] * 7 + [-1.0] * 5 + [0.0] * 88, low=-1, high=1)
    assert ours == pytest.approx(theirs, abs=5e-5)


def test_the_estimate_of_many_labels_weighs_cells_by_their_sizes():
    """Horvitz-Thompson by cells: (3000 * .6 + 7000 * .02) / 20 000."""
    cells = (Cell(0, 3000, 600, kept=400), Cell(0, 7000, 40, kept=1960))
    mean = AssistedMean(cells, kept=9900, lost=100)
    assert mean.estimate == pytest.approx((1800 + 140 + 100) / 20000, abs=2e-4)


def test_a_judge_that_is_right_saves_half_of_the_width_and_a_useless_one_costs_nothing():
    known = Stratum(2000, kept=2000)
    alone = stratified_mean_interval([known, Stratum(2000, 46, kept=334)])
    cells = {
        "right": (Cell(0, 240, 46), Cell(0, 1760, kept=334)),
        "useless": (Cell(0, 1000, 22, kept=168), Cell(0, 1000, 24, kept=166)),
    }
    found = {judge: AssistedMean(parts, kept=2000).interval() for judge, parts in cells.items()}
    widths = {judge: (high - low) / (alone[1] - alone[0]) for judge, (low, high) in found.items()}
    assert widths["right"] < 0.6
    assert 0.98 < widths["useless"] < 1.01


def test_items_that_are_lost_for_certain_move_both_bounds():
    cells = (Cell(0, 500, 5, kept=95), Cell(0, 500, 1, kept=99))
    few, many = (AssistedMean(cells, kept=1000 - n, lost=n).interval() for n in (0, 100))
    assert many.low - few.low == pytest.approx(0.05, abs=0.008)
    assert many.high - few.high == pytest.approx(0.05, abs=0.008)


def test_a_cell_without_a_label_is_no_cell_without_a_loss():
    labelled = (Cell(0, 1000, 3, kept=97),)
    alone = AssistedMean((*labelled, Cell(0, 300, kept=30)), kept=700)
    unseen = AssistedMean((*labelled, Cell(0, 300)), kept=700)
    assert unseen.interval().high > alone.interval().high


def test_the_order_of_cells_changes_nothing():
    cells = (Cell(1, 300, 9, kept=11), Cell(0, 900, 1, kept=60), Cell(1, 200, 0, kept=30))
    ways = [AssistedMean(cells, kept=10), AssistedMean(cells[::-1], kept=10)]
    assert ways[0].interval() == pytest.approx(ways[1].interval(), abs=1e-9)


@pytest.mark.parametrize(("shares", "samples"), [((0.25, 0.75), (6, 4)), ((0.1, 0.9), (3, 7))])
def test_exact_chance_that_a_limit_that_is_reached_is_kept(shares, samples):
    """All outcomes of two strata, each of another chance of a draw, one-sided at 5 %."""
    sizes = [int(share * 10**8) for share in shares]
    bounds = {
        found: AssistedMean(
            tuple(
                Cell(level, size, lost, kept=drawn - lost)
                for level, (size, lost, drawn) in enumerate(zip(sizes, found, samples, strict=True))
            )
        )
        .interval(side="upper")
        .high
        for found in product(range(samples[0] + 1), range(samples[1] + 1))
    }
    worst = max(
        sum(
            binom.pmf(found[0], samples[0], rates[0]) * binom.pmf(found[1], samples[1], rates[1])
            for found, bound in bounds.items()
            if bound < shares[0] * rates[0] + shares[1] * rates[1] - 1e-6
        )
        for rates in product((0.0, 0.02, 0.1, 0.3, 0.5, 0.9), repeat=2)
    )
    assert worst <= 0.05


counts = st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(8, 40), st.integers(0, 900))


@settings(max_examples=6, deadline=None)
@given(st.lists(counts, min_size=4, max_size=4), st.data())
def test_no_bound_falls_where_one_more_of_30_labels_is_lost(found, data):
    cells = [Cell(0, sum(one), *one[:3]) for one in found]
    places = [place for place, one in enumerate(cells) if one.kept]
    if not places:
        return
    place = data.draw(st.sampled_from(places))
    worse = list(cells)
    worse[place] = cells[place]._replace(lost=cells[place].lost + 1, kept=cells[place].kept - 1)
    before, after = (
        AssistedMean(tuple(parts), kept=100, low=-1.0).interval() for parts in (cells, worse)
    )
    # Bounds are read from steps of a 4096th of their range.
    assert after.low >= before.low - 5e-4
    assert after.high >= before.high - 5e-4


@pytest.mark.parametrize(
    "cells",
    [(Cell(0, 3, 2, kept=2),), (Cell(0, 9),), (Cell(0, 9, 1), Cell(1, 9)), (), (Cell(0, 9, 0, 1),)],
)
def test_impossible_cells_are_refused(cells):
    with pytest.raises(InputError, match="expected"):
        AssistedMean(cells)


def test_an_unknown_level_is_refused():
    with pytest.raises(UsageError, match="confidence"):
        AssistedMean((Cell(0, 9, 1),)).interval(1.5)


@pytest.mark.slow
@pytest.mark.parametrize("judge", ["lenient", "useless"])
def test_intervals_of_simulated_judges_cover_the_truth(judge):
    """A small run of `tests.benchmarks.judges`, whose 1000 runs are reported in the docs."""
    from tests.benchmarks.judges import SHEETS, TRUTH, simulate

    rows = [simulate(np.random.default_rng([run, 99]), judge) for run in range(30)]
    for sheet, (rate, truth) in product(SHEETS, TRUTH.items()):
        name = f"{sheet}, {rate}"
        low, high, _ = np.array([row[f"{name}, corrected"] for row in rows]).T
        # 30 runs at 95 %: fewer than 25 hits have a chance of 0.3 %.
        assert ((low <= truth) & (truth <= high)).sum() >= 25
        alone = np.array([row[f"{name}, alone"] for row in rows])
        assert (high - low).mean() <= 1.02 * (alone[:, 1] - alone[:, 0]).mean()
    named = [p < 0.05 and shift > 0 for shift, p in (row[f"{SHEETS[0]}, bias"] for row in rows)]
    assert sum(named) >= 28 if judge == "lenient" else sum(named) <= 5
