"""The command for several candidates, as a user types it."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ITEMS = 200


@pytest.fixture
def folder(tmp_path: Path, write: Callable, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs of 200 items; n breaks the items from 100 on up to 100 + n."""
    for name, broken in (("old", 0), ("fine", 0), ("ок", 4), ("edge", 12), ("bad", 60)):
        rows = [
            {
                "id": f"q{i}",
                "prediction": "нет" if 100 <= i < 100 + broken else "да",
                "reference": "да",
                "topic": f"t{i % 3}",
            }
            for i in range(ITEMS)
        ]
        write(f"{name}.jsonl", rows)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_a_policy_candidates_are_compared_only(run: Callable, folder: Path) -> None:
    done = run("candidates", "old.jsonl", "ок.jsonl", "bad.jsonl", "--items", "1")
    assert (done.code, done.err) == (0, "")
    assert done.first == "old -> 2 candidates: 200 items"
    assert re.search(r"^bad +70\.00% .* 60 +0$", done.out, re.MULTILINE)
    assert "told apart from every other: ок, bad\n" in done.out
    assert "every candidate broke: the first 1 of 4 items\n  q100\n" in done.out
    assert "only bad broke: the first 1 of 56 items\n  q104\n" in done.out
    assert "may ship" not in done.out


@pytest.mark.parametrize(
    ("names", "code", "said"),
    [
        (["bad", "ок", "edge"], 0, "may ship: ок (1 of 3)"),
        (["ок", "edge"], 0, "may ship: ок, edge (2 of 2)"),
        (["edge", "bad"], 3, "may ship: none (0 of 2)"),
        (["bad", "worse=bad2"], 1, "may ship: none (0 of 2)"),
        (["edge"], 0, "may ship: edge (1 of 1)"),
    ],
)
def test_exit_codes_are_those_of_the_gate(
    run: Callable, folder: Path, names: list[str], code: int, said: str
) -> None:
    (folder / "bad2.jsonl").write_bytes((folder / "bad.jsonl").read_bytes())
    done = run("candidates", "old.jsonl", *(f"{name}.jsonl" for name in names), "--max-nfr", "0.1")
    assert (done.code, done.err) == (code, "")
    assert said in done.out


def test_undecided_candidates_never_give_0(run: Callable, folder: Path) -> None:
    command = ["candidates", "old.jsonl", "edge.jsonl", "bad.jsonl", "--max-nfr", "0.1"]
    assert run(*command, "--on-inconclusive", "fail").code == 1
    done = run(*command, "--on-inconclusive", "pass")
    assert (done.code, done.out) == (2, "")
    assert "by bounds alone" in done.err


def test_data_that_cannot_be_compared_give_4(run: Callable, folder: Path, write: Callable) -> None:
    rows = [json.loads(line) for line in (folder / "ок.jsonl").read_text("utf-8").splitlines()]
    write("short.jsonl", rows[:-1])
    done = run("candidates", "old.jsonl", "fine.jsonl", "short.jsonl", "--max-nfr", "0.1")
    assert (done.code, done.out, done.err.count("\n")) == (4, "", 1)
    assert "short" in done.err
    assert "--missing drop" in done.err
    # With the option the loss counts as broken, and the share that is compared is too small.
    write("short.jsonl", rows[:190])
    done = run(
        "candidates", "old.jsonl", "short.jsonl", "fine.jsonl", "--max-nfr", "0.2", "--missing",
        "drop",
    )  # fmt: skip
    assert done.code == 0
    assert "may ship: fine (1 of 2)" in done.out
    assert "INVALID coverage" in done.out
    assert "not shared by all runs: 10 (not in every run)" in done.out


def test_the_old_run_under_another_name_is_no_candidate(run: Callable, folder: Path) -> None:
    """It would pass any gate; in a chain only neighbours are compared."""
    for names in (["bad.jsonl", "again=old.jsonl"], ["bad.jsonl", "ок.jsonl", "b=./bad.jsonl"]):
        done = run("candidates", "old.jsonl", *names, "--max-nfr", "0.1")
        assert (done.code, done.out) == (2, ""), names
        assert "two different runs" in done.err
    # A copy is said to be one.
    done = run("candidates", "old.jsonl", "fine.jsonl", "bad.jsonl")
    assert "fine: the two files are identical" in done.first


