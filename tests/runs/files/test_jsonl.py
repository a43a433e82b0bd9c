"""Rows that are decoded together are those, and raise those errors, of rows decoded one by one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from muscle_metrics.errors import FileError
from muscle_metrics.runs.files import bytestream
from muscle_metrics.runs.files.bytestream import read_byte_lines
from muscle_metrics.runs.files.jsonl import decode_row, read_jsonl
from muscle_metrics.runs.files.strict_json import decode, decode_objects

if TYPE_CHECKING:
    from pathlib import Path

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text('a":{}[], \\'),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab"), inner, max_size=2),
    max_leaves=3,
)
ROWS = st.dictionaries(st.text('ab":'), VALUES, max_size=3).map(json.dumps)
# Pieces that are not rows; some of them form a row when joined.
PIECES = st.text('{}[]":, \\1ab', min_size=1, max_size=12).map(str.strip).filter(bool)
TEXTS = st.lists(ROWS | PIECES, max_size=5)


def decode_each(texts: list[str]) -> list[Any] | None:
    try:
        decoded = [decode(text) for text in texts]
    except (ValueError, RecursionError):
        return None
    if any(end < len(text) for (_, end), text in zip(decoded, texts, strict=True)):
        return None
    rows = [row for row, _ in decoded]
    return rows if all(isinstance(row, dict) for row in rows) else None


@given(TEXTS)
@example(['{"a":1', '"b":2}'])
@example(['{"a":[{"b":1}', '{"b":2}]}'])
@example(['{"a":"}', '{","b":1}'])
@example(['{"a":[{"b":1}', '{"b":2}]}', '{"a":1},{"b":2}'])
@example(['{"a":1,"a":2}'])
@example(['{"a":1,"a" :2}'])
@example(['{"a":1,"a"\t:2}'])
@example(['{"a\\\\":1,"a\\\\":"\\":"}'])
@example(['{"a":1}]', "[1"])
@example(['{"a": "x}', '{"b": "}'])
@example(['{"a":{"b":1,"b":2}}'])
def test_together_as_one_by_one(texts: list[str]) -> None:
    # Compared as text: nan differs from itself.
    assert repr(decode_objects(texts)) == repr(decode_each(texts))


@given(TEXTS, st.sampled_from(["\n", "\r\n", "\n\n \n"]))
def test_rows_before_an_error_come_first(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], end: str
) -> None:
    path = tmp_path_factory.mktemp("rows") / "old.jsonl"
    path.write_bytes(end.join(texts).encode())
    seen, expected = [], []
    message, wanted = "", ""
    try:
        for number, row in read_jsonl(path):
            seen.append((number, repr(row)))
    except FileError as error:
        message = str(error)
    try:
        for number, line in enumerate(end.join(texts).split("\n"), start=1):
            if text := line.strip(" \t\r\n"):
                expected.append((number, repr(decode_row(text, path, number))))
    except FileError as error:
        wanted = str(error)
    assert (seen, message) == (expected, wanted)


@pytest.mark.parametrize("size", [1, 7, 1 << 16])
@given(content=st.lists(st.sampled_from([b"\n", b"\r", b"a", b"bcdefgh", b"\xef\xbb\xbf"])))
def test_lines_do_not_depend_on_blocks(
    size: int, content: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("lines") / "old.txt"
    path.write_bytes(b"".join(content))
    lines = b"".join(content).removeprefix(b"\xef\xbb\xbf").split(b"\n")
    expected = [line + b"\n" for line in lines[:-1]] + [line for line in lines[-1:] if line]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bytestream, "_CHUNK", size)
        found = list(read_byte_lines(path))
    assert found == [(n, line) for n, line in enumerate(expected, start=1) if line.strip()]


def test_rows_before_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "old.jsonl"
    path.write_bytes(b'{"id": 1}\n\n{"id": 2}\n{"id": "\xff"}\n{"id": 3}\n')
    rows = read_jsonl(path)
    assert [next(rows), next(rows)] == [(1, {"id": 1}), (3, {"id": 2})]
    with pytest.raises(FileError, match=r"old.jsonl:4: expected UTF-8, got byte 0xff"):
        next(rows)
