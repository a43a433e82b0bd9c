"""Messages about runs that are no single file, and about reports and saved comparisons."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from muscle_metrics.comparison.compare import compare
from muscle_metrics.comparison.comparison import Comparison
from muscle_metrics.comparison.counted import CountedComparison
from muscle_metrics.comparison.totals import Totals
from muscle_metrics.runs.files import incoming, text_lines
from muscle_metrics.runs.files.shard_files import find_shards
from muscle_metrics.runs.read import read_run
from muscle_metrics.runs.shards import open_shards
from muscle_metrics.scale.engine import compare_files

if TYPE_CHECKING:
    from collections.abc import Callable

WATCHED = [
    "comparison/columns",
    "comparison/saved",
    "reports/write",
    "runs/files/incoming",
    "runs/files/shard_files",
    "runs/files/text_lines",
    "runs/shards",
]

ROW = '{"id": 1, "prediction": "A", "reference": "A"}'
SAMPLE = (
    '{"doc_id": 1, "filter": "none", "resps": [["a"]], "filtered_resps": ["a"], "doc": {}, '
    '"target": "a", "metrics": ["acc"], "acc": 1.0}'
)
MADE = compare(old=["A"], new=["B"], references=["A"])
COUNTED = CountedComparison(names=("v1", "v2"), totals=Totals.of(MADE), dropped={}, recipe={})


def write(**files: str | bytes) -> None:
    for name, content in files.items():
        path = Path(name.replace("__", "."))
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def open_with(error: Exception) -> object:
    class Fake:
        @staticmethod
        def open(name: str, mode: str) -> Any:
            raise error

    with patch.object(incoming, "require", lambda module, extra: Fake):
        return read_run("s3://bucket/v1.jsonl")


def read_a_terminal() -> object:
    with patch.object(incoming.sys, "stdin", None):
        return read_run("-")


def read_onto_a_full_disk() -> object:
    full = OSError(28, "No space left on device")
    with patch.object(incoming.Path, "open", side_effect=full):
        return read_run("-")


def read_blank_lines() -> object:
    write(v1__txt="a\n\n\n")
    with patch.object(text_lines, "_MOST_BLANK", 1):
        return read_run("v1.txt")


def choose(*lines: str, **where: str) -> object:
    for position, line in enumerate(lines):
        write(**{f"{position}__jsonl": line})
    return read_run("*.jsonl", where=where)


def shards(**files: str | bytes) -> object:
    write(**files)
    return open_shards(Path("*"), "auto")


def count_numbers() -> object:
    pytest.importorskip("duckdb")
    write(v1__jsonl='{"id": 1, "prediction": "A", "reference": "A", "k": 1}')
    options = {"repeat_field": "k"}
    return compare_files(
        "v1.jsonl", "v1.jsonl", old_options=options, new_options=options, as_in_memory=True
    )


CASES: dict[str, Callable[[], object]] = {
    "columns: rows of one id": lambda: compare(
        old=["A"] * 2, new=["B"] * 2, references=["A"] * 2, ids=["q", "q"]
    ),
    "engine: not as in memory": count_numbers,
    "report: an ending": lambda: MADE.report("v2.txt"),
    "report: no verdict": lambda: MADE.report("v2.md"),
    "report: no items": lambda: COUNTED.report("v2.html"),
    "saved: a chain": lambda: Comparison.from_json('{"versions": []}'),
    "saved: a verdict": lambda: Comparison.from_json('{"outcome": "PASS"}'),
    "saved: cut short": lambda: Comparison.from_json('{"old": '),
    "saved: graded scores": lambda: (
        Comparison.from_json(
            compare(old=["a cat"], new=["b"], references=["a cat"], metric="chrf").to_json()
        ).counts
    ),
    "saved: no items": lambda: list(
        Comparison.from_json(
            compare(old=["A"], new=["B"], references=["A"]).to_json(items="none")
        ).flips()
    ),
    "saved: another version": lambda: Comparison.from_json(
        MADE.to_json().replace('"schema_version": 1', '"schema_version": 2')
    ),
    "saved: changed counts": lambda: Comparison.from_json(
        MADE.to_json().replace('"both_right": 0', '"both_right": 3')
    ),
    "saved: fields of other kinds": lambda: Comparison.from_json(
        MADE.to_json().replace('"slices": {}', '"slices": []')
    ),
    "saved: rows": lambda: Comparison.from_json(ROW),
    "shards: a log": lambda: shards(a__jsonl=SAMPLE, b__jsonl=ROW),
    "shards: none": lambda: (Path("v1").mkdir(), find_shards(Path("v1"))),
    "shards: a wrong first row": lambda: choose('{"id": 1}', ROW),
    "shards: no row is kept": lambda: choose(ROW, ROW, id="7"),
    "shards: two formats": lambda: shards(a__jsonl=ROW, b__csv="id,prediction\n2,A\n"),
    "source: a package for an address": lambda: open_with(ImportError("Install s3fs")),
    "source: an error of a server": lambda: open_with(FileNotFoundError("bucket/v1.jsonl")),
    "source: a full disk": read_onto_a_full_disk,
    "source: a terminal": read_a_terminal,
    "text: blank lines": read_blank_lines,
}
