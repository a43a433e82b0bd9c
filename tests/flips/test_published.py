"""Numbers that papers and other tools have published, reproduced from their printed inputs."""

from __future__ import annotations

import math

import pytest

from muscle_metrics.flips.counting import count_flips
from muscle_metrics.flips.counts import FlipCounts
from muscle_metrics.flips.rates import Rate, relative_change

# Percentages are printed with two decimals: of 10 000 items they are whole counts.
ITEMS = 10_000


def count(percent: str) -> int:
    """Items out of `ITEMS`, from a printed percentage: digits only, nothing is rounded."""
    whole, _, decimals = percent.partition(".")
    return int(f"{whole or 0}{decimals:0<2}")


def counts_of(*, old_right: int, new_right: int, negative: int) -> FlipCounts:
    return FlipCounts(
        both_right=old_right - negative,
        negative=negative,
        positive=new_right - old_right + negative,
        both_wrong=ITEMS - new_right - negative,
    )


# Yan et al., "Positive-congruent training", CVPR 2021 (arXiv 2011.09161), relative NFR, eq. 11:
# error of the old model, error of the new model, NFR -> relative NFR, all in percent.
YAN = [
    ("30.24", "30.29", "6.44", "30.48"),
    ("30.24", "29.34", "5.72", "27.95"),
    ("30.24", "29.66", "6.39", "30.88"),
    ("30.24", "30.63", "2.50", "11.70"),
    ("30.24", "30.47", "2.35", "11.06"),
    ("26.07", "25.98", "1.70", "8.85"),
    ("40.69", "41.06", "7.77", "31.91"),
    ("40.69", "45.47", "11.07", "41.05"),
    ("40.69", "41.81", "2.83", "11.41"),
    ("40.69", "41.78", "2.71", "10.94"),
    ("35.68", "35.42", "2.01", "8.82"),
    ("30.24", "25.85", "4.89", "27.12"),
    ("30.24", "24.41", "3.78", "22.20"),
    ("30.24", "26.32", "2.90", "15.79"),
    ("30.24", "26.53", "2.92", "15.78"),
    ("26.07", "22.20", "1.64", "9.99"),
]


@pytest.mark.parametrize(("old_error", "new_error", "nfr", "relative"), YAN)
def test_relative_negative_flip_rates_of_yan(old_error, new_error, nfr, relative):
    counts = counts_of(
        old_right=ITEMS - count(old_error),
        new_right=ITEMS - count(new_error),
        negative=count(nfr),
    )
    assert f"{counts.negative_flip_rate:.2%}" == f"{nfr}%"
    assert f"{100 * counts.relative_negative_flip_rate:.2f}" == relative


def test_relative_negative_flip_rate_of_small_errors():
    counts = counts_of(old_right=ITEMS - 490, new_right=ITEMS - 485, negative=183)
    assert f"{counts.relative_negative_flip_rate:.2%}" == "39.68%"


# Echterhoff et al., "MUSCLE", Findings of EMNLP 2024, tables 4 and 5: accuracy of the old and of
# the new model, NFR, change of the NFR by the compatible update -> the same in percent of the NFR.
MUSCLE = {
    "HellaSwag Llama 1-2": ("72.74", "72.91", "10.27", -417, "-40.60"),
    "HellaSwag Phi 1.5-2": ("69.76", "78.02", "3.09", 24, "+7.77"),
    "HellaSwag Phi 1-1.5": ("32.38", "69.76", "2.47", -13, "-5.26"),
    "HellaSwag Vicuna 1.3-1.5": ("72.19", "71.54", "10.48", -406, "-38.74"),
    "PIQA Llama 1-2": ("74.86", "74.76", "11.59", -397, "-34.25"),
    "PIQA Phi 1.5-2": ("74.65", "78.78", "6.20", -11, "-1.77"),
    "PIQA Phi 1-1.5": ("59.03", "74.65", "7.78", -5, "-0.64"),
    "PIQA Vicuna 1.3-1.5": ("74.70", "75.52", "9.90", -288, "-29.09"),
    "GSM8K Llama 1-2": ("24.45", "33.09", "8.49", -91, "-10.72"),
    "GSM8K Phi 1.5-2": ("30.02", "48.18", "5.88", -171, "-29.08"),
    "GSM8K Phi 1-1.5": ("3.41", "30.02", "2.01", -4, "-1.99"),
    "GSM8K Vicuna 1.3-1.5": ("26.72", "29.91", "11.60", -99, "-8.53"),
}
# SAMSum, ROUGE-1 (table 5): NFR and its change only.
SAMSUM = [
    ("48.96", -781, "-15.95"),
    ("54.70", -1502, "-27.46"),
    ("32.60", -574, "-17.61"),
    ("49.69", -1098, "-22.10"),
]


