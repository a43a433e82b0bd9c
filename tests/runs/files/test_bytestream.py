"""What a hostile or broken file may do to the reader of its bytes: raise a FileError."""

from __future__ import annotations

import contextlib
import errno
import gc
import gzip
import os
import random
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics.errors import FileError, MissingDependencyError
from muscle_metrics.runs.files import bytestream
from muscle_metrics.runs.files.bytestream import Budget, open_bytes, read_lines

pyarrow = pytest.importorskip("pyarrow")
pytest.importorskip("pyarrow.parquet")

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENT = b"first\nsecond \xe2\x80\xa8\xc2\x85\r\nthird"
LINES = [(1, "first\n"), (2, "second \u2028\u0085\r\n"), (3, "third")]


def zstandard(content: bytes) -> bytes:
    return pyarrow.compress(content, codec="zstd", asbytes=True)


COMPRESSIONS: list[Callable[[bytes], bytes]] = [gzip.compress, zstandard]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl"


@pytest.mark.parametrize("compress", [bytes, *COMPRESSIONS])
def test_lines_end_at_line_feeds_only_whatever_the_name(
    path: Path, compress: Callable[[bytes], bytes]
) -> None:
    path.write_bytes(compress(CONTENT))
    assert list(read_lines(path)) == LINES


def test_a_plain_file_may_be_called_gz(tmp_path: Path) -> None:
    path = tmp_path / "plain.gz"
    path.write_bytes(CONTENT)
    assert list(read_lines(path)) == LINES


@pytest.mark.parametrize("compress", COMPRESSIONS)
def test_members_follow_each_other(path: Path, compress: Callable[[bytes], bytes]) -> None:
    path.write_bytes(compress(CONTENT[:9]) + compress(CONTENT[9:]))
    assert list(read_lines(path)) == LINES


def test_a_byte_order_mark_is_no_content(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + CONTENT)
    assert list(read_lines(path)) == LINES


@pytest.mark.parametrize("compress", COMPRESSIONS)
@pytest.mark.parametrize("garbage", [b"x", b"\x00\x01", b"garbage" * 9, b"\x1f\x8b", b"\x28\xb5"])
def test_trailing_garbage_is_refused(
    path: Path, compress: Callable[[bytes], bytes], garbage: bytes
) -> None:
    path.write_bytes(compress(CONTENT) + garbage)
    with pytest.raises(FileError, match=r"run\.jsonl: expected whole .* beyond byte \d+"):
        list(read_lines(path))


@pytest.mark.parametrize("compress", COMPRESSIONS)
def test_every_flipped_byte_is_noticed_or_harmless(
    path: Path, compress: Callable[[bytes], bytes]
) -> None:
    packed = compress(CONTENT)
    for position in range(len(packed)):
        path.write_bytes(
            packed[:position] + bytes([packed[position] ^ 0xFF]) + packed[position + 1 :]
        )
        try:
            lines = list(read_lines(path))
        except FileError:
            continue
        # Without magic bytes a file counts as plain text; the Zstandard file has no checksum here.
        assert lines == LINES or position < 2 or compress is zstandard


@pytest.mark.parametrize("compress", COMPRESSIONS)
def test_a_bomb_is_stopped_at_its_budget(
    path: Path, compress: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bytestream, "_RATIO_FREE", 3 << 20)
    path.write_bytes(compress(b"\0" * (64 << 20)))
    read: list[int] = []
    with open_bytes(path) as stream, pytest.raises(FileError, match=r"times the .* bytes on disk"):
        read.extend(map(len, iter(lambda: stream.read(1 << 16), b"")))
    assert sum(read) <= max(3 << 20, 200 * path.stat().st_size)


def test_large_content_has_the_ratio_of_honest_text(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bytestream, "_OUTPUT_LIMIT", 1 << 20)
    content = b'{"id": 1}\n' * 200_000
    # A plain file is as large as its content.
    path.write_bytes(content)
    assert sum(1 for _ in read_lines(path)) == 200_000
    path.write_bytes(gzip.compress(content))
    refusal = f"at most {1 << 20} bytes of content or 20 times the {path.stat().st_size} bytes on"
    with pytest.raises(FileError, match=refusal):
        list(read_lines(path))
    path.write_bytes(gzip.compress(random.Random(0).randbytes(len(content)).hex().encode()))
    assert sum(len(line) for _, line in read_lines(path)) > 20 * (1 << 17)


