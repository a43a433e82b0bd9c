"""Planning a benchmark from the command line."""

from __future__ import annotations

import re

import pytest

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
