"""What each reader refuses, with the place where it stands."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from muscle_metrics.errors import FileError
from muscle_metrics.runs.files import bytestream
from muscle_metrics.runs.read import read_run
from muscle_metrics.runs.record import Record

pyarrow = pytest.importorskip("pyarrow")
pytest.importorskip("pyarrow.parquet")

Write = Callable[..., Path]
Writers = Mapping[str, Callable[[Sequence[Mapping[str, object]]], bytes]]


class TestJson:
    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ('{"id": 2, "prediction": "A"', r"invalid JSON \(expecting ',' delimiter at character"),
            ("{id: 2}", r"invalid JSON \(expecting property name enclosed in double quotes"),
            ('{"id": 2, "prediction": "A"} {}', "expected one JSON object, got more text"),
            ('{"id": 2, "prediction": "A"},', "expected one JSON object, got more text"),
            ("7", "expected one JSON object, got 7"),
            ('"text"', "expected one JSON object, got 'text'"),
            ("[1, 2]", "expected one JSON object, got a value of type list"),
            ('{"id": 2, "id": 3, "prediction": "A"}', "expected each key once per object"),
            ('{"id": 2, "prediction": "A", "x": {"y": 1, "y": 2}}', "each key once per object"),
            ('{"id": 2, "prediction": "A", "x": %s}' % ("9" * 5000), "integers of a few digits"),
            ('{"id": 2, "prediction": "A", "x": %s}' % ("[" * 100_000), "nested a few levels"),
            ('{"a":' * 100_000, "nested a few levels"),
            ('{"id": 2, "prediction": "a\tb"}', "invalid control character at character"),
            (
                '{"id": 2, "prediction": NaN}',
                "expected text, .* in the field 'prediction', got nan",
            ),
            ('{"id": 2, "prediction": 1e999}', "in the field 'prediction', got inf"),
            ('{"id": 2, "prediction": ["A"]}', "in the field 'prediction', got a value of type li"),
            ('{"id": 2, "prediction": {"a": 1}}', "'prediction', got a value of type dict"),
            ('{"id": 2}', "expected the field 'prediction', got 'id': name another with --predic"),
        ],
    )
    def test_a_bad_row_is_named(self, write: Write, line: str, reason: str) -> None:
        good = '{"id": 1, "prediction": "A"}'
        with pytest.raises(FileError, match=rf"run\.jsonl:2: .*{reason}") as caught:
            read_run(write(f"{good}\n{line}\n{good}"))
        assert len(str(caught.value)) < 400
        with pytest.raises(FileError, match=r"run\.json, row [23]: "):
            read_run(write(f"[{good},\n{line},\n{good}]", "run.json"))

    def test_what_nobody_reads_may_be_nan(self, write: Write) -> None:
        run = read_run(write('{"id": 1, "prediction": "A", "loss": NaN, "x": -Infinity}'))
        assert run.records == (Record("1", "A"),)

    @pytest.mark.parametrize(
        "content",
        ["[", "[{}", "[{},", "[{}]]", "[{}] x", "[{},]", "[,]", "[{} {}]", "[1]", '["a"]', "[[]]"],
    )
    def test_not_an_array_of_objects(self, write: Write, content: str) -> None:
        content = content.replace("{}", '{"id": 1, "prediction": "A"}')
        with pytest.raises(FileError, match=r"run\.json, row \d: expected "):
            read_run(write(content, "run.json"))

    def test_what_is_not_utf8_in_an_array(self, write: Write) -> None:
        content = b'[{"id": 1, "prediction": "caf\xe9"}]'
        with pytest.raises(FileError, match=r"row 1: expected UTF-8, got byte 0xe9"):
            read_run(write(content, "run.json"))

    def test_characters_are_counted_from_the_row(self, write: Write) -> None:
        with pytest.raises(FileError, match=r"row 2: .* at character 7"):
            read_run(write('[{"id": 1, "prediction": "A"},\n{"id":}]', "run.json"))


class TestDelimited:
    def test_the_last_row_may_end_without_a_newline(self, write: Write) -> None:
        run = read_run(write("id,prediction\n1,A\n2,B", "run.csv"))
        assert [record.prediction for record in run] == ["A", "B"]

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            ("id,prediction\n1,A,x\n", ":2: expected 2 cells as in the header, got 3"),
            ("id,prediction\n1\n", ":2: expected 2 cells as in the header, got 1"),
            ('id,prediction\n1,"A\n2,B\n', r":2: .* cannot be split \(unexpected end"),
            ('id,prediction\n1,"A"x\n', r":2: .* cannot be split \(',' expected"),
            ("id,prediction\n1,A\rB\n", r":2: .* cannot be split \(new-line character"),
            ('id,prediction\n1,"a\nb"\n2\n', ":4: expected 2 cells"),
            ("id,id\n1,A\n", ":1: expected each column name once, got 'id' 2 times"),
            (
                "id,prediction\n,A\n",
                ":2: expected text or a number as id in the field 'id', got ''",
            ),
        ],
    )
    def test_a_bad_row_is_named(self, write: Write, content: str, reason: str) -> None:
        with pytest.raises(FileError, match=rf"run\.csv{reason}"):
            read_run(write(content, "run.csv"))

    def test_cells_may_be_large_and_the_limit_is_put_back(self, write: Write) -> None:
        limit = csv.field_size_limit()
        path = write("id,prediction\n1,{}\n".format("A" * (limit + 1)), "run.csv")
        assert len(str(read_run(path).records[0].prediction)) == limit + 1
        assert csv.field_size_limit() == limit

    def test_cells_are_text(self, write: Write) -> None:
        run = read_run(write("id,prediction,reference\n007,1e5,\n", "run.csv"))
        assert run.records == (Record("007", "1e5", ""),)


class TestParquet:
    def test_only_asked_columns_are_read(self, tmp_path: Path) -> None:
        path = tmp_path / "run.parquet"
        broken = pyarrow.array([b"\xff"], "binary").view("string")
        table = pyarrow.table({"id": [1], "prediction": ["A"], "text": broken})
        pyarrow.parquet.write_table(table, path)
        assert read_run(path).records == (Record("1", "A"),)
        with pytest.raises(FileError, match="expected a whole Parquet file"):
            read_run(path, reference_field="text")

    def test_types_are_kept(self, tmp_path: Path) -> None:
        path = tmp_path / "run.parquet"
        rows = [
            {
                "id": 1,
                "prediction": 1.5,
                "reference": ["a", "b"],
                "s": {"f1": 0.5},
                "s.f2": "x",
            },
            {"id": 2, "prediction": None, "reference": None, "s": {"f1": 1.0}, "s.f2": "y"},
        ]
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
        run = read_run(path, score_field="s.f1", slice_field="s.f2")
        assert run.records == (
            Record("1", 1.5, ["a", "b"], {"s.f1": 0.5}, slice="x"),
            Record("2", None, None, {"s.f1": 1.0}, slice="y"),
        )

    def test_a_missing_field_lists_all_columns(self, write: Write, writers: Writers) -> None:
        path = write(writers["parquet"]([{"id": 1, "answer": "A", "text": "x"}]), "run.parquet")
        with pytest.raises(FileError, match="row 1: expected the field 'prediction', got 'id', 'a"):
            read_run(path)
        with pytest.raises(FileError, match="expected the field 'key', got 'id', 'answer', 'text'"):
            read_run(path, id_field="key", prediction_field="answer")

    def test_columns_of_the_same_name(self, tmp_path: Path) -> None:
        path = tmp_path / "run.parquet"
        table = pyarrow.Table.from_arrays([pyarrow.array([1]), pyarrow.array([2])], ["id", "id"])
        pyarrow.parquet.write_table(table, path)
        with pytest.raises(FileError, match="expected each column name once, got 'id' 2 times"):
            read_run(path)

    def test_what_is_no_answer(self, tmp_path: Path) -> None:
        path = tmp_path / "run.parquet"
        pyarrow.parquet.write_table(pyarrow.table({"id": [1], "prediction": [b"A"]}), path)
        with pytest.raises(FileError, match="'prediction', got a value of type bytes"):
            read_run(path)

    def test_a_bomb_is_stopped_at_its_budget(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bytestream, "_RATIO_FREE", 1 << 20)
        path = tmp_path / "run.parquet"
        text = pyarrow.array(["A" * 10_000]).dictionary_encode().dictionary
        indices = pyarrow.array([0] * 20_000, "int32")
        same = pyarrow.DictionaryArray.from_arrays(indices, text)
        pyarrow.parquet.write_table(pyarrow.table({"id": range(20_000), "prediction": same}), path)
        assert path.stat().st_size < 400_000
        with pytest.raises(FileError, match=r"at most 200 times the [0-9]+ bytes on disk"):
            read_run(path)
