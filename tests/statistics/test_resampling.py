from __future__ import annotations

import re
import warnings
from fractions import Fraction
from math import isnan
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, bootstrap, chisquare, multinomial

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.statistics.resampling import bootstrap_cells, bootstrap_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

CELLS = [110, 9, 21, 60]


def accuracy_change(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    return (cells[..., 2] - cells[..., 1]) / cells.sum(axis=-1)


def conditional_rate(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Negative flips over what the old model had right: a skewed statistic."""
    return cells[..., 1] / (cells[..., 0] + cells[..., 1])


def first_rate(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    return cells[..., 0] / cells.sum(axis=-1)


class Recorder:
    """A statistic that records the tables it gets and the values it returns."""

    def __init__(self, statistic: Any) -> None:
        self.statistic = statistic
        self.tables = np.empty(0)
        self.values = np.empty(0)

    def __call__(self, tables: NDArray[np.float64]) -> NDArray[np.float64]:
        values = self.statistic(tables)
        if tables.ndim == 2 and len(tables) > tables.shape[1]:
            self.tables, self.values = tables, values
        return np.asarray(values)


def rows(cells: list[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Old and new verdicts of the items behind the cells."""
    old = np.repeat([1, 1, 0, 0], cells)
    new = np.repeat([1, 0, 1, 0], cells)
    return old, new


def rows_change(old: Any, new: Any, axis: int = -1) -> Any:
    # A sum of integers: equal replicates are equal floats, and ties are counted as ties.
    return np.sum(np.subtract(new, old), axis=axis) / np.shape(new)[axis]


def rows_conditional_rate(old: Any, new: Any, axis: int = -1) -> Any:
    return np.sum(old * (1 - new), axis=axis) / np.sum(old, axis=axis)


# Cells: the drawn tables


def test_replicates_follow_the_multinomial_law() -> None:
    recorder = Recorder(accuracy_change)
    bootstrap_cells(recorder, [3, 1, 2], replicates=40_000, seed=5)
    outcomes, seen = np.unique(recorder.tables, axis=0, return_counts=True)
    # scipy 1.17.1: every outcome of multinomial(6, [1/2, 1/6, 1/3]) and its probability.
    chance = multinomial(6, [1 / 2, 1 / 6, 1 / 3]).pmf(outcomes)
    often = chance * 40_000 >= 5
    assert chance.sum() == pytest.approx(1, abs=1e-4)
    expected = np.append(chance[often], 1 - chance[often].sum()) * 40_000
    assert chisquare(np.append(seen[often], seen[~often].sum()), expected).pvalue > 0.001


@settings(max_examples=50)
@given(st.lists(st.integers(0, 3) | st.integers(0, 10**12), min_size=1, max_size=6).filter(any))
def test_every_replicate_has_as_many_items_and_empty_cells_stay_empty(cells: list[int]) -> None:
    recorder = Recorder(first_rate)
    bootstrap_cells(recorder, cells, replicates=50, method="percentile", seed=0)
    assert recorder.tables.shape == (50, len(cells))
    assert (recorder.tables >= 0).all()
    assert (recorder.tables == recorder.tables.round()).all()
    assert (recorder.tables.sum(axis=1) == sum(cells)).all()
    assert (recorder.tables[:, np.array(cells) == 0] == 0).all()


def test_rare_cells_of_a_trillion_items_keep_their_spread() -> None:
    recorder = Recorder(accuracy_change)
    cells = [10**12, 100, 400, 0]
    bootstrap_cells(recorder, cells, replicates=20_000, seed=1)
    # Nearly Poisson: the mean is the count, the variance too. Five standard errors.
    for column, count in ((1, 100), (2, 400)):
        drawn = recorder.tables[:, column]
        assert abs(drawn.mean() - count) < 5 * (count / 20_000) ** 0.5
        assert abs(drawn.var() / count - 1) < 5 * (2 / 20_000) ** 0.5


# Cells: the interval


@pytest.mark.parametrize("confidence", [0.8, 0.95])
@pytest.mark.parametrize("cells", [CELLS, [40, 6, 0, 4], [700, 30, 10, 260]])
@pytest.mark.parametrize(
    ("statistic", "of_rows"),
    [(accuracy_change, rows_change), (conditional_rate, rows_conditional_rate)],
)
def test_intervals_equal_those_of_scipy_on_the_same_replicates(
    statistic: Any, of_rows: Any, cells: list[int], confidence: float
) -> None:
    for method in ("bca", "percentile"):
        recorder = Recorder(statistic)
        found = bootstrap_cells(
            recorder, cells, method=method, confidence=confidence, replicates=3000, seed=3
        )
        # scipy 1.17.1 takes the replicates as they are and adds its row by row jackknife.
        theirs = bootstrap(
            rows(cells),
            of_rows,
            paired=True,
            method=method,
            confidence_level=confidence,
            n_resamples=0,
            bootstrap_result=SimpleNamespace(bootstrap_distribution=recorder.values),
        )
        assert found == pytest.approx(tuple(theirs.confidence_interval), abs=1e-12)


def test_bca_differs_from_the_percentiles_of_a_skewed_statistic() -> None:
    bca = bootstrap_cells(conditional_rate, CELLS, seed=3)
    plain = bootstrap_cells(conditional_rate, CELLS, seed=3, method="percentile")
    assert bca.low > plain.low + 0.002
    assert bca.high > plain.high + 0.002


def test_cells_and_rows_agree() -> None:
    cells = bootstrap_cells(accuracy_change, CELLS, seed=1)
    by_row = bootstrap_rows(rows_change, *rows(CELLS), seed=1)
    # One item is 0.005 of 200; the bounds are quantiles of 9999 draws.
    assert cells == pytest.approx(by_row, abs=0.0051)


def test_the_same_seed_gives_the_same_interval_and_no_other_state_matters() -> None:
    cells = [cell * 10**6 for cell in CELLS]
    np.random.seed(1)
    before = np.random.get_state()[1].copy()
    first = bootstrap_cells(accuracy_change, cells, seed=7)
    assert (np.random.get_state()[1] == before).all()
    np.random.seed(2)
    assert bootstrap_cells(accuracy_change, cells, seed=7) == first
    assert bootstrap_cells(accuracy_change, cells, seed=8) != first
    assert type(first.low) is type(first.high) is float


def test_the_default_is_bca_at_95_percent_from_9999_replicates() -> None:
    recorder = Recorder(accuracy_change)
    found = bootstrap_cells(recorder, CELLS, seed=7)
    assert len(recorder.values) == 9999
    explicit = bootstrap_cells(accuracy_change, CELLS, confidence=0.95, method="bca", seed=7)
    assert found == explicit


def test_a_statistic_gets_tables_of_floats_only() -> None:
    kinds = set()

    def recorded(cells: NDArray[np.float64]) -> NDArray[np.float64]:
        kinds.add(cells.dtype)
        return accuracy_change(cells)

    bootstrap_cells(recorded, CELLS, replicates=50, seed=0)
    assert kinds == {np.dtype(float)}


def test_a_statistic_may_answer_with_objects() -> None:
    def fractions(cells: NDArray[np.float64]) -> Any:
        rates = accuracy_change(cells)
        return np.array([Fraction(rate) for rate in rates.flat]).reshape(rates.shape)

    options = {"replicates": 50, "seed": 0}
    expected = bootstrap_cells(accuracy_change, CELLS, **options)
    assert bootstrap_cells(fractions, CELLS, **options) == expected


def test_the_arguments_are_left_alone() -> None:
    cells = list(CELLS)
    bootstrap_cells(accuracy_change, cells, seed=0)
    assert cells == CELLS


def test_percentiles_of_rare_flips_cover_far_too_little() -> None:
    # Exact over every outcome of 50 items, with one bootstrap for each: why it never decides.
    intervals = np.array(
        [bootstrap_cells(first_rate, [x, 50 - x], method="percentile", seed=x) for x in range(51)]
    )
    # scipy 1.17.1: the same from binom.ppf([.025, .975], 50, x / 50) / 50, without a draw.
    for rate, expected in ((0.01, 0.3934), (0.02, 0.6354), (0.05, 0.9113)):
        held = (intervals[:, 0] <= rate) & (rate <= intervals[:, 1])
        coverage = float((binom.pmf(np.arange(51), 50, rate) * held).sum())
        assert coverage == pytest.approx(expected, abs=5e-5)


# Cells: cases that resampling cannot decide


@pytest.mark.parametrize("method", ["bca", "percentile"])
@pytest.mark.parametrize("cells", [[50, 0, 0, 0], [0, 0, 1, 0], [0, 0, 9, 0]])
def test_replicates_that_never_differ_say_nothing(cells: list[int], method: Any) -> None:
    low, high = bootstrap_cells(accuracy_change, cells, method=method, seed=0)
    assert isnan(low)
    assert isnan(high)


def test_an_undefined_correction_says_nothing() -> None:
    def distance(cells: NDArray[np.float64]) -> NDArray[np.float64]:
        """At its least on the data themselves: every replicate lies on one side."""
        return np.abs(cells - np.array([5e8, 5e8])).sum(axis=-1)

    low, high = bootstrap_cells(distance, [5 * 10**8] * 2, replicates=99, seed=1)
    assert isnan(low)
    assert isnan(high)


def test_a_correction_that_turns_over_says_nothing() -> None:
    # A single hit has skewness 1/6, so at 6 standard errors 1 - skewness * z changes its sign.
    low, high = bootstrap_cells(first_rate, [1, 10**6], confidence=1 - 1e-10, seed=1)
    assert isnan(low)
    assert isnan(high)
    assert not isnan(bootstrap_cells(first_rate, [1, 10**6], confidence=1 - 1e-5, seed=1).high)


def test_an_undefined_replicate_is_an_error_that_says_how_many() -> None:
    recorder = Recorder(conditional_rate)
    with pytest.raises(InputError) as caught:
        bootstrap_cells(recorder, [2, 1, 0, 7], replicates=1000, seed=0)
    undefined = int(np.isnan(recorder.values).sum())
    # Nothing the old model had right: (1 - .3)^10 of the replicates.
    assert undefined == pytest.approx(0.7**10 * 1000, abs=30)
    assert undefined > 0
    assert str(caught.value) == (
        f"expected a statistic that is defined in every replicate, got {undefined} of 1000 "
        "undefined: too few items for resampling, use an exact interval"
    )


def test_an_undefined_leave_one_out_value_is_an_error_too() -> None:
    def all_but_the_hit(cells: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(cells.sum(axis=-1) == 5, cells[..., 0], np.nan)

    with pytest.raises(InputError, match="got 2 of 2 undefined"):
        bootstrap_cells(all_but_the_hit, [3, 2], seed=0)


def test_infinite_is_undefined() -> None:
    with pytest.raises(InputError, match=r"got \d+ of 100 undefined"):
        bootstrap_cells(lambda c: 1 / c[..., 0], [1, 5], replicates=100, seed=0)


# Cells: input


@pytest.mark.parametrize("cells", [[], [0, 0]])
def test_cells_without_items_are_refused(cells: list[int]) -> None:
    message = f"expected at least one item to resample, got cells {cells}: count some items first"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        bootstrap_cells(first_rate, cells, seed=0)


def test_cells_must_be_counts() -> None:
    message = "expected every cell to be a count, an integer of at least 0, got -1"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        bootstrap_cells(first_rate, [3, -1], seed=0)
    numpy_cells = np.array(CELLS, dtype=np.int32)
    assert bootstrap_cells(accuracy_change, numpy_cells, seed=0) == bootstrap_cells(
        accuracy_change, CELLS, seed=0
    )


def test_a_statistic_along_the_wrong_axis_is_refused() -> None:
    message = (
        "expected a statistic that works along the last axis and turns shape (9999, 4) into "
        "(9999,), got shape (4,): take its cells as table[..., k]"
    )
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        bootstrap_cells(lambda cells: cells[1] / cells.sum(axis=0), CELLS, seed=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"replicates": 1}, "expected replicates to be an integer of at least 2, got 1"),
        ({"replicates": 99.0}, "expected replicates to be an integer of at least 2, got 99.0"),
        ({"method": "basic"}, "expected method to be one of ['percentile', 'bca'], got 'basic'"),
        ({"seed": None}, "expected seed to be an integer of at least 0, got None"),
        ({"seed": -1}, "expected seed to be an integer of at least 0, got -1"),
        (
            {"confidence": 95},
            "expected a confidence level between 0 and 1, got 95: write 95 % as 0.95",
        ),
    ],
)
def test_unknown_options_are_refused(options: dict[str, Any], message: str) -> None:
    pattern = f"^{re.escape(message)}$"
    with pytest.raises(UsageError, match=pattern):
        bootstrap_cells(accuracy_change, CELLS, **{"seed": 0, **options})
    with pytest.raises(UsageError, match=pattern):
        bootstrap_rows(rows_change, *rows(CELLS), **{"seed": 0, **options})


