"""Content of an untrusted file: decompressed, counted and cut into lines."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from muscle_metrics.errors import FileError, require
from muscle_metrics.words.escape import visible
from muscle_metrics.words.place import line_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _typeshed import WriteableBuffer

__all__ = [
    "BYTE_ORDER_MARK",
    "LINE_LIMIT",
    "Budget",
    "check_regular",
    "decompress",
    "explain_encoding",
    "open_bytes",
    "open_file",
    "read_blocks",
    "read_byte_lines",
    "read_lines",
    "read_text",
]

_BLANKS = b" \t\r\n"
LINE_LIMIT = 64 << 20
_RATIO_LIMIT = 200
# Below this size any ratio is allowed: honest files of repetitive rows compress very well.
_RATIO_FREE = 64 << 20
# Past this size only the ratio of honest text is allowed; a plain file never exceeds its own.
_OUTPUT_LIMIT = 4 << 30
_RATIO_OF_LARGE = 20

_CHUNK = 1 << 16
_GZIP = b"\x1f\x8b"
_ZSTANDARD = b"\x28\xb5\x2f\xfd"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Budget:
    """Limit of decompression, for every engine: 200 times the size on disk, 20 times past 4 GiB.

    Up to 64 MiB anything goes. Sizes that a file claims for itself are never trusted; its bytes are
    counted.

    Parameters
    ----------
    path : Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self.spent = 0
        self._path = path
        self._size = path.stat().st_size

    def spend(self, count: int) -> None:
        """Count `count` more bytes.

        Raises
        ------
        FileError
            If the file exceeds its budget.
        """
        self.spent += count
        if self.spent > max(_OUTPUT_LIMIT, _RATIO_OF_LARGE * self._size):
            raise FileError(
                f"{visible(str(self._path))}: expected at most {_OUTPUT_LIMIT} bytes of content or "
                f"{_RATIO_OF_LARGE} times the {self._size} bytes on disk, got more: split the file"
            )
        if self.spent > max(_RATIO_FREE, _RATIO_LIMIT * self._size):
            raise FileError(
                f"{visible(str(self._path))}: expected content of at most {_RATIO_LIMIT} times the "
                f"{self._size} bytes on disk, got more: if you trust the file, decompress it first"
            )


_SAVE_IT = "save its content, as in COMMAND > run.jsonl, and name that file"


def check_regular(path: Path) -> None:
    """Raise a FileError unless `path` is a regular file; opening a pipe would wait forever."""
    try:
        if path.is_file():
            return
        given, advice = "none of that name", "check the path"
        if path.is_dir():
            given, advice = "a folder", "name a file in it"
        elif path.exists():
            given, advice = "a pipe or a device, which can be read only once", _SAVE_IT
        elif os.path.islink(path):
            given = "a link that leads to no file"
    except ValueError:
        given, advice = "a name that no file can have", "check the path"
    except OSError as error:
        given, advice = f"an error: {error.strerror}", "check the path"
    raise FileError(f"{visible(str(path))}: expected a file, got {given}: {advice}")


@contextmanager
def open_bytes(path: Path) -> Iterator[io.BufferedReader]:
    """Open a plain, gzip or Zstandard file, recognised by its first bytes, never by its name.

    Parameters
    ----------
    path : Path
        A regular file.

    Yields
    ------
    io.BufferedReader
        The decompressed bytes; an error while they are read is a FileError.

    Raises
    ------
    FileError
        If there is no such file, it is no regular file, or it cannot be opened.
    MissingDependencyError
        If the file is Zstandard and pyarrow is not installed.
    """
    with open_file(path) as file, decompress(file, path) as stream:
        yield stream


@contextmanager
def open_file(path: Path) -> Iterator[io.BufferedReader]:
    """Open a regular file for its bytes as they are on disk.

    Raises
    ------
    FileError
        If there is no such file, it is no regular file, or it cannot be opened.
    """
    check_regular(path)
    with ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
            file.peek(len(_ZSTANDARD))
        except OSError as error:
            raise FileError(
                f"{visible(str(path))}: expected a file that can be read, got the error "
                f"{error.strerror!r}: check its permissions"
            ) from error
        yield file


