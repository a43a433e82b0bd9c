"""Laws of the flip family: identities between rates, exactly, and counts that add."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics.flips.counts import FlipCounts
from muscle_metrics.flips.rate_table import RATES
from muscle_metrics.flips.rates import AccuracyChange, Rate

CELLS = ("both_right", "negative", "positive", "both_wrong")
# These two rates are not shares of items.
RATES = [name for name in RATES if name not in ("accuracy_change", "relative_negative_flip_rate")]


@st.composite
def flip_counts(draw, known=None, least=0):
    """Counts of every size, among them empty cells, with changed answers known or not."""
    cell = st.one_of(st.integers(least, 4), st.integers(least, 10**12))
    both_right, negative, positive, both_wrong = (draw(cell) for _ in CELLS)
    known = draw(st.booleans()) if known is None else known
    return FlipCounts(
        both_right=both_right,
        negative=negative,
        positive=positive,
        both_wrong=both_wrong,
        both_right_changed=draw(st.integers(0, both_right)) if known else None,
        wrong_changed=draw(st.integers(0, both_wrong)) if known else None,
    )


some_counts = flip_counts().filter(lambda counts: counts.total)
known_counts = flip_counts(known=True).filter(lambda counts: counts.total)
full_counts = flip_counts(least=1)


def exact(rate: Rate) -> Fraction:
    return Fraction(rate.count, rate.total)


def swapped(counts: FlipCounts) -> FlipCounts:
    """The update undone: old and new change places."""
    return dataclasses.replace(counts, negative=counts.positive, positive=counts.negative)


# Identities, exactly


@given(some_counts)
def test_accuracies_differ_by_the_flips(counts):
    change = counts.accuracy_change
    assert change == (counts.positive - counts.negative) / counts.total
    assert exact(counts.new_accuracy) - exact(counts.old_accuracy) == Fraction(
        counts.positive - counts.negative, counts.total
    )
    assert exact(counts.positive_flip_rate) - exact(counts.negative_flip_rate) == exact(
        counts.new_accuracy
    ) - exact(counts.old_accuracy)
    assert type(change) is AccuracyChange
    assert change.total == counts.total


@given(some_counts)
def test_flips_are_negative_and_positive_ones(counts):
    assert exact(counts.flip_rate) == exact(counts.negative_flip_rate) + exact(
        counts.positive_flip_rate
    )


@given(full_counts)
def test_conditional_rates_complete_each_other(counts):
    nfr, old_accuracy = exact(counts.negative_flip_rate), exact(counts.old_accuracy)
    assert exact(counts.backward_trust_compatibility) == 1 - nfr / old_accuracy
    assert exact(counts.conditional_negative_flip_rate) == nfr / old_accuracy
    assert exact(counts.backward_error_compatibility) == 1 - exact(counts.negative_flip_impact)
    assert exact(counts.backward_error_compatibility_of_old_errors) == 1 - exact(counts.fix_rate)
    assert exact(counts.negative_flip_impact) == nfr / (1 - exact(counts.new_accuracy))
    assert exact(counts.positive_flip_impact) == exact(counts.positive_flip_rate) / exact(
        counts.new_accuracy
    )


@given(full_counts)
def test_relative_negative_flip_rate_three_ways(counts):
    relative = counts.relative_negative_flip_rate
    old_accuracy, new_error = exact(counts.old_accuracy), 1 - exact(counts.new_accuracy)
    assert relative == float(exact(counts.negative_flip_rate) / (old_accuracy * new_error))
    assert relative == float(exact(counts.negative_flip_impact) / old_accuracy)
    assert relative == float((1 - exact(counts.backward_trust_compatibility)) / new_error)


@given(full_counts, st.integers(1, 1000))
def test_independent_errors_have_a_relative_rate_of_one(counts, factor):
    # Independent: the cells are the products of their margins.
    right, wrong = counts.both_right, counts.negative
    independent = FlipCounts(
        both_right=right, negative=wrong, positive=factor * right, both_wrong=factor * wrong
    )
    assert independent.relative_negative_flip_rate == 1


@given(known_counts)
def test_inconsistency_includes_every_negative_flip(counts):
    assert counts.inconsistency_flip_rate >= counts.negative_flip_rate
    assert exact(counts.wrong_to_different_wrong_rate) == exact(
        counts.inconsistency_flip_rate
    ) - exact(counts.negative_flip_rate)


@given(known_counts)
def test_churn_is_every_change_of_answer(counts):
    assert exact(counts.churn) == sum(
        map(
            exact,
            (
                counts.inconsistency_flip_rate,
                counts.positive_flip_rate,
                counts.right_to_different_right_rate,
            ),
        )
    )


@given(known_counts)
def test_churn_with_one_reference(counts):
    counts = dataclasses.replace(counts, both_right_changed=0)
    assert exact(counts.churn) == exact(counts.inconsistency_flip_rate) + exact(
        counts.positive_flip_rate
    )


@given(some_counts)
def test_frechet_bounds_and_what_is_avoidable(counts):
    forced = max(Fraction(0), exact(counts.old_accuracy) - exact(counts.new_accuracy))
    most = min(exact(counts.old_accuracy), 1 - exact(counts.new_accuracy))
    nfr = exact(counts.negative_flip_rate)
    assert forced <= nfr <= most
    assert exact(counts.avoidable_negative_flip_rate) == nfr - forced


@given(some_counts)
def test_swapping_old_and_new_swaps_the_flips(counts):
    undone = swapped(counts)
    assert undone.negative_flip_rate == counts.positive_flip_rate
    assert undone.positive_flip_rate == counts.negative_flip_rate
    assert undone.accuracy_change == -counts.accuracy_change
    assert undone.old_accuracy == counts.new_accuracy
    assert repr(undone.avoidable_negative_flip_rate) == repr(counts.avoidable_negative_flip_rate)
    assert repr(undone.positive_flip_impact) == repr(counts.conditional_negative_flip_rate)
    assert repr(undone.negative_flip_impact) == repr(counts.fix_rate)
    assert undone.mcnemar() == counts.mcnemar()


@given(some_counts)
def test_every_rate_is_a_share_with_a_denominator_that_counts_items(counts):
    for name, rate in counts.rates().items():
        if name in RATES:
            assert isinstance(rate, Rate)
            assert rate.total <= counts.total
            assert math.isnan(rate) or 0 <= rate <= 1


# Metamorphic laws


@given(some_counts)
def test_one_more_right_item_dilutes_the_negative_flips(counts):
    more = dataclasses.replace(counts, both_right=counts.both_right + 1)
    assert exact(more.negative_flip_rate) <= exact(counts.negative_flip_rate)
    assert (exact(more.negative_flip_rate) < exact(counts.negative_flip_rate)) == (
        counts.negative > 0
    )


@given(full_counts)
def test_one_item_broken_raises_the_rate_by_one_of_all(counts):
    broken = FlipCounts(
        both_right=counts.both_right - 1,
        negative=counts.negative + 1,
        positive=counts.positive,
        both_wrong=counts.both_wrong,
    )
    assert exact(broken.negative_flip_rate) - exact(counts.negative_flip_rate) == Fraction(
        1, counts.total
    )


@given(some_counts)
def test_duplicated_items_keep_rates_and_narrow_intervals(counts):
    twice = counts + counts
    assert repr(twice.relative_negative_flip_rate) == repr(counts.relative_negative_flip_rate)
    for name in RATES:
        once, rate = getattr(counts, name), getattr(twice, name)
        assert rate == once or (math.isnan(rate) and math.isnan(once))
        assert rate.total == 2 * once.total
        low, high = rate.interval()
        once_low, once_high = once.interval()
        assert high - low <= once_high - once_low
        assert (high - low < once_high - once_low) == (not math.isnan(once))


# Counts add


@given(flip_counts(), flip_counts(), flip_counts())
def test_counts_add_as_their_items_do(one, two, three):
    assert one + two == two + one
    assert (one + two) + three == one + (two + three) == sum([one, two, three])
    assert (one + two).total == one.total + two.total
    for cell in CELLS:
        assert getattr(one + two, cell) == getattr(one, cell) + getattr(two, cell)


@given(flip_counts(known=True), flip_counts(known=True))
def test_known_changes_add(one, two):
    both = one + two
    assert both.both_right_changed == one.both_right_changed + two.both_right_changed
    assert both.wrong_changed == one.wrong_changed + two.wrong_changed


@given(flip_counts(known=True), flip_counts(known=False))
def test_an_unknown_change_makes_the_sum_unknown(known, unknown):
    for both in (known + unknown, unknown + known):
        assert (both.both_right_changed, both.wrong_changed) == (None, None)


@pytest.mark.parametrize("other", [1, 0.0, None, (4, 3, 1, 2), {"negative": 1}])
def test_only_counts_are_added_to_counts(other):
    with pytest.raises(TypeError):
        FlipCounts(both_right=4, negative=3, positive=1, both_wrong=2) + other
