"""A sample of tests/benchmarks/group_designs.py: how often bounds over groups err."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

FILE = Path(__file__).parents[1] / "benchmarks" / "group_designs.py"
group_designs = SimpleNamespace(**runpy.run_path(str(FILE)))


def measured(runs, **fields):
    """Shares of the one design that has these fields."""
    every = enumerate([*group_designs.designs(), *group_designs.attacks()])
    (found,) = [
        (number, design)
        for number, design in every
        if all(getattr(design, name) == value for name, value in fields.items())
    ]
    return group_designs.measure(*found, runs)


def test_there_are_258_designs_and_an_attack():
    assert len(set(group_designs.designs())) == 258
    assert len(set(group_designs.attacks())) == 18


@pytest.mark.parametrize("design", [*group_designs.designs()][::20])
def test_designs_have_their_rate(design):
    rng = group_designs.np.random.default_rng(0)
    hits, sizes = group_designs.draw(rng, design, design.limit, 200)
    # Ten groups of Zipf's sizes, 200 times, are few.
    assert hits.sum() / sizes.sum() == pytest.approx(design.limit, rel=0.25)


# Flips at a half or 80 % of the limit, spread evenly, and a few groups that break as a whole.
@pytest.mark.slow
@pytest.mark.parametrize("law", [0.5, 0.8])
def test_the_finite_sample_bound_stands_the_worst_attack(law):
    found = measured(600, limit=0.05, groups=200, law=law, column="attack")
    assert found.allowed == 10
    # 5 % and two standard errors of 600 runs.
    assert found.at_limit <= 0.068
    assert found.at_half > 0.5
    assert (found.peer_at_limit > 0.1) == (law == 0.8)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("column", "sizes", "law"),
    [
        ("equal, ICC", "equal 10", 0.1),
        ("unequal, ICC", "lognormal", 0.6),
        ("size-tied, ICC", "lognormal", 0.3),
        ("unequal, rare break", "lognormal", 0.2),
    ],
)
def test_the_approximate_bound_errs_less_than_a_t_interval(column, sizes, law):
    found = measured(400, column=column, sizes=sizes, law=law, limit=0.05, groups=100)
    assert found.allowed < 10
    assert found.at_limit <= found.peer_at_limit + 0.01
