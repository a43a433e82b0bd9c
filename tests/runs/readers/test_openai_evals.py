"""Events of OpenAI evals: a real file, and the traps in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics.cli import main
from muscle_metrics.errors import FileError
from muscle_metrics.runs.read import read_run

if TYPE_CHECKING:
    from pathlib import Path

SPEC = {
    "spec": {
        "completion_fns": ["tiny"],
        "eval_name": "sums.s1.v0",
        "created_at": "2023-04-17",
        "run_config": {"max_samples": 3, "eval_spec": {"cls": "Match", "args": {}}},
    }
}
REPORT = {"final_report": {"accuracy": 0.5}}


def event(number: int, sample: str, kind: str = "match", **data: Any) -> dict[str, Any]:
    return {
        "run_id": "r",
        "event_id": number,
        "sample_id": sample,
        "type": kind,
        "data": data,
        "created_at": "",
    }


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def log(shared: Path) -> Path:
    return shared / "logs" / "openai_evals" / "real_2023_test-match.jsonl"


class TestRealEvents:
    def test_the_report_is_that_of_the_events(self, log: Path) -> None:
        run = read_run(log)
        report = json.loads(log.read_text("utf-8").partition("\n")[0])["final_report"]
        verdicts = [record.scores["correct"] for record in run]
        assert sum(verdicts) / len(verdicts) == report["accuracy"]
        # The final report comes first in the file; the run is finished nevertheless.
        assert "status" not in run.fingerprint

    def test_everything_of_a_sample(self, log: Path) -> None:
        record = {record.id: record for record in read_run(log)}["test-match.s1.0"]
        assert record.prediction == "Once upon a time"
        assert record.reference == "time"
        assert (record.prompt or "").endswith("User: Once upon a \nAssistant: ")
        assert record.scores == {"correct": False}

    def test_a_second_version_is_compared_without_flags(
        self, log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        # One recorded score is reversed, and the order of events: one item broke.
        lines = log.read_text("utf-8").splitlines()
        changed = [line.replace('"correct": true', '"correct": false') for line in lines]
        new = tmp_path / "new.jsonl"
        new.write_text("\n".join(reversed(changed)), encoding="utf-8")
        assert main(["compare", str(log), str(new)]) == 0
        assert "1 item broke, 0 got fixed" in capsys.readouterr().out


class TestEvents:
    def test_the_specification_gives_the_fingerprint(self, tmp_path: Path) -> None:
        run = read_run(write(tmp_path / "a.jsonl", SPEC, event(0, "s", correct=True), REPORT))
        assert run.name == "tiny"
        known = {"model": "tiny", "dataset": "sums.s1.v0", "max_samples": "3", "date": "2023-04-17"}
        assert known.items() <= run.fingerprint.items()
        assert "scorer" in run.fingerprint

    def test_numbers_of_events_say_which_came_first(self, tmp_path: Path) -> None:
        events = [
            event(3, "s", correct=False, picked="c"),
            event(1, "s", correct=True, picked="a"),
            event(2, "s", correct=False, picked="b"),
            event(0, "s", "sampling", prompt="q", sampled=["x"]),
        ]
        run = read_run(write(tmp_path / "a.jsonl", *events))
        assert [(r.repeat, r.prediction) for r in run] == [("1", "a"), ("2", "b"), ("3", "c")]
        assert {record.prompt for record in run} == {"q"}

    def test_metrics_join_the_match_they_belong_to(self, tmp_path: Path) -> None:
        events = [
            event(0, "s", correct=True),
            event(1, "s", "metrics", f1=0.5, note="text", nothing=None),
            event(2, "s", correct=False),
            event(3, "s", "metrics", f1=0.25),
        ]
        run = read_run(write(tmp_path / "a.jsonl", *events))
        assert [dict(record.scores) for record in run] == [
            {"correct": True, "f1": 0.5},
            {"correct": False, "f1": 0.25},
        ]

    def test_metrics_alone_are_scores(self, tmp_path: Path) -> None:
        events = [
            event(0, "s", "sampling", prompt=[{"role": "user"}], sampled=["4"]),
            event(1, "s", "metrics", score=0.5),
        ]
        record = read_run(write(tmp_path / "a.jsonl", *events)).records[0]
        assert (record.prediction, record.scores) == ("4", {"score": 0.5})
        assert record.prompt == '[{"role":"user"}]'

    def test_errors_and_unfinished_runs_are_said(self, tmp_path: Path) -> None:
        events = [
            event(0, "a", correct=True),
            event(1, "b", "sampling", prompt="q", sampled=None),
            event(2, "b", "error", message="boom"),
        ]
        run = read_run(write(tmp_path / "a.jsonl", *events))
        assert run.fingerprint["errors"] == "1 of 2 samples"
        assert run.fingerprint["status"] == "no final report"
        assert (run.records[1].prediction, dict(run.records[1].scores)) == (None, {})

    @pytest.mark.parametrize(
        ("expected", "reference"),
        [
            ("4", "4"),
            (["4", "four"], ["4", "four"]),
            ({"n": 4}, '{"n":4}'),
            ([["4"]], '[["4"]]'),
            (None, None),
        ],
    )
    def test_references(self, tmp_path: Path, expected: object, reference: object) -> None:
        path = write(tmp_path / "a.jsonl", event(0, "s", correct=True, expected=expected))
        assert read_run(path).records[0].reference == reference

    def test_an_empty_sample_is_an_answer(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.jsonl", event(0, "s", correct=True, sampled="", picked="x"))
        assert read_run(path).records[0].prediction == ""


class TestRefused:
    def test_two_runs_in_one_file(self, tmp_path: Path) -> None:
        other = {**event(1, "t", correct=True), "run_id": "r2"}
        path = write(tmp_path / "a.jsonl", event(0, "s", correct=True), other)
        with pytest.raises(FileError, match=r"a\.jsonl:2: expected events of one run, got .r2."):
            read_run(path)

    def test_nothing_that_judges(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.jsonl", SPEC, event(0, "s", "sampling", prompt="q"))
        with pytest.raises(FileError, match="expected events that judge samples"):
            read_run(path)

    @pytest.mark.parametrize("correct", ["True", 2**2000, None, [True], float("nan")])
    def test_verdicts_that_are_none(self, tmp_path: Path, correct: object) -> None:
        rows = [event(0, "s", correct=True), event(1, "t", correct=correct)]
        run = read_run(write(tmp_path / "a.jsonl", *rows))
        assert [dict(record.scores) for record in run] == [{"correct": True}, {}]

    @pytest.mark.parametrize(
        "row",
        [
            {"x": 1},
            {**event(0, "s"), "sample_id": None},
            {**event(0, "s"), "event_id": "0"},
            {**event(0, "s"), "type": 1},
            {**event(0, "s"), "data": "x"},
            {"spec": 7},
        ],
    )
    def test_lines_that_are_no_events(self, tmp_path: Path, row: dict[str, Any]) -> None:
        path = write(tmp_path / "a.jsonl", event(0, "s", correct=True), row)
        with pytest.raises(FileError, match=r"a\.jsonl:2: expected an? "):
            read_run(path)
