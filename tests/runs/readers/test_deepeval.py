"""Test runs of deepeval: real ones, and the traps in them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics.comparison.judging import judge_runs
from muscle_metrics.errors import FileError, PairingError
from muscle_metrics.runs.joining.pairing import pair_runs
from muscle_metrics.runs.read import read_run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def runs(shared: Path) -> Path:
    return shared / "logs" / "deepeval"


def case(asked: str, score: float | None = 1.0, **parts: Any) -> dict[str, Any]:
    metric = {"name": "EM", "threshold": 1.0, "success": score == 1.0, "strictMode": False}
    metric |= {"error": "boom"} if score is None else {"score": score}
    return {
        "name": "test_case_0",
        "input": asked,
        "actualOutput": "4",
        "expectedOutput": "4",
        "success": score == 1.0,
        "metricsData": [metric],
        **parts,
    }


def write(path: Path, *cases: dict[str, Any], **parts: Any) -> Path:
    path.write_text(json.dumps({"testCases": cases, **parts}), encoding="utf-8")
    return path


class TestNames:
    def test_a_real_run(self, runs: Path) -> None:
        run = read_run(runs / "test_run_20261123_073352.json")
        named, unnamed = run.records
        assert (named.id, named.prompt, named.scores) == ("t-1", "2+2", {"EM": 1.0})
        # deepeval names a test case by its position, as in test_case_1.
        assert unnamed.id.startswith("input:")
        assert (unnamed.prediction, unnamed.reference, unnamed.scores) == ("7", "6", {"EM": 0.0})

    def test_positions_do_not_pair(self, tmp_path: Path) -> None:
        first = write(tmp_path / "a.json", case("2+2"), case("3+3", 0.0, name="test_case_1"))
        second = write(tmp_path / "b.json", case("3+3", 0.0), case("2+2", name="test_case_1"))
        old, new = read_run(first), read_run(second)
        assert old.records == new.records[::-1]
        assert pair_runs(old, new).ids

    def test_parameters_of_pytest_are_no_name(self, runs: Path) -> None:
        # test_case[3+3-7-6] contains the model's answer; two of three cases ask the same question.
        with pytest.raises(FileError, match=r"each test case once, got .input:.* 2 times"):
            read_run(runs / "test_run_20261123_073358.json")

    def test_a_name_with_brackets_is_one_outside_of_pytest(self, tmp_path: Path) -> None:
        named = case("2+2", name="sum [easy]")
        assert read_run(write(tmp_path / "a.json", named)).records[0].id == "sum [easy]"
        path = tmp_path / "b.json"
        path.write_text(json.dumps({"testFile": "test_a.py", "testCases": [named]}), "utf-8")
        assert read_run(path).records[0].id.startswith("input:")

    def test_two_of_one_name(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.json", case("1", name="x"), case("2", name="x"))
        with pytest.raises(FileError, match=r"'x' 2 times: give test cases names of their own"):
            read_run(path)

    def test_a_conversation_is_known_by_what_the_user_said(self, tmp_path: Path) -> None:
        def talk(answer: str) -> dict[str, Any]:
            turns = [
                {"role": "user", "content": "2+2"},
                {"role": "assistant", "content": answer},
            ]
            metrics = [{"name": "Polite", "score": 1.0}]
            return {"name": "conversational_test_case_0", "turns": turns, "metricsData": metrics}

        old, new = (
            read_run(write(tmp_path / f"{answer}.json", conversationalTestCases=[talk(answer)]))
            for answer in ("4", "5")
        )
        assert old.records[0].id == new.records[0].id
        assert (old.records[0].prediction, new.records[0].prediction) == ("4", "5")


class TestScores:
    def test_a_metric_that_failed_has_no_score(self, tmp_path: Path) -> None:
        run = read_run(write(tmp_path / "a.json", case("1"), case("2", None)))
        assert [dict(record.scores) for record in run] == [{"EM": 1.0}, {}]
        assert run.fingerprint["errors"] == "1 of 2 test cases"

    def test_and_the_item_is_not_judged_by_its_answer_instead(self, tmp_path: Path) -> None:
        run = read_run(write(tmp_path / "a.json", case("1"), case("2", None)))
        with pytest.raises(PairingError, match="1 of 2 items without a score in old"):
            judge_runs(pair_runs(run, run))

    def test_a_score_beside_an_error_does_not_count(self, tmp_path: Path) -> None:
        broken = {"name": "EM", "score": 0.0, "error": "boom"}
        path = write(tmp_path / "a.json", case("1", metricsData=[broken]))
        assert read_run(path).records[0].scores == {}

    def test_the_verdict_over_all_metrics_is_named_success(self, tmp_path: Path) -> None:
        graded = [{"name": "A", "score": 0.7}, {"name": "B", "score": 0.2}]
        path = write(
            tmp_path / "a.json",
            case("1", metricsData=graded, success=True),
            case("2", metricsData=graded, success=False),
            case("3", None),
        )
        assert read_run(path).records[0].scores == {"A": 0.7, "B": 0.2}
        scores = [dict(record.scores) for record in read_run(path, metric="success")]
        assert scores == [{"success": True}, {"success": False}, {}]

    def test_two_metrics_of_one_name(self, tmp_path: Path) -> None:
        metrics = [{"name": "G", "score": 1.0}, {"name": "G", "score": 0.0}]
        with pytest.raises(FileError, match="row 1: expected each metric once in a test case"):
            read_run(write(tmp_path / "a.json", case("1", metricsData=metrics)))


class TestRun:
    def test_the_fingerprint(self, tmp_path: Path) -> None:
        judged = [{"name": "A", "score": 1.0, "threshold": 0.5, "evaluationModel": "judge-1"}]
        path = write(
            tmp_path / "a.json",
            case("1", metricsData=judged),
            hyperparameters={"model": "tiny", "temperature": 0},
            datasetAlias="sums",
            datasetVersion="3",
            prompts=[{"alias": "plain", "version": "1"}],
            identifier="nightly",
        )
        run = read_run(path)
        assert run.name == "nightly"
        parts = {"model": "tiny", "dataset": "sums 3", "judge": "judge-1"}
        assert parts.items() <= run.fingerprint.items()
        stricter = [{**judged[0], "threshold": 0.9}]
        other = read_run(write(tmp_path / "b.json", case("1", metricsData=stricter)))
        assert other.fingerprint["scorer"] != run.fingerprint["scorer"]
        assert "prompt" in run.fingerprint
        assert "prompt" not in other.fingerprint

    def test_a_rolling_snapshot_beside_a_run(self, tmp_path: Path) -> None:
        write(tmp_path / "test_run_1.json", case("1"))
        write(tmp_path / "test_run_2.json", case("1"))
        with pytest.raises(FileError, match=r"got 'test_run_1.json', 'test_run_2.json': name the"):
            read_run(tmp_path)

    @pytest.mark.parametrize(
        "cases", [[], {"a": 1}, "x", None, [7], [[]], [{"metricsData": 7}], [{"metricsData": [7]}]]
    )
    def test_no_test_cases(self, tmp_path: Path, cases: object) -> None:
        path = tmp_path / "a.json"
        path.write_text(json.dumps({"testCases": cases}), encoding="utf-8")
        with pytest.raises(FileError, match=r"a\.json(, row 1)?: expected .*, got .*: "):
            read_run(path, format="deepeval")


class TestResults:
    """What `evaluate` returns: deepeval 4.3.1, result.model_dump_json(), also by_alias=True."""

    def result(self, asked: str, score: float | None = 1.0, **parts: Any) -> dict[str, Any]:
        metric = {"name": "EM", "threshold": 1.0, "score": score, "strict_mode": False}
        judged = {"evaluation_model": "судья", "error": "boom" if score is None else None}
        return {
            "name": "test_case_0",
            "success": score == 1.0,
            "metrics_data": [metric | judged],
            "conversational": False,
            "input": asked,
            "actual_output": "4",
            "expected_output": "4",
            "turns": None,
            **parts,
        }

    def save(self, path: Path, *results: object) -> Path:
        found = {"test_results": results, "confident_link": None, "test_run_id": None}
        path.write_text(json.dumps(found, indent=2), encoding="utf-8")
        return path

    def test_it_is_read_as_a_test_run_is(self, tmp_path: Path) -> None:
        results = [self.result("2+2"), self.result("три", 0.0), self.result("3", None)]
        cases = [case("2+2"), case("три", 0.0), case("3", None)]
        run = read_run(self.save(tmp_path / "a.json", *results))
        assert run.records == read_run(write(tmp_path / "b.json", *cases)).records
        assert run.fingerprint["judge"] == "судья"
        assert run.fingerprint["errors"] == "1 of 3 test cases"

    def test_names_by_alias(self, tmp_path: Path) -> None:
        metric = {"name": "EM", "score": 1.0, "strictMode": True, "evaluationModel": "судья"}
        path = self.save(tmp_path / "a.json", self.result("2+2", metrics_data=[metric]))
        assert read_run(path).fingerprint["judge"] == "судья"

    def test_a_conversation(self, tmp_path: Path) -> None:
        said = [{"role": "user", "content": "2+2"}, {"role": "assistant", "content": "четыре"}]
        talk = self.result("", turns=said, conversational=True)
        record = read_run(self.save(tmp_path / "a.json", talk)).records[0]
        assert record.prediction == "четыре"

    @pytest.mark.parametrize("damaged", [7, None, [[]], {"metrics_data": [7], "input": "q"}])
    def test_a_damaged_result(self, tmp_path: Path, damaged: object) -> None:
        path = self.save(tmp_path / "a.json", self.result("2+2"), damaged)
        with pytest.raises(FileError, match=r"a\.json, row 2: expected a "):
            read_run(path)
