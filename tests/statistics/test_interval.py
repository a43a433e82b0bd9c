from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics.errors import UsageError
from muscle_metrics.statistics.interval import (
    Interval,
    check_confidence,
    check_share,
    normal_quantile,
    tail_levels,
)

LEVELS = st.floats(0.0, 1.0, exclude_min=True, exclude_max=True)


def test_an_interval_unpacks_into_its_two_bounds() -> None:
    low, high = Interval(0.25, 0.5)
    assert (low, high) == (0.25, 0.5)
    assert Interval(low=0.25, high=0.5) == (0.25, 0.5)


def test_an_interval_prints_both_bounds_with_four_decimals() -> None:
    assert str(Interval(-0.21806, 1.0)) == "[-0.2181, 1.0000]"
    assert str(Interval(float("nan"), float("nan"))) == "[nan, nan]"


@given(LEVELS)
def test_a_level_comes_back_unchanged(confidence: float) -> None:
    assert check_confidence(confidence) is confidence


@pytest.mark.parametrize(
    "confidence", [0, 1, 0.0, 1.0, 95, -0.95, float("nan"), "0.95", None, True, [0.95]]
)
def test_anything_but_a_level_is_refused(confidence: object) -> None:
    message = f"expected a confidence level between 0 and 1, got {confidence!r}: write 95 % as 0.95"
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        check_confidence(confidence)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        tail_levels(confidence, "two-sided")  # type: ignore[arg-type]


def test_numpy_levels_are_levels() -> None:
    assert check_confidence(np.float64(0.9)) == 0.9


@pytest.mark.parametrize("value", [1e-12, 0.5, 1 - 1e-12])
def test_shares_are_returned(value: float) -> None:
    assert check_share("limit", value) == value


@pytest.mark.parametrize("value", [0, 1, -0.1, 2, float("nan"), "0.1", None])
def test_anything_but_a_share_is_refused(value: object) -> None:
    with pytest.raises(UsageError, match=r"expected limit strictly between 0 and 1, got .*0\.02"):
        check_share("limit", value)  # type: ignore[arg-type]


@given(LEVELS)
def test_the_tails_hold_what_the_level_leaves(confidence: float) -> None:
    alpha = 1 - confidence
    assert tail_levels(confidence, "two-sided") == (alpha / 2, alpha / 2)
    assert tail_levels(confidence, "lower") == (alpha, 0.0)
    assert tail_levels(confidence, "upper") == (0.0, alpha)


def test_an_unknown_side_is_refused() -> None:
    message = "expected side to be one of ['two-sided', 'lower', 'upper'], got 'greater'"
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        tail_levels(0.95, "greater")  # type: ignore[arg-type]


def test_normal_quantiles():
    # scipy 1.17.1: scipy.stats.norm.isf(0.05), scipy.stats.norm.isf(0.975)
    assert normal_quantile(0.05) == pytest.approx(1.6448536269514729, rel=1e-12)
    assert normal_quantile(0.975) == pytest.approx(-1.959963984540054, rel=1e-12)
