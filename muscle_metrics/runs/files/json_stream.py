"""JSON read a window at a time: an array of objects, or an object with long arrays inside."""

from __future__ import annotations

import io
import re
from contextlib import contextmanager
from json import JSONDecodeError
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.errors import FileError
from muscle_metrics.runs.files.bytestream import LINE_LIMIT, explain_encoding, open_bytes
from muscle_metrics.runs.files.strict_json import BAD_JSON, decode, explain
from muscle_metrics.words.escape import visible
from muscle_metrics.words.place import describe, row_of, show

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

__all__ = ["JsonWindow", "Member", "UnexpectedError", "read_json_array", "read_json_document"]

_DOCUMENT = "one JSON object"
_CHUNK = 1 << 20
_BLANK = re.compile(r"[ \t\r\n]*")
# A number at the edge of the window may go on beyond it, and so may true, false, null and NaN.
_CLOSED = '"]}'


class UnexpectedError(Exception):
    """The JSON text has another shape than the expected one."""


class JsonWindow:
    """A window that moves over a JSON text.

    Parameters
    ----------
    stream : io.BufferedReader
        The text in UTF-8.
    shape : str
        Name of the expected shape, for messages.
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
        """Step over `char`, or raise; an empty `char` means the end of the text.

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
                # The window may end inside the value: read more before calling it an error.
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

    def steps(self, opening: str, closing: str) -> Iterator[None]:
        """Step into an array or object, and stop before each of its elements.

        Raises
        ------
        UnexpectedError
            If the brackets or commas are not those of one array or object.
        """
        self.expect(opening)
        more = self.peek() != closing
        while more:
            yield
            more = self.peek() == ","
            if more:
                self.expect(",")
        self.expect(closing)

    def _fetch(self) -> bool:
        """Drop the text already read, and at least double the rest: retries take linear time."""
        rest = self._text[self.start :]
        chunk = self._source.read(max(_CHUNK, len(rest)))
        if chunk:
            self._text, self.start = rest + chunk, 0
        return bool(chunk)


@contextmanager
def _errors_at(place: Callable[[], str], window: JsonWindow) -> Iterator[None]:
    """Raise errors in a text as a FileError that names the current place."""
    try:
        yield
    except FileError:
        raise
    except UnexpectedError as error:
        raise FileError(f"{place()}: {error}") from error
    except UnicodeDecodeError as error:
        raise FileError(f"{place()}: {explain_encoding(error)}") from error
    except BAD_JSON as error:
        raise FileError(f"{place()}: {explain(error, window.start)}") from error


def read_json_array(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Rows of a JSON array with their numbers from 1.

    Raises
    ------
    FileError
        If the file is not one array of objects in UTF-8.
    """
    number = 1
    with open_bytes(path) as stream:
        window = JsonWindow(stream, "one JSON array of objects")
        with _errors_at(lambda: row_of(path, number), window):
            for number, _ in enumerate(window.steps("[", "]"), start=1):
                yield number, window.read_object()
            window.expect("")


class Member(NamedTuple):
    """A value of a document: the path of names to it, and its number from 1 in its array.

    The number is 0 for a value outside of such an array.
    """

    keys: tuple[str, ...]
    number: int
    value: object


def read_json_document(path: Path, opened: Collection[tuple[str, ...]]) -> Iterator[Member]:
    """Members of a JSON object in the order of the file.

    Parameters
    ----------
    path : Path
        A plain, gzip or Zstandard file.
    opened : collection of tuple of str
        Paths of keys at which an object is entered, or an array read element by element. Every
        other member is read as one value.

    Raises
    ------
    FileError
        If the file is not one JSON object in UTF-8, or a key occurs twice in one object.
    """
    with open_bytes(path) as stream:
        document = _Document(JsonWindow(stream, _DOCUMENT), {*opened, ()})
        with _errors_at(lambda: document.place(path), document.window):
            yield from document.members(())
            document.window.expect("")


class _Document:
    """A walk through a document, and the number of the row that it has reached."""

    def __init__(self, window: JsonWindow, opened: Collection[tuple[str, ...]]) -> None:
        self.window = window
        self._opened = opened
        self._number = 0

    def place(self, path: Path) -> str:
        return row_of(path, self._number) if self._number else visible(str(path))

    def members(self, keys: tuple[str, ...]) -> Iterator[Member]:
        """Members of the next value, whose path is `keys`."""
        if keys in self._opened and self.window.peek() == "{":
            yield from self._object(keys)
        elif keys and keys in self._opened and self.window.peek() == "[":
            yield from self._array(keys)
        elif keys:
            yield Member(keys, 0, self.window.read_value())
        else:
            self.window.expect("{")

    def _object(self, keys: tuple[str, ...]) -> Iterator[Member]:
        seen = set()
        for _ in self.window.steps("{", "}"):
            name = self.window.read_value()
            if not isinstance(name, str):
                raise UnexpectedError(
                    f"expected a name in quotes, got {describe(name)}: the file must be {_DOCUMENT}"
                )
            if name in seen:
                raise UnexpectedError(
                    f"expected each key once per object, got {show(name)} twice: "
                    f"remove the value that is wrong"
                )
            seen.add(name)
            self.window.expect(":")
            yield from self.members((*keys, name))

    def _array(self, keys: tuple[str, ...]) -> Iterator[Member]:
        for _ in self.window.steps("[", "]"):
            self._number += 1
            yield Member(keys, self._number, self.window.read_value())
        self._number = 0
