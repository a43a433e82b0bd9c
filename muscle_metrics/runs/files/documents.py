"""A file that is one JSON document, or rows over several lines: say so, and what to do.

Line by line such a file is no JSON at all, and "invalid JSON" sends the user to a file without a
fault.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.errors import FileError
from muscle_metrics.runs.files.bytestream import BYTE_ORDER_MARK, open_bytes
from muscle_metrics.runs.files.json_stream import JsonWindow, UnexpectedError
from muscle_metrics.runs.files.strict_json import BAD_JSON
from muscle_metrics.words.escape import visible
from muscle_metrics.words.place import list_names

if TYPE_CHECKING:
    from pathlib import Path

    from muscle_metrics.runs.files.glimpse import Glimpse

__all__ = ["refuse_document"]

_MOST_KEYS = 1000
_KEYS_SHOWN = 5
# A key that jq takes without quotes.
_SIMPLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class _Document(NamedTuple):
    """Keys of the first object of a file, those that hold lists of objects, and what comes next."""

    keys: list[str]
    lists: list[str]
    after: str


def refuse_document(glimpse: Glimpse) -> None:
    """Refuse a file that is one whole JSON document, or rows of several lines each.

    Parameters
    ----------
    glimpse : Glimpse
        A file that starts as JSON Lines do. A damaged one passes: the reader of its rows names the
        place of the damage.

    Raises
    ------
    FileError
        If the file is whole, and no JSON Lines.
    """
    if glimpse.row:
        return
    start = glimpse.start.removeprefix(BYTE_ORDER_MARK).lstrip()
    # A row may be megabytes long; a document over several lines shows it at once.
    if not start.startswith(b"{") or b"\n" not in start or _is_json(start.partition(b"\n")[0]):
        # A whole first line is a row; the reader of rows says what is wrong with it.
        return
    document = _read(glimpse.path)
    if document is None:
        return
    path = visible(str(glimpse.path))
    if document.after:
        raise FileError(
            f"{path}: expected one row per line, got rows that go over several lines: write each "
            f"on a line of its own, jq -c . {path}"
        )
    raise _refusal(glimpse.path, document.keys, _advice(document, path))


def _is_json(line: bytes) -> bool:
    """Whether a line is whole JSON, if perhaps with faults such as a repeated key."""
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _refusal(path: Path, keys: list[str], advice: str) -> FileError:
    return FileError(
        f"{visible(str(path))}: expected rows, one JSON object per line, got one JSON document "
        f"with the keys {_shown(keys)}: {advice}"
    )


def _shown(keys: list[str]) -> str:
    more = ", ..." * (len(keys) > _KEYS_SHOWN)
    return f"{list_names(keys[:_KEYS_SHOWN])}{more}" if keys else "none"


def _advice(document: _Document, path: str) -> str:
    simple = next((name for name in document.lists if _SIMPLE.fullmatch(name)), None)
    if simple is not None:
        return f"if {simple} holds the rows, write them with jq -c '.{simple}[]' {path}"
    return "write one row per item, each an object on a line of its own"


def _read(path: Path) -> _Document | None:
    """Read the first object of a file; None if it is damaged, or is followed by anything else."""
    keys: list[str] = []
    lists: list[str] = []
    try:
        with open_bytes(path) as stream:
            window = JsonWindow(stream, "one JSON object")
            for _ in window.steps("{", "}"):
                name = window.read_value()
                window.expect(":")
                value = window.read_value()
                if isinstance(name, str) and len(keys) < _MOST_KEYS:
                    keys.append(name)
                    is_list = isinstance(value, list) and bool(value) and isinstance(value[0], dict)
                    lists += [name] * is_list
            after = window.peek()
    except (UnexpectedError, FileError, *BAD_JSON):
        return None
    return _Document(keys, lists, after) if after in {"", "{"} else None
