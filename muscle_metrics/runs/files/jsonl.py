"""JSON Lines: one object per line."""

from __future__ import annotations

from itertools import compress, count
from typing import TYPE_CHECKING

from muscle_metrics.errors import FileError
from muscle_metrics.runs.files.bytestream import read_text
from muscle_metrics.runs.files.strict_json import BAD_JSON, decode, decode_objects, explain
from muscle_metrics.words.place import describe, line_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["decode_row", "read_jsonl"]


def read_jsonl(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Rows of a JSON Lines file with their line numbers; blank lines are skipped.

    Raises
    ------
    FileError
        If a line is not one JSON object in UTF-8.
    """
    for first, block in read_text(path):
        if not block.strip(" \t\r\n"):
            # A small compressed file may unfold to a hundred million blank lines.
            continue
        lines = [line.strip(" \t\r") for line in block.split("\n")]
        numbers = list(compress(count(first), lines))
        texts = list(filter(None, lines))
        rows = decode_objects(texts)
        if rows is None:
            # Row by row, so that the rows before a wrong one are yielded before its error.
            for number, text in zip(numbers, texts, strict=True):
                yield number, decode_row(text, path, number)
        else:
            yield from zip(numbers, rows, strict=True)


def decode_row(text: str, path: Path, number: int) -> Mapping[str, object]:
    """Decode the row that a line holds, without white space around it.

    Raises
    ------
    FileError
        If the text is not one JSON object; the message names file and line.
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
