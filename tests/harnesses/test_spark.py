"""Partial states added in Spark: the example gives what the command gives on one machine."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from muscle_metrics.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.harness


@pytest.fixture
def count_in_spark(
    harness: Callable[[str], Path], project: Path
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the example on two files."""

    def count(*files: Path) -> subprocess.CompletedProcess[str]:
        python = harness("spark")
        script = project / "examples" / "scale" / "spark_flips.py"
        return subprocess.run(
            [str(python), str(script), *map(str, files)],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(project)},
            capture_output=True,
            text=True,
            check=False,
        )

    return count


def test_spark_counts_what_one_machine_counts(count_in_spark, project, monkeypatch, capsys):
    monkeypatch.chdir(project)
    files = [project / "examples" / name for name in ("v1.jsonl", "v2.jsonl")]
    assert main(["compare", *map(str, files), "--slice-field", "topic"]) == 0
    # All but the names, the signature and the next command. The example counts no forms of answers.
    shown = capsys.readouterr().out.splitlines()[1:-2]
    expected = [line for line in shown if not line.startswith("note: answers that say nothing")]
    done = count_in_spark(*files)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1:-1] == expected


def test_an_id_that_repeats_is_refused(count_in_spark, project, tmp_path):
    old, new = (project / "examples" / name for name in ("v1.jsonl", "v2.jsonl"))
    twice = tmp_path / "v1.jsonl"
    lines = old.read_text(encoding="utf-8").splitlines()
    twice.write_text("\n".join([*lines, lines[0]]), encoding="utf-8")
    done = count_in_spark(twice, new)
    assert done.returncode == 1
    assert "expected every id once in the old run, got 1 that repeat" in done.stderr
