"""Runs in files, and the command line as a pipeline calls it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from muscle_metrics.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Done(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def first(self) -> str:
        return self.out.partition("\n")[0]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Call the command line in this process."""

    def call(*arguments: object) -> Done:
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Done(code, printed.out, printed.err)

    return call


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file of rows."""
    return lambda name, rows: write_rows(tmp_path / name, rows)


@pytest.fixture
def pair(tmp_path: Path) -> Callable[..., tuple[Path, Path]]:
    """Two runs of so many items, of which the first so many broke and the last were fixed."""

    def write_pair(items: int = 300, broken: int = 0, fixed: int = 0) -> tuple[Path, Path]:
        def rows(wrong: range) -> list[dict[str, Any]]:
            return [
                {
                    "id": f"q{i}",
                    "prediction": "B" if i in wrong else "A",
                    "reference": "A",
                    "topic": "even" if i % 2 == 0 else "odd",
                }
                for i in range(items)
            ]

        return (
            write_rows(tmp_path / "old.jsonl", rows(range(items - fixed, items))),
            write_rows(tmp_path / "new.jsonl", rows(range(broken))),
        )

    return write_pair
