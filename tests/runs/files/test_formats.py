"""The same rows from every format, compressed or not, whole or cut at any byte."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from muscle_metrics.errors import FileError, UsageError
from muscle_metrics.runs.files import json_stream
from muscle_metrics.runs.read import read_run
from muscle_metrics.runs.record import Record

pyarrow = pytest.importorskip("pyarrow")
pytest.importorskip("pyarrow.parquet")

Write = Callable[..., Path]
Writers = Mapping[str, Callable[[Sequence[Mapping[str, object]]], bytes]]

ROWS: list[dict[str, str]] = [
    {"id": "007", "prediction": "Paris", "reference": "Paris", "topic": "geography"},
    {"id": "1e5", "prediction": "", "reference": "a\nb\r\nc\rd", "topic": "lines"},
    {
        "id": " 8 ",
        "prediction": 'say "x",\t\\',
        "reference": "\u2028 \u0085 \x1c",
        "topic": "marks",
    },
    {"id": "é🙂", "prediction": "\x00\x1b[2J", "reference": "None", "topic": "::error::"},
]


FORMATS = ["jsonl", "json", "csv", "tsv", "parquet"]
TEXT_FORMATS = FORMATS[:-1]


def zstandard(content: bytes) -> bytes:
    return pyarrow.compress(content, codec="zstd", asbytes=True)


class TestFormats:
    @pytest.mark.parametrize("file_format", FORMATS)
    def test_same_rows_give_the_same_run(
        self, write: Write, writers: Writers, file_format: str
    ) -> None:
        path = write(writers[file_format](ROWS), f"run.{file_format}")
        run = read_run(path, slice_field="topic")
        assert run.records == tuple(
            Record(row["id"], row["prediction"], row["reference"], slice=row["topic"])
            for row in ROWS
        )
        assert run.name == "run"
        assert run.fingerprint == {"format": file_format}
        assert run == read_run(path, slice_field="topic", format=file_format)

    @pytest.mark.parametrize("file_format", TEXT_FORMATS)
    @pytest.mark.parametrize(("suffix", "compress"), [("gz", gzip.compress), ("zst", zstandard)])
    def test_compressed_files_give_the_same_run(
        self,
        write: Write,
        writers: Writers,
        file_format: str,
        suffix: str,
        compress: Callable[[bytes], bytes],
    ) -> None:
        content = writers[file_format](ROWS)
        plain = read_run(write(content, f"run.{file_format}"))
        assert read_run(write(compress(content), f"run.{file_format}.{suffix}")) == plain

    @pytest.mark.parametrize("file_format", TEXT_FORMATS)
    def test_byte_order_mark(self, write: Write, writers: Writers, file_format: str) -> None:
        content = writers[file_format](ROWS)
        plain = read_run(write(content, f"run.{file_format}"))
        assert read_run(write(b"\xef\xbb\xbf" + content, f"run.{file_format}")) == plain

    @pytest.mark.parametrize("chunk", [1, 2, 3, 7, 50])
    def test_arrays_are_read_through_a_window_of_any_size(
        self, write: Write, chunk: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write(json.dumps(ROWS), "run.json")
        whole = read_run(path)
        monkeypatch.setattr(json_stream, "_CHUNK", chunk)
        assert read_run(path) == whole

    def test_content_comes_before_the_name(self, write: Write, writers: Writers) -> None:
        assert read_run(write(writers["jsonl"](ROWS), "run.csv")).fingerprint == {"format": "jsonl"}
        assert read_run(write(writers["json"](ROWS), "run")).fingerprint == {"format": "json"}
        assert read_run(write(writers["parquet"](ROWS), "run.jsonl")).fingerprint == {
            "format": "parquet"
        }

    def test_unknown_content_names_the_option(self, write: Write) -> None:
        message = (
            r"run\.txt: expected JSON, CSV, TSV, TXT or Parquet, got content that starts with "
            r"b'{start}.*': name the format with --format jsonl\|json\|csv\|tsv\|txt\|parquet"
        )
        for header, start in (("id,prediction", "id,predictio"), ("a b\tID", "a b.tID")):
            with pytest.raises(FileError, match=message.format(start=start)):
                read_run(write(f"{header}\n1,A\n", "run.txt"))

    def test_unknown_format(self, write: Write) -> None:
        with pytest.raises(UsageError, match=r"expected format to be one of .*'auto'.* got 'xml'"):
            read_run(write("{}"), format="xml")

    @pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf"])
    @pytest.mark.parametrize("name", ["run.jsonl", "run.csv", "run.parquet"])
    def test_an_empty_file(self, write: Write, content: bytes, name: str) -> None:
        with pytest.raises(FileError, match="got an empty file"):
            read_run(write(content, name))

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("run.jsonl", "\n\n"),
            ("run.json", "[]"),
            ("run.csv", "id,prediction\n"),
            ("run.tsv", "id\tprediction\r\n\r\n"),
        ],
    )
    def test_no_rows(self, write: Write, name: str, content: str) -> None:
        with pytest.raises(FileError, match="expected at least one row, got none"):
            read_run(write(content, name), format=name.removeprefix("run."))

    def test_a_parquet_file_without_rows(self, tmp_path: Path) -> None:
        path = tmp_path / "run.parquet"
        pyarrow.parquet.write_table(pyarrow.table({"id": pyarrow.array([], "string")}), path)
        with pytest.raises(FileError, match="expected at least one row, got none"):
            read_run(path)

    def test_windows_line_ends(self, write: Write) -> None:
        rows = '{"id": 1, "prediction": "A"}\r\n\r\n{"id": 2, "prediction": "B"}\r\n'
        assert [record.prediction for record in read_run(write(rows))] == ["A", "B"]
        rows = "id,prediction\r\n1,A\r\n\r\n2,B\r\n"
        assert [record.prediction for record in read_run(write(rows, "run.csv"))] == ["A", "B"]

    def test_lone_surrogates_are_kept(self, write: Write) -> None:
        run = read_run(write(r'{"id": "\ud800", "prediction": "\udfff"}'))
        assert run.records == (Record("\ud800", "\udfff"),)


class TestTruncated:
    @pytest.mark.parametrize("file_format", FORMATS)
    @pytest.mark.parametrize("compress", [bytes, gzip.compress, zstandard])
    def test_cut_at_every_byte(
        self, write: Write, writers: Writers, file_format: str, compress: Callable[[bytes], bytes]
    ) -> None:
        content = compress(writers[file_format](ROWS))
        name = f"run.{file_format}"
        if file_format == "parquet" and compress is not bytes:
            with pytest.raises(FileError, match="expected a whole Parquet file"):
                read_run(write(content, name))
            return
        records = read_run(write(content, name)).records
        lengths: list[int] = []
        messages: list[str] = []
        for end in range(len(content)):
            try:
                cut = read_run(write(content[:end], name)).records
            except FileError as error:
                messages.append(str(error))
                continue
            assert cut == records[: len(cut)]
            lengths.append(len(cut))
        assert all(name in message and "\n" not in message for message in messages)
        # Only whole rows of plain lines can go missing unnoticed; pairing by id then reports them.
        if compress is bytes and file_format in {"jsonl", "csv", "tsv"}:
            assert set(lengths) >= {1, 2, 3}
        else:
            assert lengths == []