@pytest.mark.parametrize("row", MUSCLE.values(), ids=MUSCLE)
def test_negative_flip_rates_of_muscle(row):
    old_accuracy, new_accuracy, nfr, change, delta = row
    before = counts_of(
        old_right=count(old_accuracy), new_right=count(new_accuracy), negative=count(nfr)
    )
    assert f"{before.old_accuracy:.2%}" == f"{old_accuracy}%"
    assert f"{before.new_accuracy:.2%}" == f"{new_accuracy}%"
    assert f"{before.negative_flip_rate:.2%}" == f"{nfr}%"
    # The compatible model breaks `change` items more; the table omits its accuracy.
    after = Rate(before.negative + change, ITEMS)
    assert f"{100 * relative_change(before.negative_flip_rate, after):+.2f}" == delta


@pytest.mark.parametrize(("nfr", "change", "delta"), SAMSUM)
def test_negative_flip_rates_of_samsum(nfr, change, delta):
    before, after = Rate(count(nfr), ITEMS), Rate(count(nfr) + change, ITEMS)
    assert f"{100 * relative_change(before, after):+.2f}" == delta


def test_relative_change_from_nothing_is_undefined():
    assert math.isnan(relative_change(Rate(0, 10), Rate(1, 10)))


def test_llama_gains_accuracy_on_hellaswag_while_a_tenth_of_all_items_regress():
    counts = counts_of(old_right=7274, new_right=7291, negative=1027)
    assert str(counts.accuracy_change).startswith("+0.17 points")
    assert {
        "positive_flip_rate": "10.44%",
        "backward_trust_compatibility": "85.88%",
        "negative_flip_impact": "37.91%",
        "relative_negative_flip_rate": "52.12%",
    }.items() <= {name: f"{rate:.2%}" for name, rate in counts.rates().items()}.items()


# McNemar's test


def test_mcnemar_of_hugging_face_evaluate():
    # The example of the mcnemar comparison of Hugging Face's evaluate.
    counts = count_flips(old=[1, 1, 1], new=[1, 0, 1], references=[1, 0, 1])
    statistic, p_value = counts.mcnemar(method="asymptotic")
    assert statistic == 1.0
    assert p_value == pytest.approx(0.31731050786291115, rel=1e-14)


# exact, asymptotic, corrected: statsmodels 0.15.0, mcnemar(table, exact=, correction=).pvalue.
# mid-p: Fagerland, Lydersen and Laake (2013). The row 33, 18 also R, mcnemar.test.
MCNEMAR = [
    (
        1,
        7,
        {"exact": 0.0703125, "mid-p": 0.0390625, "asymptotic": 0.0338949, "corrected": 0.0770999},
    ),
    (
        12,
        2,
        {"exact": 0.0129395, "mid-p": 0.0073853, "asymptotic": 0.0075263, "corrected": 0.0161569},
    ),
    (33, 18, {"exact": 0.048873892, "mid-p": 0.036483400}),
    (33, 18, {"asymptotic": 0.0356919, "corrected": 0.0499500}),
    (15, 3, {"exact": 0.007537842, "mid-p": 0.004425049}),
    (25, 7, {"exact": 0.002102402, "mid-p": 0.001318727}),
    (10, 0, {"exact": 0.001953125, "mid-p": 0.0009765625}),
    (1, 0, {"exact": 1, "mid-p": 0.5}),
    (0, 0, {"exact": 1, "mid-p": 1}),
    (7, 7, {"mid-p": 0.8952637}),
    (40, 20, {"mid-p": 0.0098534}),
    (10_000_000, 10_005_000, {"exact": 0.2637076683}),
]


@pytest.mark.parametrize(("negative", "positive", "p_values"), MCNEMAR)
def test_mcnemar_p_values(negative, positive, p_values):
    counts = FlipCounts(both_right=80, negative=negative, positive=positive, both_wrong=20)
    for method, p_value in p_values.items():
        assert counts.mcnemar(method).p_value == pytest.approx(p_value, abs=5e-8)


def test_mcnemar_statistics_and_the_one_sided_question():
    counts = FlipCounts(both_right=0, negative=33, positive=18, both_wrong=0)
    assert counts.mcnemar("asymptotic").statistic == pytest.approx(4.4117647, abs=5e-8)
    assert counts.mcnemar("corrected").statistic == pytest.approx(3.8431373, abs=5e-8)
    one_sided = counts.mcnemar("exact", alternative="regression")
    assert one_sided.p_value == pytest.approx(0.024436946, abs=5e-10)


def test_mcnemar_is_blind_to_flips_that_balance():
    balanced = FlipCounts(both_right=450, negative=50, positive=50, both_wrong=450)
    assert balanced.mcnemar("exact").p_value == 1
    assert balanced.negative_flip_rate == 0.05
