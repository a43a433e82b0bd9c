"""Odd values on the command line: names that no file can have, and numbers that nobody means."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

ODD_NAMES = {
    "a NUL": "a\0b",
    "a surrogate": "\ud800",
    "too long": "a" * 300,
    "links in a loop": "loop",
    "in a loop": "loop/run.jsonl",
}
GATE = ("gate", "OLD", "NEW", "--max-nfr", "0.5")
OF_FILES = {
    "OLD": ("compare", "ODD", "NEW"),
    "NEW": ("compare", "OLD", "ODD"),
    "duckdb": ("compare", "ODD", "NEW", "--engine", "duckdb"),
    "inspect": ("inspect", "ODD"),
    "baseline": ("gate", "NEW", "--max-nfr", "0.5", "--baseline", "ODD"),
    "policy": ("gate", "OLD", "NEW", "--policy", "ODD"),
    "pinned": (*GATE, "--pinned", "ODD"),
    "reference": ("compare", "OLD", "NEW", "--reference", "ODD"),
    "key": ("compare", "OLD", "NEW", "--key", "ODD.py:f"),
    "json": ("compare", "OLD", "NEW", "--json", "ODD"),
    "junit": (*GATE, "--junit", "ODD"),
    "page": ("report", "OLD", "NEW", "-o", "ODD"),
}


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("option", OF_FILES)
def test_a_name_that_no_file_can_have_is_refused_in_one_line(
    run, pair, tmp_path: Path, monkeypatch, option: str, name: str
) -> None:
    old, new = map(str, pair())
    monkeypatch.chdir(tmp_path)
    os.symlink("loop", tmp_path / "loop")
    words = {"OLD": old, "NEW": new}
    arguments = [words.get(word, word) for word in OF_FILES[option]]
    done = run(*(word.replace("ODD", ODD_NAMES[name]) for word in arguments))
    assert done.code in (2, 4)
    assert "internal error" not in done.err
    told = done.err or done.out
    assert "expected " in told
    assert told.count("\n") <= 3


# Each with what the message says instead of an internal error, or of a limit that is none.
NUMBERS = [
    (("power", "--limit", "0.02", "--items", "9" * 30), "a whole number from 1 to 1000000000"),
    (("power", "--limit", "0.02", "--criteria", "9" * 20), "a whole number from 1 to 1000000000"),
    (("power", "--limit", "0.02", "--repeats", "1e3"), "a whole number from 1 to 1000000000"),
    (("power", "--limit", "0.02", "--items", "١٠"), "a whole number from 1 to 1000000000"),
    (("power", "--limit", "0.02", "--group-size", "1e300"), "of at most 1e+09, got 1e+300"),
    (
        ("power", "--limit", "0.02", "--group-size", "5", "--largest-group", "1e400"),
        "at most 1e+09",
    ),
    (("power", "--limit", "1e-320"), "expected limit of at least 1e-300"),
    (("compare", "OLD", "NEW", "--flips", "1e400"), "a whole number from 0 to 1000000000"),
    (("compare", "OLD", "NEW", "--flips", "9" * 5000), "a whole number from 0 to 1000000000"),
    (("gate", "OLD", "NEW", "--max-nfr", "1e400"), "max_nfr to be a number such as 0.02"),
    (("gate", "OLD", "NEW", "--max-nfr", "1e99999999"), "max_nfr to be a number such as 0.02"),
    (("gate", "OLD", "NEW", "--max-nfr=-1e-99999999"), "max_nfr to be a number such as 0.02"),
    ((*GATE, "--min-coverage", "1e400"), "min_coverage to be a number such as 0.02"),
    ((*GATE, "--slice-limit", "a=1e400"), "slices.a to be a number such as 0.02"),
    ((*GATE, "--looks", "99"), "invalid choice: 99"),
]


@pytest.mark.parametrize(("arguments", "message"), NUMBERS)
def test_a_number_that_nobody_means_is_refused(run, pair, arguments, message: str) -> None:
    words = dict(zip(("OLD", "NEW"), map(str, pair()), strict=True))
    done = run(*(words.get(word, word) for word in arguments))
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert len(done.err) < 400


@pytest.mark.parametrize("memory", ["-5", "-5MB", "", "0", "nan", "1e400", "5", "٥MB"])
def test_memory_is_a_size(run, pair, memory: str) -> None:
    pytest.importorskip("duckdb", reason="the engine is behind an extra")
    done = run("compare", *pair(), "--engine", "duckdb", f"--memory={memory}")
    assert (done.code, done.out) == (2, "")
    assert re.search(r"expected memory such as '500MB'.*: change --memory \(memory", done.err)
