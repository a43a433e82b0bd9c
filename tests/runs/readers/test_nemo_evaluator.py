"""Results of NVIDIA NeMo Evaluator: benchmarks, failures, and mean scores alone.

The shapes are those of NVIDIA-NeMo/Evaluator at commit ac66aff: engine/eval_loop.py writes the
rows, engine/artifacts.py the bundle, environments/container.py reads results.yml.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import compare_runs
from muscle_metrics.cli import main
from muscle_metrics.errors import FileError, MuscleMetricsError
from muscle_metrics.runs.read import read_run

if TYPE_CHECKING:
    from pathlib import Path


def row(number: int, reward: float | None = 1.0, **parts: Any) -> dict[str, Any]:
    return {
        "problem_idx": number,
        "repeat": 0,
        "reward": reward,
        "scorer_rewards": {},
        "prompt": f"вопрос {number}",
        "model_response": "It is 4.",
        "extracted_answer": "4",
        "expected_answer": "4",
        "scoring_details": {},
        "metadata": {"category": "sums"},
        **parts,
    }


def write(folder: Path, *rows: dict[str, Any], **about: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in rows)
    (folder / "results.jsonl").write_text(text, encoding="utf-8")
    name = about.pop("run_id", "eval-20261123T074017Z-sums")
    bundle = {
        "run_id": name,
        "config_hash": "sha256:0",
        "config": {"model": about.pop("model", "v1")},
        "benchmark": {"name": about.pop("benchmark", folder.name)},
        "n_results": len(rows),
        **about,
    }
    (folder / f"{name}.json").write_text(json.dumps(bundle, indent=2), encoding="utf-8")
    return folder


class TestRows:
    def test_a_failed_answer_has_no_score(self, tmp_path: Path) -> None:
        failed = {"error": "timeout", "method": "infra_error"}
        judge = {"judge": {"error": "no judge_client configured", "total": None}}
        folder = write(
            tmp_path / "m",
            row(0),
            row(1, 0.0, scoring_details=failed),
            row(2, 0.0, scoring_details=judge),
            row(3, 0.0),
        )
        run = read_run(folder)
        assert [dict(record.scores) for record in run] == [{"reward": 1}, {}, {}, {"reward": 0}]
        assert run.fingerprint["errors"] == "2 of 4 answers"
        with pytest.raises(MuscleMetricsError, match="2 of 4 items without a score"):
            compare_runs(run, run)

    def test_repeats_and_scorers(self, tmp_path: Path) -> None:
        scorers = {
            "scorer_rewards": {"scorer:f1": 0.5, "scorer:bad": 0.0},
            "scoring_details": {"scorer:f1": {"correct": 1}, "scorer:bad": {"error": "boom"}},
        }
        rows = [row(0, repeat=n, **scorers) for n in (0, 1)]
        run = read_run(write(tmp_path / "m", *rows))
        assert [record.repeat for record in run] == ["0", "1"]
        assert run.records[1].scores == {"reward": 1.0, "scorer:f1": 0.5}

    def test_an_answer_that_was_not_extracted(self, tmp_path: Path) -> None:
        run = read_run(write(tmp_path / "m", row(0), row(1, extracted_answer=None)))
        assert [record.prediction for record in run] == ["4", "It is 4."]
        assert {record.slice for record in run} == {"sums"}

    def test_an_answer_twice_is_refused(self, tmp_path: Path) -> None:
        run = read_run(write(tmp_path / "m", row(0), row(1), row(1, 0.0)))
        with pytest.raises(MuscleMetricsError, match="more than once"):
            compare_runs(run, run)

    def test_a_damaged_row(self, tmp_path: Path) -> None:
        folder = write(tmp_path / "m", row(0), row(1, scoring_details=[1]))
        with pytest.raises(FileError, match=r"results\.jsonl:2: expected an object in the field"):
            read_run(folder)


class TestSuites:
    def test_benchmarks_are_tasks(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        for model, broken in (("old", {1}), ("new", {0, 2})):
            for task in ("gsm8k", "право"):
                rows = [row(n, float(n not in broken)) for n in range(4)]
                write(tmp_path / model / task, *rows, model=model)
        assert main(["compare", str(tmp_path / "old"), str(tmp_path / "new")]) == 0
        assert "4 items broke, 2 got fixed" in capsys.readouterr().out
        models = ["--old-model", "old", "--new-model", "new", "--task", "право"]
        assert main(["compare", str(tmp_path), *models]) == 0
        assert "2 items broke, 1 got fixed" in capsys.readouterr().out
        with pytest.raises(FileError, match="got 'new', 'old': choose one with --model"):
            read_run(tmp_path)

    def test_a_benchmark_twice(self, tmp_path: Path) -> None:
        for folder in ("a", "б"):
            write(tmp_path / folder, row(0), benchmark="gsm8k")
        with pytest.raises(FileError, match=r"of the task 'gsm8k', got 'a/results.jsonl', 'б/res"):
            read_run(tmp_path)

    def test_the_newest_bundle_describes_rows_that_a_rerun_wrote_anew(self, tmp_path: Path) -> None:
        write(tmp_path / "m", row(0), row(1), run_id="eval-20251231T000000Z-m", sdk_version="1")
        write(tmp_path / "m", row(0), sdk_version="2")
        facts = read_run(tmp_path / "m").fingerprint
        assert (facts["harness_version"], "partial" in facts) == ("2", False)

    def test_rows_that_are_missing(self, tmp_path: Path) -> None:
        folder = write(tmp_path / "m", row(0), n_results=3)
        assert read_run(folder).fingerprint["partial"] == "1 of 3 answers"


class TestMeansAlone:
    def test_a_benchmark_without_rows_is_not_left_out(self, tmp_path: Path) -> None:
        write(tmp_path / "a", row(0))
        (write(tmp_path / "b", row(0)) / "results.jsonl").unlink()
        with pytest.raises(FileError, match=r"b: expected results\.jsonl .*got mean scores alone"):
            read_run(tmp_path)
        assert len(read_run(tmp_path, task="a")) == 1

    @pytest.mark.parametrize("by_folder", [True, False])
    def test_a_container_of_another_harness(self, tmp_path: Path, by_folder: bool) -> None:
        path = tmp_path / "artifacts" / "results.yml"
        path.parent.mkdir()
        path.write_text("config: {}\nresults:\n  tasks:\n    gsm8k:\n      metrics: {}\n")
        with pytest.raises(FileError, match="got mean scores alone: name the log of the harness"):
            read_run(tmp_path if by_folder else path)
