"""Scores that are shares of right generations: as good as the generations themselves."""

import random

import pytest

from muscle_metrics import Policy, compare_runs
from muscle_metrics.comparison.uncertainty import decoding_noise
from muscle_metrics.errors import InputError, UsageError

CHANCES = (0.95, 0.6, 1, 0.1)


def generations(seed, broken=(), k=5, prompts=120):
    draw = random.Random(seed)
    return {
        f"ü{number}": [
            draw.random() < (0 if number in broken else CHANCES[number % 4]) for _ in range(k)
        ]
        for number in range(prompts)
    }


def as_rates(takes, digits=4, **fields):
    return [
        {"id": name, "rate": round(sum(right) / len(right), digits), **fields}
        for name, right in takes.items()
    ]


def as_rows(takes):
    return [
        {"id": name, "take": take, "correct": right}
        for name, rights in takes.items()
        for take, right in enumerate(rights)
    ]


def by_rates(old, new, k=5, **options):
    return compare_runs(old, new, score_field="rate", samples=k, **options)


@pytest.mark.parametrize("k", [2, 3, 5, 7])
def test_rates_say_of_prompts_what_generations_say(k):
    old, new = generations(1, k=k), generations(2, broken=(2, 6, 10, 14, 18, 22), k=k)
    rows = compare_runs(as_rows(old), as_rows(new), score_field="correct", repeat_field="take")
    rates = by_rates(as_rates(old), as_rates(new), k=k)
    assert rates.prompts.broke == rows.prompts.broke
    assert rates.prompts.fixed == rows.prompts.fixed
    assert rates.prompts.pass_changes() == rows.prompts.pass_changes()
    for part in ("flip_rate", "floor", "excess", "net_loss"):
        means = [getattr(decoding_noise(one), part).mean for one in (rows, rates)]
        assert means[0] == pytest.approx(means[1], abs=1e-12)
    policy = Policy(max_nfr="0.3", max_pass_hat_k_loss="0.2", pass_k=2)
    for left, right in zip(rows.gate(policy).checks, rates.gate(policy).checks, strict=True):
        assert left.outcome == right.outcome
        assert (left.low, left.high) == pytest.approx((right.low, right.high), abs=1e-12)


def test_expected_flips_are_those_of_all_pairs_of_generations():
    # 3 of 5 before and 2 of 5 now: 3 * 3 of 25 pairs break. A prompt that stays at 0.6 flips, too.
    found = by_rates(
        [{"id": "a", "rate": 1}, {"id": "b", "rate": 0.6}, {"id": "c", "rate": 0.6}],
        [{"id": "c", "rate": 0.6}, {"id": "b", "rate": 0.4}, {"id": "a", "rate": 1}],
    )
    assert decoding_noise(found).flip_rate.mean == pytest.approx((0 + 9 / 25 + 6 / 25) / 3)
    data = found.to_dict()
    assert data["decoding_noise"]["flip_rate"]["value"] == pytest.approx(0.2)
    assert data["prompts"]["changed"][0]["id"] == "b"
    assert found.to_dict(items="none")["prompts"]["changed"] == []
    assert "samples 5" in found.signature
    assert "3/5 -> 2/5, noise" in found.to_text(flips=2)
    assert found.flips_frame()["right_now"].tolist() == [2]


def test_a_gate_does_not_take_noise_for_a_regression():
    # A graded score counts every fall as a flip: an unchanged model broke a quarter of its items.
    old, new = (as_rates(generations(seed, prompts=400)) for seed in (1, 2))
    policy = Policy(max_nfr="0.2")
    graded = compare_runs(old, new, score_field="rate").gate(policy)
    assert graded.outcome in ("FAIL", "INCONCLUSIVE")
    assert by_rates(old, new).gate(policy).outcome == "PASS"


def test_items_that_are_lost_count_as_wrong_in_all_generations():
    takes = generations(1)
    rates = as_rates(takes)
    found = by_rates(rates, rates[:-30], missing="drop")
    policy = Policy(
        max_nfr="0.9", max_pass_at_k_loss="0.1", max_flap_rate="0.6", pass_k=5, min_coverage="0.1"
    )
    checks = {check.criterion: check for check in found.gate(policy).checks}
    assert checks["pass@5 loss"].outcome == "INVALID"
    assert found.worst_case.prompts.counts.lost.sum() == 150
    # A prompt whose generations are all lost may flap.
    assert checks["flap rate of new over 5 generations"].high > 0.5


