"""One JSON object that holds long arrays somewhere inside: members and rows, one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.errors import FileError
from muscle_metrics.runs.files.bytestream import explain_encoding, open_bytes
from muscle_metrics.runs.files.json_window import JsonWindow, UnexpectedError
from muscle_metrics.runs.files.strict_json import BAD_JSON, explain
from muscle_metrics.words.escape import visible
from muscle_metrics.words.place import describe, row_of, show

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

__all__ = ["Member", "read_json_document"]

_SHAPE = "one JSON object"


class Member(NamedTuple):
    """A value of a document: the names that lead to it, and its number from 1 in its array.

    The number is 0 for a value that was not read out of an array.

    Examples
    --------
    >>> Member(("results", "version"), 0, 3).keys
    ('results', 'version')
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
        Paths of keys at which an object is entered, or an array read element by element; whatever
        else the document holds is one value each.

    Raises
    ------
    FileError
        If the file is not one JSON object in UTF-8, or a key stands twice in one object.

    Examples
    --------
    >>> from pathlib import Path
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "run.json")
    ...     _ = path.write_text('{"id": 7, "results": {"rows": [1, 2]}}')
    ...     for member in read_json_document(path, {("results",), ("results", "rows")}):
    ...         print(*member)
    ('id',) 0 7
    ('results', 'rows') 1 1
    ('results', 'rows') 2 2
    """
    with open_bytes(path) as stream:
        document = _Document(JsonWindow(stream, _SHAPE), {*opened, ()})
        try:
            yield from document.members(())
            document.window.expect("")
        except FileError:
            raise
        except UnexpectedError as error:
            raise FileError(f"{document.place(path)}: {error}") from error
        except UnicodeDecodeError as error:
            raise FileError(f"{document.place(path)}: {explain_encoding(error)}") from error
        except BAD_JSON as error:
            reason = explain(error, document.window.start)
            raise FileError(f"{document.place(path)}: {reason}") from error


class _Document:
    """A walk through a document, which knows the row it stands in."""

    def __init__(self, window: JsonWindow, opened: Collection[tuple[str, ...]]) -> None:
        self.window = window
        self._opened = opened
        self._number = 0

    def place(self, path: Path) -> str:
        return row_of(path, self._number) if self._number else visible(str(path))

    def members(self, keys: tuple[str, ...]) -> Iterator[Member]:
        """Members of the value that comes next, which `keys` lead to."""
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
        self.window.expect("{")
        more = self.window.peek() != "}"
        while more:
            name = self.window.read_value()
            if not isinstance(name, str):
                raise UnexpectedError(
                    f"expected a name in quotes, got {describe(name)}: the file must be {_SHAPE}"
                )
            if name in seen:
                raise UnexpectedError(
                    f"expected each key once per object, got {show(name)} twice: "
                    f"remove the value that is wrong"
                )
            seen.add(name)
            self.window.expect(":")
            yield from self.members((*keys, name))
            more = self.window.peek() == ","
            if more:
                self.window.expect(",")
        self.window.expect("}")

    def _array(self, keys: tuple[str, ...]) -> Iterator[Member]:
        self.window.expect("[")
        more = self.window.peek() != "]"
        while more:
            self._number += 1
            yield Member(keys, self._number, self.window.read_value())
            more = self.window.peek() == ","
            if more:
                self.window.expect(",")
        self.window.expect("]")
        self._number = 0
