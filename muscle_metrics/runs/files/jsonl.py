"""JSON Lines: one object per line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.errors import FileError
from muscle_metrics.runs.files.bytestream import read_lines
from muscle_metrics.runs.files.strict_json import BAD_JSON, decode, explain
from muscle_metrics.words.place import describe, line_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["decode_row", "read_jsonl"]


def read_jsonl(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Rows of a JSON Lines file with their line numbers; blank lines are passed over.

    Raises
    ------
    FileError
        If a line is not one JSON object in UTF-8.

    Examples
    --------
    >>> from pathlib import Path
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "old.jsonl")
    ...     _ = path.write_text('{"id": 1}')
    ...     print(list(read_jsonl(path)))
    [(1, {'id': 1})]
    """
    for number, line in read_lines(path):
        text = line.strip(" \t\r\n")
        if text:
            yield number, decode_row(text, path, number)


def decode_row(text: str, path: Path, number: int) -> Mapping[str, object]:
    """Decode the row that a line holds, without white space around it.

    Raises
    ------
    FileError
        If the text is not one JSON object; the message names file and line.

    Examples
    --------
    >>> from pathlib import Path
    >>> decode_row('{"id": 1}', Path("old.jsonl"), 7)
    {'id': 1}
    """
    try:
        row, end = decode(text)
    except BAD_JSON as error:
        raise FileError(f"{line_of(path, number)}: {explain(error)}") from error
    if not isinstance(row, dict) or end != len(text):
        given = describe(row) if end == len(text) else f"more text at character {end + 1}"
        raise FileError(
            f"{line_of(path, number)}: expected one JSON object, got {given}: "
            f"each row must be an object on a line of its own"
        )
    return row
