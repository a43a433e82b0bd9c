"""The peer beside us, for real: it averages the filters of an item before it compares."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from muscle_metrics import compare_runs, read_run

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.harness


def test_the_documentation_shows_what_evalci_prints(
    harness: Callable[[str], Path], project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    subprocess.run([sys.executable, project / "examples" / "lm_eval" / "make_logs.py"], check=True)
    page = (project / "docs" / "how-to" / "lm-eval.md").read_text("utf-8")
    command, expected = page.split("\nevalci ")[1].splitlines()[:2]
    done = subprocess.run(
        ["bash", "-c", f"python -m evalci.cli {command}"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PATH": f"{harness('lm-eval').parent}{os.pathsep}{os.environ['PATH']}"},
    )
    # Its permutations are drawn without a seed: interval and p differ from run to run.
    unseeded = r"CI \[[^]]*\]|p=[0-9.]+"
    assert re.sub(unseeded, "", done.stdout.strip()) == re.sub(unseeded, "", expected)
    changes = []
    for name in ("strict-match", "flexible-extract"):
        runs = [read_run(Path("logs", version), filter=name) for version in ("v1", "v2")]
        changes.append(float(compare_runs(*runs).counts.accuracy_change))
    # What it reports is neither of the two, but their mean; its sign is old minus new.
    assert changes == [0.0, 0.2]
    assert expected.startswith(f"Δ={-sum(changes) / 2:.3f}")
