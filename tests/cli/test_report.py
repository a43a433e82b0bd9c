"""The command that writes a page, as a user types it."""

from __future__ import annotations

import csv
import os
import re
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("jinja2")

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable
    from pathlib import Path


def test_a_page_without_a_policy(
    run: Callable, pair: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair(300, broken=3, fixed=2)
    monkeypatch.chdir(tmp_path)
    done = run("report", "old.jsonl", "new.jsonl", "-o", "r.html", "--slice-field", "topic")
    assert (done.code, done.err) == (0, "")
    assert done.out == "r.html: 300 items of old.jsonl -> new.jsonl\n"
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert 'class="verdict' not in page
    # The line that makes the page again is the one that made it.
    command = re.search(r"<pre class=\"command\"><code>(.*)</code>", page)[1]
    assert command == "muscle-metrics report old.jsonl new.jsonl -o r.html --slice-field topic"
    assert sorted(os.listdir(tmp_path)) == ["new.jsonl", "old.jsonl", "r.html"]


@pytest.mark.parametrize(("limit", "outcome"), [("0.05", "PASS"), ("0.011", "INCONCLUSIVE")])
def test_the_verdict_of_a_policy_changes_no_exit_code(
    run: Callable, pair: Callable, tmp_path: Path, limit: str, outcome: str
) -> None:
    old, new = pair(300, broken=3)
    page = tmp_path / "r.html"
    assert run("report", old, new, "-o", page, "--max-nfr", limit).code == 0
    assert f"<strong>{outcome}</strong>" in page.read_text(encoding="utf-8")


def test_what_does_not_fit_goes_to_a_table_beside_the_page(
    run: Callable, pair: Callable, tmp_path: Path
) -> None:
    old, new = pair(300, broken=30, fixed=20)
    page = tmp_path / "r.html"
    done = run("report", old, new, "-o", page, "--examples", "10")
    assert "all items, of which 30 did not fit into the page" in done.out
    assert 'href="r.csv"' in page.read_text(encoding="utf-8")
    with (tmp_path / "r.csv").open(encoding="utf-8", newline="") as file:
        assert len([*csv.DictReader(file)]) == 300


def test_a_page_may_run_nothing(run: Callable, pair: Callable, tmp_path: Path) -> None:
    old, new = pair(300, broken=3)
    page = tmp_path / "r.html"
    assert run("report", old, new, "-o", page).code == 0
    assert "<script>" in page.read_text(encoding="utf-8")
    assert run("report", old, new, "-o", page, "--no-script").code == 0
    assert not re.search("<script|<button|script-src", page.read_text(encoding="utf-8"))


def test_redacted_page_and_table_use_the_same_hashes(
    run: Callable, write: Callable, tmp_path: Path
) -> None:
    rows = [{"id": i, "prediction": f"слово{i}", "reference": f"слово{i}"} for i in range(60)]
    old = write("old.jsonl", rows)
    new = write("new.jsonl", [{**row, "prediction": "another"} for row in rows])
    page = tmp_path / "r.html"
    assert run("report", old, new, "-o", page, "--examples", "5", "--redact").code == 0
    text, table = page.read_text(encoding="utf-8"), (tmp_path / "r.csv").read_text("utf-8")
    assert "слово" not in text + table.partition("\n")[2]
    hashes = {*re.findall(r", ([0-9a-f]{8})\]", text)}
    assert len(hashes) == 6
    assert all(name in table for name in hashes)


def test_no_examples_writes_no_table(run: Callable, pair: Callable, tmp_path: Path) -> None:
    old, new = pair(300, broken=30)
    assert run("report", old, new, "-o", tmp_path / "r.html", "--no-examples").code == 0
    assert not (tmp_path / "r.csv").exists()
    assert "<details" not in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_three_versions_show_the_last_update_and_the_chain(
    run: Callable,
    project: Path,
    example_quadrants: Callable[[str, str], Counter[str]],
    tmp_path: Path,
) -> None:
    runs = [project / "examples" / f"{name}.jsonl" for name in ("v1", "v2", "compatible")]
    page = tmp_path / "r.html"
    assert run("report", *runs, "-o", page).code == 0
    text = page.read_text(encoding="utf-8")
    assert "<h1" in text
    counted = example_quadrants("v2", "compatible")
    right = counted["negative"] + counted["both_right"]
    assert f"{counted['negative']} of {right} right answers are now wrong" in text
    assert "All versions" in text


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["old.jsonl", "-o", "r.html"], 2),
        (["old.jsonl", "new.jsonl"], 2),
        (["old.jsonl", "new.jsonl", "-o", "new.jsonl"], 2),
        (["old.jsonl", "new.jsonl", "-o", "new.html", "--policy", "missing.toml"], 2),
        (["old.jsonl", "new.jsonl", "-o", "no/such/folder.html"], 2),
        (["old.jsonl", "new.jsonl", "-o", "r.html", "--confidence", "0.9"], 2),
        (["old.jsonl", "new.jsonl", "-o", "r.html", "--id-field", "nothing"], 4),
    ],
)
def test_what_cannot_be_done_leaves_no_page(
    run: Callable,
    pair: Callable,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
) -> None:
    pair(300)
    monkeypatch.chdir(tmp_path)
    done = run("report", *arguments)
    assert done.code == code
    assert done.err.count("\n") == 1
    assert sorted(os.listdir(tmp_path)) == ["new.jsonl", "old.jsonl"]
