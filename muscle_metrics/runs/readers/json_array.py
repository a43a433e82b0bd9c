"""A JSON array of objects, read a window at a time."""

from __future__ import annotations

import io
import re
from json import JSONDecodeError
from typing import TYPE_CHECKING

from muscle_metrics.errors import FileError
from muscle_metrics.runs.bytestream import LINE_LIMIT, explain_encoding, open_bytes
from muscle_metrics.runs.place import describe, row_of
from muscle_metrics.runs.strict_json import BAD_JSON, decode, explain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["read_json_array"]

_CHUNK = 1 << 20
_BLANK = re.compile(r"[ \t\r\n]*")


def read_json_array(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Rows of a JSON array with their numbers from 1.

    Raises
    ------
    FileError
        If the file is not one array of objects in UTF-8.

    Examples
    --------
    >>> from pathlib import Path
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "old.json")
    ...     _ = path.write_text('[{"id": 1}, {"id": 2}]')
    ...     print(list(read_json_array(path)))
    [(1, {'id': 1}), (2, {'id': 2})]
    """
    with open_bytes(path) as stream:
        number = 1
        window = _Window(stream)
        try:
            window.expect("[")
            if window.peek() != "]":
                yield number, window.read_object()
                while window.peek() == ",":
                    number += 1
                    window.expect(",")
                    yield number, window.read_object()
            window.expect("]")
            window.expect("")
        except FileError:
            raise
        except _UnexpectedError as error:
            raise FileError(f"{row_of(path, number)}: {error}") from error
        except UnicodeDecodeError as error:
            raise FileError(f"{row_of(path, number)}: {explain_encoding(error)}") from error
        except BAD_JSON as error:
            raise FileError(f"{row_of(path, number)}: {explain(error, window.start)}") from error


class _UnexpectedError(Exception):
    """The text is JSON, and not an array of objects."""


class _Window:
    """The part of a text that is in memory: what is read is dropped, what is missing fetched."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._source = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
        self._text = ""
        self.start = 0

    def peek(self) -> str:
        """Return the next character that is not blank; empty at the end of the text."""
        while True:
            blank = _BLANK.match(self._text, self.start)
            self.start = blank.end() if blank else self.start
            if self.start < len(self._text):
                return self._text[self.start]
            if not self._fetch():
                return ""

    def expect(self, char: str) -> None:
        """Step over `char`, or raise; the empty text is the end."""
        given = self.peek()
        if given != char:
            raise _UnexpectedError(
                f"expected {describe(char) if char else 'the end of the file'}, "
                f"got {describe(given) if given else 'the end of the file'}: "
                f"the file must be one JSON array of objects"
            )
        self.start += len(char)

    def read_object(self) -> Mapping[str, object]:
        """Return the object that comes next."""
        self.peek()
        while True:
            try:
                row, self.start = decode(self._text, self.start)
                break
            except JSONDecodeError:
                # The object may merely be cut by the edge of the window.
                if len(self._text) - self.start > LINE_LIMIT or not self._fetch():
                    raise
        if not isinstance(row, dict):
            raise _UnexpectedError(
                f"expected an object, got {describe(row)}: "
                f"the file must be one JSON array of objects"
            )
        return row

    def _fetch(self) -> bool:
        """Drop what is read and at least double what is not, so that retrying stays linear."""
        rest = self._text[self.start :]
        chunk = self._source.read(max(_CHUNK, len(rest)))
        if chunk:
            self._text, self.start = rest + chunk, 0
        return bool(chunk)
