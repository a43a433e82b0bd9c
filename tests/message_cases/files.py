"""Messages about files; each case runs in an empty folder of its own."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from muscle_metrics.runs.files import bytestream
from muscle_metrics.runs.joining.references import read_references
from muscle_metrics.runs.read import read_run
from muscle_metrics.runs.values import score_of

if TYPE_CHECKING:
    from collections.abc import Callable

WATCHED = [
    "runs/files/bytestream",
    "runs/columns",
    "runs/files/documents",
    "runs/files/plain_file",
    "runs/read",
    "runs/files/delimited",
    "runs/files/jsonl",
    "runs/files/parquet",
    "runs/rows",
    "runs/files/strict_json",
    "runs/sentinels",
    "runs/values",
]


def read(name: str, content: str | bytes, **options: object) -> object:
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
    return read_run(name, **options)


def read_rows(*rows: object, **options: object) -> object:
    return read("old.jsonl", "\n".join(map(json.dumps, rows)), **options)


def read_scores(score: object) -> object:
    return read_rows({"id": 1, "score": score}, score_field="score")


def read_answers(*rows: object) -> object:
    Path("test.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return read_references("test.jsonl")


def read_parquet(names: list[str], content: bytes | None = None) -> object:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = arrow.Table.from_arrays([arrow.array(["1"])] * len(names), names=names)
    parquet.write_table(table, "old.parquet")
    return read_run("old.parquet") if content is None else read("old.parquet", content)


def spend(count: int, size: int) -> None:
    Path("old.jsonl").write_bytes(b" " * size)
    bytestream.Budget(Path("old.jsonl")).spend(count)


def read_a_long_line() -> object:
    with patch.object(bytestream, "LINE_LIMIT", 64):
        return read_rows({"id": 1, "prediction": "a" * 100})


def read_what_may_not_be_read() -> object:
    # No permission is missing to the user that containers run tests as.
    Path("old.jsonl").write_text(TEXT, encoding="utf-8")
    with patch.object(Path, "open", side_effect=PermissionError(13, "Permission denied")):
        return read_run("old.jsonl")


ROW = {"id": 1, "prediction": "A"}
TEXT = json.dumps(ROW)

CASES: dict[str, Callable[[], object]] = {
    "file: none": lambda: read_run("old.jsonl"),
    "file: a folder": lambda: read_run("."),
    "file: a folder of other files": lambda: (Path("a.txt").touch(), read_run(".")),
    "file: a folder of rows": lambda: (Path("old.jsonl").touch(), read_run(".")),
    "file: a folder of shards": lambda: (
        Path("a.jsonl").touch(),
        Path("b.jsonl").touch(),
        read_run("."),
    ),
    "file: not to be read": read_what_may_not_be_read,
    "file: cut short": lambda: read("old.jsonl.gz", gzip.compress(TEXT.encode())[:-4]),
    "file: too much content": lambda: spend(5 << 30, size=4),
    "file: too much for its size": lambda: spend(1 << 30, size=4),
    "file: a long line": read_a_long_line,
    "file: Latin-1": lambda: read("old.jsonl", TEXT.replace("A", "é").encode("latin-1")),
    "file: unknown format": lambda: read_run("old.xml", format="xml"),
    "file: unknown content": lambda: read("old.dat", "id prediction"),
    "file: empty": lambda: read("old.csv", ""),
    "file: no row": lambda: read("old.csv", "id,prediction\n"),
    "one document: of no known tool": lambda: read("old.json", json.dumps({"a": [1]}, indent=1)),
    "one document: with rows": lambda: read("old.json", json.dumps({"a": [{}]}, indent=1)),
    "one document: rows over lines": lambda: read("old.json", json.dumps({"id": 1}, indent=1) * 2),
    "fields: a column and a path": lambda: read_rows(
        {"id": 1, "out.answer": "A", "out": {"answer": "B"}}, prediction_field="out.answer"
    ),
    "fields: no prompt": lambda: read_rows({**ROW, "q": None}, prompt_field="q"),
    "fields: several missing": lambda: read_rows({"question_id": 1, "output": "A"}),
    "json lines: cut short": lambda: read("old.jsonl", TEXT + "\n" + TEXT[:-2]),
    "json lines: two in one": lambda: read("old.jsonl", TEXT + TEXT),
    "json lines: a list": lambda: read("old.jsonl", TEXT + "\n[1]"),
    "json lines: a key twice": lambda: read("old.jsonl", '{"id": 1, "id": 2}'),
    "json lines: a long number": lambda: read("old.jsonl", '{"id": ' + "1" * 5000 + "}"),
    "json lines: deeply nested": lambda: read("old.jsonl", '{"id": ' + "[" * 1_000_000),
    "json: cut short": lambda: read("old.json", f"[{TEXT}, {TEXT[:-2]}"),
    "json: not closed": lambda: read("old.json", f"[{TEXT}"),
    "json: more than one array": lambda: read("old.json", f"[{TEXT}] [{TEXT}]"),
    "json: a list of texts": lambda: read("old.json", '["A", "B"]'),
    "json: Latin-1": lambda: read("old.json", '[{"id": "é"}]'.encode("latin-1")),
    "csv: no header": lambda: read("old.csv", "\n\n", format="csv"),
    "csv: semicolons": lambda: read("old.csv", "id;prediction\n1;a\n"),
    "csv: bars": lambda: read("old.csv", "id|prediction\n1|a\n"),
    "csv: tabs": lambda: read("old.csv", "id\tprediction\n1\ta\n"),
    "csv: commas in tsv": lambda: read("old.tsv", "id,prediction\n1,a\n"),
    "csv: blank lines": lambda: read("old.csv", "id,prediction\n" + "\n" * 1_000_001),
    "csv: a column twice": lambda: read("old.csv", "id,id\n1,2\n"),
    "csv: more cells": lambda: read("old.csv", "id,prediction\n1,a,b\n"),
    "csv: a quote that is not closed": lambda: read("old.csv", 'id,prediction\n1,"a\n'),
    "csv: a quote inside quotes": lambda: read("old.csv", 'id,prediction\n1,"a"b"\n'),
    "parquet: a column twice": lambda: read_parquet(["id", "prediction", "prediction"]),
    "parquet: no prediction": lambda: read_parquet(["id", "answer"]),
    "parquet: damaged": lambda: read_parquet(["id"], content=b"PAR1"),
    "fields: none of that name": lambda: read_rows(ROW, id_field="key"),
    "fields: one spelt alike": lambda: read_rows(ROW, prediction_field="predicton"),
    "fields: none of that path": lambda: read_rows(
        {"id": 1, "a": {"b": 1}}, prediction_field="a.c"
    ),
    "fields: none in a later row": lambda: read_rows(ROW, {"id": 2}),
    "fields: none in the first row": lambda: read_rows(ROW, {**ROW, "reference": "A"}),
    "values: no id": lambda: read_rows({**ROW, "id": None}),
    "values: a nested prediction": lambda: read_rows({**ROW, "prediction": ["A"]}),
    "values: an infinite prediction": lambda: read_rows({**ROW, "prediction": float("inf")}),
    "values: a nested reference": lambda: read_rows({**ROW, "reference": ["A", ["B"]]}),
    "values: a word as score": lambda: read_scores("да"),
    "values: options that are none": lambda: read_rows(
        {"id": 1, "prediction": "A", "options": 4},
        {"id": 2, "prediction": "A", "options": 0},
        choices_field="options",
    ),
    "values: a text as score of a log": lambda: score_of("False", "acc"),
    "values: no score": lambda: read_scores(None),
    "values: a score too large": lambda: read_scores(-1e308),
    "scores: none at all": lambda: read_scores(None),
    "scores: declared without a field": lambda: read_rows(
        {"id": 1, "prediction": "A"}, missing_score=-1
    ),
    "scores: declared by no value": lambda: read_rows(
        {"id": 1, "score": 1}, score_field="score", missing_score=[None]
    ),
    "values: a list of true and false": lambda: read_scores([True, False]),
    "values: no score in csv": lambda: read("old.csv", "id,score\n1,good\n", score_field="score"),
    "where: no such row": lambda: read_rows(ROW, ROW, where={"prediction": "B"}),
    "where: no such field": lambda: read_rows(ROW, where={"model": "v1"}),
    "references: an id twice": lambda: read_answers(*[{"id": 1, "reference": "A"}] * 2),
    "references: null": lambda: read_answers({"id": 1, "reference": None}),
    "references: no field": lambda: read_answers({"id": 1, "answer": "A"}),
}
