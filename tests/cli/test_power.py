"""Planning a benchmark from the command line."""

from __future__ import annotations

import re

import pytest

from muscle_metrics.statistics.plans import Design, planned_items
from muscle_metrics.statistics.power import gate_power, minimum_items, required_items


def table(out: str) -> list[list[str]]:
    return [
        re.split(r"\s{2,}", line) for line in out.splitlines()[out.splitlines().index("") + 1 :]
    ]


def test_several_rates_show_what_the_limit_takes(run) -> None:
    done = run("power", "--limit", "0.02")
    assert (done.code, done.err) == (0, "")
    assert done.first == "limit 2%, one-sided confidence 95%"
    assert "at least 149 items" in done.out
    # Golden values of exact Clopper-Pearson gates at power .8, one-sided .95.
    assert table(done.out)[1:4] == [
        ["0%", "PASS", "149"],
        ["0.5%", "PASS", "386"],
        ["1%", "PASS", "969"],
    ]
    assert table(done.out)[-3:] == [
        ["3%", "FAIL", "1611"],
        ["4%", "FAIL", "452"],
        ["6%", "FAIL", "150"],
    ]


def test_one_rate_and_one_benchmark(run) -> None:
    done = run("power", "--limit", "0.05", "--true-rate", "0.1", "--items", "400", "--power", "0.9")
    items = required_items(limit=0.05, true_rate=0.1, power=0.9, verdict="fail")
    chances = [f"{chance:.1%}" for chance in gate_power(items=400, limit=0.05, true_rate=0.1)]
    assert table(done.out)[1] == ["10%", "FAIL", str(items), *chances]


def test_too_few_items_are_told_so(run) -> None:
    least = minimum_items(0.01, 0.9)
    done = run("power", "--limit", "0.01", "--confidence", "0.9", "--items", str(least - 1))
    assert f"{least - 1} items can never PASS" in done.out
    done = run("power", "--limit", "0.01", "--confidence", "0.9", "--items", str(least))
    assert "never" not in done.out


def test_at_the_limit_itself_nothing_can_be_planned(run) -> None:
    done = run("power", "--limit", "0.05", "--true-rate", "0.05", "--items", "1000")
    passes, fails, _ = (float(cell.rstrip("%")) for cell in table(done.out)[1][-3:])
    assert max(passes, fails) <= 5
    assert "no number tells it" in done.out


@pytest.mark.parametrize("verdict", ["pass", "fail"])
def test_one_verdict(run, verdict: str) -> None:
    rows = table(run("power", "--limit", "0.4", "--verdict", verdict).out)[1:]
    # Three times the limit is no rate.
    assert {row[1] for row in rows} == {verdict.upper()}
    assert all(float(row[0].rstrip("%")) <= 100 for row in rows)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "--limit"),
        (["--limit", "2"], "limit"),
        (["--limit", "0.02", "--items", "-5"], "items"),
        (["--limit", "0.02", "--power", "80"], "power"),
        (["--limit", "0.02", "--true-rate", "0.01", "--verdict", "fail"], "above the limit"),
        (["--limit", "0.02", "--true-rate", "0.01999999"], "10000000"),
        (["--limit", "0.02", "--true-rate", "-1"], "true rate"),
    ],
)
def test_usage(run, flags: list[str], said: str) -> None:
    done = run("power", *flags)
    assert done.code == 2
    assert done.out == ""
    assert said in done.err


def test_groups_take_more_items_and_say_when_the_bound_is_approximate(run) -> None:
    done = run("power", "--limit", "0.05", "--group-size", "10", "--largest-group", "20")
    assert (done.code, done.err) == (0, "")
    assert "PASS needs at least 59 groups" in done.out
    assert "the bound is approximate below 400 groups" in done.out
    design = Design(group_size=10, largest_group=20)
    items = planned_items(design, limit=0.05, true_rate=0.025)
    assert ["2.5%", "PASS", str(items)] in table(done.out)


def test_the_number_of_groups_gives_their_size(run) -> None:
    flags = ["power", "--limit", "0.05", "--items", "2000", "--correlation", "0.1"]
    assert run(*flags, "--groups", "200").out == run(*flags, "--group-size", "10").out
    assert "500 items can never PASS" in run("power", *flags[1:3], "--items", "500", *TEN).out


TEN = ["--group-size", "10"]


# .82 to the power of 11: a power of 80 % for each limit is one of 11 % for eleven.
def test_several_criteria_pass_together_less_often(run) -> None:
    done = run("power", "--limit", "0.02", "--items", "969", "--criteria", "11")
    assert ["1%", "PASS", "2030", "11.4%", "0.0%", "88.6%"] in table(done.out)
    assert "11 criteria of as many items each: PASS needs all of them" in done.out


def test_missing_items_count_as_broken(run) -> None:
    done = run("power", "--limit", "0.02", "--missing-share", "0.012")
    assert "1.2% of the items missing: PASS counts them as broken" in done.out
    assert "INVALID: lower --min-coverage (min_coverage)" in done.out
    assert ["1%", "PASS", "none: missing items reach the limit"] in table(done.out)
    items = planned_items(Design(missing_share=0.012), limit=0.02, true_rate=0.0)
    assert ["0%", "PASS", str(items)] in table(done.out)
    assert "coverage" not in run("power", "--limit", "0.02", "--missing-share", "0.009").out


def test_repeats_save_items(run) -> None:
    done = run("power", "--limit", "0.05", "--repeats", "5")
    assert "5 generations of every item, correlation 0.5" in done.out
    assert "0.6 items are worth one independent item" in done.out


def test_two_looks_have_a_stricter_level(run) -> None:
    done = run("power", "--limit", "0.02", "--looks", "2")
    assert done.first == "limit 2%, one-sided confidence 98.02% at each of 2 looks"
    items = required_items(limit=0.02, true_rate=0.01, confidence=0.9802)
    assert ["1%", "PASS", str(items)] in table(done.out)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--groups", "3"], "expected --groups beside --items"),
        (["--groups", "3", "--items", "9", *TEN], "expected --groups beside --items"),
        (["--largest-group", "9"], "give --group-size too"),
        (["--group-size", "0"], "expected --group-size"),
        (["--criteria", "0"], "--criteria"),
    ],
)
def test_a_design_that_contradicts_itself_is_refused(run, flags: list[str], said: str) -> None:
    done = run("power", "--limit", "0.02", *flags)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
