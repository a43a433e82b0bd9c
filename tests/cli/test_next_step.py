"""The last line of `compare`: a command that suits what was found, safe to paste."""

from __future__ import annotations

import argparse
import json
import shlex
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics.cli import next_step

if TYPE_CHECKING:
    from pathlib import Path

ROWS = [{"id": f"q{n}", "prediction": "A", "reference": "A", "topic": "тема"} for n in range(40)]
BROKEN = [*ROWS[:37], *({**row, "prediction": "B"} for row in ROWS[37:])]
FIXED = [{**row, "reference": "B"} if n == 39 else row for n, row in enumerate(ROWS)]
WORDY = [{**row, "prediction": "The answer is (A)."} for row in ROWS]


@pytest.fixture
def write(tmp_path: Path):
    def written(name: str, rows: list[dict[str, Any]]) -> str:
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return str(path)

    return written


def words(done: Any) -> list[str]:
    last = done.out.splitlines()[-1]
    assert last.startswith("next: muscle-metrics ")
    return shlex.split(last.removeprefix("next: muscle-metrics "))


def test_a_page_where_items_broke_and_it_can_be_run_as_it_stands(
    run: Any, write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("jinja2")
    monkeypatch.chdir(tmp_path)
    old, new = write("old run's $(x) `y`.jsonl", ROWS), write("new;&|.jsonl", BROKEN)
    given = ["--slice-field", "topic", "--flips", "2", "--json=out.json", "--all-rates"]
    found = words(run("compare", *given, old, new))
    assert found == ["report", "--slice-field", "topic", old, new, "-o", "report.html"]
    assert run(*found).code == 0
    assert (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ((ROWS, [*ROWS[:-1], {**ROWS[-1], "more": 1}]), ["inspect", "NEW"]),
        ((FIXED, [*FIXED[:39], {**FIXED[39], "prediction": "B"}]),
         ["gate", "OLD", "NEW", "--max-nfr", "0.1"]),
        ((FIXED[30:], [*FIXED[30:39], {**FIXED[39], "prediction": "B"}]),
         ["power", "--limit", "0.02"]),
        ((WORDY, BROKEN), ["compare", "OLD", "NEW", "--answer", "letter"]),
        (([{**row, "prediction": "?"} for row in ROWS], BROKEN), ["inspect", "OLD"]),
    ],
    ids=["equal", "nothing broke", "too few", "another format", "nothing is right"],
)  # fmt: skip
def test_other_findings_have_other_commands(
    run: Any, write: Any, rows: Any, expected: list[str]
) -> None:
    paths = {"OLD": write("a.jsonl", rows[0]), "NEW": write("b.jsonl", rows[1])}
    found = words(run("compare", *paths.values()))
    assert found == [paths.get(word, word) for word in expected]
    assert run(*found).code in {0, 3}


def test_without_the_extra_of_pages_items_are_listed(
    run: Any, write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(next_step, "find_spec", lambda name: None)
    paths = [write("a.jsonl", ROWS), write("b.jsonl", BROKEN)]
    assert words(run("compare", *paths)) == ["compare", *paths, "--flips", "10"]
    assert "next: " not in run("compare", *paths, "--flips", "3").out


def test_options_end_where_the_user_ended_them(run: Any, write: Any) -> None:
    pytest.importorskip("jinja2")
    paths = [write("a.jsonl", ROWS), write("b.jsonl", BROKEN)]
    found = words(run("compare", "--missing=drop", "--", *paths))
    assert found == ["report", "--missing=drop", "-o", "report.html", "--", *paths]


def test_a_chain_has_a_page(run: Any, write: Any) -> None:
    pytest.importorskip("jinja2")
    paths = [write("a.jsonl", ROWS), write("b.jsonl", BROKEN), write("c.jsonl", ROWS)]
    assert words(run("compare", *paths)) == ["report", *paths, "-o", "report.html"]


def test_secrets_and_controls_of_names_stay_out_of_it(run: Any, write: Any) -> None:
    old = write("password=hunter22hunter22\x1b[2J::error::.jsonl", ROWS)
    last = run("compare", old, write("b.jsonl", BROKEN)).out.splitlines()[-1]
    assert "hunter22" not in last
    assert last.isprintable()
    assert "::" not in last


def test_what_is_read_once_has_no_next_command(
    run: Any, write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = write("a.jsonl", ROWS), write("b.jsonl", BROKEN)
    with open(new, encoding="utf-8") as file:
        monkeypatch.setattr("sys.stdin", file)
        shown = run("compare", old, "-").out
    assert "3 items broke" in shown
    assert "next: " not in shown


@pytest.mark.parametrize(
    ("word", "name", "expected"),
    [
        ("https://example.org/v1.jsonl", "https://example.org/v1.jsonl", True),
        ("--reference=s3://gold/v1.jsonl", "s3://gold/v1.jsonl", True),
        ("https://me:secret@example.org/v1.jsonl", "https://example.org/v1.jsonl", False),
        ("https://example.org/v1.jsonl?token=abc", "https://example.org/v1.jsonl", False),
        ("/dev/fd/63", "/dev/fd/63", False),
    ],
)
def test_addresses_with_passwords_are_not_repeated(word: str, name: str, expected: bool) -> None:
    options = argparse.Namespace(given=["compare", word, "b.jsonl"], given_names={"copy": name})
    assert next_step._can_be_repeated(options) == expected


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (["--json-items", "none"], "--json FILE"),
        (["THIRD", "--all-rates"], "two runs for --all-rates"),
        (["THIRD", "--flips", "2"], "two runs for --flips"),
    ],
)
def test_options_without_an_effect_are_refused(
    run: Any, write: Any, given: list[str], wanted: str
) -> None:
    paths = [write("a.jsonl", ROWS), write("b.jsonl", BROKEN)]
    third = write("c.jsonl", ROWS)
    done = run("compare", *paths, *(third if word == "THIRD" else word for word in given))
    assert done.code == 2
    assert wanted in done.err


def test_json_without_items(run: Any, write: Any, tmp_path: Path) -> None:
    paths = [write("a.jsonl", ROWS), write("b.jsonl", BROKEN)]
    target = tmp_path / "out.json"
    assert run("compare", *paths, "--json", target, "--json-items", "none").code == 0
    content = json.loads(target.read_text(encoding="utf-8"))
    assert content["flips"] is None
    assert content["counts"]["negative"] == 3


def test_two_files_of_500_items_fit_a_screen(run: Any) -> None:
    shown = run("compare", "examples/v1.jsonl", "examples/v2.jsonl").out.splitlines()
    assert len(shown) <= 25
    assert "; items 500; input " in shown[-2]
