"""Tables of MLflow, in every orientation of pandas, and the traps in them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics.errors import FileError
from muscle_metrics.runs.files.glimpse import Glimpse
from muscle_metrics.runs.harnesses import recognise_harness
from muscle_metrics.runs.joining.pairing import pair_runs
from muscle_metrics.runs.read import read_run

if TYPE_CHECKING:
    from pathlib import Path

    from muscle_metrics.runs.record import Run


def table(path: Path, columns: list[str], *rows: list[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"columns": columns, "data": rows}), encoding="utf-8")
    return path


COLUMNS = ["question", "ground_truth", "predictions", "em/score", "em/justification", "len/score"]
ROW = ["2+2", "4", "5", 0.0, "why", 1]


def trace(question: str, answer: str, *assessments: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {
        "trace_id": f"tr-{id(assessments)}",
        "state": "OK",
        "request": {"q": question},
        "response": answer,
        "assessments": assessments,
        **parts,
    }


def feedback(name: str, value: object, **parts: Any) -> dict[str, Any]:
    return {
        "assessment_name": name,
        "feedback": {"value": value, **parts.pop("feedback", {})},
        "metadata": {"mlflow.assessment.scorerDigest": f"sha256:{name}"},
        **parts,
    }


def expectation(name: str, value: object) -> dict[str, Any]:
    return {"assessment_name": name, "expectation": {"value": value}}


def write(path: Path, *traces: dict[str, Any]) -> Path:
    path.write_text(json.dumps(traces), encoding="utf-8")
    return path


class TestTable:
    def test_columns_before_the_answer_are_inputs(self, tmp_path: Path) -> None:
        path = table(tmp_path / "eval_results_table.json", COLUMNS, ROW)
        record = read_run(path).records[0]
        assert (record.prompt, record.reference, record.prediction) == ("2+2", "4", "5")
        assert record.scores == {"em": 0.0, "len": 1.0}

    def test_several_inputs_and_later_outputs(self, tmp_path: Path) -> None:
        columns = ["question", "context", "target", "outputs", "retrieved", "latency", "em/score"]
        old = table(tmp_path / "a.json", columns, ["q", "c", "4", "5", "x", 0.1, 0.0])
        new = table(tmp_path / "b.json", columns, ["q", "c", "4", "4", "y", 0.2, 1.0])
        # Other outputs of the model do not change the id of an item.
        joined = pair_runs(read_run(old), read_run(new))
        assert len(joined) == 1
        assert joined.records[0][0].prompt == '{"context":"c","question":"q"}'

    def test_a_target_of_an_unknown_name_is_one_more_input(self, tmp_path: Path) -> None:
        path = table(tmp_path / "a.json", ["q", "gold", "predictions", "m/score"], [1, 2, 3, 4])
        record = read_run(path).records[0]
        assert (record.reference, record.prediction) == (None, 3)

    def test_a_missing_score_is_no_score(self, tmp_path: Path) -> None:
        rows = [["1", "4", "5", None, "", 1], ["2", "4", "5", float("nan"), "", 1]]
        path = table(tmp_path / "a.json", COLUMNS, *rows)
        assert [dict(record.scores) for record in read_run(path)] == [{"len": 1.0}] * 2

    def test_a_table_that_two_evaluations_wrote_to(self, tmp_path: Path) -> None:
        path = table(tmp_path / "a.json", COLUMNS, ROW, ["3+3", *ROW[1:]], ROW)
        message = (
            r"expected the inputs of each row once, got those of 1 rows again, such as 'inputs"
        )
        with pytest.raises(FileError, match=message):
            read_run(path)

    @pytest.mark.parametrize("name", ["", "artifacts", "artifacts/eval_results_table.json"])
    def test_the_run_is_named_by_its_folder(self, tmp_path: Path, name: str) -> None:
        table(tmp_path / "5fb4" / "artifacts" / "eval_results_table.json", COLUMNS, ROW)
        run = read_run(tmp_path / "5fb4" / name)
        assert run.name == "5fb4"

    @pytest.mark.parametrize(
        ("columns", "message"),
        [
            (["q", "answer", "em/score"], r"row 1: expected a column named 'predictions' or"),
            (["predictions", "x", "em/score"], "row 1: expected a column of inputs before 'predic"),
            (["q", "q", "em/score"], "expected each column name once, got 'q', 'q', 'em/score'"),
        ],
    )
    def test_columns_that_do_not_do(self, tmp_path: Path, columns: list[str], message: str) -> None:
        with pytest.raises(FileError, match=message):
            read_run(table(tmp_path / "a.json", columns, [1, 2, 3]))

    @pytest.mark.parametrize("row", [[1, 2], [1] * 7, 7, None, {"a": 1}])
    def test_rows_of_another_length(self, tmp_path: Path, row: Any) -> None:
        path = table(tmp_path / "a.json", COLUMNS, ROW, row)
        with pytest.raises(FileError, match=r"row 2: expected 6 values as there are columns, got"):
            read_run(path)

    def test_no_rows(self, tmp_path: Path) -> None:
        with pytest.raises(FileError, match="expected rows, got none"):
            read_run(table(tmp_path / "a.json", COLUMNS))

    def test_any_other_table_of_pandas_is_left_alone(self, tmp_path: Path) -> None:
        other = table(tmp_path / "a.json", ["id", "prediction"], [1, 2])
        assert recognise_harness(Glimpse(other)) is None


class TestTraces:
    def test_the_request_is_the_key_and_not_the_new_trace(self, tmp_path: Path) -> None:
        old = write(tmp_path / "a.json", trace("1", "x", feedback("em", False)))
        new = write(tmp_path / "b.json", trace("1", "y", feedback("em", True), trace_id="tr-new"))
        joined = pair_runs(read_run(old), read_run(new))
        assert [side[0].scores for side in joined.records] == [{"em": False}, {"em": True}]

    @pytest.mark.parametrize(
        ("value", "score"),
        [
            (True, True),
            (0.5, 0.5),
            ("yes", True),
            ("No", False),
            ("unknown", None),
            (None, None),
            (["yes"], None),
        ],
    )
    def test_ratings_are_those_that_mlflow_counts(
        self, tmp_path: Path, value: object, score: object
    ) -> None:
        path = write(tmp_path / "a.json", trace("1", "x", feedback("m", value)))
        assert read_run(path).records[0].scores == ({} if score is None else {"m": score})

    def test_scorers_that_failed_and_traces_that_did(self, tmp_path: Path) -> None:
        failed = feedback("em", None, feedback={"error": {"error_message": "boom"}})
        run = read_run(
            write(
                tmp_path / "a.json",
                trace("1", "x", feedback("em", True)),
                trace("2", "x", failed),
                {**trace("3", "x", feedback("em", True)), "state": "ERROR", "response": None},
            )
        )
        assert run.fingerprint["errors"] == "2 of 3 rows"
        assert [len(record.scores) for record in run] == [1, 0, 1]

    def test_an_assessment_that_was_overruled_does_not_count(self, tmp_path: Path) -> None:
        overruled = feedback("em", True, valid=False)
        path = write(tmp_path / "a.json", trace("1", "x", overruled, feedback("em", False)))
        assert read_run(path).records[0].scores == {"em": False}
        twice = trace("1", "x", feedback("em", True), feedback("em", False))
        with pytest.raises(FileError, match=r"one valid assessment of each name, got .em. twice"):
            read_run(write(tmp_path / "b.json", twice))

    def test_references_are_expectations(self, tmp_path: Path) -> None:
        facts = expectation("expected_facts", ["a", "b"])
        response = expectation("expected_response", "4")
        traces = [
            trace("1", "x", feedback("em", True), facts, response),
            trace("2", "x", feedback("em", True), facts),
            trace("3", "x", feedback("em", True), facts, expectation("other", 1)),
        ]
        run = read_run(write(tmp_path / "a.json", *traces))
        assert [record.reference for record in run] == ["4", ["a", "b"], None]

    def test_another_version_of_a_scorer_is_another_scorer(self, tmp_path: Path) -> None:
        def scorer(version: str) -> str:
            judged = feedback("em", True)
            judged["metadata"] = {"mlflow.assessment.scorerDigest": version}
            path = write(tmp_path / f"{version}.json", trace("1", "x", judged))
            return read_run(path).fingerprint["scorer"]

        assert scorer("a") != scorer("b")

    def test_every_orientation_of_pandas_reads_the_same(self, tmp_path: Path) -> None:
        import pandas as pd

        traces = [
            trace(str(n), f"answer {n}", feedback("em", n == 1), expectation("e", "x"))
            for n in range(3)
        ]
        frame = pd.DataFrame(traces)
        paths = {
            "split": tmp_path / "split.json",
            "records": tmp_path / "records.json",
            "columns": tmp_path / "columns.json",
        }
        for orient, path in paths.items():
            frame.to_json(path, orient=orient)
        lines = tmp_path / "lines.jsonl"
        frame.to_json(lines, orient="records", lines=True)
        first, *others = (read_run(path) for path in [*paths.values(), lines])
        assert len(first) == 3
        assert all(comparable(other) == comparable(first) for other in others)

    @pytest.mark.parametrize(
        "content",
        [
            '{"trace_id": {"0": "t"}, "response": {"1": "x"}}',
            '{"trace_id": {"0": "t"}, "response": "x"}',
        ],
    )
    def test_columns_of_other_rows(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "a.json").write_text(content, encoding="utf-8")
        with pytest.raises(FileError, match="a value for every row in the column 'response'"):
            read_run(tmp_path / "a.json")


def comparable(run: Run) -> object:
    return run.records, {**run.fingerprint, "format": ""}
