"""Rates are plain floats to everyone else, and remember what they count."""

from __future__ import annotations

import copy
import json
import math
import pickle
from fractions import Fraction
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.flips.rates import AccuracyChange, Rate
from muscle_metrics.statistics.interval import Interval, Side
from muscle_metrics.statistics.paired import PairedMethod
from muscle_metrics.statistics.proportions import ProportionMethod

RATE = Rate(41, 1319)
CHANGE = AccuracyChange(both_right=36, negative=12, positive=2, both_wrong=0)
METHODS = get_args(ProportionMethod)
PAIRED_METHODS = get_args(PairedMethod)
CELL_NAMES = ("both_right", "negative", "positive", "both_wrong")

counts_and_totals = st.integers(0, 10**6).flatmap(
    lambda total: st.tuples(st.integers(0, total), st.just(total))
)


def change_of(cells: tuple[int, ...]) -> AccuracyChange:
    return AccuracyChange(**dict(zip(CELL_NAMES, cells, strict=True)))


# Rate: a float


@given(counts_and_totals)
def test_rate_is_the_quotient_of_its_counts(numbers):
    count, total = numbers
    rate = Rate(count, total)
    assert (rate.count, rate.total) == numbers
    assert rate == float(Fraction(count, total)) if total else math.isnan(rate)


def test_rate_serialises_as_a_plain_json_number():
    assert json.dumps({"nfr": RATE}) == json.dumps({"nfr": 41 / 1319})
    assert json.loads(json.dumps([RATE], indent=1)) == [41 / 1319]


def test_rate_formats_as_a_float_where_a_format_is_given():
    assert f"{RATE:.2%}" == "3.11%"
    assert f"{RATE:.4f}" == "0.0311"
    assert "%.3f" % RATE == "0.031"  # noqa: UP031


@pytest.mark.parametrize(
    "result", [RATE + 1, 1 - RATE, RATE * 2, RATE / RATE, -RATE, abs(RATE), round(RATE, 3), +RATE]
)
def test_arithmetic_on_a_rate_gives_a_plain_float(result):
    # The result of arithmetic is a plain float: it must not keep a count.
    assert type(result) is float


def test_rate_compares_and_hashes_as_its_value():
    assert Rate(1, 2) == Rate(2, 4) == 0.5
    assert hash(Rate(1, 2)) == hash(0.5)
    assert sorted([Rate(2, 3), 0.5, Rate(1, 3)]) == [Rate(1, 3), 0.5, Rate(2, 3)]


def test_rate_is_float64_to_numpy_and_pandas():
    assert np.array([RATE, Rate(1, 2)]).dtype == np.float64
    series = pd.Series({"a": RATE, "b": Rate(0, 0)})
    assert series.dtype == np.float64
    assert series.mean() == 41 / 1319
    assert json.loads(pd.DataFrame([{"nfr": Rate(1, 2)}]).to_json()) == {"nfr": {"0": 0.5}}


# Rate: the counts it keeps


def test_rate_prints_its_percentage_and_both_counts():
    assert str(RATE) == "3.11% (41 of 1319)"
    assert f"{RATE}" == "3.11% (41 of 1319)"
    assert str(Rate(0, 7)) == "0.00% (0 of 7)"
    assert str(Rate(7, 7)) == "100.00% (7 of 7)"


@given(counts_and_totals)
def test_rate_repr_builds_the_same_rate(numbers):
    rate = eval(repr(Rate(*numbers)))
    assert (rate.count, rate.total) == numbers


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("rate", [RATE, Rate(0, 0), Rate(None, 3)], ids=repr)
def test_rate_pickles(rate, protocol):
    again = pickle.loads(pickle.dumps(rate, protocol))
    assert type(again) is Rate
    assert (again.count, again.total) == (rate.count, rate.total)
    assert np.array_equal(float(again), float(rate), equal_nan=True)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
@pytest.mark.parametrize("value", [RATE, CHANGE], ids=repr)
def test_rates_copy(value, duplicate):
    again = duplicate(value)
    assert type(again) is type(value)
    assert repr(again) == repr(value)
    assert again == value


@pytest.mark.parametrize("rate", [RATE, CHANGE], ids=repr)
@pytest.mark.parametrize("name", ["count", "total", "negative", "note"])
def test_rates_cannot_be_changed(rate, name):
    # A count that can be set would no longer be the count of this value.
    with pytest.raises(AttributeError):
        setattr(copy.copy(rate), name, 7)


def test_counts_are_plain_integers_whatever_they_came_as():
    rate = Rate(np.uint8(200), np.int64(2**40))
    assert (type(rate.count), type(rate.total)) == (int, int)
    assert json.dumps(rate.count) == "200"


