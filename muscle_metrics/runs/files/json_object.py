"""A file that is one JSON object, such as the summary of a harness."""

from __future__ import annotations

from json import JSONDecodeError
from typing import TYPE_CHECKING

from muscle_metrics.errors import FileError
from muscle_metrics.runs.files.bytestream import explain_encoding, open_bytes
from muscle_metrics.runs.files.strict_json import BAD_JSON, decode, explain
from muscle_metrics.words.escape import visible
from muscle_metrics.words.place import describe, line_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["OBJECT_LIMIT", "read_json_object"]

# Largest text of one object in memory; larger logs come as rows or in several files.
OBJECT_LIMIT = 1 << 30
_CHUNK = 1 << 20


def read_json_object(path: Path) -> Mapping[str, object]:
    """Read a file that is one JSON object.

    Parameters
    ----------
    path : Path
        A plain, gzip or Zstandard file.

    Raises
    ------
    FileError
        If the file cannot be read to its end, is longer than 1 GiB, or is not one JSON object in
        UTF-8; the message names the line.
    """
    with open_bytes(path) as stream:
        # One read of the whole limit would reserve a gigabyte for any file.
        chunks, left = [], OBJECT_LIMIT + 1
        while left and (chunk := stream.read(min(left, _CHUNK))):
            chunks.append(chunk)
            left -= len(chunk)
        content = b"".join(chunks)
    if len(content) > OBJECT_LIMIT:
        raise FileError(
            f"{visible(str(path))}: expected at most {OBJECT_LIMIT} bytes of JSON, got more: "
            f"write one row per line"
        )
    try:
        text = content.decode("utf-8-sig").strip(" \t\r\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FileError(f"{line_of(path, line)}: {explain_encoding(error)}") from error
    try:
        value, end = decode(text)
    except BAD_JSON as error:
        line = error.lineno if isinstance(error, JSONDecodeError) else 1
        raise FileError(f"{line_of(path, line)}: {explain(error)}") from error
    if not isinstance(value, dict) or end != len(text):
        given = describe(value) if end == len(text) else f"more text at character {end + 1}"
        raise FileError(
            f"{line_of(path, text.count(chr(10), 0, end) + 1)}: expected one JSON object, got "
            f"{given}: fetch the file again"
        )
    return value
