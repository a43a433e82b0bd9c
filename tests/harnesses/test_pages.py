"""Pages of the documentation run the tools they are about, and what those wrote is compared."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from muscle_metrics.cli import main
from muscle_metrics.errors import UsageError
from muscle_metrics.runs.read import read_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.harness

# What the commands of a page leave behind, and the options that are needed to compare it.
COMPARED = {
    "datasets": [("old", "new")],
    "deepeval": [("old", "new")],
    "mlflow": [("old", "new"), ("old.json", "new.json")],
    "promptfoo": [
        ("old.json", "new.json"),
        ("both.json", "both.json", "--filter", "v1", "--filter", "v2"),
    ],
}
# Counted by hand from the answers that every page gives to its four questions.
COUNTS = {"both_right": 1, "negative": 1, "positive": 1, "both_wrong": 1}
# A fence, maybe the name of the file to write in a comment, and the code.
BLOCK = re.compile(
    r"^```(py|sh|yaml)\n(?:# (\S+\.(?:py|yaml))[^\n]*\n)?(.*?)^```$", re.DOTALL | re.MULTILINE
)


@pytest.mark.parametrize("page", COMPARED)
def test_counts_are_those_by_hand(
    page: str,
    harness: Callable[[str], Path],
    project: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = (project / "docs" / "how-to" / f"{page}.md").read_text(encoding="utf-8")
    run_blocks(text, tmp_path, harness(page))
    for old, new, *options in COMPARED[page]:
        target = tmp_path / "result.json"
        runs = [str(tmp_path / old), str(tmp_path / new)]
        assert main(["compare", *runs, *options, "--json", str(target)]) == 0
        printed = capsys.readouterr()
        assert printed.err == ""
        assert "1 item broke, 1 got fixed" in printed.out
        counts = json.loads(target.read_text(encoding="utf-8"))["counts"]
        assert {name: counts[name] for name in COUNTS} == COUNTS
    # The examples that everybody can try are what the tool writes.
    for name in COMPARED[page][0]:
        ours = read_run(project / "examples" / "harnesses" / page / name)
        theirs = read_run(tmp_path / name)
        assert ours.records == theirs.records
        for part in ("harness", "model", "scorer"):
            assert ours.fingerprint.get(part) == theirs.fingerprint.get(part)
    if page == "promptfoo":
        assert main(["inspect", runs[0]]) == 0
        assert {"filter v1", "filter v2"} <= {*re.findall(r"filter v\d", capsys.readouterr().out)}
        with pytest.raises(UsageError, match="got 'v1', 'v2'"):
            read_run(runs[0])


def run_blocks(text: str, folder: Path, python: Path) -> None:
    """Write the files of a page, and run its commands with the environment of its tool."""
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
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    for language, name, content in BLOCK.findall(text):
        if language != "sh":
            (folder / name).write_text(content, encoding="utf-8")
            continue
        done = subprocess.run(
            ["bash", "-euc", content],
            cwd=folder,
            env={"HOME": str(folder), "PATH": path, **silent},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == 0, f"{content}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
