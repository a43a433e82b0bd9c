"""Scores that judges and tools left out, from the files that they write to the end of a command."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

# The layout of judgments of FastChat, where -1 is a judgment that could not be read.
OLD = [{"question_id": n, "score": score} for n, score in enumerate([7, 8.5, 9, -1])]
NEW = [{"question_id": n, "score": score} for n, score in enumerate([7, -1, 9, 6])]
READING = ("--id-field", "question_id", "--score-field", "score", "--missing-score", "-1")


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def judgments(tmp_path: Path) -> tuple[Path, Path]:
    return write(tmp_path / "v1.jsonl", OLD), write(tmp_path / "v2.jsonl", NEW)


@pytest.mark.parametrize("engine", ["memory", "duckdb"])
def test_a_declared_value_is_no_score(run: Any, judgments: tuple[Path, Path], engine: str) -> None:
    if engine == "duckdb":
        pytest.importorskip("duckdb", reason="the engine is behind an extra")
    options = (*judgments, *READING, "--engine", engine)
    refused = run("compare", *options).err
    assert "1 of 4 items without a score in old" in refused
    assert "(id '3'), 1 of 4 items without a score in new" in refused
    assert "--unanswered wrong" in refused
    refused = run("compare", *options, "--unanswered", "wrong").err
    assert "--score-range LOW HIGH" in refused
    flags = ("--unanswered", "wrong", "--score-range", "1", "10")
    graded = run("compare", *options, *flags).out
    assert re.search(r"got worse \(NFR\) +25\.00%", graded)
    assert re.search(r"mean regression \(m_r\) +7\.5000", graded)
    # At the lowest threshold every judgment is right, and a missing one is still wrong.
    judged = run("compare", *options, *flags, "--threshold", "1").out
    assert "1 item broke, 1 got fixed" in judged
    dropped = run("compare", *options, "--unanswered", "drop").out
    assert "left out: 2 (unanswered)" in dropped


def test_blank_cells_of_a_table(run: Any, tmp_path: Path) -> None:
    old, new = tmp_path / "v1.csv", tmp_path / "v2.csv"
    old.write_text("user_input,faithfulness\nq0,0.9\nq1,0.8\nвопрос,\n", encoding="utf-8")
    new.write_text("user_input,faithfulness\nq0,0.4\nq1,0.85\nвопрос,0.9\n", encoding="utf-8")
    reading = ("--id-field", "user_input", "--score-field", "faithfulness")
    assert "--unanswered wrong" in run("compare", old, new, *reading).err
    flags = ("--unanswered", "wrong", "--score-range", "0", "1")
    shown = run("compare", old, new, *reading, *flags).out
    assert re.search(r"mean change +\+0\.1500", shown)


def test_a_log_has_no_such_field(run: Any, tmp_path: Path) -> None:
    sample = {"doc_id": 1, "filter": "none", "resps": [["a"]], "filtered_resps": ["a"],
              "doc": {}, "target": "a", "metrics": ["acc"], "acc": 1.0}  # fmt: skip
    log = write(tmp_path / "samples_task_2026-01-01T00-00-00.jsonl", [sample])
    error = run("compare", log, log, "--missing-score", "-1", "--filter", "a", "--filter", "b").err
    assert "expected no --missing-score (missing_score) for a log" in error
