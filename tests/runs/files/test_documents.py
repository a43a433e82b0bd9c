"""Files that are one JSON document: said to be one, whoever reads them, and never invalid JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics.cli import main
from muscle_metrics.errors import FileError
from muscle_metrics.runs.joining.references import read_references
from muscle_metrics.runs.read import read_run

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENT = {"total": 2, "ids": ["django__django-1", "sympy__sympy-4"], "schema_version": 2}


def save(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(FileError) as caught:
        read_run(path, **options)
    message = str(caught.value)
    assert message.splitlines() == [message]
    assert "invalid JSON" not in message
    return message


@pytest.mark.parametrize("name", ["m.json", "m.jsonl", "m.txt"])
@pytest.mark.parametrize("options", [{}, {"format": "jsonl"}, {"format": "json"}])
def test_any_document_lists_its_keys(name: str, options: dict[str, str], tmp_path: Path) -> None:
    document = {"модель": "m", "a\x1b[2J": 1, "k" * 99: None, "d": 4, "e": 5, "f": 6}
    message = refusal(save(tmp_path / name, json.dumps(document, indent=2)), **options)
    assert "with the keys 'модель', 'a\\u001b[2J', 'kkk" in message
    assert message.endswith("'e', ...: write one row per item, each an object on a line of its own")


def test_the_rows_inside_a_document_are_pointed_at(tmp_path: Path) -> None:
    rows = [{"id": 1, "prediction": "A"}, {"id": 2, "prediction": "B"}]
    path = save(tmp_path / "m.json", json.dumps({"config": {}, "items": rows}, indent=1))
    command = f"write them with jq -c '.items[]' {path}"
    assert refusal(path).endswith(f"if items holds the rows, {command}")


def test_rows_of_several_lines_are_no_invalid_json(tmp_path: Path) -> None:
    rows = [{"id": n, "prediction": "A"} for n in range(3)]
    path = save(tmp_path / "m.jsonl", "\n".join(json.dumps(row, indent=2) for row in rows))
    assert refusal(path).endswith(f"jq -c . {path}")


def test_engines_and_references_say_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("duckdb")
    old, new = (
        save(tmp_path / name, json.dumps({"n": n}, indent=1)) for n, name in enumerate("ab")
    )
    assert main(["compare", str(old), str(new), "--engine", "duckdb"]) == 4
    assert capsys.readouterr().err == f"muscle-metrics: {refusal(old)}\n"
    with pytest.raises(FileError, match="got one JSON document with the keys 'n'"):
        read_references(old)


def test_a_cut_document_is_damaged(tmp_path: Path) -> None:
    """A file that is not whole keeps the message that names the place of the damage."""
    text = json.dumps(DOCUMENT, indent=1)
    for end in range(2, len(text)):
        path = save(tmp_path / "m.json", text[:end])
        with pytest.raises(FileError, match=r"m\.json:1: expected one whole JSON object"):
            read_run(path)


def test_a_row_as_long_as_a_document_is_a_row(tmp_path: Path) -> None:
    row = {"id": 1, "prediction": "x" * (9 << 20)}
    text = "".join(json.dumps({**row, "id": n}) + "\n" for n in range(2))
    assert len(read_run(save(tmp_path / "m.jsonl", text))) == 2


def test_a_faulty_first_row_is_no_document(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(
        '{"id": 1, "prediction": "a", "prediction": "b"}\n{"id": 2, "prediction": "a"}\n'
    )
    with pytest.raises(FileError, match=r"rows\.jsonl:1: expected each key once per object"):
        read_run(path)
