"""Fields of plain files, and the guess which of them a comparison reads."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import inspect_log
from muscle_metrics.cli import main

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def write(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text(text, encoding="utf-8")
    return path


def rows(**fields: Sequence[Any]) -> list[dict[str, Any]]:
    return [dict(zip(fields, values, strict=True)) for values in zip(*fields.values(), strict=True)]


# Fields as tools and people name them, and the options that read them.
SHAPES = [
    (
        rows(qid=[1, 2, 3], response=["A", "B", "B"], gold=["A", "A", "B"], topic=["x", "x", "y"]),
        ["--id-field", "qid", "--prediction-field", "response", "--reference-field", "gold"],
        "topic",
    ),
    (
        rows(id=["а", "б", "в"], output=["4", "5", "6"], answer=["4", "5", "7"]),
        ["--prediction-field", "output", "--reference-field", "answer"],
        None,
    ),
    (
        rows(instance_id=["d-1", "d-2"], passed=[True, False], category=["x", "x"]),
        ["--id-field", "instance_id", "--score-field", "passed"],
        None,
    ),
    (
        [
            {"id": n, "out": {"answer": "A"}, "meta": {"target": "A", "subject": s}}
            for n, s in enumerate("aab")
        ],
        ["--prediction-field", "out.answer", "--reference-field", "meta.target"],
        "meta.subject",
    ),
    # Without ids, a prompt that no other row has.
    (
        rows(user_input=["чей?", "где?"], response=["A", "B"], reference=["A", "C"], n=["1", "1"]),
        ["--id-field", "user_input", "--prediction-field", "response"],
        None,
    ),
]


@pytest.mark.parametrize(("content", "options", "slices"), SHAPES)
def test_the_command_that_is_written_runs(
    content: list[dict[str, Any]],
    options: list[str],
    slices: str | None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    old = write(tmp_path / "old file.jsonl", content)
    new = write(tmp_path / "new.jsonl", content[::-1])
    command = inspect_log(old).command
    assert shlex.join(options) in command
    assert (slices is None) == ("--slice-field" not in command)
    program, *arguments = shlex.split(command)
    assert program == "muscle-metrics"
    assert main([str(new) if part == "NEW" else part for part in arguments]) == 0
    assert f": {len(content)} items" in capsys.readouterr().out


def test_a_field_that_repeats_is_no_id(tmp_path: Path) -> None:
    found = inspect_log(write(tmp_path / "a.jsonl", rows(id=[1, 1], prediction=["A", "B"])))
    assert found.command == ""
    assert found.parts == ()


def test_what_fields_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = rows(
        id=[f"q{n}" for n in range(1500)],
        prediction=[None, "\x1b[2J", *["B"] * 1498],
        mixed=[1, "a", *[None] * 1498],
    )
    content[700]["late"] = [1]
    path = write(tmp_path / "a.jsonl", content)
    fields = {field.name: field for field in inspect_log(path).fields}
    assert fields["id"].has_more
    assert (fields["prediction"].nulls, fields["prediction"].distinct) == (1, 2)
    assert fields["mixed"].types == {"number", "text"}
    assert (fields["late"].rows, fields["late"].nulls) == (1500, 1499)
    assert main(["inspect", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "field 'id': text, 1000 or more different, such as 'q0'" in printed
    assert "field 'mixed': number or text, 2 different, 1498 null, such as 1" in printed
    assert "\x1b" not in printed
    assert main(["inspect", str(path), "--json"]) == 0
    described = json.loads(capsys.readouterr().out)
    assert described["fields"][0]["name"] == "id"
    assert described["command"] == f"muscle-metrics compare {path} NEW"


def test_parquet_and_csv(tmp_path: Path) -> None:
    content = rows(id=["1", "2"], pred=["A", "B"], target=["A", "A"])
    csv = tmp_path / "a.csv"
    csv.write_text("id,pred,target\n1,A,A\n2,B,A\n", encoding="utf-8")
    parquet = tmp_path / "a.parquet"
    pytest.importorskip("pyarrow.parquet").write_table(
        pytest.importorskip("pyarrow").Table.from_pylist(content), parquet
    )
    options = "--prediction-field pred --reference-field target"
    for path in (csv, parquet):
        assert inspect_log(path).command == f"muscle-metrics compare {path} NEW {options}"


def test_given_options_come_first(tmp_path: Path) -> None:
    content = rows(id=[1, 2], output=["A", "B"], final=["A", "C"], gold=["A", "C"])
    found = inspect_log(write(tmp_path / "a.jsonl", content), prediction_field="final")
    assert "--prediction-field final --reference-field gold" in found.command


def test_a_log_of_a_harness_has_its_command_too(shared: Path) -> None:
    path = shared / "logs" / "promptfoo"
    found = inspect_log(next(iter(sorted(path.glob("*.json")))))
    assert not found.is_plain
    assert all(field.name.startswith("vars.") for field in found.fields)
    assert found.command.startswith("muscle-metrics compare ")


def test_a_column_beside_a_path_of_its_name_is_listed(tmp_path):
    path = tmp_path / "v1.jsonl"
    path.write_text('{"id": 1, "a.b": "x", "a": {"b": "y"}}\n', encoding="utf-8")
    names = [field.name for field in inspect_log(path).fields]
    assert names == ["id", "a.b"]
