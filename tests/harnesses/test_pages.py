"""Pages of the documentation run the tools they are about, and what those wrote is compared."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from muscle_metrics.cli import main
from muscle_metrics.runs import read_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.harness

PAGES = ("datasets", "deepeval", "mlflow", "promptfoo")
# Counted by hand from the answers that every page gives to its four questions.
COUNTS = {"both_right": 1, "negative": 1, "positive": 1, "both_wrong": 1}
COMPARED = {
    "datasets": [("old", "new")],
    "deepeval": [("old", "new")],
    "mlflow": [("old", "new"), ("old.json", "new.json")],
    "promptfoo": [("old.json", "new.json")],
}
BLOCK = re.compile(
    r"^```(py|sh|yaml)\n(?:# (\S+\.(?:py|yaml))[^\n]*\n)?(.*?)^```$", re.DOTALL | re.MULTILINE
)


@pytest.fixture(scope="session")
def written(
    harness: Callable[[str], Path], project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """Folder in which the commands of a page were run with the real tool, once for all tests."""
    done: dict[str, Path] = {}

    def run(page: str) -> Path:
        if page not in done:
            python = harness(page)
            folder = tmp_path_factory.mktemp(page)
            text = (project / "docs" / "how-to" / f"{page}.md").read_text(encoding="utf-8")
            for language, name, content in BLOCK.findall(text):
                if language == "sh":
                    call(content, folder, python)
                else:
                    (folder / name).write_text(content, encoding="utf-8")
            done[page] = folder
        return done[page]

    return run


def call(commands: str, folder: Path, python: Path) -> None:
    """Run commands as a reader does who has activated the environment of the tool."""
    silent = {
        "DEEPEVAL_TELEMETRY_OPT_OUT": "1",
        "DO_NOT_TRACK": "1",
        "HF_HUB_OFFLINE": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PROMPTFOO_CONFIG_DIR": str(folder / "settings"),
        "PROMPTFOO_DISABLE_REMOTE_GENERATION": "1",
        "PROMPTFOO_DISABLE_TELEMETRY": "1",
        "PROMPTFOO_DISABLE_UPDATE": "1",
    }
    done = subprocess.run(
        ["bash", "-euc", commands],
        cwd=folder,
        env={
            "HOME": str(folder),
            "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
            **silent,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, f"{commands}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


PAIRS = [(page, *pair) for page in PAGES for pair in COMPARED[page]]


@pytest.mark.parametrize(("page", "old", "new"), PAIRS)
def test_counts_are_those_by_hand(
    page: str,
    old: str,
    new: str,
    written: Callable[[str], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = written(page)
    target = tmp_path / "result.json"
    assert main(["compare", str(folder / old), str(folder / new), "--json", str(target)]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "1 item broke, 1 got fixed" in printed.out
    counts = json.loads(target.read_text(encoding="utf-8"))["counts"]
    assert {name: counts[name] for name in COUNTS} == COUNTS


@pytest.mark.parametrize(("page", "old", "new"), PAIRS)
def test_examples_are_what_the_tool_writes(
    page: str, old: str, new: str, written: Callable[[str], Path], project: Path
) -> None:
    for name in (old, new):
        ours = read_run(project / "examples" / "harnesses" / page / name)
        theirs = read_run(written(page) / name)
        assert ours.records == theirs.records
        parts = {"harness", "model", "scorer"}
        assert [ours.fingerprint.get(part) for part in parts] == [
            theirs.fingerprint.get(part) for part in parts
        ]


def test_two_providers_of_one_promptfoo_file(
    written: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = str(written("promptfoo") / "both.json")
    assert main(["compare", both, both]) != 0
    assert "got 'v1', 'v2'" in capsys.readouterr().err
    target = tmp_path / "result.json"
    options = ["--filter", "v1", "--filter", "v2", "--json", str(target)]
    assert main(["compare", both, both, *options]) == 0
    counts = json.loads(target.read_text(encoding="utf-8"))["counts"]
    assert {name: counts[name] for name in COUNTS} == COUNTS
