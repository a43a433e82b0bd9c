"""Limits on k generations of a prompt: decisions, lost generations and refusals."""

import random

import pytest

from muscle_metrics import Policy, compare_runs
from muscle_metrics.errors import UsageError

LIMITS = {"max_pass_at_k_loss": "0.05", "max_pass_hat_k_loss": "0.1", "max_flap_rate": "0.2"}


def run(seed, broken=0, chances=(0.97, 1, 1, 0), lost=(), prompts=200):
    draw = random.Random(seed)
    rows = []
    for number in range(prompts):
        chance = 0 if number < broken else chances[number % len(chances)]
        for take in range(5):
            answer = "A" if draw.random() < chance else "B"
            if (number, take) not in lost:
                rows.append({"id": f"п{number}", "take": take, "prediction": answer})
    return [{**row, "reference": "A"} for row in rows[1::2] + rows[::2]]


def gate(new, old=None, k=5, missing="drop", limits=LIMITS, **more):
    policy = Policy(max_nfr="0.5", min_coverage="0.01", pass_k=k, **limits, **more)
    return compare_runs(
        run(1) if old is None else old, new, repeat_field="take", missing=missing
    ).gate(policy)


def outcomes(verdict):
    names = ("pass@", "pass^", "flap")
    return [check.outcome for check in verdict.checks if check.criterion.startswith(names)]


def test_an_update_with_the_same_chances_passes():
    assert outcomes(gate(run(2))) == ["PASS"] * 3


def test_prompts_that_break_for_good_fail():
    verdict = gate(run(2, broken=60))
    assert outcomes(verdict) == ["FAIL", "FAIL", "PASS"]
    assert str(verdict.checks[1]).startswith("FAIL pass@5 loss 22.50% (Gaffke bounds")


def test_prompts_that_start_to_flap_fail():
    assert outcomes(gate(run(2, chances=(0.9, 0.9, 0.9, 0)))) == ["PASS", "FAIL", "FAIL"]


def test_as_many_right_answers_hide_no_loss_of_reliability():
    # Right in 3 of 4 takes of every prompt, where it was right in all takes of 3 of 4 prompts.
    verdict = gate(run(2, chances=(0.75,)))
    assert outcomes(verdict)[1:] == ["FAIL", "FAIL"]


@pytest.mark.parametrize("seed", range(6))
def test_lost_generations_move_no_verdict_towards_pass(seed):
    draw = random.Random(seed)
    chances = draw.choice([(0.97, 1, 1, 0), (0.8, 1, 0.9, 0)])
    broken = draw.choice([0, 8, 60])
    whole = outcomes(gate(run(2, broken, chances)))
    lost = {(number, draw.randrange(5)) for number in draw.sample(range(200), draw.choice([3, 90]))}
    damaged = outcomes(gate(run(2, broken, chances, lost)))
    for before, after in zip(whole, damaged, strict=True):
        assert after != "PASS" or before == "PASS"


def test_a_prompt_that_is_lost_whole_counts_as_broken():
    lost = {(number, take) for number in range(1, 200, 4) for take in range(5)}
    verdict = gate(run(2, lost=lost))
    assert outcomes(verdict)[:2] == ["INVALID", "INVALID"]


def test_where_all_prompts_lose_a_generation_nothing_is_seen():
    lost = {(number, number % 5) for number in range(200)}
    # A right answer among the four others is a right one among all five, whatever is lost.
    assert outcomes(gate(run(2, lost=lost))) == ["PASS", "INVALID", "INVALID"]
    with pytest.raises(UsageError, match="at least 5 generations of every prompt, got 4 of 'п"):
        gate(run(2, lost=lost), limits=LIMITS | {"missing": "ignore"})
    fewer = gate(run(2, lost=lost), k=4, limits=LIMITS | {"missing": "ignore"})
    assert outcomes(fewer) == ["PASS"] * 3


def test_where_nothing_could_break_a_limit_is_not_kept():
    wrong = run(1, broken=200)
    verdict = gate(run(2, broken=200), old=wrong)
    assert outcomes(verdict)[:2] == ["INVALID", "INVALID"]
    assert "only pass@5 of 0.00% over 200 prompts could break" in verdict.checks[1].advice


def test_too_few_prompts_for_a_flap_rate_are_refused():
    with pytest.raises(
        UsageError, match=r"flap rate of new over 5 generations keeps the limit 0\.2"
    ):
        gate(run(2, prompts=8), old=run(1, prompts=8), limits={"max_flap_rate": "0.2"})


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"max_flap_rate": "0.1"}, "add --pass-k K"),
        ({"pass_k": 5}, "beside pass_k, got none"),
        ({"max_flap_rate": "0.1", "pass_k": 1}, "one generation cannot flap"),
        ({"max_pass_hat_k_loss": "0.1", "pass_k": 0}, "at least 1, got 0"),
        ({"max_pass_hat_k_loss": "0.1", "pass_k": True}, "got True"),
        ({"max_pass_hat_k_loss": "0.1", "pass_k": "5"}, "got '5'"),
        ({"max_pass_hat_k_loss": "5", "pass_k": 5}, "write 5 % as 0.05"),
    ],
)
def test_limits_that_mean_nothing_are_refused(limits, expected):
    with pytest.raises(UsageError, match=expected):
        Policy(max_nfr="0.1", **limits)


def test_runs_without_repeats_are_refused():
    rows = run(1)
    once = [row for row in rows if row["take"] == 0]
    with pytest.raises(UsageError, match="number generations with --repeat-field"):
        gate(once, old=once)
    with pytest.raises(UsageError, match="at least 6 generations of every prompt, got 5 of 'п0'"):
        gate(rows, k=6)


def test_an_engine_refuses_these_limits(tmp_path):
    pytest.importorskip("duckdb")
    import json

    from muscle_metrics.scale import compare_files

    path = tmp_path / "run.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in run(1)), "utf-8")
    options = {"repeat_field": "take"}
    counted = compare_files(path, path, old_options=options, new_options=options)
    for name, limit in LIMITS.items():
        with pytest.raises(UsageError, match=f"got {name}: leave it out, or leave out --engine"):
            counted.gate(Policy(max_nfr="0.1", pass_k=5, **{name: limit}))
