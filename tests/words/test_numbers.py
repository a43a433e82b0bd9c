"""One way to write a number, whatever table or report it is in."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from muscle_metrics import Interval, Rate
from muscle_metrics.words import numbers


@pytest.mark.parametrize("write", [numbers.percent, numbers.points, numbers.ratio, numbers.score])
def test_undefined_is_not_zero(write) -> None:
    assert write(math.nan) == "undefined"
    assert write(0.0).strip("+%") in {"0.0", "0.00", "0.0000"}


def test_rates_and_fractions_are_written_as_their_value() -> None:
    assert numbers.percent(Rate(41, 1319)) == "3.11%"
    assert numbers.percent(Rate(0, 0)) == "undefined"
    assert numbers.short_percent(Fraction(1, 3)) == "33.3333%"
    # In floating point 0.07 * 100 is a little more than 7.
    assert numbers.short_percent(0.07) == "7%"


def test_bounds_are_written_in_the_unit_of_their_value() -> None:
    assert numbers.percent_range(Interval(0.0518, 0.1078), 1) == "5.2% to 10.8%"
    assert numbers.points_range(Interval(-0.01, 0.02)) == "-1.0 to +2.0"
    assert numbers.score_range(Interval(-0.1, math.inf), sign=True) == "-0.1000 to +inf"


@pytest.mark.parametrize(("count", "text"), [(0, "0 items"), (1, "1 item"), (12032, "12032 items")])
def test_nouns_agree_with_their_count(count: int, text: str) -> None:
    assert numbers.counted(count, "item") == text
