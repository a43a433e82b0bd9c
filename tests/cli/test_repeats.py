"""Repeats, and scores that are shares of them, on the command line."""

import json
import random

import pytest


@pytest.fixture
def repeats(write):
    """Five takes of each prompt, of which the last three break for good; names need quoting."""
    paths = []
    for name in ("old", "new"):
        draw = random.Random(name)
        rows = []
        for number in range(80):
            chance = 1 if number % 4 or number > 76 else 0.6
            chance = 0 if name == "new" and number > 76 else chance
            for take in range(5):
                answer = "A" if draw.random() < chance else "B"
                row = {"id": f"q {number}", "take": take, "prediction": answer, "reference": "A"}
                rows.append(row)
        draw.shuffle(rows)
        paths.append(write(f"{name}.jsonl", rows))
    return paths


@pytest.fixture
def rates(repeats, write):
    paths = []
    for path in repeats:
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        right: dict[str, int] = {}
        for row in rows:
            right[row["id"]] = right.get(row["id"], 0) + (row["prediction"] == "A")
        scores = [{"id": name, "rate": count / 5} for name, count in right.items()]
        paths.append(write(f"{path.stem}-rates.jsonl", scores))
    return paths


LIMITS = ("--max-nfr", "0.5", "--max-pass-hat-k-loss", "0.2", "--pass-k", "5")


def test_compare_lists_prompts_once(run, repeats):
    done = run("compare", *repeats, "--repeat-field", "take", "--flips", "4")
    assert done.code == 0
    assert done.out.count("5/5 -> 0/5, certain") == 3
    assert "(3 certain" in done.out


def test_gate_limits_all_of_k_generations(run, repeats, tmp_path):
    data = tmp_path / "verdict.json"
    done = run("gate", *repeats, "--repeat-field", "take", *LIMITS, "--flips", "2", "--json", data)
    assert done.code == 0
    assert "\nPASS pass^5 loss " in done.out
    assert done.out.count("5/5 -> 0/5, certain") == 2
    checks = json.loads(data.read_text("utf-8"))["checks"]
    assert checks[1]["criterion"] == "pass^5 loss"
    strict = ("--max-pass-at-k-loss", "0.01", "--max-flap-rate", "0.9")
    assert run("gate", *repeats, "--repeat-field", "take", *LIMITS, *strict).code in (1, 3)


def test_rates_give_the_same_verdict(run, repeats, rates):
    by_rows = run("gate", *repeats, "--repeat-field", "take", *LIMITS)
    by_rates = run("gate", *rates, "--score-field", "rate", "--samples", "5", *LIMITS, "--flips", 1)
    assert by_rates.code == by_rows.code == 0
    numbers = [done.out.splitlines()[1].partition("rate ")[2] for done in (by_rows, by_rates)]
    assert numbers[1].removeprefix("by rate ") == numbers[0]
    assert "5/5 -> 0/5, certain" in by_rates.out


def test_a_wrong_number_of_generations_is_refused(run, rates):
    done = run("compare", *rates, "--score-field", "rate", "--samples", "4")
    assert done.code == 4
    assert "multiples of 1/4" in done.err
    assert "--samples (samples=)" in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("compare", "OLD", "NEW", "--engine", "duckdb"),
        ("compare", "OLD", "NEW", "OLD"),
        ("report", "OLD", "NEW", "OLD", "-o", "page.html"),
        ("gate", "OLD", "NEW", "--max-nfr", "0.5", "--sequential", "--seed", "7"),
        ("order", "OLD", "--seed", "7", "--skip-wrong"),
    ],
)
def test_where_samples_mean_nothing_they_are_refused(run, rates, arguments, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    named = {"OLD": rates[0], "NEW": rates[1]}
    done = run(
        *(named.get(one, one) for one in arguments), "--score-field", "rate", "--samples", "5"
    )
    assert done.code == 2
    assert len(done.err.strip().splitlines()) == 1
    assert "internal" not in done.err


def test_an_engine_lists_no_generations_as_flips(run, repeats):
    pytest.importorskip("duckdb")
    engine = ("--repeat-field", "take", "--engine", "duckdb")
    done = run("compare", *repeats, *engine, "--flips", "2")
    assert done.code == 2
    assert "leave out --engine" in done.err
    assert run("compare", *repeats, *engine).code == 0


def test_k_without_a_limit_is_refused(run, repeats):
    done = run("gate", *repeats, "--repeat-field", "take", "--max-nfr", "0.5", "--pass-k", "5")
    assert done.code == 2
    assert "--max-pass-hat-k-loss" in done.err