def test_large_numpy_counts_divide_exactly():
    # As floats the two would be equal, and the rate 1.
    count, total = 2**62, 2**62 + 2**9
    assert Rate(np.int64(count), np.int64(total)) == float(Fraction(count, total))
    assert Rate(10**400, 2 * 10**400) == 0.5


# Rate: undefined


def test_nothing_of_nothing_is_undefined_and_never_zero():
    undefined = Rate(0, 0)
    assert math.isnan(undefined)
    assert undefined != 0
    assert (undefined.count, undefined.total) == (0, 0)
    assert "undefined" in str(undefined)
    assert undefined.interval() == (0.0, 1.0)


def test_an_unknown_count_is_undefined_and_keeps_its_denominator():
    unknown = Rate(None, 12)
    assert math.isnan(unknown)
    assert (unknown.count, unknown.total) == (None, 12)
    assert "unknown" in str(unknown)
    assert "12" in str(unknown)


@pytest.mark.parametrize("rate", [Rate(0, 0), Rate(None, 12), Rate(None, 0)], ids=repr)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("side", get_args(Side))
def test_an_undefined_rate_may_be_anything(rate, method, side):
    assert rate.interval(method=method, side=side) == Interval(0.0, 1.0)


@pytest.mark.parametrize("count", [2, -1, math.nan, 0.5, 1.0, "1", [1]])
def test_a_count_that_is_no_count_is_refused(count):
    with pytest.raises(InputError):
        Rate(count, 1)


@pytest.mark.parametrize("total", [-1, 1.0, math.nan, "1", None])
@pytest.mark.parametrize("count", [0, None])
def test_a_total_that_is_no_count_is_refused(count, total):
    with pytest.raises(InputError):
        Rate(count, total)


# Rate: its interval

# Clopper-Pearson 7 of 50: scipy 1.17 docs, scipy.stats.binomtest(7, 50).proportion_ci().
# wilson, clopper-pearson, jeffreys: statsmodels 0.15.0, proportion_confint(7, 50, method="wilson"),
# "beta" and "jeffreys". mid-p: scipy 1.17, brentq of
# binom.sf(x, n, p) + binom.pmf(x, n, p) / 2 - 0.025 and of the same with binom.cdf(x - 1, n, p).
GOLDEN = [
    ("clopper-pearson", 7, 50, 0.05819170033997342, 0.26739600249700846, 1e-9),
    ("wilson", 7, 50, 0.0695083343, 0.2618619371, 1e-9),
    ("wilson", 81, 263, 0.25529, 0.36621, 5e-6),
    ("clopper-pearson", 81, 263, 0.25274, 0.36762, 5e-6),
    ("mid-p", 81, 263, 0.25440, 0.36577, 5e-6),
    ("jeffreys", 81, 263, 0.25452, 0.36565, 5e-6),
    ("wilson", 0, 20, 0, 0.16113, 5e-6),
    ("clopper-pearson", 0, 20, 0, 0.16843, 5e-6),
    ("mid-p", 0, 20, 0, 0.13911, 5e-6),
    ("wilson", 1, 29, 0.00611, 0.17176, 5e-6),
    ("clopper-pearson", 1, 29, 0.00087, 0.17764, 5e-6),
    ("mid-p", 1, 29, 0.00172, 0.15854, 5e-6),
]


@pytest.mark.parametrize(("method", "count", "total", "low", "high", "within"), GOLDEN)
def test_interval_of_a_rate_is_the_published_one(method, count, total, low, high, within):
    assert Rate(count, total).interval(method=method) == pytest.approx((low, high), abs=within)


@pytest.mark.parametrize("method", METHODS)
@given(numbers=counts_and_totals)
def test_interval_holds_the_rate_and_mirrors(method, numbers):
    count, total = numbers
    low, high = Rate(count, total).interval(method=method)
    assert 0 <= low <= high <= 1
    if total:
        assert low <= count / total <= high
    mirrored = Rate(total - count, total).interval(method=method)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_one_sided_bounds_spend_both_tails_on_one_end(method):
    both = RATE.interval(confidence=0.90, method=method)
    assert RATE.interval(method=method, side="lower") == (pytest.approx(both.low), 1.0)
    assert RATE.interval(method=method, side="upper") == (0.0, pytest.approx(both.high))


def test_interval_defaults_to_wilson_at_95_percent():
    assert RATE.interval() == RATE.interval(0.95, "wilson", "two-sided")


