"""A JSON object read member by member, through a window of any size."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics.errors import FileError
from muscle_metrics.runs.files import json_stream
from muscle_metrics.runs.files.json_stream import Member, read_json_document

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OPENED = {("results",), ("results", "rows")}
DOCUMENT = {
    "number": 1234567,
    "true": True,
    "null": None,
    "text": 'a "quoted" \\ é\u2028',
    "results": {"version": -1.5e10, "rows": [12, 345, [1, {"a": 2}], "x", False], "more": {}},
    "last": [1, 2],
}


def members(path: Path) -> list[Member]:
    return list(read_json_document(path, OPENED))


def expected(document: dict[str, Any]) -> list[Member]:
    found = []
    for name, value in document.items():
        if name != "results":
            found.append(Member((name,), 0, value))
            continue
        for part, content in value.items():
            if part == "rows" and isinstance(content, list):
                found += [Member((name, part), n, row) for n, row in enumerate(content, start=1)]
            else:
                found.append(Member((name, part), 0, content))
    return found


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 50, 1000])
@pytest.mark.parametrize("indent", [None, 1])
def test_windows_of_any_size(
    tmp_path: Path, chunk: int, indent: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(DOCUMENT, indent=indent, ensure_ascii=False), encoding="utf-8")
    monkeypatch.setattr(json_stream, "_CHUNK", chunk)
    assert members(path) == expected(DOCUMENT)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(rows=st.lists(VALUES, max_size=4), rest=st.dictionaries(st.text(max_size=3), VALUES))
def test_any_document(
    rows: list[object],
    rest: dict[str, object],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    document = {**rest, "results": {"rows": rows}}
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert members(path) == expected(document)


def test_empty_containers(tmp_path: Path, write: Callable[..., Path]) -> None:
    assert members(write("{}")) == []
    assert members(write('{"results": {"rows": []}}')) == []
    assert members(write('{"results": {}}')) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected '{', got the end of the file"),
        ("[]", "expected '{', got '\\['"),
        ("7", "expected '{', got '7'"),
        ("{} {}", "expected the end of the file, got '{'"),
        ('{"a" 1}', "expected ':', got '1'"),
        ('{"a": 1 "b": 2}', "expected '}', got '\"'"),
        ('{"a": 1,}', "invalid JSON"),
        ('{"a": 1, "a": 2}', "each key once per object, got 'a' twice"),
        ('{"results": {"a": 1, "a": 2}}', "each key once per object, got 'a' twice"),
        ('{"results": {"rows": [1 2]}}', "row 1: expected '\\]', got '2'"),
        ('{"results": {"rows": [1, 2', "row 2: expected '\\]', got the end of the file"),
        ('{"results": {"rows": [{"a": 1, "a": 2}]}}', "row 1: expected each key once"),
        ('{"a": %s}' % ("9" * 5000), "integers of a few digits"),
        ('{"a": %s}' % ("[" * 100_000), "nested a few levels deep"),
    ],
)
def test_what_is_refused(write: Callable[..., Path], text: str, message: str) -> None:
    with pytest.raises(FileError, match=rf"run\.jsonl.*: .*{message}|{message}") as caught:
        members(write(text))
    assert len(str(caught.value)) < 400
