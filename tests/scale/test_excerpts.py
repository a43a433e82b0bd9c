"""Flawed rows may all lack what other rows of their run hold: an engine still sees the flaw."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import PairingError, compare_runs, read_run
from muscle_metrics.scale import compare_files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytest.importorskip("duckdb", reason="the engine is behind an extra")


@pytest.mark.parametrize("part", ["prompt", "reference"])
@pytest.mark.parametrize("lacking", [0, 1])
@pytest.mark.parametrize("rows", [(0, 1), (1,)])
def test_shared_items_of_one_run_lack_what_its_other_item_holds(
    tmp_path: Path, part: str, lacking: int, rows: Sequence[int]
) -> None:
    paths = [tmp_path / "old.jsonl", tmp_path / "new.jsonl"]
    for run, path in enumerate(paths):
        ids = ["вопрос 0", "вопрос 1", f"alone in {run}"]
        table: list[dict[str, Any]] = [
            {"id": name, "prediction": "A", "reference": "A", "prompt": "what?"} for name in ids
        ]
        for row in rows if run == lacking else ():
            table[row][part] = None
        path.write_text("".join(json.dumps(row) + "\n" for row in table), "utf-8")
    reads = {"prompt_field": "prompt"}
    message = rf"different {part}s for {len(rows)} (id|item)"
    with pytest.raises(PairingError, match=message):
        compare_runs(*(read_run(path, **reads) for path in paths), missing="drop")
    with pytest.raises(PairingError, match=message):
        compare_files(*paths, old_options=reads, new_options=reads, missing="drop", threads=1)