def test_accuracy_is_that_of_one_generation():
    old, new = generations(1), generations(2, broken=range(0, 120, 2))
    verdict = by_rates(as_rates(old), as_rates(new)).gate(Policy(max_accuracy_loss="0.1"))
    right = [sum(map(sum, takes.values())) / 600 for takes in (old, new)]
    assert verdict.checks[0].estimate == pytest.approx(right[0] - right[1])
    assert verdict.outcome == "FAIL"


@pytest.mark.parametrize("rates", [[0.2, 0.8] * 40, [0, 1] * 40])
def test_limits_on_answers_are_refused(rates):
    rows = [{"id": str(number), "rate": rate} for number, rate in enumerate(rates)]
    for name in ("max_conditional_nfr", "max_flip_rate", "max_churn", "max_accuracy_change"):
        with pytest.raises(UsageError, match=f"got {name}: drop it"):
            by_rates(rows, rows).gate(Policy(max_nfr="0.5", **{name: "0.6"}))


def test_pinned_prompts_break_where_most_generations_do():
    rates = as_rates(generations(1, k=5))
    new = [dict(row) for row in rates]
    new[2]["rate"], new[6]["rate"] = 0.4, 0.6
    policy = Policy(max_nfr="0.9", pinned={"ü2", "ü6"})
    assert by_rates(rates, new).gate(policy).broken_pins == ("ü2",)


def test_a_slice_has_its_own_noise():
    rates = [{**row, "topic": "xy"[n % 2]} for n, row in enumerate(as_rates(generations(1)))]
    found = by_rates(rates, rates, slice_field="topic")
    checks = found.gate(Policy(max_nfr="0.5", slices={"x": "0.4"})).checks
    assert "300 generations of 60 prompts" in checks[1].sample


def test_where_nothing_could_break_a_limit_is_not_kept():
    # Every item is right once: at most a fifth of all generations can break.
    rates = [{"id": str(number), "rate": 0.2} for number in range(300)]
    verdict = by_rates(rates, rates).gate(Policy(max_nfr="0.3"))
    assert verdict.outcome == "INVALID"


def test_rates_that_are_all_0_or_1_are_no_verdicts():
    rates = [{"id": str(number), "rate": number % 3 > 0} for number in range(90)]
    found = by_rates(rates, rates)
    assert found.prompts.counts.total.tolist() == [5] * 90
    assert "450 generations of 90 prompts" in found.gate(Policy(max_nfr="0.1")).checks[0].sample


@pytest.mark.parametrize("value", [0.7, 0.667, 0.33, 0.0002])
def test_rates_that_are_no_multiples_are_refused(value):
    rates = as_rates(generations(1))
    new = [dict(row) for row in rates]
    new[41]["rate"] = new[77]["rate"] = value
    with pytest.raises(
        InputError, match=r"scores of 'new' .* multiples of 1/5, .* for 'ü41' and 1 more"
    ):
        by_rates(rates, new)
    # The same value in the old run, and in a row that only it holds.
    with pytest.raises(InputError, match="scores of 'old' that are multiples of 1/5"):
        by_rates(new, rates)


def test_a_number_of_generations_that_no_score_needs_is_doubted():
    rates = as_rates(generations(1))
    found = by_rates(rates, rates, k=10)
    note = "every score is a multiple of 1/5: --samples 5 (samples=) if each is of 5 generations"
    assert note in str(found)
    assert note in found.gate(Policy(max_nfr="0.9")).headline
    assert "multiple" not in str(by_rates(rates, rates))


def test_four_decimals_of_a_third_are_a_third():
    rates = [{"id": str(number), "rate": value} for number, value in enumerate((0.3333, 0.6667, 1))]
    assert by_rates(rates, rates, k=3).prompts.counts.old_right.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"samples": 1}, "between 2 and 1000, got 1"),
        ({"samples": 10**9}, "got 1000000000"),
        ({"samples": True}, "got True"),
        ({"samples": 5.0}, "got 5.0"),
        ({"threshold": 0.5}, "no --threshold"),
        ({"score_range": (0, 10)}, "drop --score-range"),
        ({"metric": "exact_match"}, "one recorded score beside --samples"),
    ],
)
def test_options_that_contradict_samples_are_refused(options, expected):
    rows = [{"id": "1", "rate": 0.2, "prediction": "A", "reference": "A"}]
    with pytest.raises(UsageError, match=expected):
        compare_runs(rows, rows, **{"score_field": "rate", "samples": 5, **options})


def test_repeats_are_no_rates():
    rows = [{"id": "1", "take": take, "rate": 0.2} for take in range(3)]
    with pytest.raises(UsageError, match="drop --samples"):
        by_rates(rows, rows, repeat_field="take")
