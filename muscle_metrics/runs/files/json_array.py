"""A JSON array of objects, read a window at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.errors import FileError
from muscle_metrics.runs.files.bytestream import explain_encoding, open_bytes
from muscle_metrics.runs.files.json_window import JsonWindow, UnexpectedError
from muscle_metrics.runs.files.strict_json import BAD_JSON, explain
from muscle_metrics.words.place import row_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["read_json_array"]

_SHAPE = "one JSON array of objects"


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
        window = JsonWindow(stream, _SHAPE)
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
        except UnexpectedError as error:
            raise FileError(f"{row_of(path, number)}: {error}") from error
        except UnicodeDecodeError as error:
            raise FileError(f"{row_of(path, number)}: {explain_encoding(error)}") from error
        except BAD_JSON as error:
            raise FileError(f"{row_of(path, number)}: {explain(error, window.start)}") from error
