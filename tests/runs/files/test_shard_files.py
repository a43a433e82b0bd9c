"""Folders and patterns of shards are one run, in memory as in an engine."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import FileError, PairingError, compare_runs, read_run
from muscle_metrics.runs.files.shard_files import find_shards

if TYPE_CHECKING:
    from pathlib import Path

ROWS = [{"id": f"é{n}", "prediction": "A", "reference": "AB"[n % 2]} for n in range(9)]


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "v1"
    folder.mkdir()
    (folder / "b.jsonl").write_text(lines(ROWS[4:]))
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(lines(ROWS[:4]).encode()))
    (folder / "_SUCCESS").touch()
    (folder / ".b.jsonl.crc").touch()
    return folder


def test_a_folder_is_its_shards(folder: Path) -> None:
    run = read_run(folder)
    assert ([record.id for record in run], run.name) == ([row["id"] for row in ROWS], "v1")
    assert [path.name for path in find_shards(folder)] == ["a.jsonl.gz", "b.jsonl"]


def test_a_pattern_is_its_files(folder: Path) -> None:
    assert len(read_run(str(folder / "?.jsonl*")).records) == 9
    assert len(read_run(str(folder / "*.jsonl")).records) == 5
    with pytest.raises(FileError, match="got none of that name"):
        read_run(str(folder / "*.csv"))


def test_a_file_may_have_the_name_of_a_pattern(tmp_path: Path) -> None:
    (tmp_path / "v*.jsonl").write_text(lines(ROWS[:2]))
    (tmp_path / "v1.jsonl").write_text(lines(ROWS))
    assert len(read_run(tmp_path / "v*.jsonl").records) == 2


def test_the_place_of_a_wrong_row_is_that_of_its_shard(folder: Path) -> None:
    (folder / "c.jsonl").write_text(lines([{**ROWS[0], "id": "x"}, {"id": "y"}]))
    with pytest.raises(FileError, match=r"c\.jsonl:2: expected the field"):
        read_run(folder)


def test_rows_that_are_kept_may_be_in_any_shard(folder: Path) -> None:
    assert [record.id for record in read_run(folder, where={"id": "é7"})] == ["é7"]
    with pytest.raises(FileError, match="--where"):
        read_run(folder, where={"id": "é99"})


def test_runs_of_two_models_are_no_shards(folder: Path) -> None:
    (folder / "c.jsonl").write_text(lines(ROWS))
    run = read_run(folder)
    with pytest.raises(PairingError, match="'é0' 2 times"):
        compare_runs(run, run)


def test_other_folders_are_no_runs(folder: Path) -> None:
    (folder / "README.md").touch()
    with pytest.raises(FileError, match=r"by the pattern '.*v1/\*\.jsonl'|name the file"):
        read_run(folder)


def test_a_log_is_no_shard(folder: Path) -> None:
    sample = {"doc_id": 1, "filter": "none", "resps": [["a"]], "filtered_resps": ["a"],
              "doc": {}, "target": "a", "metrics": ["acc"], "acc": 1.0}  # fmt: skip
    (folder / "samples_t_2026-01-01T00-00-00.jsonl").write_text(json.dumps(sample))
    with pytest.raises(FileError, match="got a log of lm-eval"):
        read_run(str(folder / "*.jsonl"))