@pytest.mark.parametrize("value", [RATE, CHANGE, Rate(0, 0), change_of((0, 0, 0, 0))], ids=repr)
@pytest.mark.parametrize(
    "options",
    [
        {"confidence": 95},
        {"confidence": 0},
        {"confidence": "0.95"},
        {"method": "wald"},
        {"method": None},
        {"side": "left"},
    ],
    ids=str,
)
def test_unknown_options_are_refused_even_where_nothing_is_computed(value, options):
    with pytest.raises(UsageError):
        value.interval(**options)


# AccuracyChange

cells = st.tuples(*[st.integers(0, 10**4)] * 4)


@given(cells)
def test_accuracy_change_is_fixed_minus_broken_over_all(numbers):
    change = change_of(numbers)
    _, negative, positive, _ = numbers
    assert change.total == sum(numbers)
    if change.total:
        assert change == float(Fraction(positive - negative, change.total))
    else:
        assert math.isnan(change)


def test_accuracy_change_is_a_plain_float_to_others():
    assert json.dumps(CHANGE) == "-0.2"
    assert f"{CHANGE:+.1%}" == "-20.0%"
    assert type(CHANGE + 0) is float
    assert pd.Series([CHANGE]).dtype == np.float64


def test_accuracy_change_prints_points_and_flips():
    assert str(CHANGE) == "-20.00 points (2 fixed, 12 broken, of 50)"
    assert f"{change_of((1, 0, 1, 0))}" == "+50.00 points (1 fixed, 0 broken, of 2)"
    assert "undefined" in str(change_of((0, 0, 0, 0)))


@given(cells)
def test_accuracy_change_repr_builds_the_same_change(numbers):
    assert repr(eval(repr(change_of(numbers)))) == repr(change_of(numbers))


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_accuracy_change_pickles(protocol):
    again = pickle.loads(pickle.dumps(CHANGE, protocol))
    assert (type(again), repr(again), again) == (AccuracyChange, repr(CHANGE), CHANGE)
    assert again.interval() == CHANGE.interval()


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize("count", [-1, 1.0, 1.5, math.nan, None, "1"])
def test_accuracy_change_refuses_what_is_no_count(cell, count):
    given_cells = dict.fromkeys(CELL_NAMES, 3) | {cell: count}
    with pytest.raises(InputError):
        AccuracyChange(**given_cells)


def test_accuracy_change_of_small_numpy_counts_does_not_overflow():
    change = change_of((np.int8(100), np.int8(100), np.int8(100), np.int8(100)))
    assert change.total == 400
    assert {type(getattr(change, name)) for name in CELL_NAMES} == {int}


# Tango 1998; Newcombe 1998 (Statistics in Medicine 17, 2635-2650), method 10; Bonett and Price
# 2012. The sign is new minus old.
@pytest.mark.parametrize(
    ("method", "numbers", "low", "high"),
    [
        ("tango", (36, 12, 2, 0), -0.34471, -0.06111),
        ("newcombe", (36, 12, 2, 0), -0.34043, -0.05693),
        ("tango", (1, 1, 7, 12), 0.02600, 0.51723),
        ("newcombe", (1, 1, 7, 12), 0.02556, 0.50692),
        ("newcombe", (80, 40, 20, 20), -0.21652, -0.03046),
        ("bonett-price", (80, 40, 20, 20), -0.21680, -0.03011),
        # R, PropCIs::scoreci.mp(40, 20, 160, 0.95)
        ("tango", (80, 40, 20, 20), -0.2180642, -0.0308645),
    ],
)
def test_interval_of_a_change_is_the_published_one(method, numbers, low, high):
    assert change_of(numbers).interval(method=method) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("method", PAIRED_METHODS)
@given(numbers=cells)
def test_interval_of_a_change_mirrors_when_old_and_new_are_swapped(method, numbers):
    both_right, negative, positive, both_wrong = numbers
    low, high = change_of(numbers).interval(method=method)
    assert -1 <= low <= high <= 1
    swapped = change_of((both_right, positive, negative, both_wrong)).interval(method=method)
    assert swapped == pytest.approx((-high, -low), abs=1e-12)


@pytest.mark.parametrize("method", PAIRED_METHODS)
def test_one_sided_bounds_of_a_change(method):
    both = CHANGE.interval(confidence=0.90, method=method)
    assert CHANGE.interval(method=method, side="lower") == (pytest.approx(both.low), 1.0)
    assert CHANGE.interval(method=method, side="upper") == (-1.0, pytest.approx(both.high))


@pytest.mark.parametrize("method", PAIRED_METHODS)
def test_a_change_over_no_items_may_be_anything(method):
    assert change_of((0, 0, 0, 0)).interval(method=method) == Interval(-1.0, 1.0)
