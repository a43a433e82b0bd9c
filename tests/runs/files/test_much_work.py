"""A small file asks for little time and memory, whatever it unfolds to."""

from __future__ import annotations

import gzip
import time
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from muscle_metrics import read_run
from muscle_metrics.errors import FileError
from muscle_metrics.runs.files.arrow_rows import arrow_errors
from muscle_metrics.runs.files.json_object import read_json_object
from muscle_metrics.runs.readers.lm_eval_rows import read_sample_lines

if TYPE_CHECKING:
    from pathlib import Path

BLANK = b"\n" * 50_000_000


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("run.jsonl", b'{"id": "\xd1\x8f", "prediction": "A", "reference": "A"}\n'),
        ("run.csv", "id,prediction,reference\nя,A,A\n".encode()),
        ("run.tsv", "id\tprediction\treference\nя\tA\tA\n".encode()),
    ],
)
def test_blank_lines_of_a_compressed_file(tmp_path: Path, name: str, rows: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(rows + BLANK, 1))
    start = time.process_time()
    if name.endswith("jsonl"):
        assert [record.id for record in read_run(path)] == ["я"]
    else:
        with pytest.raises(FileError, match=r"expected rows, got 1000000 blank lines one after"):
            read_run(path)
    assert time.process_time() - start < 4


def test_blank_lines_of_a_log(tmp_path: Path) -> None:
    path = tmp_path / "samples_sums_2026-11-23T07-13-39.347285.jsonl"
    path.write_bytes(gzip.compress(BLANK, 1))
    start = time.process_time()
    assert list(read_sample_lines(path, whole=False)) == []
    assert time.process_time() - start < 4


def test_separators_that_only_look_blank_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text('{"id": 1, "prediction": "A"}\n' + "\u2028\n" * 40_000, encoding="utf-8")
    with pytest.raises(FileError, match=r":2: expected one whole JSON object, got invalid"):
        read_run(path)


def test_a_damaged_length_of_arrow_is_an_error_of_the_file(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    path = tmp_path / "данные.arrow"
    # What a batch asks for whose length is damaged.
    with (
        pytest.raises(
            FileError, match=r"данные\.arrow: expected a whole stream, .* damaged, again"
        ),
        arrow_errors(path, "stream", "again"),
    ):
        arrow.allocate_buffer(1 << 60)


def test_an_object_reserves_no_gigabyte(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text('{"я": 1}', encoding="utf-8")
    tracemalloc.start()
    try:
        assert read_json_object(path) == {"я": 1}
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()
