"""Score changes: the worked example, identities, laws, and scipy as oracle."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import numpy.typing as npt
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics import InputError, Interval, UsageError, measure_changes
from muscle_metrics.flips.magnitudes import Magnitude, MeanChange
from muscle_metrics.flips.score_totals import ScoreTotals

# The worked example: D = [.10, -.20, 0, .05, -.05].
OLD = np.array([0.5, 0.5, 0.5, 0.5, 0.5])
NEW = np.array([0.6, 0.3, 0.5, 0.55, 0.45])


def test_worked_example() -> None:
    changes = measure_changes(old=OLD, new=NEW)
    assert (changes.positive_flip_rate, changes.negative_flip_rate) == (0.4, 0.4)
    assert changes.mean_gain == pytest.approx(0.075, abs=1e-15)
    assert changes.mean_regression == pytest.approx(0.125, abs=1e-15)
    assert changes.mean_change == pytest.approx(-0.02, abs=1e-15)
    assert changes.tie_rate.count == 1
    assert str(changes.mean_gain) == "0.0750 (2 items)"
    assert str(changes.mean_change) == "-0.0200 (5 items)"


def test_tie_and_minimum_effect_are_kept_apart() -> None:
    changes = measure_changes(old=OLD, new=NEW, minimum_effect=0.05 + 1e-9)
    assert changes.tie_rate.count == 1
    assert changes.negative_flip_rate.count == 1
    assert changes.positive_flip_rate.count == 1
    # A change of exactly the dead band does not count.
    assert measure_changes(old=[0.5], new=[0.75], minimum_effect=0.25).positive_flip_rate == 0
    assert measure_changes(old=[0.5], new=[0.75], tie=0.25).tie_rate == 1


def test_lower_is_better_turns_gains_and_not_deltas() -> None:
    changes = measure_changes(old=OLD, new=NEW, higher_is_better=False)
    assert changes.negative_flip_rate.count == 2
    assert changes.mean_regression == pytest.approx(0.075)
    assert changes.deltas == pytest.approx(NEW - OLD)
    assert changes.flips(threshold=0.5).negative == 2


def test_threshold_makes_flips() -> None:
    changes = measure_changes(old=[0.5, 0.4, 0.9, 0.1], new=[0.4, 0.5, 0.5, 0.2])
    counts = changes.flips(threshold=0.5)
    assert (counts.both_right, counts.negative, counts.positive, counts.both_wrong) == (1, 1, 1, 1)
    assert counts.wrong_changed is None
    assert changes.flips(threshold=0.5, strict=True).negative == 1
    assert changes.flips(threshold=0.5, strict=True).both_right == 0


def test_nothing_moved_is_undefined_and_not_zero() -> None:
    changes = measure_changes(old=[0.5], new=[0.5])
    assert math.isnan(changes.mean_gain)
    assert str(changes.mean_regression) == "undefined (0 items)"
    assert changes.mean_regression.interval() == Interval(0.0, 1.0)


scores = st.lists(
    st.tuples(*[st.integers(0, 64).map(lambda n: n / 64)] * 2), min_size=1, max_size=40
)


@given(scores, st.integers(0, 16).map(lambda n: n / 64))
def test_laws(pairs: list[tuple[float, float]], band: float) -> None:
    old, new = map(np.array, zip(*pairs, strict=True))
    changes = measure_changes(old=old, new=new, tie=0.0)
    # mean(D) = PFR m_g - NFR m_r; sixty-fourths add exactly, so counts times means are sums.
    gained = math.fsum(changes.mean_gain.values)
    lost = math.fsum(changes.mean_regression.values)
    assert math.fsum(new - old) == gained - lost
    assert changes.mean_change == (gained - lost) / len(pairs)
    swapped = measure_changes(old=new, new=old, tie=0.0)
    assert swapped.negative_flip_rate == changes.positive_flip_rate
    wider = measure_changes(old=old, new=new, tie=0.0, minimum_effect=band)
    assert wider.negative_flip_rate <= changes.negative_flip_rate
    curve = changes.negative_flip_curve([0.0, band])
    assert curve.tolist() == [changes.negative_flip_rate, wider.negative_flip_rate]
    total = wider.negative_flip_rate + wider.positive_flip_rate
    assert total <= 1


def test_tolerance_sensitivity_is_noticed() -> None:
    steady = measure_changes(old=[0.9] * 100, new=[0.1] * 100)
    assert not steady.tolerance_sensitive
    # 2 of 100 flips lie between the tie and ten times the tie.
    new = [0.1] * 98 + [0.9 - 5e-9] * 2
    assert measure_changes(old=[0.9] * 100, new=new).tolerance_sensitive
    assert not measure_changes(old=[0.9] * 100, new=new, tie=1e-10).tolerance_sensitive


def test_float32_rounding_is_a_tie_once_stored_scores_say_so() -> None:
    exact = np.linspace(0.1, 0.9, 101)
    stored = exact.astype(np.float32)
    assert measure_changes(old=exact, new=stored).negative_flip_rate > 0
    assert measure_changes(old=exact, new=stored, tie=1e-6).tie_rate == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ([0.1, 0.2], [0.1], "old 2, new 1"),
        ([], [], "one score per item in old"),
        ([[0.1]], [[0.2]], r"shape \(1, 1\)"),
        (["a"], [0.1], "one score per item in old"),
        ([0.1], [math.nan], "nan at item 0"),
        ([0.1, 1.5], [0.1, 0.1], "1.5 at item 1 and 1 such"),
        (np.array([0.1], dtype=np.float16), [0.1], "float16"),
    ],
)
def test_what_is_no_score_is_refused(old: npt.ArrayLike, new: npt.ArrayLike, message: str) -> None:
    with pytest.raises(InputError, match=message):
        measure_changes(old=old, new=new)


@pytest.mark.parametrize("setting", [{"tie": -1.0}, {"minimum_effect": math.nan}])
def test_thresholds_must_be_numbers(setting: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(iter(setting))):
        measure_changes(old=[0.1], new=[0.2], **setting)


# --- magnitudes -------------------------------------------------------------------------------


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=50), st.sampled_from([0.8, 0.95, 0.99]))
def test_mean_change_interval_is_students(deltas: list[float], confidence: float) -> None:
    values = np.array(deltas)
    if np.ptp(values) < 1e-6:
        return
    oracle = scipy.stats.ttest_1samp(values, 0.0)
    change = MeanChange(values)
    assert change.interval(confidence) == pytest.approx(
        tuple(oracle.confidence_interval(confidence)), abs=1e-9
    )
    greater = scipy.stats.ttest_1samp(values, 0.0, alternative="greater")
    lower = change.interval(confidence, side="lower")
    assert lower.low == pytest.approx(greater.confidence_interval(confidence).low, abs=1e-9)
    assert lower.high == math.inf


def test_means_name_the_method_of_their_interval() -> None:
    draw = np.random.default_rng(2)
    changes = measure_changes(old=draw.random(60), new=draw.random(60))
    totals = ScoreTotals.of(changes)
    for name in ("mean_change", "mean_gain", "mean_regression"):
        known, summed = getattr(changes, name), getattr(totals, name)
        assert summed == known
        assert (summed.count, summed.too_few) == (known.count, False)
        assert summed.method == "student"
        assert known.method == ("student" if name == "mean_change" else "gaffke")
    # Student's interval of the values; their range does not matter.
    losses = MeanChange(changes.mean_regression.values)
    assert totals.mean_regression.interval(0.9) == pytest.approx(losses.interval(0.9))
    assert totals.mean_regression.interval() != changes.mean_regression.interval()


def test_one_value_has_no_student_interval() -> None:
    one = ScoreTotals.of(measure_changes(old=[0.5], new=[0.25]))
    assert one.mean_regression.interval() == Interval(-math.inf, math.inf)
    assert one.mean_regression.too_few
    assert pickle.loads(pickle.dumps(one.mean_regression)).interval().high == math.inf


def test_sign_flip_test_enumerates_small_samples_and_is_seeded() -> None:
    # Of the 2^4 sign patterns only all plus and all minus reach |mean| = 0.25.
    assert MeanChange(np.array([0.1, 0.2, 0.3, 0.4])).p_value() == 2 / 16
    deltas = np.random.default_rng(1).normal(0.02, 0.1, 300)
    change = MeanChange(deltas)
    assert change.p_value(seed=3) == change.p_value(seed=3)
    t_test = scipy.stats.ttest_1samp(deltas, 0.0).pvalue
    assert change.p_value() == pytest.approx(t_test, abs=0.02)


def test_too_few_moves_give_the_whole_range() -> None:
    nine = Magnitude(np.full(9, 0.2), limit=1.0)
    assert nine.too_few
    assert nine.interval() == Interval(0.0, 1.0)
    ten = Magnitude(np.full(10, 0.2), limit=1.0)
    low, high = ten.interval()
    assert 0 < low < 0.2 < high < 1
    assert Magnitude(np.full(10, 0.2), limit=math.inf).interval() == Interval(0.0, math.inf)


@pytest.mark.parametrize(
    "value", [Magnitude(np.array([0.25, 0.5]), limit=1.0), MeanChange(np.array([0.25, -0.5]))]
)
def test_means_pickle_and_copy(value: Magnitude | MeanChange) -> None:
    for twin in (pickle.loads(pickle.dumps(value)), copy.deepcopy(value)):
        assert twin == value
        assert twin.interval() == value.interval()
        assert str(twin) == str(value)


def test_the_largest_scores_have_finite_differences_means_and_bounds() -> None:
    # Warnings are errors here: an overflow in any step fails.
    signs = np.array([1.0, -1.0, 1.0, 1.0, -1.0] * 4)
    changes = measure_changes(old=1e100 * signs, new=-1e100 * signs, low=-1e100, high=1e100)
    assert np.isfinite(changes.deltas).all()
    for mean in (changes.mean_change, changes.mean_gain, changes.mean_regression):
        assert np.isfinite([float(mean), *mean.interval()]).all()
        assert len(str(mean)) < 40
    assert float(changes.mean_regression) == 2e100
    with pytest.raises(InputError, match="expected scores from -1e\\+100 to 1e\\+100 in new"):
        measure_changes(old=[0.0, 1.0], new=[0.0, -1e308], low=-np.inf, high=np.inf)
