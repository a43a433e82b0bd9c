"""Untrusted zip archives: every entry is decompressed and counted before it is used.

Names, sizes and checksums that an archive claims are checked against its bytes, and no two entries
may share bytes. So another reader gets the same content from an archive that passes.
"""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, BinaryIO

from muscle_metrics.errors import FileError, require
from muscle_metrics.runs.files.bytestream import Budget, check_regular
from muscle_metrics.words.escape import visible
from muscle_metrics.words.place import show

if TYPE_CHECKING:
    import re
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

__all__ = ["ENTRY_LIMIT", "read_entries"]

ENTRY_LIMIT = 256 << 20
_MOST_ENTRIES = 100_000
_CHUNK = 1 << 16
_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_LOCAL_MAGIC = b"PK\x03\x04"
_ENCRYPTED = 0x1
_ZSTANDARD = 93
# Errors of reading the directory of a damaged archive.
_UNREADABLE = (
    zipfile.BadZipFile,
    OSError,  # the file is missing, or its disk fails
    ValueError,  # a name is not UTF-8, or an offset is negative
    NotImplementedError,  # zipfile does not know this version of the format
)


def read_entries(
    path: Path, names: re.Pattern[str], wanted: Collection[str] | None = None
) -> Iterator[tuple[str, bytes]]:
    """Decompress the entries of an archive one by one, under a budget.

    Parameters
    ----------
    path : Path
        A zip archive.
    names : re.Pattern
        Pattern of the whole name of an entry.
    wanted : collection of str, optional
        Names of the entries to decompress; all by default.

    Yields
    ------
    str
        Name of the entry.
    bytes
        Its content; at most 256 MiB, and 4 GiB in all.

    Raises
    ------
    FileError
        If the archive is damaged, makes false claims, or exceeds the budget of decompressed bytes.
    MissingDependencyError
        If an entry is Zstandard and the package zstandard is not installed.
    """
    check_regular(path)
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            _check_names(path, entries, names)
            budget = Budget(path)
            starts = [_start_of_data(path, file, entry) for entry in entries]
            _check_overlaps(path, entries, starts, archive.start_dir)
            for entry, start in zip(entries, starts, strict=True):
                if wanted is None or entry.filename in wanted:
                    yield entry.filename, _unfold(path, file, entry, start, budget)
    except FileError:
        raise
    except _UNREADABLE as error:
        raise _damaged(path, visible(str(error))) from error


def _check_names(path: Path, entries: Sequence[zipfile.ZipInfo], names: re.Pattern[str]) -> None:
    if len(entries) > _MOST_ENTRIES:
        raise FileError(
            f"{visible(str(path))}: expected at most {_MOST_ENTRIES} entries, got {len(entries)}: "
            f"split the log"
        )
    seen: set[str] = set()
    for entry in entries:
        name = entry.filename
        parts = name.split("/")
        if entry.orig_filename != name or not names.fullmatch(name) or {"", ".", ".."} & {*parts}:
            raise _refusal(path, name, "entries of the log alone", "one of another name")
        if name in seen:
            raise _refusal(path, name, "each entry once", "one twice")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise _refusal(path, name, "files", "a symbolic link")
        if entry.flag_bits & _ENCRYPTED:
            raise _refusal(path, name, "entries in the clear", "an encrypted one")
        if entry.file_size > ENTRY_LIMIT:
            raise _refusal(path, name, f"entries of at most {ENTRY_LIMIT} bytes", "a larger one")
        seen.add(name)


def _start_of_data(path: Path, file: BinaryIO, entry: zipfile.ZipInfo) -> int:
    file.seek(entry.header_offset)
    header = file.read(_LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size or not header.startswith(_LOCAL_MAGIC):
        raise _refusal(path, entry.filename, "an entry where the archive says", "none")
    name_length, extra_length = _LOCAL_HEADER.unpack(header)[-2:]
    raw = file.read(name_length)
    if raw not in (entry.filename.encode(), entry.filename.encode("cp437", "replace")):
        raise _refusal(path, entry.filename, "one name per entry", "two")
    return entry.header_offset + _LOCAL_HEADER.size + int(name_length) + int(extra_length)


def _check_overlaps(
    path: Path, entries: Sequence[zipfile.ZipInfo], starts: Sequence[int], directory: int
) -> None:
    spans = sorted(
        (entry.header_offset, start + entry.compress_size, entry.filename)
        for entry, start in zip(entries, starts, strict=True)
    )
    ends = [begin for begin, _, _ in spans[1:]] + [directory]
    for (_, end, name), limit in zip(spans, ends, strict=True):
        if end > limit:
            raise _refusal(path, name, "entries apart from each other", "one that overlaps another")


def _unfold(
    path: Path, file: BinaryIO, entry: zipfile.ZipInfo, start: int, budget: Budget
) -> bytes:
    file.seek(start)
    parts = []
    size = 0
    for part in _decompressed(path, file, entry):
        size += len(part)
        budget.spend(len(part))
        if size > min(entry.file_size, ENTRY_LIMIT):
            raise _refusal(path, entry.filename, f"{entry.file_size} bytes as it claims", "more")
        parts.append(part)
    content = b"".join(parts)
    if size != entry.file_size or zlib.crc32(content) != entry.CRC:
        raise _refusal(path, entry.filename, "content as it claims", "another")
    return content


def _decompressed(path: Path, file: BinaryIO, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Pieces of the content, each at most a chunk long, whatever the compression ratio."""
    if entry.compress_type == zipfile.ZIP_STORED:
        yield from _chunks(file, entry.compress_size)
    elif entry.compress_type == zipfile.ZIP_DEFLATED:
        decompressor = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            for chunk in _chunks(file, entry.compress_size):
                yield decompressor.decompress(chunk, _CHUNK)
                while decompressor.unconsumed_tail:
                    yield decompressor.decompress(decompressor.unconsumed_tail, _CHUNK)
        except zlib.error as error:
            raise _damaged(path, visible(str(error))) from error
    elif entry.compress_type == _ZSTANDARD:
        zstandard = require("zstandard", "inspect")
        # A frame may ask for a huge window: memory that is allocated before any output. Limit it.
        decompressor = zstandard.ZstdDecompressor(max_window_size=1 << 27)
        source = _Section(file, entry.compress_size)
        try:
            with decompressor.stream_reader(
                source, closefd=False, read_across_frames=True
            ) as frames:
                while part := frames.read(_CHUNK):
                    yield part
        except zstandard.ZstdError as error:
            raise _damaged(path, visible(str(error))) from error
    else:
        method = f"method {entry.compress_type}"
        raise _refusal(path, entry.filename, "deflate or Zstandard", method)


class _Section:
    """A stream of a fixed number of bytes from the current position of a file."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._left = size

    def read(self, size: int) -> bytes:
        data = self._file.read(min(size, self._left))
        self._left -= len(data)
        return data


def _chunks(file: BinaryIO, size: int) -> Iterator[bytes]:
    section = _Section(file, size)
    while chunk := section.read(_CHUNK):
        yield chunk


def _refusal(path: Path, name: str, expected: str, given: str) -> FileError:
    return FileError(
        f"{visible(str(path))}: expected {expected}, got {given} ({show(name)}): fetch the log "
        f"again from where it was made"
    )


def _damaged(path: Path, reason: str) -> FileError:
    return FileError(
        f"{visible(str(path))}: expected a whole archive, got a damaged one ({reason}): fetch the "
        f"log again from where it was made"
    )
