"""What `muscle-metrics inspect` prints of runs in several files, and of runs that are no files."""

from __future__ import annotations

import io
import json
import shlex
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize("name", ["v1", "v1/*.jsonl", "-"])
def test_shards_and_pipes_are_inspected_as_one_run(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("v1").mkdir()
    first = [{"id": n, "output": "да", "gold": "да"} for n in range(3)]
    second = [{"id": n, "output": None, "gold": "нет", "topic": "z"} for n in range(3, 5)]
    texts = ["".join(json.dumps(row) + "\n" for row in rows) for rows in (first, second)]
    for part, text in enumerate(texts):
        Path(f"v1/{part}.jsonl").write_text(text, encoding="utf-8")
    content = io.TextIOWrapper(io.BytesIO("".join(texts).encode()))
    monkeypatch.setattr("sys.stdin", content)
    done = run("inspect", name)
    assert done.err == ""
    lines = done.out.splitlines()
    assert lines[0] == f"{name}: jsonl"
    assert "  field 'topic': text, 1 different, 3 null, such as 'z'" in lines
    assert "all: 5 items, 2 without an answer" in lines
    quoted = shlex.quote(name)
    assert lines[-1].startswith(f"to compare: muscle-metrics compare {quoted} NEW")
