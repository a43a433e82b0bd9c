"""Help that teaches by example: every example of every command runs as it is printed."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics.cli import main
from muscle_metrics.gate.stream import seeded_order
from muscle_metrics.runs.read import read_run

if TYPE_CHECKING:
    from collections.abc import Callable

ITEMS = 400


def answers(version: int) -> list[dict[str, Any]]:
    """A run that got one item in fifty wrong, and others in every version."""
    return [
        {
            "id": f"q{i}",
            "question_id": f"q{i}",
            "prompt": f"question {i}",
            "category": "safety" if i % 3 else "other",
            "prediction": "no" if i % 50 == version else "yes",
            "reference": "yes",
            "judge": 0.2 if i % 50 == version else 0.9,
        }
        for i in range(ITEMS)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every file that an example names."""
    folder = tmp_path_factory.mktemp("examples")
    runs = {"old": 1, "new": 2, "v1": 1, "v2": 2, "v3": 3}
    for name, version in runs.items():
        rows = answers(version)
        write(folder / f"{name}.jsonl", rows)
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, rows[0])
            table.writeheader()
            table.writerows(rows)
    order = [record.id for record in seeded_order(read_run(folder / "old.jsonl"), 7)]
    by_id = {row["id"]: row for row in answers(2)}
    write(folder / "growing.jsonl", [by_id[name] for name in order[:60]])
    (folder / "gate.toml").write_text('max_nfr = "0.05"\n', encoding="utf-8")
    baseline = [str(folder / "v1.jsonl"), "-o", str(folder / "v1.baseline")]
    assert main(["baseline", *baseline, "--slice-field", "category"]) == 0
    return folder


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def help_of(*command: str) -> str:
    done = muscle_metrics(" ".join([*command, "--help"]), Path.cwd())
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def muscle_metrics(rest: str, folder: Path) -> subprocess.CompletedProcess[str]:
    # As a shell runs it, wherever the program of this environment is.
    function = f'muscle-metrics() {{ "{sys.executable}" -m muscle_metrics "$@"; }}\n'
    return subprocess.run(
        ["bash", "-c", f"{function}muscle-metrics {rest}"],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=False,
    )


def commands() -> list[str]:
    lines = help_of().partition("\ncommands:\n")[2].partition("\n\n")[0].splitlines()
    return [line.split()[0] for line in lines if line.startswith("    ") and line[4] != " "]


@pytest.fixture(scope="module")
def helps() -> dict[str, str]:
    return {name: help_of(*name.split()) for name in ["", *commands()]}


def examples_of(text: str) -> list[str]:
    """Commands among the examples, with the lines that continue them."""
    part = text.partition("\nexamples:\n")[2].partition("\n\n")[0]
    lines = [line.strip() for line in part.replace("\\\n", " ").splitlines()]
    return [line for line in lines if not line.startswith("#")]


def test_every_command_has_examples_that_say_what_for(helps: dict[str, str]) -> None:
    assert {"compare", "gate", "baseline", "order", "power", "completion"} <= helps.keys()
    for name, text in helps.items():
        found = examples_of(text)
        assert 3 <= len(found) <= 5, name
        part = text.partition("\nexamples:\n")[2].partition("\n\n")[0]
        assert part.count("  # ") == len(found), name
        assert any(f"muscle-metrics {name}" in line for line in found), name
        assert "exit codes: 0" in text, name


def test_examples_fit_a_screen_of_80_columns(helps: dict[str, str]) -> None:
    for name, text in helps.items():
        usage, end = text.splitlines()[0], text.partition("\nexamples:\n")[2].splitlines()
        assert max(map(len, [usage, *end])) <= 80, name


def test_every_example_runs(
    helps: dict[str, str], folder: Path, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    examples = dict.fromkeys(line for text in helps.values() for line in examples_of(text))
    for command in examples:
        if "adapter train recipe" in command:
            # A recipe needs two models: tests/adapter trains by the command.
            continue
        if re.search("metrics report|--report ", command) and find_spec("jinja2") is None:
            # The page needs an extra, which the error says.
            continue
        if re.search(r"[>$|]", command):
            done = muscle_metrics(f"--version > /dev/null; {command}", folder)
            code, errors = done.returncode, done.stderr
        else:
            code, _, errors = run(*shlex.split(command)[1:])
        # A gate may pass, fail or be undecided; no example is a mistake.
        assert code in ({0, 1, 3} if " gate " in command else {0}), command
        if "--skip-wrong" in command:
            # It says how many items are left out.
            assert errors.startswith("muscle-metrics: note: 8 of 400 items"), command
        else:
            assert errors == "", command
