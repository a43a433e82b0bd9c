"""An answer on each line, joined by its number with a reference on each line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from muscle_metrics import FileError, InputError, read_run
from muscle_metrics.runs.files import text_lines

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def test_lines_are_answers(tmp_path: Path) -> None:
    run = read_run(write(tmp_path / "v1.txt", "\ufeffда\r\n\n x\u2028y \n{not JSON\n[A]"))
    assert [(record.id, record.prediction) for record in run] == [
        ("1", "да"), ("2", ""), ("3", " x\u2028y "), ("4", "{not JSON"), ("5", "[A]"),
    ]  # fmt: skip
    # A line as its own reference would be right by itself.
    assert all(record.reference is None for record in run)


def test_rows_of_json_are_rows_under_any_name(tmp_path: Path) -> None:
    row = '{"id": 7, "prediction": "A"}'
    for text in (row, f"[{row}]", f"[\n  {row}\n]"):
        assert read_run(write(tmp_path / "v1.txt", text)).records[0].id == "7"


def test_many_blank_lines_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_lines, "_MOST_BLANK", 3)
    assert len(read_run(write(tmp_path / "v1.txt", "a\n\n\n\nb\n")).records) == 5
    with pytest.raises(FileError, match=r"v2\.txt:5: expected answers, got 3 blank lines"):
        read_run(write(tmp_path / "v2.txt", "a\n\n\n\n\n"))


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="an empty file"):
        read_run(write(tmp_path / "v1.txt", ""))
