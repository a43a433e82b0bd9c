"""`--find-slices` in tables, JSON and on the page."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from muscle_metrics.cli import main

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "sk-" + "a1B2" * 8


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Half of the questions of level 3 in Russian broke; the last rows hold them."""
    folder = tmp_path_factory.mktemp("runs")
    rng = np.random.default_rng(0)
    rows: dict[str, list[dict[str, Any]]] = {"old": [], "new": []}
    for number in range(1200):
        level, russian = number % 4, number > 800
        prompt = f"Сколько будет {number}?" if russian else f"How much then {number}?"
        broke = level == 3 and russian and rng.random() < 0.6
        row = {"id": f"q{number}", "reference": "A", "level": level, "prompt": prompt}
        rows["old"].append({**row, "prediction": "A"})
        rows["new"].append({**row, "prediction": "```\nA\n```" if broke else "A"})
    paths = []
    for name, items in rows.items():
        path = folder / f"{name}.jsonl"
        path.write_text("".join(json.dumps(item) + "\n" for item in items), encoding="utf-8")
        paths.append(str(path))
    return paths[0], paths[1]


OPTIONS = ["--prompt-field", "prompt", "--find-slices", "--find-field", "level"]


def test_the_table_and_json_name_the_slice(
    runs: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = tmp_path / "result.json"
    assert main(["compare", *runs, *OPTIONS, "--json", str(result)]) == 0
    shown = capsys.readouterr().out
    assert "items that broke more often" in shown
    assert shown.count("moved into a code fence (as did 0 of") == 1
    content = json.loads(result.read_text(encoding="utf-8"))["found_slices"]
    conditions = {(one["facet"], one["value"]) for one in content["items"][0]["conditions"]}
    assert conditions == {("level", "3"), ("script of prompt", "Cyrillic")}
    assert content["signature"].startswith("seed 0; ")


def test_the_seed_is_an_option(runs: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *runs, *OPTIONS, "--find-seed", "7"]) == 0
    assert "seed 7; searched 600 items" in capsys.readouterr().out


def test_the_page_shows_what_kind_broke(
    runs: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("jinja2")
    page = tmp_path / "report.html"
    assert main(["report", *runs, *OPTIONS, "-o", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert '<h2 id="found">What kind of item broke</h2>' in text
    assert "level is 3 and script of prompt is Cyrillic" in text
    assert "moved into a code fence" in text


def test_a_redacted_page_quotes_no_prompt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All questions that begin with one word broke; the word is of a prompt."""
    pytest.importorskip("jinja2")
    paths = []
    for name in ("old", "new"):
        path = tmp_path / f"{name}.jsonl"
        words = ["Geheimwort", "Offen", "Weiteres", "Anderes"]
        rows = [
            {"id": k, "reference": "A", "prompt": f"{words[k % 4]} {k} x{k % 7}"}
            | {"prediction": "B" if name == "new" and k % 4 == 0 and k % 3 else "A"}
            for k in range(400)
        ]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        paths.append(str(path))
    page = tmp_path / "page.html"
    options = ["--prompt-field", "prompt", "--find-slices", "-o", str(page)]
    assert main(["report", *paths, *options]) == 0
    assert "first word of prompt is geheimwort" in page.read_text(encoding="utf-8")
    for hidden in ("--redact", "--no-examples"):
        assert main(["report", *paths, *options, hidden]) == 0
        text = page.read_text(encoding="utf-8")
        assert "geheimwort" not in text.lower()
        assert "first word of prompt is [hidden]" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--find-field", "level"], "add --find-slices"),
        (["--find-seed", "3"], "add --find-slices"),
        (["--find-slices", "--engine", "duckdb"], "leave out --engine"),
        (["--find-slices", "--find-field", "levels"], "--find-field (fields"),
    ],
)
def test_what_cannot_be_done_is_refused(
    runs: tuple[str, str], options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *runs, *options]) in (2, 4)
    assert message in capsys.readouterr().err


def test_slices_of_a_chain_are_refused(
    runs: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *runs, runs[0], "--find-slices"]) == 2
    assert "expected two runs for --find-slices, got 3" in capsys.readouterr().err


def test_a_gate_says_in_which_form_items_broke(
    runs: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {kind: tmp_path / f"gate.{kind}" for kind in ("markdown", "json")}
    outputs = [part for kind, path in files.items() for part in (f"--{kind}", str(path))]
    assert main(["gate", *runs, "--max-nfr", "0.5", *outputs]) == 0
    line = "moved into a code fence (as did 0 of"
    assert line in capsys.readouterr().out
    assert line in html.unescape(files["markdown"].read_text(encoding="utf-8"))
    forms = json.loads(files["json"].read_text(encoding="utf-8"))["answer_forms"]
    assert forms["broken"]["into_code_fence"] == forms["new"]["code_fence"] > 40
