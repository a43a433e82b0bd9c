"""Scores that are too large to compute with are refused by an engine as in memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from muscle_metrics import FileError, compare_runs, read_run
from muscle_metrics.scale import compare_files

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("duckdb", reason="the engine is behind an extra")


@pytest.mark.parametrize(("before", "after"), [(-1e308, 1e308), (0.5, 2e100), (10**400, 0.5)])
def test_an_engine_refuses_the_row_that_memory_refuses(
    tmp_path: Path, before: float, after: float
) -> None:
    paths = []
    for name, odd in (("old", before), ("new", after)):
        scores = [0.5, 1e100, odd, -1e100]
        rows = [{"id": f"q{n}", "score": score} for n, score in enumerate(scores)]
        paths.append(tmp_path / f"{name}.jsonl")
        paths[-1].write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    reads = {"score_field": "score"}
    place = "old" if abs(before) > 1e100 else "new"
    message = rf"{place}\.jsonl:3: expected a number of at most 1e\+100 in size"
    with pytest.raises(FileError, match=message):
        compare_runs(*(read_run(path, **reads) for path in paths))
    with pytest.raises(FileError, match=message):
        compare_files(*paths, old_options=reads, new_options=reads, threads=1)