def test_names(run: Callable, folder: Path) -> None:
    (folder / "a=b.jsonl").write_bytes((folder / "ок.jsonl").read_bytes())
    (folder / "sub").mkdir()
    (folder / "sub" / "bad.jsonl").write_bytes((folder / "edge.jsonl").read_bytes())
    done = run("candidates", "v1=old.jsonl", "новая версия=ок.jsonl", "a=b.jsonl")
    assert done.first == "v1 -> 2 candidates: 200 items"
    assert re.search("^новая версия +98", done.out, re.MULTILINE)
    # A file that has the whole name is meant.
    assert re.search("^a=b +98", done.out, re.MULTILINE)
    # So is a pattern of files, and a folder whose name holds the sign.
    (folder / "model=x").mkdir()
    (folder / "model=x" / "part.jsonl").write_bytes((folder / "edge.jsonl").read_bytes())
    for text in ("model=*/part.jsonl", "model=x/part.jsonl", "p=model=x/part.jsonl"):
        done = run("candidates", "old.jsonl", text)
        assert re.search("^(part|p) +94", done.out, re.MULTILINE), done
    assert "none of that name" in run("candidates", "old.jsonl", "sub/model=y/part.jsonl").err
    done = run("candidates", "old.jsonl", "bad.jsonl", "sub/bad.jsonl")
    assert re.search("^sub/bad.jsonl +94", done.out, re.MULTILINE)
    done = run("candidates", "old.jsonl", "x=bad.jsonl", "x=ок.jsonl")
    assert (done.code, done.out) == (2, "")
    assert "a name of its own for every run, got 'x' twice" in done.err
    assert run("candidates", "old.jsonl").code == 2


def test_options_about_fields_once_per_run(run: Callable, folder: Path, write: Callable) -> None:
    answers = {"v1": "да", "v2": "нет", "v3": "да"}
    write("all.jsonl", [{"id": n, **answers, "reference": "да"} for n in range(9)])
    fields = [word for name in answers for word in ("--prediction-field", name)]
    done = run("candidates", "all.jsonl", "all.jsonl", "all.jsonl", *fields)
    assert (done.code, done.err) == (0, "")
    assert re.search(r"^all.jsonl\[v2\] +0.00%", done.out, re.MULTILINE)


def test_a_baseline_is_an_old_run_and_no_candidate(run: Callable, folder: Path) -> None:
    assert run("baseline", "old.jsonl", "-o", "v1.baseline").code == 0
    done = run("candidates", "v1.baseline", "bad.jsonl", "ок.jsonl", "--max-nfr", "0.1")
    assert (done.code, done.err) == (0, "")
    assert done.first == "v1 -> 2 candidates: 200 items"
    done = run("candidates", "bad.jsonl", "v1.baseline", "ок.jsonl", "--max-nfr", "0.1")
    assert (done.code, done.out) == (4, "")
    assert "got the baseline" in done.err
    # Judged by other readers than the baseline was: nothing may ship.
    done = run("candidates", "v1.baseline", "ок.jsonl", "edge.jsonl", "--max-nfr", "0.1",
               "--answer", "casefold")  # fmt: skip
    assert done.code == 4
    assert "may ship: none" in done.out


def test_reports(run: Callable, folder: Path) -> None:
    pytest.importorskip("jinja2")
    command = ["candidates", "old.jsonl", "ок.jsonl", "bad.jsonl", "--max-nfr", "0.1"]
    files = ["--report", "c.html", "--markdown", "c.md", "--json", "c.json"]
    assert run(*command, *files).code == 0
    page, comment = ((folder / f"c.{kind}").read_text("utf-8") for kind in ("html", "md"))
    assert "May ship: ок" in page
    assert f"muscle-metrics {' '.join(command[:2])}" in page
    assert comment.startswith(
        "<!-- muscle-metrics candidates -->\n## PASS: 1 of 2 candidates may ship\n"
    )
    data = json.loads((folder / "c.json").read_text("utf-8"))
    assert data["verdict"]["may_ship"] == ["ок"]
    assert data["verdict"]["candidates"]["bad"]["outcome"] == "FAIL"
    done = run(*command, "--json", "-")
    assert json.loads(done.out) == data
    assert "may ship: ок" in done.err
    # Refused before any work, as in all commands.
    done = run(*command, "--report", "bad.jsonl")
    assert (done.code, done.out) == (2, "")
    assert os.path.getsize(folder / "bad.jsonl") > 1000


def test_the_policy_decides_as_that_of_the_gate(run: Callable, folder: Path) -> None:
    (folder / "gate.toml").write_text('max_nfr = "0.1"\nconfidence = 0.9\n', encoding="utf-8")
    done = run("candidates", "old.jsonl", "edge.jsonl", "bad.jsonl", "--policy", "gate.toml")
    # The level of the policy is that of all candidates together.
    assert "one-sided confidence" not in done.out
    assert "at most 10% any passes" in done.out
    options: list[Any] = ["--slice-field", "topic", "--slice-limit", "t9=0.1", "--max-nfr", "0.1"]
    done = run("candidates", "old.jsonl", "edge.jsonl", "bad.jsonl", *options)
    assert (done.code, done.out) == (2, "")
    assert "a slice that the runs have" in done.err
    assert "share the error" not in done.err


def test_shares_of_generations_are_refused(run: Callable, folder: Path) -> None:
    done = run("candidates", "old.jsonl", "ок.jsonl", "--samples", "5", "--max-nfr", "0.1")
    assert (done.code, done.out) == (2, "")
    assert "for candidates, got the share of right ones among --samples 5" in done.err
