"""Readers of answers as an option of every command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

REFERENCES = ["1234", "yes", "2"] * 40
OLD = ["It is 1,234.", "Yes!", "**2**"] * 40
NEW = ["1234.0", "yes", "2 - no, 3"] + ["1 234", "YES", "2.0"] * 39


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "v1.jsonl", tmp_path / "v2.jsonl"]
    for path, answers in zip(paths, (OLD, NEW), strict=True):
        rows = (
            {"id": n, "prediction": answer, "reference": reference}
            for n, (answer, reference) in enumerate(zip(answers, REFERENCES, strict=True))
        )
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return paths


NUMBERS = ["--answer", "last-number"]


def only_numbers(paths: list[Path]) -> list[Path]:
    for path in paths:
        rows = [line for line in path.read_text().splitlines() if '"yes"' not in line]
        path.write_text("\n".join(rows) + "\n")
    return paths


@pytest.mark.parametrize("engine", ["memory", "duckdb"])
def test_compare(run, runs, engine: str) -> None:
    if engine == "duckdb":
        pytest.importorskip("duckdb", reason="the engine is behind an extra")
    done = run("compare", *only_numbers(runs), *NUMBERS, "--engine", engine, "--json", "-")
    assert done.code == 0
    found = json.loads(done.out)
    assert (found["counts"]["negative"], found["counts"]["both_right"]) == (1, 79)
    assert "; answer last-number; " in found["signature"]


def test_gate_by_the_policy_and_by_the_flag(run, runs, tmp_path) -> None:
    policy = tmp_path / "gate.toml"
    policy.write_text('max_nfr = "0.1"\nanswer = "last-number"\n')
    paths = only_numbers(runs)
    done = run("gate", *paths, "--policy", policy)
    assert done.code == 0, done.out
    assert "; answer last-number; " in done.out
    assert run("gate", *paths, "--max-nfr", "0.1", *NUMBERS).code == 0
    assert run("gate", *paths, "--max-nfr", "0.001", "--answer", "strip").code != 0
    policy.write_text('max_nfr = "0.1"\nanswer = "last-nunber"\n')
    done = run("gate", *paths, "--policy", policy)
    assert done.code == 2
    assert "did you mean 'last-number'?" in done.err


def test_a_baseline_remembers_readers(run, runs, tmp_path) -> None:
    old, new = only_numbers(runs)
    baseline = tmp_path / "old.baseline"
    assert run("baseline", old, "-o", baseline, *NUMBERS).code == 0
    flags = ["--baseline", baseline, new, "--max-nfr", "0.1"]
    assert run("gate", *flags, *NUMBERS).code == 0
    done = run("gate", *flags)
    assert done.code != 0
    assert "judging differs: 'exact_match, key none, answer last-number' before" in done.out


def test_order_skips_what_readers_find_wrong(run, runs) -> None:
    old, _ = only_numbers(runs)
    done = run("order", old, "--seed", "1", "--skip-wrong", *NUMBERS)
    assert len(done.out.splitlines()) == 80
    assert "--answer" in run("order", old, "--seed", "1", *NUMBERS).err


def test_a_report_counts_unread_answers(run, runs, tmp_path) -> None:
    pytest.importorskip("jinja2")
    page = tmp_path / "page.html"
    done = run("report", *runs, "-o", page, "--answer", "regex:(?i)yes|1.*4")
    assert done.code == 0
    note = "found nothing in 40 of 120 answers of old, which count as wrong"
    assert note in page.read_text(encoding="utf-8")


def test_a_chain(run, runs) -> None:
    old, new = only_numbers(runs)
    done = run("compare", old, new, old, *NUMBERS)
    assert done.code == 0
    assert "; answer last-number; " in done.out


def test_an_unknown_reader(run, runs) -> None:
    done = run("compare", *runs, "--answer", "numbr")
    assert done.code == 2
    assert "did you mean 'number'?" in done.err
