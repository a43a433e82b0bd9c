"""The start of a file or folder, which is read once to recognise every format."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from muscle_metrics.errors import FileError, MissingDependencyError
from muscle_metrics.runs.files.bytestream import BYTE_ORDER_MARK, decompress, open_file
from muscle_metrics.runs.files.jsonl import decode_row
from muscle_metrics.runs.files.parquet import MAGIC, footer_columns, read_footer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Glimpse"]

_HEAD = 1 << 12
_START = 1 << 16
_LONGEST_ROW = 8 << 20
_BLANKS = b" \t\r\n"


class Glimpse:
    """The start of a file, for which the file is opened once; or a folder and its files.

    Parameters
    ----------
    path : Path
        A file or folder, which need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files: dict[Path, Glimpse] = {}

    @cached_property
    def is_folder(self) -> bool:
        """Whether the path is that of a folder."""
        # Unlike that of a path, this function also takes names that no file can have.
        return os.path.isdir(self.path)

    @property
    def head(self) -> bytes:
        """First 4 KiB, decompressed.

        Raises
        ------
        FileError
            If these bytes cannot be read.
        MissingDependencyError
            If the file is Zstandard and pyarrow is not installed.
        """
        if self._content.error is not None and not self._content.head:
            raise self._content.error
        return self._content.head

    @property
    def start(self) -> bytes:
        """First 64 KiB, decompressed; empty where they cannot be read to their end."""
        return self._content.start

    @cached_property
    def row(self) -> Mapping[str, object]:
        """First row of a JSON Lines file; empty where the file holds anything else."""
        line, _, _ = self._content.line.partition(b"\n")
        if not line.startswith(b"{"):
            return {}
        try:
            return decode_row(line.rstrip(_BLANKS).decode(), self.path, 1)
        except (FileError, UnicodeDecodeError):
            return {}

    @cached_property
    def columns(self) -> frozenset[str]:
        """Columns of a Parquet file; empty where the file holds anything else.

        Raises
        ------
        MissingDependencyError
            If the file is Parquet and pyarrow is not installed.
        """
        try:
            return frozenset(footer_columns(self._content.footer, self.path))
        except FileError:
            return frozenset()

    def glimpse(self, path: Path) -> Glimpse:
        """Glimpse of a file in this folder, or of this file itself."""
        return self if path == self.path else self._files.setdefault(path, Glimpse(path))

    @cached_property
    def _content(self) -> _Content:
        content = _Content()
        try:
            with open_file(self.path) as file, decompress(file, self.path) as stream:
                content.head = stream.read(_HEAD)
                content.start = content.head + stream.read(_START - len(content.head))
                if content.start.startswith(MAGIC):
                    content.footer = read_footer(file)
                line = content.start.removeprefix(BYTE_ORDER_MARK).lstrip(_BLANKS)
                if line.startswith(b"{") and b"\n" not in line:
                    line += stream.readline(_LONGEST_ROW)
                    # One long document: decoding it takes as long as reading the file.
                    line = line if len(line) < _LONGEST_ROW else b""
                content.line = line
        except (FileError, MissingDependencyError) as error:
            # The reader of the format reports the damage, with the place.
            content.error = error
        return content


@dataclass(slots=True)
class _Content:
    """Bytes that were read before an error, and the error."""

    head: bytes = b""
    start: bytes = b""
    line: bytes = b""
    footer: bytes = b""
    error: FileError | MissingDependencyError | None = None
