"""The part of a JSON text that is in memory: what is read is dropped, what is missing fetched."""

from __future__ import annotations

import io
import re
from json import JSONDecodeError

from muscle_metrics.runs.files.bytestream import LINE_LIMIT
from muscle_metrics.runs.files.strict_json import decode
from muscle_metrics.words.place import describe

__all__ = ["JsonWindow", "UnexpectedError"]

_CHUNK = 1 << 20
_BLANK = re.compile(r"[ \t\r\n]*")
# A number at the edge of the window may go on beyond it, and so may true, false, null and NaN.
_CLOSED = '"]}'


class UnexpectedError(Exception):
    """The text is JSON, and not of the shape that is read."""


class JsonWindow:
    """A window that moves over a JSON text.

    Parameters
    ----------
    stream : io.BufferedReader
        The text in UTF-8.
    shape : str
        What the text must be, for messages.

    Examples
    --------
    >>> window = JsonWindow(io.BufferedReader(io.BytesIO(b'[{"id": 1}]')), "an array")
    >>> window.expect("[")
    >>> window.read_value(), window.peek()
    ({'id': 1}, ']')
    """

    def __init__(self, stream: io.BufferedReader, shape: str) -> None:
        self._source = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
        self._shape = shape
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
        """Step over `char`, or raise; the empty text is the end.

        Raises
        ------
        UnexpectedError
            If another character comes next.
        """
        given = self.peek()
        if given != char:
            raise UnexpectedError(
                f"expected {describe(char) if char else 'the end of the file'}, "
                f"got {describe(given) if given else 'the end of the file'}: "
                f"the file must be {self._shape}"
            )
        self.start += len(char)

    def read_value(self) -> object:
        """Return the value that comes next."""
        self.peek()
        while True:
            try:
                value, end = decode(self._text, self.start)
            except JSONDecodeError:
                # The value may merely be cut by the edge of the window.
                if len(self._text) - self.start > LINE_LIMIT or not self._fetch():
                    raise
            else:
                if end < len(self._text) or self._text[end - 1] in _CLOSED or not self._fetch():
                    self.start = end
                    return value

    def read_object(self) -> dict[str, object]:
        """Return the object that comes next.

        Raises
        ------
        UnexpectedError
            If another value comes next.
        """
        value = self.read_value()
        if not isinstance(value, dict):
            raise UnexpectedError(
                f"expected an object, got {describe(value)}: the file must be {self._shape}"
            )
        return value

    def _fetch(self) -> bool:
        """Drop what is read and at least double what is not, so that retrying stays linear."""
        rest = self._text[self.start :]
        chunk = self._source.read(max(_CHUNK, len(rest)))
        if chunk:
            self._text, self.start = rest + chunk, 0
        return bool(chunk)
