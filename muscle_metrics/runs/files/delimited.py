"""CSV and TSV: a header, then rows in which every cell is text."""

from __future__ import annotations

import csv
from collections import Counter
from typing import TYPE_CHECKING

from muscle_metrics.errors import FileError
from muscle_metrics.runs.files.bytestream import LINE_LIMIT, read_lines
from muscle_metrics.words.place import line_of, show

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["read_csv", "read_tsv"]


# A small compressed file may unfold to a hundred million blank lines.
_MOST_BLANK = 1_000_000
_NAMES = {",": "commas", "\t": "tabs"}
# Advice for a header with another delimiter.
_ADVICE = {
    "\t": 'read it with --format tsv (format="tsv")',
    ",": 'read it with --format csv (format="csv")',
    ";": "save it with commas in place of ';'",
    "|": "save it with commas in place of '|'",
}


def read_csv(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    r"""Rows of a comma-separated file with the number of the line each starts on.

    Cells stay text: ``007`` is no number. Quoted cells may hold line ends. The last row need not
    end with a newline; some spreadsheets leave it out.

    Raises
    ------
    FileError
        If the file is not UTF-8, a quote is never closed, a column name occurs twice, or a row
        has more or fewer cells than the header.
    """
    return _read_rows(path, ",")


def read_tsv(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    r"""Rows of a tab-separated file; otherwise as `read_csv`."""
    return _read_rows(path, "\t")


def _read_rows(path: Path, delimiter: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    rows = _read_cells(path, delimiter)
    number, header = next(rows, (1, []))
    if not header:
        raise FileError(
            f"{line_of(path, number)}: expected a header of column names, got nothing: "
            f"write them in the first line"
        )
    _check_delimiter(line_of(path, number), header, delimiter)
    for name, count in Counter(header).items():
        if count > 1:
            raise FileError(
                f"{line_of(path, number)}: expected each column name once, "
                f"got {show(name)} {count} times: rename all but one"
            )
    for number, cells in rows:
        if len(cells) != len(header):
            raise FileError(
                f"{line_of(path, number)}: expected {len(header)} cells as in the header, "
                f"got {len(cells)}: quote cells that hold a delimiter, a quote or a line end"
            )
        yield number, dict(zip(header, cells, strict=True))


def _check_delimiter(place: str, header: list[str], delimiter: str) -> None:
    """Raise a FileError if the header is one cell, and would be several with another delimiter."""
    others = [other for other in _ADVICE if other != delimiter and other in header[0]]
    if len(header) == 1 and others:
        raise FileError(
            f"{place}: expected column names with {_NAMES[delimiter]} between them, got only "
            f"{show(header[0])}: {_ADVICE[others[0]]}"
        )


def _read_cells(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    blank = 0
    reader = csv.reader((line for _, line in read_lines(path)), delimiter=delimiter, strict=True)
    while True:
        number = reader.line_num + 1
        # The limit belongs to the whole process: change it for one row, then restore it.
        limit = csv.field_size_limit(LINE_LIMIT)
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise FileError(
                f"{line_of(path, number)}: expected cells in closed quotes or in none, got a row "
                f"that cannot be split ({error}): close every quote, and double those inside a cell"
            ) from error
        finally:
            csv.field_size_limit(limit)
        blank = 0 if cells else blank + 1
        if blank > _MOST_BLANK:
            raise FileError(
                f"{line_of(path, number)}: expected rows, got {_MOST_BLANK} blank lines one after "
                f"another: remove them"
            )
        if cells:
            yield number, cells