@contextmanager
def decompress(file: io.BufferedReader, path: Path) -> Iterator[io.BufferedReader]:
    """Decompress an open file by its first bytes, never by its name.

    Parameters
    ----------
    file : io.BufferedReader
        The open file, at its start.
    path : Path
        Its path, for messages.

    Yields
    ------
    io.BufferedReader
        The decompressed bytes; an error while they are read is a FileError.

    Raises
    ------
    MissingDependencyError
        If the file is Zstandard and pyarrow is not installed.
    """
    magic = file.peek(len(_ZSTANDARD))
    with ExitStack() as stack:
        stream: io.BufferedIOBase = file
        if magic.startswith(_GZIP):
            stream = stack.enter_context(gzip.GzipFile(fileobj=file))
        elif magic.startswith(_ZSTANDARD):
            stream = stack.enter_context(
                require("pyarrow", "parquet").CompressedInputStream(file, "zstd")
            )
        yield io.BufferedReader(_Counted(stream, path), _CHUNK)


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines of a file with their numbers from 1, as text; `read_byte_lines` cuts them.

    Raises
    ------
    FileError
        If the file cannot be read to its end, is not UTF-8, or has a line longer than 64 MiB.
    """
    for number, text in read_text(path):
        yield from enumerate(io.StringIO(text, newline="\n"), start=number)


def read_text(path: Path) -> Iterator[tuple[int, str]]:
    """Blocks of whole lines as text, with the number of the first line; as `read_blocks`.

    Raises
    ------
    FileError
        If the file cannot be read to its end, is not UTF-8, or has a line longer than 64 MiB.
    """
    for number, block in read_blocks(path):
        try:
            text = block.decode()
        except UnicodeDecodeError as error:
            whole = block[: block.rfind(b"\n", 0, error.start) + 1]
            yield number, whole.decode()
            place = line_of(path, number + whole.count(b"\n"))
            raise FileError(f"{place}: {explain_encoding(error)}") from error
        yield number, text


def read_byte_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    r"""Lines of a file with their numbers from 1, split on ``\n`` only.

    Python splits text at more line ends (U+2028, U+0085, a lone CR), which model outputs contain.
    Blank lines are left out.

    Yields
    ------
    int
        Number of the line.
    bytes
        The line with its line end, without a byte order mark.

    Raises
    ------
    FileError
        If the file cannot be read to its end, or has a line longer than 64 MiB.
    """
    for number, block in read_blocks(path):
        # A small compressed file may unfold to a hundred million blank lines.
        if block.strip(_BLANKS):
            lines = enumerate(io.BytesIO(block), start=number)
            yield from ((number, line) for number, line in lines if line.strip(_BLANKS))


def read_blocks(path: Path) -> Iterator[tuple[int, bytes]]:
    """Whole lines of a file, some 64 KiB at a time; a longer line is a block of its own.

    Parameters
    ----------
    path : Path
        A plain, gzip or Zstandard file.

    Yields
    ------
    int
        Number of the first line, from 1.
    bytes
        Lines with their line ends, without a byte order mark.

    Raises
    ------
    FileError
        If the file cannot be read to its end, or has a line longer than 64 MiB.
    """
    for number, block in _blocks(path):
        yield number, block.removeprefix(BYTE_ORDER_MARK) if number == 1 else block


def _blocks(path: Path) -> Iterator[tuple[int, bytes]]:
    with open_bytes(path) as stream:
        number = 1
        # One read of the file at a time: lines before an error are yielded before it is raised.
        while chunk := stream.read1(min(_CHUNK, LINE_LIMIT)):
            end = chunk.rfind(b"\n") + 1
            if end:
                yield number, chunk[:end]
                number += chunk.count(b"\n")
            if end < len(chunk):
                yield number, _complete(chunk[end:], stream, path, number)
                number += 1


def _complete(start: bytes, stream: io.BufferedReader, path: Path, number: int) -> bytes:
    line = start + stream.readline(LINE_LIMIT + 1 - len(start))
    if len(line) > LINE_LIMIT:
        raise FileError(
            f"{line_of(path, number)}: expected a line of at most {LINE_LIMIT} bytes, "
            f"got more: each row must be on a line of its own"
        )
    return line


def explain_encoding(error: UnicodeDecodeError) -> str:
    """Name the byte that is not UTF-8, and advise."""
    byte = error.object[error.start]
    return f"expected UTF-8, got byte 0x{byte:02x}: convert the file to UTF-8"


class _Counted(io.RawIOBase):
    """A stream that counts its bytes, and raises every failure as a FileError."""

    def __init__(self, stream: io.BufferedIOBase, path: Path) -> None:
        self._stream = stream
        self._path = path
        self._budget = Budget(path)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        try:
            # pyarrow never frees the buffer of a `read` that fails.
            read = self._stream.readinto(buffer)
        except (EOFError, OSError, ValueError, zlib.error) as error:
            raise FileError(
                f"{visible(str(self._path))}: expected whole content, got an error beyond byte "
                f"{self._budget.spent} of it ({visible(str(error))}): the file is cut short or "
                f"damaged, fetch it again"
            ) from error
        self._budget.spend(read)
        return read
