from __future__ import annotations

from fractions import Fraction
from math import fsum, inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics.errors import InputError
from muscle_metrics.statistics.exact_sums import ExactSum

values = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=40)


def exactly(total: ExactSum) -> Fraction:
    return Fraction(total.units, 2**1074)


# Oracles


@given(values)
def test_a_sum_is_that_of_fractions(numbers: list[float]) -> None:
    assert exactly(ExactSum.of(numbers)) == sum(map(Fraction, numbers))


@given(st.lists(st.floats(-1e300, 1e300), max_size=40))
def test_it_is_rounded_once_like_fsum(numbers: list[float]) -> None:
    assert float(ExactSum.of(numbers)) == fsum(numbers)


# Laws


@given(values, values, st.randoms(use_true_random=False))
def test_order_and_partition_do_not_matter(first, second, random) -> None:
    together = [*first, *second]
    random.shuffle(together)
    assert ExactSum.of(first) + ExactSum.of(second) == ExactSum.of(together)


# Examples


@pytest.mark.parametrize("number", [2.0**53 - 1, 1 - 2.0**53, -5e-324, 2.0**1023, 1 + 2.0**-52])
def test_no_number_of_equal_values_overflows(number: float) -> None:
    # A thousand mantissas of 53 bits fill an int64.
    assert exactly(ExactSum.of(np.full(5000, number))) == 5000 * Fraction(number)


def test_values_of_very_different_size_keep_every_digit() -> None:
    assert float(ExactSum.of([1e308, 1.0, -1e308, 5e-324, -1.0])) == 5e-324


def test_nothing_sums_to_zero() -> None:
    assert ExactSum.of([]) == ExactSum() == ExactSum.of([0.0, -0.0])
    assert float(ExactSum()) == 0


def test_whole_numbers_are_values_as_well() -> None:
    assert float(ExactSum.of(np.array([200, 100], np.uint8))) == 300


@pytest.mark.parametrize("number", [nan, inf, -inf])
def test_what_is_not_finite_is_refused(number: float) -> None:
    with pytest.raises(
        InputError, match=r"^expected finite numbers to sum, got nan or inf: drop these values$"
    ):
        ExactSum.of([1.0, number])