def test_two_replicates_are_enough_to_differ() -> None:
    low, high = bootstrap_cells(accuracy_change, CELLS, replicates=2, method="percentile", seed=0)
    assert low < high


# Rows


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_rows_are_resampled_by_scipy(method: Any) -> None:
    rng = np.random.default_rng(0)
    old = rng.normal(size=60)
    new = old + rng.exponential(size=60)
    found = bootstrap_rows(
        rows_change, old, new, replicates=500, confidence=0.9, method=method, seed=4
    )
    # scipy 1.17.1, all replicates in one batch.
    theirs = bootstrap(
        (old, new),
        rows_change,
        paired=True,
        n_resamples=500,
        confidence_level=0.9,
        method=method,
        random_state=np.random.default_rng(4),
    )
    assert found == pytest.approx(tuple(theirs.confidence_interval), rel=1e-12)
    assert type(found.low) is type(found.high) is float


def test_a_statistic_of_one_sample_gives_the_same_interval() -> None:
    def plain_change(old: Any, new: Any) -> float:
        return float(np.mean(new) - np.mean(old))

    data = rows([11, 2, 4, 6])
    options = {"replicates": 300, "seed": 2}
    assert bootstrap_rows(plain_change, *data, **options) == pytest.approx(
        bootstrap_rows(rows_change, *data, **options), abs=1e-12
    )


