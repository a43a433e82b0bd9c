"""Lines of a samples file of lm-evaluation-harness, without the long fields that nobody reads.

Most of a line are the prompts, once per choice. The harness writes its fields in one order, with
the separators of Python's json: the document, the prompts and the raw responses are cut out before
the line is decoded, and nobody checks them. A line in any other form is decoded as a whole.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import FileError
from muscle_metrics.runs.files.bytestream import explain_encoding, read_byte_lines
from muscle_metrics.runs.files.jsonl import decode_row
from muscle_metrics.runs.files.strict_json import BAD_JSON
from muscle_metrics.words.place import line_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["read_sample_lines"]

_START = b'{"doc_id": '
_DOCUMENT = b', "doc": '
_TARGET = b', "target": "'
_ARGUMENTS = b', "arguments": {"gen_args_0": '
_ANSWERS = b'], "filtered_resps": ['
_RESPONSES = b'}, "resps": ['
_KEY = '": '

# The decoder's own way in, without looking for white space.
_scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]


def read_sample_lines(path: Path, *, whole: bool) -> Iterator[tuple[int, Mapping[str, object]]]:
    r"""Rows of a samples file with their line numbers; blank lines are passed over.

    Parameters
    ----------
    path : Path
        The file.
    whole : bool
        Whether ``arguments`` is needed as well.

    Yields
    ------
    int
        Number of the line.
    mapping
        The fields; without ``doc``, ``arguments`` and ``resps`` where the line could be cut short.

    Raises
    ------
    FileError
        If a line is not one JSON object in UTF-8.

    Examples
    --------
    >>> from pathlib import Path
    >>> import tempfile
    >>> row = {"doc_id": 0, "doc": {}, "target": "4", "arguments": {"gen_args_0": {}}, "resps": [],
    ...        "filtered_resps": ["4"], "target_hash": hashlib.sha256(b"4").hexdigest()}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "samples.jsonl")
    ...     _ = path.write_text(json.dumps(row) + "\n")
    ...     print(list(read_sample_lines(path, whole=False)))
    [(1, {'doc_id': 0, 'target': '4', 'filtered_resps': ['4'], 'target_hash': '4b22...'})]
    """
    for number, line in read_byte_lines(path):
        row = None if whole else _cut_short(line)
        if row is not None:
            yield number, row
            continue
        try:
            text = line.decode().strip(" \t\r\n")
        except UnicodeDecodeError as error:
            raise FileError(f"{line_of(path, number)}: {explain_encoding(error)}") from error
        if text:
            yield number, decode_row(text, path, number)


def _cut_short(line: bytes) -> dict[str, Any] | None:
    """Fields that are read; None where the line is not in the form the harness writes."""
    arguments = line.find(_ARGUMENTS)
    target = line.rfind(_TARGET, 0, arguments)
    answers = line.rfind(_ANSWERS)
    responses = line.rfind(_RESPONSES, arguments, answers)
    if not (0 < target < responses and line.startswith(_START)):
        return None
    head = line[: line.find(_DOCUMENT)] + line[target:arguments]
    try:
        text = (head + line[answers + 1 :].rstrip(b"\r\n")).decode()
        row, end = _scan(text, 0)
    except (*BAD_JSON, StopIteration):
        return None
    # Fewer keys than marks of keys: one stands twice, or a text holds the mark. And a document
    # may hold a target of its own: the hash tells that this is the one.
    if end != len(text) or text.count(_KEY) != len(row):
        return None
    digest = hashlib.sha256(row["target"].encode("utf-8", "surrogatepass")).hexdigest()
    return row if row.get("target_hash") == digest else None
