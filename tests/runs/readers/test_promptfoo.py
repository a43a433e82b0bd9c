"""Output of promptfoo: real files, and the traps in them."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics.cli import main
from muscle_metrics.errors import FileError, PairingError, UsageError
from muscle_metrics.runs.choice import Choice
from muscle_metrics.runs.files.glimpse import Glimpse
from muscle_metrics.runs.harnesses import recognise_harness
from muscle_metrics.runs.joining.pairing import pair_runs
from muscle_metrics.runs.read import read_run

if TYPE_CHECKING:
    from pathlib import Path

    from muscle_metrics.runs.record import Run


@pytest.fixture
def outputs(shared: Path) -> Path:
    return shared / "logs" / "promptfoo"


def read_all(path: Path) -> Run:
    recognised = recognise_harness(Glimpse(path))
    assert recognised is not None
    return recognised.read(Glimpse(path), Choice())


def row(variables: dict[str, Any], success: bool = True, **parts: Any) -> dict[str, Any]:
    return {
        "success": success,
        "failureReason": int(not success),
        "gradingResult": {"pass": success},
        "namedScores": parts.pop("scores", {}),
        "prompt": {"raw": str(variables), "label": "plain"},
        "promptId": "p",
        "provider": {"id": "echo", "label": ""},
        "response": {"output": "4"},
        "vars": variables,
        "testIdx": 0,
        **parts,
        "testCase": {"vars": variables, "assert": [{"type": "is-json"}], **parts.get("test", {})},
    }


def write(path: Path, *rows: dict[str, Any], **parts: Any) -> Path:
    results = {"version": 3, "results": rows, **parts}
    path.write_text(json.dumps({"evalId": "eval-1", "results": results}), encoding="utf-8")
    return path


class TestRealOutput:
    def test_json_and_lines_hold_the_same(self, outputs: Path) -> None:
        assert read_all(outputs / "out.json").records == read_all(outputs / "out.jsonl").records

    def test_success_is_what_promptfoo_counted(self, outputs: Path) -> None:
        stats = json.loads((outputs / "out.json").read_text("utf-8"))["results"]["stats"]
        run = read_all(outputs / "out.json")
        verdicts = Counter(record.scores.get("success") for record in run)
        # 6 of the 18 successes come from tests without assertions, which promptfoo passes.
        assert verdicts == {
            True: stats["successes"] - 6,
            False: stats["failures"],
            None: stats["errors"],
        }
        assert run.fingerprint["left_out"] == "6 results without assertions"
        assert run.fingerprint["errors"] == "4 of 30 results"
        assert run.fingerprint["harness_version"] == "0.121.20"

    def test_errors_are_neither_right_nor_wrong(self, outputs: Path) -> None:
        run = read_all(outputs / "out.json")
        failed = [record for record in run if not record.scores]
        assert {record.prompt for record in failed} == {"Q: err\nA:", "Question err"}
        assert {record.prediction for record in failed} == {None}
        assert {record.filter for record in failed} == {"model-v1", "model-v2"}

    def test_an_object_is_an_answer(self, outputs: Path) -> None:
        run = read_run(outputs / "out.json", filter="model-v1")
        answers = {record.prompt: record.prediction for record in run}
        assert answers["Question json"] == '{"a":1}'

    def test_the_reference_is_what_must_be_equalled(self, outputs: Path) -> None:
        run = read_run(outputs / "out.json", filter="model-v1", task="second")
        references = {record.prompt: record.reference for record in run}
        # Of t-1 it is a variable: {{ref}}.
        assert references["Question 2+2"] == "4"
        assert references["Question 3+3"] == "6"
        assert references["Question json"] is None

    def test_providers_are_listed_and_the_flag_is_named(self, outputs: Path) -> None:
        message = r"got 'echo', 'model-v1', 'model-v2': .*choose one with --filter \(filter=\)"
        with pytest.raises(UsageError, match=message):
            read_run(outputs / "out.json")

    def test_two_providers_of_one_file(
        self, outputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = str(outputs / "out.json")
        providers = ["--filter", "model-v1", "--filter", "model-v2"]
        # The user must choose one of three scores.
        assert main(["compare", path, path, *providers, "--unanswered", "drop"]) != 0
        assert "got 'em', 'rouge', 'success' in" in capsys.readouterr().err
        # An error counts as a wrong answer only if the user says so.
        assert main(["compare", path, path, *providers, "--metric", "success"]) != 0
        assert "2 of 10 items without a score in old" in capsys.readouterr().err
        target = tmp_path / "result.json"
        options = ["--metric", "success", "--unanswered", "drop", "--json", str(target)]
        assert main(["compare", path, path, *providers, *options]) == 0
        counts = json.loads(target.read_text("utf-8"))["counts"]
        # By hand: v2 answers 7 to 3+3 in two tests under two prompts.
        assert (counts["both_right"], counts["negative"], counts["positive"]) == (4, 4, 0)

    def test_a_named_score_keeps_the_tests_that_have_it(self, outputs: Path) -> None:
        run = read_run(outputs / "out.json", filter="model-v2", metric="rouge")
        assert {record.prompt for record in run} == {"Q: 3+3\nA:", "Question 3+3"}
        assert [record.scores["rouge"] for record in run] == [0.0, 0.0]
        assert "8 results without the metric" in run.fingerprint["left_out"]

    def test_repeats_are_numbered_though_each_has_a_test_index(self, outputs: Path) -> None:
        once, twice = read_all(outputs / "out.json"), read_all(outputs / "rep.json")
        assert len(twice) == 2 * len(once)
        assert {record.repeat for record in twice} == {"1", "2"}
        assert {record.id for record in twice} == {record.id for record in once}
        assert len({(r.filter, r.task, r.id, r.repeat) for r in twice}) == len(twice)

    def test_completion_order_means_nothing(self, outputs: Path, tmp_path: Path) -> None:
        lines = (outputs / "out.jsonl").read_bytes().splitlines(keepends=True)
        (tmp_path / "turned.jsonl").write_bytes(b"".join(reversed(lines)))
        turned = read_all(tmp_path / "turned.jsonl")
        assert set(map(str, turned)) == set(map(str, read_all(outputs / "out.jsonl")))

    def test_results_may_be_missing(self, outputs: Path, tmp_path: Path) -> None:
        document = json.loads((outputs / "out.json").read_text("utf-8"))
        del document["results"]["results"][5:]
        (tmp_path / "out.json").write_text(json.dumps(document), encoding="utf-8")
        assert read_all(tmp_path / "out.json").fingerprint["partial"] == "5 of 36 results"


class TestItems:
    def test_equal_variables_under_other_assertions_are_two_items(self, tmp_path: Path) -> None:
        other = {"assert": [{"type": "contains", "value": "4"}]}
        path = write(tmp_path / "out.json", row({"q": 1}), row({"q": 1}, test=other))
        records = read_run(path).records
        assert len({record.id for record in records}) == 2
        assert {record.repeat for record in records} == {None}

    def test_one_id_for_two_tests_makes_two_items(self, tmp_path: Path) -> None:
        named = {"metadata": {"id": "t"}}
        path = write(tmp_path / "out.json", row({"q": 1}, test=named), row({"q": 2}, test=named))
        records = read_run(path).records
        assert len({record.id for record in records}) == 2
        assert all(record.id.startswith("t/") for record in records)

    def test_the_id_of_the_metadata_is_kept(self, tmp_path: Path) -> None:
        named = {"metadata": {"id": 7}}
        assert read_run(write(tmp_path / "o.json", row({"q": 1}, test=named))).records[0].id == "7"

    def test_assertions_in_sets_count(self, tmp_path: Path) -> None:
        nested = {"type": "equals", "value": "4", "metric": "em"}
        path = write(
            tmp_path / "out.json",
            row({"q": 1}, test={"assert": [{"type": "assert-set", "assert": [nested]}]}),
            row({"q": 2}),
        )
        assert read_run(path).records[0].reference == "4"
        assert len(read_run(path, metric="em")) == 1

    def test_an_error_is_an_item_of_the_metrics_it_asserts(self, tmp_path: Path) -> None:
        named = {"assert": [{"type": "equals", "value": "4", "metric": "em"}]}
        failed = {"success": False, "failureReason": 2, "response": {"error": "boom"}}
        path = write(
            tmp_path / "out.json",
            row({"q": 1}, test=named, scores={"em": 1}),
            {**row({"q": 2}, test=named), **failed},
            {**row({"q": 3}), **failed},
        )
        assert [dict(r.scores) for r in read_run(path, metric="em")] == [
            {"em": 1.0, "success": True},
            {},
        ]
        assert len(read_run(path, metric="success")) == 3

    def test_a_metric_that_nobody_asserts_leaves_all(self, tmp_path: Path) -> None:
        path = write(tmp_path / "out.json", row({"q": 1}), row({"q": 2}))
        assert len(read_run(path, metric="exact_match")) == 2

    def test_a_template_of_its_own_is_no_reference(self, tmp_path: Path) -> None:
        asserted = [{"type": "equals", "value": "{{ q | upper }}"}]
        path = write(tmp_path / "out.json", row({"q": "a"}, test={"assert": asserted}))
        assert read_run(path).records[0].reference is None

    def test_providers_of_older_versions_are_text(self, tmp_path: Path) -> None:
        old = row({"q": 1}, provider="openai:gpt-4")
        assert read_run(write(tmp_path / "out.json", old)).name == "openai:gpt-4"

    def test_errors_before_reasons_were_recorded(self, tmp_path: Path) -> None:
        old = row({"q": 1}, success=False, gradingResult=None, error="boom", failureReason=None)
        run = read_run(write(tmp_path / "out.json", old, row({"q": 2})))
        assert [dict(record.scores) for record in run] == [{}, {"success": True}]
        assert run.fingerprint["errors"] == "1 of 2 results"

    def test_other_assertions_are_another_scorer(self, tmp_path: Path) -> None:
        first = read_run(write(tmp_path / "a.json", row({"q": 1}))).fingerprint["scorer"]
        strict = {"assert": [{"type": "is-json", "threshold": 0.5}]}
        second = read_run(write(tmp_path / "b.json", row({"q": 1}, test=strict)))
        assert second.fingerprint["scorer"] != first


class TestRefused:
    @pytest.mark.parametrize("results", [[], 7, None, {"a": 1}, [7], ["x"], [[]]])
    def test_no_results(self, tmp_path: Path, results: object) -> None:
        path = tmp_path / "out.json"
        path.write_text(json.dumps({"evalId": "e", "results": {"results": results}}), "utf-8")
        with pytest.raises(
            FileError, match=r"out\.json(, row 1)?: expected (a )?(list of )?result"
        ):
            read_run(path)

    @pytest.mark.parametrize(
        "parts",
        [
            {"provider": 7},
            {"provider": [1]},
            {"prompt": "x"},
            {"namedScores": [1]},
            {"response": "x"},
            {"test": {"vars": [1]}},
            {"test": {"assert": "x"}},
            {"test": {"metadata": "x"}},
        ],
    )
    def test_a_field_of_another_type(self, tmp_path: Path, parts: dict[str, Any]) -> None:
        path = write(tmp_path / "out.json", row({"q": 1}), {**row({"q": 2}, **parts)})
        with pytest.raises(FileError, match=r"out\.json, row 2: expected an? .* in the field '"):
            read_run(path)

    def test_a_member_after_the_rows_is_no_row(self, tmp_path: Path) -> None:
        path = write(tmp_path / "out.json", row({"q": 1}), stats="x")
        with pytest.raises(FileError, match=r"out\.json: expected an object in the field 'stats'"):
            read_run(path)


def version_2(variables: dict[str, Any], output: str, *, passed: bool) -> dict[str, Any]:
    """A result as promptfoo wrote it before version 3: without testCase, promptId and testIdx."""
    assertion = {"type": "equals", "value": "4"}
    graded = {"pass": passed, "componentResults": [{"pass": passed, "assertion": assertion}]}
    return {
        "provider": {"id": "openai:gpt-4"},
        "prompt": {"raw": str(variables), "label": "{{q}}"},
        "vars": variables,
        "response": {"output": output},
        "success": passed,
        "namedScores": {},
        "gradingResult": graded,
    }


class TestVersion2:
    def write(self, path: Path, *rows: dict[str, Any]) -> Path:
        results = {"version": 2, "timestamp": "2024-05-28", "results": rows, "stats": {}}
        path.write_text(json.dumps({"results": results, "config": {}}, indent=2), encoding="utf-8")
        return path

    def test_it_is_read(self, tmp_path: Path) -> None:
        rows = [
            version_2({"q": "2+2"}, "4", passed=True),
            version_2({"q": "четыре"}, "5", passed=False),
        ]
        run = read_run(self.write(tmp_path / "out.json", *rows))
        assert [(r.prediction, r.reference, dict(r.scores)) for r in run] == [
            ("4", "4", {"success": True}),
            ("5", "4", {"success": False}),
        ]
        assert run.fingerprint["format"] == "promptfoo (it has results with a version)"

    def test_repeats_without_numbers_are_refused(self, tmp_path: Path) -> None:
        row = version_2({"q": "2+2"}, "4", passed=True)
        run = read_run(self.write(tmp_path / "out.json", row, {**row, "success": False}))
        with pytest.raises(PairingError, match=r"1 id more than once in old"):
            pair_runs(run, run)


class TestConfigurations:
    """Providers and prompts of one label, and one evaluation twice."""

    def test_providers_of_one_label_are_filters(self, tmp_path: Path) -> None:
        rows = [
            row({"q": 1}, provider={"id": name, "label": "mine"}, promptIdx=column)
            for column, name in enumerate(["a:1", "b:2"])
        ]
        path = write(tmp_path / "out.json", *rows)
        with pytest.raises(UsageError, match=r"got 'mine:a:1', 'mine:b:2': .*--filter"):
            read_run(path)
        assert len(read_run(path, filter="mine:b:2")) == 1

    def test_prompts_of_one_label_are_tasks(self, tmp_path: Path) -> None:
        rows = [
            row({"q": 1}, promptId=name, promptIdx=column)
            for column, name in enumerate(["5f0c" * 16, "77aa" * 16])
        ]
        records = read_run(write(tmp_path / "out.json", *rows)).records
        assert [record.task for record in records] == ["plain:5f0c5f0c", "plain:77aa77aa"]
        assert {record.repeat for record in records} == {None}

    def test_columns_that_cannot_be_told_apart_are_refused(self, tmp_path: Path) -> None:
        rows = [row({"q": 1}, promptIdx=column, testIdx=column) for column in (0, 3)]
        with pytest.raises(FileError, match=r"'echo' and the prompt 'plain', got columns 0 and 3"):
            read_run(write(tmp_path / "out.json", *rows))

    def test_a_result_twice_is_no_repeat(self, tmp_path: Path) -> None:
        rows = [row({"q": n}, promptIdx=0, testIdx=n) for n in (0, 1, 1)]
        with pytest.raises(FileError, match=r"got test 1 of column 0 twice"):
            read_run(write(tmp_path / "out.json", *rows))


@pytest.mark.parametrize(
    ("kinds", "metric", "judge"),
    [
        (["is-json", "equals"], None, None),
        (["is-json", "not-llm-rubric"], None, "llm-rubric"),
        (["g-eval", "factuality"], None, "factuality, g-eval"),
        (["llm-rubric", "contains"], "named", None),
    ],
)
def test_a_model_that_grades_is_the_judge_of_what_it_grades(tmp_path, kinds, metric, judge):
    """The metric is of the last assertion alone."""
    listed = [{"type": kind} for kind in kinds]
    listed[-1]["metric"] = "named"
    rows = [
        row({"q": name}, test={"assert": listed}, testIdx=k, scores={"named": 1.0})
        for k, name in enumerate(("да", "нет"))
    ]
    run = read_run(write(tmp_path / "out.json", *rows), metric=metric)
    assert run.fingerprint.get("judge") == judge
