"""Files for the tests of readers: the same rows in every format."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

Row = Mapping[str, object]


def jsonl(rows: Sequence[Row]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def json_text(rows: Sequence[Row]) -> bytes:
    return json.dumps(rows, indent=1).encode()


def delimited(rows: Sequence[Row], dialect: str) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), dialect=dialect)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def parquet(rows: Sequence[Row]) -> bytes:
    pyarrow = pytest.importorskip("pyarrow")
    sink = io.BytesIO()
    pytest.importorskip("pyarrow.parquet").write_table(pyarrow.Table.from_pylist(list(rows)), sink)
    return sink.getvalue()


WRITERS: dict[str, Callable[[Sequence[Row]], bytes]] = {
    "jsonl": jsonl,
    "json": json_text,
    "csv": lambda rows: delimited(rows, "excel"),
    "tsv": lambda rows: delimited(rows, "excel-tab"),
    "parquet": parquet,
}


@pytest.fixture(scope="session")
def writers() -> dict[str, Callable[[Sequence[Row]], bytes]]:
    """Content of a file with some rows, by format."""
    return WRITERS


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file of some content, and maybe some name."""

    def write_content(content: bytes | str, name: str = "run.jsonl") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_content


@pytest.fixture(scope="session")
def hostile(shared: Path) -> list[str]:
    """Payloads that must not act on any sink."""
    payloads = json.loads((shared / "reference" / "hostile_strings.json").read_text("utf-8"))
    assert len(payloads) > 30
    return payloads
