"""Answers and references of files that are lists or objects, for a function or a reader."""

from __future__ import annotations

import json

import pytest

from muscle_metrics.answers.reading.structure import read_json
from muscle_metrics.comparison.compare import compare_runs
from muscle_metrics.errors import InputError
from muscle_metrics.runs.joining.references import read_references
from muscle_metrics.runs.plain_rows import read_records
from muscle_metrics.runs.read import read_run
from muscle_metrics.scale.sources import open_runs

REFERENCES = ["Köln", {"b": [1], "a": "é"}, [{"name": "f"}, {}], ["A", "B"], 3, True, [["a"], [1]]]
OLD = ["Köln", {"a": "é", "b": [1.0]}, '[{"name": "f"}, {}]', "A", 3, True, '["a"]']
NEW = ["Köln", {"a": "é", "b": [2]}, {"name": "f"}, "B", 3, True, "[1.0]"]


def write(path, answers, references=REFERENCES):
    rows = (
        {"id": f"q{number}", "prediction": answer, "reference": reference}
        for number, (answer, reference) in enumerate(zip(answers, references, strict=True))
    )
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return path


def as_json(value):
    """Read JSON, and leave other text as it is."""
    found = read_json(value)
    return f"text {value}" if found is None else found


def test_objects_are_compared_by_a_function(tmp_path):
    old, new = write(tmp_path / "old.jsonl", OLD), write(tmp_path / "new.jsonl", NEW)
    comparison = compare_runs(old, new, key=as_json)
    assert (comparison.counts.both_right, comparison.counts.negative) == (5, 2)


def test_objects_are_refused_without_a_function_or_reader(tmp_path):
    answers = write(tmp_path / "old.jsonl", OLD)
    with pytest.raises(InputError, match="--answer json"):
        read_run(answers)
    references = write(tmp_path / "new.jsonl", ["x"] * 7)
    with pytest.raises(InputError, match="'reference'"):
        read_run(references)
    with pytest.raises(InputError, match="'reference'"):
        read_references(references)


def test_references_of_a_file_of_their_own_are_read_alike(tmp_path):
    file = write(tmp_path / "old.jsonl", OLD)
    run = read_run(file, structured=True)
    references = read_references(file, structured=True)
    assert [references[record.id] for record in run] == [record.reference for record in run]


def test_engines_read_the_texts_that_readers_take(tmp_path):
    file = write(tmp_path / "old.jsonl", OLD)
    run = read_run(file, structured=True)
    engine, _ = open_runs(file, file, {"structured": True}, {"structured": True}, None)
    records = [
        record
        for shard in engine.files
        for batch in read_records(shard, engine.options, engine.columns)
        for record in batch
    ]
    assert [record.reference for record in records] == [record.reference for record in run]
    assert [as_json(record.prediction) for record in records] == [
        as_json(record.prediction) for record in run
    ]
    assert not any(isinstance(record.prediction, (list, dict)) for record in records)