def test_two_rows_are_enough_and_9999_replicates_the_default() -> None:
    sizes = []

    def mean(values: Any, axis: int = -1) -> Any:
        sizes.append(values.size)
        return np.mean(values, axis=axis)

    # A quarter of the replicates draws either row twice.
    assert bootstrap_rows(mean, [0.0, 1.0], method="percentile", seed=0) == (0.0, 1.0)
    assert sum(sizes) == 2 * 9999


def test_columns_may_hold_text() -> None:
    def agreement(old: Any, new: Any, axis: int = -1) -> Any:
        return np.mean(old == new, axis=axis)

    low, high = bootstrap_rows(agreement, list("abcabcabcab"), list("abcabdabdbb"), seed=0)
    assert 0.2 < low < 8 / 11 < high <= 1


def test_memory_does_not_grow_with_rows_times_replicates() -> None:
    sizes = []

    def mean(values: Any, axis: int = -1) -> Any:
        sizes.append(values.size)
        return np.mean(values, axis=axis)

    values = np.arange(300_000.0)
    bootstrap_rows(mean, values, replicates=8, method="percentile", seed=0)
    assert 300_000 < max(sizes) <= 2**20
    assert sum(sizes) >= 8 * 300_000
    # A replicate cannot be split: more rows than that still make one at a time.
    sizes.clear()
    bootstrap_rows(mean, np.arange(2.0**20 + 1), replicates=2, method="percentile", seed=0)
    assert max(sizes) == 2**20 + 1


