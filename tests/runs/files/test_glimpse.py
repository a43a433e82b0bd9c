"""Recognising a format opens a file once, whatever the number of recognisers."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics.errors import FileError
from muscle_metrics.runs.contents import inspect_log
from muscle_metrics.runs.files.glimpse import Glimpse
from muscle_metrics.runs.read import read_run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Write = Callable[..., Path]

ROWS = [{"id": number, "prediction": "A", "reference": "A"} for number in range(3)]
# A log of each harness, and the package that its reader needs.
LOGS = {
    "lm_eval/v1": None,
    "lm_eval/v1/samples_tiny_gsm_2026-11-23T07-13-39.347285.jsonl": None,
    "inspect_ai/2026-11-23T07-20-42-00-00_tiny_YSLPrysEbPMxdv3ji2RiGt.json": "inspect_ai",
    "inspect_ai/2026-11-23T07-20-32-00-00_tiny_ReravfE2Qy8iSdZZMfoKkx.eval": "inspect_ai",
    "lighteval": "pyarrow",
    "lighteval/details_tinygen|0_2026-11-23T07-40-17.215230.parquet": "pyarrow",
    "helm/simple_mcqa_model_simple_model1": None,
    "deepeval/test_run_20261123_073352.json": None,
    "openai_evals": None,
    "promptfoo/out.json": None,
    "promptfoo/out.jsonl": None,
}


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Counter[Path]:
    """Count how often the package opens each file."""
    counts: Counter[Path] = Counter()
    open_path = Path.open

    def count_path(path: Path, mode: str = "r", *args: Any, **options: Any) -> Any:
        # The tests write their files.
        counts[path] += "r" in mode
        return open_path(path, mode, *args, **options)

    monkeypatch.setattr(Path, "open", count_path)
    try:
        from pyarrow import parquet
    except ImportError:
        return counts
    open_parquet = parquet.ParquetFile

    def count_parquet(source: Any, *args: Any, **options: Any) -> Any:
        if isinstance(source, Path):
            counts[source] += 1
        return open_parquet(source, *args, **options)

    monkeypatch.setattr(parquet, "ParquetFile", count_parquet)
    return counts


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "tsv", "parquet"])
def test_a_plain_file_is_opened_twice(
    kind: str,
    write: Write,
    writers: dict[str, Callable[[Sequence[Any]], bytes]],
    opened: Counter[Path],
) -> None:
    path = write(writers[kind](ROWS), f"old.{kind}")
    assert len(read_run(path)) == len(ROWS)
    assert opened[path] == 2


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv"])
def test_a_compressed_file_is_opened_twice(
    kind: str,
    write: Write,
    writers: dict[str, Callable[[Sequence[Any]], bytes]],
    opened: Counter[Path],
) -> None:
    content = writers[kind](ROWS)
    arrow = pytest.importorskip("pyarrow")
    compressed = {
        ".gz": gzip.compress(content),
        ".zst": arrow.compress(content, codec="zstd", asbytes=True),
    }
    for suffix, packed in compressed.items():
        path = write(packed, f"old.{kind}{suffix}")
        assert len(read_run(path)) == len(ROWS)
        assert opened[path] == 2


def test_a_format_that_the_user_names_needs_no_look(write: Write, opened: Counter[Path]) -> None:
    path = write("id,prediction\n1,A\n", "old.csv")
    read_run(path, format="csv")
    assert opened[path] == 1


@pytest.mark.parametrize("name", LOGS)
def test_files_of_a_log_are_opened_twice_at_most(
    name: str, shared: Path, opened: Counter[Path]
) -> None:
    # The official reader of inspect_ai opens the log again, after our check.
    if (package := LOGS[name]) is not None:
        pytest.importorskip(package)
    inspect_log(shared / "logs" / name)
    assert opened
    # HELM's small file about a run is read for the choice of runs, too.
    large = {path: count for path, count in opened.items() if path.name != "run_spec.json"}
    assert max(large.values()) <= 2
    assert max(opened.values()) <= 3


class TestRow:
    @pytest.mark.parametrize("size", [1, 70_000, 3_000_000])
    @pytest.mark.parametrize("before", ["", "\ufeff", "\n \r\n", "\ufeff\n"])
    def test_first_row_of_any_length(self, size: int, before: str, write: Write) -> None:
        row = {"text": "x" * size}
        content = f"{before}{json.dumps(row)}\n[1]\n"
        assert Glimpse(write(content)).row == row
        assert Glimpse(write(gzip.compress(content.encode()))).row == row

    @pytest.mark.parametrize(
        "content", ["", "[1]", "{", "id,text\n", b'{"a": "\xff"}', '{"a": 1} 2']
    )
    def test_no_row(self, content: str | bytes, write: Write) -> None:
        assert Glimpse(write(content)).row == {}

    def test_a_long_document_is_no_row(self, write: Write) -> None:
        glimpse = Glimpse(write(json.dumps({"text": "x" * (8 << 20)})))
        assert glimpse.row == {}
        assert len(glimpse.start) == 1 << 16


class TestDamage:
    def test_what_can_be_read_is_the_head(self, write: Write) -> None:
        content = gzip.compress(json.dumps({"id": 1}).encode())
        glimpse = Glimpse(write(content[:-9]))
        assert (glimpse.start, glimpse.row, glimpse.columns) == (b"", {}, frozenset())
        with pytest.raises(FileError, match="expected whole content"):
            glimpse.head  # noqa: B018

    def test_no_file(self, tmp_path: Path) -> None:
        glimpse = Glimpse(tmp_path / "none")
        assert (glimpse.start, glimpse.row, glimpse.columns) == (b"", {}, frozenset())
        with pytest.raises(FileError, match="got none of that name"):
            glimpse.head  # noqa: B018

    @pytest.mark.parametrize("content", [b"PAR1", b"PAR1PAR1", b"PAR1\xff\xff\xff\x7fPAR1"])
    def test_no_footer(self, content: bytes, write: Write) -> None:
        pytest.importorskip("pyarrow")
        assert Glimpse(write(content)).columns == frozenset()
