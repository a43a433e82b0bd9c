"""Ids, fields, scores and kept rows: what the rows of a file become."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from muscle_metrics import compare_runs
from muscle_metrics.errors import FileError, PairingError, UsageError
from muscle_metrics.runs.joining.pairing import pair_runs
from muscle_metrics.runs.joining.references import read_references
from muscle_metrics.runs.read import read_run
from muscle_metrics.runs.record import Record

Write = Callable[..., Path]
Writers = Mapping[str, Callable[[Sequence[Mapping[str, object]]], bytes]]


class TestIds:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ("1", "1"),
            ('"1"', "1"),
            ("1.0", "1.0"),
            ('"007"', "007"),
            ('"1e5"', "1e5"),
            ("1e5", "100000.0"),
            ('"true"', "true"),
        ],
    )
    def test_ids_are_text(self, write: Write, value: str, text: str) -> None:
        assert read_run(write(f'{{"id": {value}, "prediction": "A"}}')).records[0].id == text

    @pytest.mark.parametrize(
        "value", ["true", "false", "null", '""', "[1]", "{}", "NaN", "Infinity", "1e999"]
    )
    def test_what_is_no_id(self, write: Write, value: str) -> None:
        with pytest.raises(FileError, match=r"run\.jsonl:1: expected text or a number as id"):
            read_run(write(f'{{"id": {value}, "prediction": "A"}}'))

    def test_ids_of_several_fields_cannot_collide(self, write: Write, writers: Writers) -> None:
        pairs = [("a", "b,c"), ("a,b", "c"), ('a","b', "c"), ("a", 'b","c'), ("", "ab"), ("ab", "")]
        rows = [{"x": x, "y": y, "prediction": "A"} for x, y in pairs]
        ids = [record.id for record in read_run(write(writers["jsonl"](rows)), id_field=("x", "y"))]
        assert [tuple(json.loads(name)) for name in ids] == pairs
        assert ids[0] == '["a","b,c"]'

    def test_parts_of_an_id_are_checked(self, write: Write) -> None:
        path = write('{"x": "a", "y": null, "prediction": "A"}')
        with pytest.raises(FileError, match="as id in the field 'y', got null"):
            read_run(path, id_field=("x", "y"))


class TestFields:
    def test_a_dotted_name_is_a_column_or_a_path(self, write: Write) -> None:
        path = write('{"id": 1, "a.b": "exact", "a": {"c": {"d": "deep"}}}')
        assert read_run(path, prediction_field="a.b").records[0].prediction == "exact"
        assert read_run(path, prediction_field="a.c.d").records[0].prediction == "deep"
        with pytest.raises(FileError, match=r"expected the field 'a\.x', got 'id', 'a\.b', "):
            read_run(path, prediction_field="a.x")

    @pytest.mark.parametrize(
        "option",
        [
            "prediction_field",
            "reference_field",
            "score_field",
            "slice_field",
            "group_field",
            "prompt_field",
            "id_field",
        ],
    )
    def test_a_named_field_must_be_there(self, write: Write, option: str) -> None:
        path = write('{"id": 1, "prediction": "A"}')
        flag = "--" + option.replace("_", "-")
        message = rf"'x', got 'id', 'prediction': name another with {flag} \({option}\)"
        with pytest.raises(FileError, match=rf"run\.jsonl:1: expected the field {message}"):
            read_run(path, **{option: "x"})  # type: ignore[arg-type]

    def test_a_long_list_of_fields_is_cut(self, write: Write, writers: Writers) -> None:
        row = {f"field {number}" + "x" * 1000: 1 for number in range(1000)}
        with pytest.raises(FileError) as caught:
            read_run(write(writers["jsonl"]([row])))
        assert len(str(caught.value)) < 2000

    def test_a_prediction_is_not_needed_beside_a_score(self, write: Write) -> None:
        run = read_run(write('{"id": 1, "correct": true}'), score_field="correct")
        assert run.records == (Record("1", scores={"correct": True}),)

    @pytest.mark.parametrize("part", ["prediction", "reference"])
    def test_no_row_may_have_what_the_first_lacks(self, write: Write, part: str) -> None:
        content = f'{{"id": 1, "score": 1}}\n{{"id": 2, "score": 1, "{part}": "A"}}'
        message = rf"run\.jsonl:2: expected no field '{part}', which the first row lacks"
        with pytest.raises(FileError, match=message):
            read_run(write(content), score_field="score")

    def test_every_row_must_have_what_the_first_has(self, write: Write) -> None:
        content = '{"id": 1, "prediction": "A", "reference": "A"}\n{"id": 2, "prediction": "A"}'
        with pytest.raises(FileError, match=r"run\.jsonl:2: expected the field 'reference'"):
            read_run(write(content))

    def test_labels(self, write: Write, writers: Writers) -> None:
        rows = [
            {"id": 1, "correct": 1, "s": None, "g": 3},
            {"id": 2, "correct": 1, "s": True, "g": "x"},
        ]
        run = read_run(
            write(writers["jsonl"](rows)),
            score_field="correct",
            slice_field="s",
            group_field="g",
            prompt_field="g",
        )
        assert [(r.slice, r.group, r.prompt) for r in run] == [(None, "3", "3"), ("true", "x", "x")]

    def test_no_answer_is_not_an_empty_answer(self, write: Write) -> None:
        run = read_run(write('{"id": 1, "prediction": null}\n{"id": 2, "prediction": ""}'))
        assert [record.prediction for record in run] == [None, ""]

    @pytest.mark.parametrize("value", ["[NaN]", '[["a"]]', "[null]", "{}"])
    def test_what_is_no_reference(self, write: Write, value: str) -> None:
        path = write(f'{{"id": 1, "prediction": "A", "reference": {value}}}')
        with pytest.raises(FileError, match="in the field 'reference', got"):
            read_run(path)

    def test_the_name_of_a_run(self, write: Write) -> None:
        content = '{"id": 1, "prediction": "A"}'
        assert read_run(write(content, "phi-2.1-hf.jsonl")).name == "phi-2.1-hf"
        assert read_run(write(content, ".json")).name == ".json"
        assert read_run(write(content), name="old").name == "old"


class TestScores:
    @pytest.mark.parametrize(
        ("value", "score"), [("true", True), ("false", False), ("1", 1.0), ("-0.5", -0.5)]
    )
    def test_json_scores(self, write: Write, value: str, score: float) -> None:
        run = read_run(write(f'{{"id": 1, "s": {value}}}'), score_field="s")
        assert run.records[0].scores == {"s": score}
        assert type(run.records[0].scores["s"]) is type(score)

    @pytest.mark.parametrize(
        "value",
        [
            '"yes"',
            '"NaN"',
            "NaN",
            "Infinity",
            "-Infinity",
            "1e999",
            "[1]",
            "{}",
        ],
    )
    def test_what_is_no_json_score(self, write: Write, value: str) -> None:
        with pytest.raises(FileError, match="expected a finite number, true or false as score"):
            read_run(write(f'{{"id": 1, "s": {value}}}'), score_field="s")

    @pytest.mark.parametrize("value", ["1e308", "-1e308", "1.1e100", "1" + "0" * 400])
    @pytest.mark.parametrize("name", ["run.jsonl", "run.csv"])
    def test_a_score_too_large_to_compute_with(self, write: Write, name: str, value: str) -> None:
        # The difference of 1e308 and -1e308, and the square of 1e200, are no floats.
        rows = [("q0", "1e100"), ("q1", "-1e100"), ("q2", value)]
        if name.endswith("csv"):
            text = "id,s\n" + "".join(f"{id_},{score}\n" for id_, score in rows)
        else:
            text = "".join(f'{{"id": "{id_}", "s": {score}}}\n' for id_, score in rows)
        place = rf"{re.escape(name)}:{4 if name.endswith('csv') else 3}: "
        # In CSV a number of 400 digits is read as infinite.
        expected = r"expected (a number of at most 1e\+100 in size|a finite number), "
        with pytest.raises(FileError, match=place + expected):
            read_run(write(text, name), score_field="s")

    @pytest.mark.parametrize("name", ["run.csv", "run.jsonl", "run.json"])
    @pytest.mark.parametrize(
        ("cell", "score"),
        [("True", True), ("false", False), ("1", 1.0), ("+.5e-1", 0.05), ("3.", 3.0), ("-2", -2.0)],
    )
    def test_text_scores(self, write: Write, cell: str, score: float, name: str) -> None:
        row = json.dumps({"id": 1, "s": cell})
        rows = {"run.csv": f"id,s\n1,{cell}\n", "run.jsonl": row, "run.json": f"[{row}]"}[name]
        run = read_run(write(rows, name), score_field="s")
        assert run.records[0].scores == {"s": score}
        assert type(run.records[0].scores["s"]) is type(score)

    @pytest.mark.parametrize(
        "cell", ["nan", "inf", "1_000", "１", "yes", "TRUE", " 1", "0x1", "1e999", "1,5", "."]
    )
    def test_what_is_no_text_score(self, write: Write, cell: str) -> None:
        path = write(f'id,s\n1,"{cell}"\n', "run.csv")
        with pytest.raises(FileError, match=r"run\.csv:2: expected a finite number, true or false"):
            read_run(path, score_field="s")

    @pytest.mark.parametrize(
        ("name", "rows"),
        [
            (
                "run.jsonl",
                "".join(f'{{"id": {n}, "s": {"null" if n % 2 else 1}}}\n' for n in range(20)),
            ),
            ("run.csv", "id,s\n" + "".join(f"{n},{'' if n % 2 else 1}\n" for n in range(20))),
        ],
    )
    def test_missing_scores_are_counted(self, write: Write, name: str, rows: str) -> None:
        run = read_run(write(rows, name), score_field="s")
        message = (
            r"got 10 of 20 items without a score in old 'run' \(ids '1', '3', '5', '7', '9', "
            r"\.\.\.\).*--unanswered wrong .* drop leaves them out"
        )
        with pytest.raises(PairingError, match=message):
            compare_runs(run, run)
        assert len(pair_runs(run, run, unanswered="drop")) == 10

    @pytest.mark.parametrize("rows", ['{"id":1,"s":null}', '{"id":1,"s":-1}\n{"id":2,"s":null}'])
    def test_a_field_without_any_score_is_refused(self, write: Write, rows: str) -> None:
        message = r"expected scores in the field 's', got none in \d rows?, null.*--score-field"
        with pytest.raises(FileError, match=message):
            read_run(write(rows), score_field="s", missing_score=-1)


class TestMissingScore:
    """Values by which files of FastChat, ragas, pandas and spreadsheets say "no score"."""

    @pytest.mark.parametrize(
        ("name", "rows", "declared"),
        [
            ("run.jsonl", '{"id":1,"s":7}\n{"id":2,"s":-1}\n{"id":3,"s":-1.0}', -1),
            ("run.jsonl", '{"id":1,"s":7}\n{"id":2,"s":-1}\n{"id":3,"s":null}', "-1"),
            ("run.jsonl", '{"id":1,"s":7}\n{"id":2,"s":NaN}\n{"id":3,"s":"N/A"}', ["NaN", "N/A"]),
            ("run.json", '[{"id":1,"s":7},{"id":2,"s":""},{"id":3,"s":"нет"}]', ("", "нет")),
            ("run.csv", "id,s\n1,7\n2,nan\n3,NaN\n", "NaN"),
            ("run.csv", "id,s\n1,7\n2,-1\n3,-1.0\n", -1),
            ("run.tsv", "id\ts\n1\t7\n2\t\n3\t999\n", 999),
        ],
    )
    def test_declared_values_are_no_scores(
        self, write: Write, name: str, rows: str, declared: Any
    ) -> None:
        run = read_run(write(rows, name), score_field="s", missing_score=declared)
        assert [dict(record.scores) for record in run] == [{"s": 7}, {}, {}]

    def test_nan_in_parquet(self, write: Write, writers: Writers) -> None:
        rows = [{"id": 1, "s": 7.0}, {"id": 2, "s": math.nan}, {"id": 3, "s": None}]
        path = write(writers["parquet"](rows), "run.parquet")
        with pytest.raises(FileError, match=r"got nan: .*--missing-score VALUE \(missing_score="):
            read_run(path, score_field="s")
        run = read_run(path, score_field="s", missing_score=math.nan)
        assert [dict(record.scores) for record in run] == [{"s": 7}, {}, {}]

    @pytest.mark.parametrize("row", ['{"id":1,"s":1}', '{"id":1,"s":true}', '{"id":1,"s":1.0}'])
    def test_a_truth_value_is_no_number(self, write: Write, row: str) -> None:
        run = read_run(write(f'{{"id":0,"s":2}}\n{row}'), score_field="s", missing_score=1)
        assert bool(run.records[1].scores) == ("true" in row)

    def test_it_needs_a_score_field(self, write: Write) -> None:
        with pytest.raises(UsageError, match=r"expected a score field for --missing-score"):
            read_run(write('{"id":1,"prediction":"A"}'), missing_score=-1)

    @pytest.mark.parametrize("value", [True, [None], [[1]]])
    def test_it_is_text_or_a_number(self, write: Write, value: Any) -> None:
        with pytest.raises(UsageError, match=r"expected a text or a number as --missing-score"):
            read_run(write('{"id":1,"s":1}'), score_field="s", missing_score=value)


class TestWhere:
    ROWS = tuple(
        {"model": model, "id": number, "beta": number > 1, "prediction": f"{model}{number}"}
        for model in ("a", "b")
        for number in (1, 2)
    )

    @pytest.mark.parametrize(
        ("where", "kept"),
        [
            ({"model": "b"}, ["b1", "b2"]),
            ({"id": "2"}, ["a2", "b2"]),
            ({"beta": "true", "model": "a"}, ["a2"]),
            ({}, ["a1", "a2", "b1", "b2"]),
        ],
    )
    def test_rows_are_kept_by_text(
        self, write: Write, writers: Writers, where: dict[str, str], kept: list[str]
    ) -> None:
        for name, content in [
            ("run.jsonl", writers["jsonl"](self.ROWS)),
            ("run.parquet", writers["parquet"](self.ROWS)),
        ]:
            run = read_run(write(content, name), where=where)
            assert [record.prediction for record in run] == kept

    def test_nothing_kept_lists_the_values_seen(self, write: Write, writers: Writers) -> None:
        message = (
            "expected a row with 'model' to be 'c', first values seen: 'a', 'b': change --where"
        )
        with pytest.raises(FileError, match=message):
            read_run(write(writers["jsonl"](self.ROWS)), where={"model": "c"})

    def test_the_field_must_be_there(self, write: Write, writers: Writers) -> None:
        with pytest.raises(FileError, match=r":1: expected the field 'x', got .*--where \(where\)"):
            read_run(write(writers["jsonl"](self.ROWS)), where={"x": "c"})


def test_no_text_of_a_file_acts_in_a_message(write: Write, hostile: list[str]) -> None:
    attempts: list[tuple[dict[str, object], dict[str, Any]]] = []
    for payload in hostile:
        row: dict[str, object] = {"id": "1", "prediction": "A", "s": payload, payload: [payload]}
        attempts += [
            ({"id": "1", payload: 1}, {}),
            (row, {"score_field": "s"}),
            (row, {"where": {"s": payload + "x"}}),
            (row, {"prediction_field": payload or "x"}),
            ({"id": payload or "x", "s": None}, {"score_field": "s"}),
        ]
    for row, options in attempts:
        with pytest.raises(FileError) as caught:
            read_run(write(json.dumps(row)), **options)
        message = str(caught.value)
        assert message.isprintable() or message.replace("\u00a0", " ").isprintable()
        assert len(message) < 1000


class TestMissingFields:
    """All missing fields are named at once, each with its nearest name."""

    def test_both_with_a_guess(self, tmp_path: Path) -> None:
        path = tmp_path / "run.jsonl"
        path.write_text('{"question_id": 1, "модель": "B", "output": "A"}\n', encoding="utf-8")
        with pytest.raises(FileError) as caught:
            read_run(path)
        assert str(caught.value) == (
            f"{path}:1: expected the fields 'id' and 'prediction', got 'question_id', 'модель', "
            f"'output': did you mean 'question_id' for 'id' and 'output' for 'prediction'? name "
            f"them with --id-field (id_field) and --prediction-field (prediction_field); runs are "
            f"joined by id, never by position"
        )

    def test_every_field_that_was_asked_for(self, tmp_path: Path) -> None:
        path = tmp_path / "run.jsonl"
        path.write_text('{"id": 1, "prediction": "A"}\n{"id": 2, "x": 1}\n', encoding="utf-8")
        with pytest.raises(FileError, match=r":1: expected the fields 'judge', 'topic' and 'p', "):
            read_run(path, score_field="judge", slice_field="topic", prompt_field="p")
        with pytest.raises(FileError, match=r":2: expected the field 'prediction', got 'id', 'x'"):
            read_run(path)

    def test_references(self, tmp_path: Path) -> None:
        path = tmp_path / "references.jsonl"
        path.write_text('{"qid": 1, "gold": "A"}\n', encoding="utf-8")
        with pytest.raises(FileError, match=r"fields 'id' and 'reference', .*'gold' for 'refer"):
            read_references(path)


ONE_OF_EACH = [[True, True, True], [False, True], [True, False, True]]


@pytest.mark.parametrize("ending", ["jsonl", "csv", "json"])
@pytest.mark.parametrize(("list_score", "scores"), [("all", [1, 0, 0]), ("share", [1, 0.5, 2 / 3])])
def test_a_list_of_true_and_false_is_a_score(tmp_path, ending, list_score, scores):
    path = tmp_path / f"задания.{ending}"
    rows = [{"id": n, "по": flags} for n, flags in enumerate(ONE_OF_EACH)]
    if ending == "csv":
        path.write_text(
            "".join(["id,по\n", *(f'{row["id"]},"{row["по"]}"\n' for row in rows)]),
            encoding="utf-8",
        )
    else:
        text = "\n".join(map(json.dumps, rows)) if ending == "jsonl" else json.dumps(rows)
        path.write_text(text, encoding="utf-8")
    run = read_run(path, score_field="по", list_score=list_score)
    assert [record.scores["по"] for record in run] == scores
    with pytest.raises(FileError, match=r"--list-score all, or by its share .* \(list_score=\)"):
        read_run(path, score_field="по")


@pytest.mark.parametrize("flags", [[], [True, None], [1, 0], [True, "true"], [[True]]])
def test_any_other_list_is_no_score(tmp_path, flags):
    path = tmp_path / "v1.jsonl"
    rows = [{"id": 1, "ok": [True]}, {"id": 2, "ok": flags}]
    path.write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(FileError, match=r"v1\.jsonl:2: expected a finite number, true or false"):
        read_run(path, score_field="ok", list_score="all")


def test_a_list_score_needs_its_field_and_one_of_two_names(tmp_path):
    path = tmp_path / "v1.jsonl"
    path.write_text('{"id": 1, "prediction": "A"}')
    with pytest.raises(UsageError, match=r"expected a score field for --list-score"):
        read_run(path, list_score="all")
    with pytest.raises(UsageError, match="list_score"):
        read_run(path, score_field="ok", list_score="most")
