"""A text file with one answer, or one reference, on each line: its number is the id of the item."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.errors import FileError
from muscle_metrics.runs.files.bytestream import read_lines
from muscle_metrics.words.place import line_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["LINE", "read_text_lines"]

LINE = "prediction"
"""Field of a line. It is no reference too: every answer would be right by itself."""

# A small compressed file may unfold to a hundred million blank lines.
_MOST_BLANK = 1_000_000


def read_text_lines(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    r"""Rows with the fields ``id`` and ``prediction``; a blank line is an empty answer.

    Lines end with ``\n`` or ``\r\n`` alone: texts may hold other line ends of Unicode.

    Raises
    ------
    FileError
        If the file is not UTF-8, has a line longer than 64 MiB, or a million blank lines in a row.
    """
    blank = 0
    for number, line in read_lines(path):
        text = line.removesuffix("\n").removesuffix("\r")
        blank = 0 if text else blank + 1
        if blank > _MOST_BLANK:
            raise FileError(
                f"{line_of(path, number)}: expected answers, got {_MOST_BLANK} blank lines one "
                f"after another: remove them"
            )
        yield number, {"id": number, LINE: text}