@pytest.mark.parametrize("method", ["bca", "percentile"])
def test_rows_that_never_differ_say_nothing(method: Any) -> None:
    low, high = bootstrap_rows(rows_change, [1, 1, 1], [0, 0, 0], method=method, seed=0)
    assert isnan(low)
    assert isnan(high)


def test_an_undefined_replicate_of_rows_is_an_error_that_says_how_many() -> None:
    with pytest.raises(InputError) as caught:
        bootstrap_rows(rows_conditional_rate, [1, 0, 0, 0], [0, 0, 1, 1], replicates=200, seed=0)
    match = re.fullmatch(
        r"expected a statistic that is defined in every replicate, got (\d+) of 200 undefined: "
        r"too few items for resampling, use an exact interval",
        str(caught.value),
    )
    assert match
    # No row of the only kind that defines it: (3/4)^4 of the replicates.
    assert int(match[1]) == pytest.approx(0.75**4 * 200, abs=30)


def test_an_infinite_replicate_of_rows_is_undefined() -> None:
    def inverse(values: Any, axis: int = -1) -> Any:
        return 1 / np.sum(values, axis=axis)

    with pytest.raises(InputError, match=r"got \d+ of 200 undefined"):
        bootstrap_rows(inverse, [1.0, 0.0, 0.0], replicates=200, method="percentile", seed=0)


def test_warnings_of_the_statistic_itself_get_through() -> None:
    def hesitant(values: Any, axis: int = -1) -> Any:
        warnings.warn("this is not what it was made for", UserWarning, stacklevel=1)
        return np.mean(values, axis=axis)

    with pytest.warns(UserWarning, match="not what it was made for"):
        bootstrap_rows(hesitant, [0.1, 0.4, 0.3], replicates=20, seed=0)


@pytest.mark.parametrize(
    ("columns", "shapes"),
    [
        ([], "[]"),
        ([[1, 2, 3], [1, 2]], "[(3,), (2,)]"),
        ([[1], [1]], "[(1,), (1,)]"),
        ([[[1, 2], [3, 4]]], "[(2, 2)]"),
        ([3, 4], "[(), ()]"),
    ],
)
def test_columns_must_be_of_one_length(columns: list[Any], shapes: str) -> None:
    message = f"expected columns of one length, at least 2 rows, got shapes {shapes}"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        bootstrap_rows(rows_change, *columns, seed=0)