def test_repetitive_files_of_honest_size_pass(path: Path) -> None:
    content = b'{"id": 1}\n' * 1_000_000
    path.write_bytes(gzip.compress(content))
    assert len(content) > 200 * path.stat().st_size
    assert sum(1 for _ in read_lines(path)) == 1_000_000


def test_the_budget_counts_what_came_out(path: Path) -> None:
    path.write_bytes(b"12345")
    budget = Budget(path)
    budget.spend(64 << 20)
    with pytest.raises(FileError, match="at most 200 times the 5 bytes on disk"):
        budget.spend(1)


def test_an_endless_line_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bytestream, "LINE_LIMIT", 6)
    path.write_bytes(CONTENT)
    with pytest.raises(FileError, match=r"run\.jsonl:2: expected a line of at most 6 bytes"):
        list(read_lines(path))


@pytest.mark.parametrize("line", [b"\xff", b"\xed\xa0\x80", b"\xc0\xaf", "ü".encode("utf-16")])
def test_what_is_not_utf8_is_named_with_its_line(path: Path, line: bytes) -> None:
    path.write_bytes(b"fine\n" + line)
    with pytest.raises(FileError, match=r"run\.jsonl:2: expected UTF-8, got byte 0x"):
        list(read_lines(path))


def test_no_such_file(path: Path) -> None:
    with pytest.raises(FileError, match=r"run\.jsonl: expected a file, got none of that name"):
        list(read_lines(path))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="expected a file, got a folder"):
        list(read_lines(tmp_path))


def test_a_pipe_is_refused_before_it_blocks(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(FileError, match="got a pipe or a device, which can be read only once"):
        list(read_lines(path))


@pytest.mark.parametrize("name", ["a" * 5000, "nul\0byte", "\udcff"])
def test_names_that_no_file_can_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileError, match="expected a file") as caught:
        list(read_lines(tmp_path / name))
    str(caught.value).encode("utf-8")


# Only Linux has a file whose first read fails like a broken disk.
@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="Linux gives a file that fails")
def test_an_input_error_of_the_disk(path: Path) -> None:
    # The first page of a process is never mapped: reading it is a true EIO.
    with pytest.raises(FileError, match=r"/proc/self/mem: .* the error 'Input/output error'"):
        list(read_lines(Path("/proc/self/mem")))


@pytest.mark.parametrize("good_reads", [0, 1, 2])
def test_an_input_error_in_the_middle(
    path: Path, good_reads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(gzip.compress(os.urandom(4 << 20)))
    read = gzip.GzipFile.read
    reads = 0

    def failing_read(self: gzip.GzipFile, size: int | None = -1) -> Any:
        nonlocal reads
        reads += 1
        if reads > good_reads:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read(self, size)

    monkeypatch.setattr(gzip.GzipFile, "read", failing_read)
    with (
        open_bytes(path) as stream,
        pytest.raises(FileError, match=r"beyond byte \d+ of it \(.*Errno"),
    ):
        stream.read()


def test_zstandard_names_the_extra_it_needs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(zstandard(CONTENT))
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingDependencyError, match=r"muscle-metrics\[parquet\]"):
        list(read_lines(path))


@pytest.mark.parametrize("start", [b"\x1f\x8b\x08\x00", b"(\xb5/\xfd"], ids=["gzip", "zstd"])
def test_a_damaged_file_leaves_no_memory(start: bytes, tmp_path: Path) -> None:
    """pyarrow 26 keeps the megabyte of each read that fails, for as long as the process lives."""
    path = tmp_path / "повреждён.jsonl"
    path.write_bytes(start + b"\xff" * 60)

    def fail() -> None:
        with contextlib.suppress(FileError):
            list(read_lines(path))
            raise AssertionError

    fail()
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(3):
            fail()
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 1 << 16
    finally:
        tracemalloc.stop()
