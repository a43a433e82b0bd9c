"""The start of a file or folder, for telling whose it is without reading it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from muscle_metrics.errors import FileError, MissingDependencyError
from muscle_metrics.runs.files.bytestream import open_bytes
from muscle_metrics.runs.files.jsonl import read_jsonl

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["first_bytes", "first_row"]

_LONGEST_ROW = 8 << 20


def first_bytes(path: Path, count: int = 1 << 16) -> bytes:
    """First bytes of a file, decompressed; none where there is no such file or it is damaged.

    Examples
    --------
    >>> from pathlib import Path
    >>> first_bytes(Path("no-such-file"))
    b''
    """
    try:
        with open_bytes(path) as stream:
            return stream.read(count)
    except (FileError, MissingDependencyError):
        # Whoever reads it as something else says what is wrong with it.
        return b""


def first_row(path: Path) -> Mapping[str, object]:
    """First row of a JSON Lines file; an empty one where the file is anything else.

    Examples
    --------
    >>> from pathlib import Path
    >>> first_row(Path("no-such-file"))
    {}
    """
    start = first_bytes(path)
    if not start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        return {}
    if b"\n" not in start:
        # Rarely are rows this long, and many megabytes are not read of every file to look for one.
        start = first_bytes(path, _LONGEST_ROW)
        if len(start) == _LONGEST_ROW and b"\n" not in start:
            # One long document; to find out that it is no row would take as long as reading it.
            return {}
    try:
        return next((row for _, row in islice(read_jsonl(path), 1)), {})
    except FileError:
        return {}
