from __future__ import annotations

from math import nextafter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics.statistics.bisection import falling_root, last_where

UNIT = st.floats(-1.0, 1.0, exclude_max=True)


@given(UNIT)
def test_the_last_double_that_holds_is_found_exactly(edge: float) -> None:
    assert last_where(lambda x: x <= edge, -1.0, 1.0) == edge


@given(UNIT.filter(lambda edge: edge > -1))
def test_the_edge_itself_may_fail(edge: float) -> None:
    assert last_where(lambda x: x < edge, -1.0, 1.0) == nextafter(edge, -2.0)


@pytest.mark.parametrize("edge", [1e-300, 5e-324, 1e-12])
def test_tiny_edges_keep_all_their_digits(edge: float) -> None:
    assert last_where(lambda x: x <= edge, 0.0, 1.0) == edge


def test_a_condition_that_never_holds_gives_the_low_end() -> None:
    assert last_where(lambda x: False, -1.0, 1.0) == -1.0


def test_an_empty_range_gives_its_only_number() -> None:
    assert last_where(lambda x: True, 0.5, 0.5) == 0.5


@pytest.mark.parametrize("start", [-100.0, 2.9, 3.0, 50.0])
def test_the_root_of_a_falling_function_is_found_from_anywhere(start):
    assert falling_root(lambda x: 27 - x**3, start) == pytest.approx(3, rel=1e-11)
