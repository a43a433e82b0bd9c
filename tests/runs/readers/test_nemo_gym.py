"""Rollouts of NVIDIA NeMo Gym: failures beside them, agents, and what old versions leave out.

The shapes are those of NVIDIA-NeMo/Gym at commit 07d6b0d (nemo_gym/rollout_collection.py), and of
its example_rollouts.jsonl.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import compare_runs
from muscle_metrics.errors import FileError, MuscleMetricsError
from muscle_metrics.runs.read import read_run

if TYPE_CHECKING:
    from pathlib import Path


def message(text: object) -> dict[str, Any]:
    return {"type": "message", "content": [{"type": "output_text", "text": text}]}


def rollout(
    number: int, reward: float | None = 1.0, index: int = 0, **parts: Any
) -> dict[str, Any]:
    return {
        "responses_create_params": {"input": [{"role": "user", "content": f"вопрос {number}"}]},
        "response": {"model": "v1", "output": [{"type": "function_call"}, message("4")]},
        "reward": reward,
        "_ng_task_index": number,
        "_ng_rollout_index": index,
        "agent_ref": {"name": "sums"},
        **parts,
    }


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


class TestRollouts:
    def test_the_last_message_answers_unless_an_answer_was_extracted(self, tmp_path: Path) -> None:
        rows = [rollout(0), rollout(1, extracted_answer="5"), rollout(2, response={"output": []})]
        turns = {"output": [[message("3")], [message("7"), {"type": "function_call"}]]}
        run = read_run(write(tmp_path / "r.jsonl", *rows, rollout(3, response=turns)))
        assert [record.prediction for record in run] == ["4", "5", None, "7"]
        assert run.records[2].prompt == "вопрос 2"

    def test_rollouts_of_one_task_are_repeats(self, tmp_path: Path) -> None:
        rows = [rollout(1, index=1), rollout(0), rollout(1), rollout(0, index=1)]
        run = read_run(write(tmp_path / "r.jsonl", *rows))
        assert [(r.id, r.repeat) for r in run] == [("1", "1"), ("0", "0"), ("1", "0"), ("0", "1")]

    def test_agents_are_tasks(self, tmp_path: Path) -> None:
        rows = [rollout(0), rollout(0, agent_ref={"name": "право"})]
        run = read_run(write(tmp_path / "r.jsonl", *rows))
        assert [record.task for record in run] == ["sums", "право"]

    def test_another_number_is_read_if_it_is_the_metric(self, tmp_path: Path) -> None:
        path = write(tmp_path / "r.jsonl", rollout(0, wer=0.5), rollout(1, wer=1.5))
        assert read_run(path).records[1].scores == {"reward": 1.0}
        assert read_run(path, metric="wer").records[1].scores == {"reward": 1.0, "wer": 1.5}

    def test_another_question_under_a_number_is_refused(self, tmp_path: Path) -> None:
        old = read_run(write(tmp_path / "a.jsonl", rollout(0), rollout(1)))
        turned = rollout(1, _ng_task_index=0), rollout(0, _ng_task_index=1)
        new = read_run(write(tmp_path / "b.jsonl", *turned))
        with pytest.raises(MuscleMetricsError, match="different prompts for 2 ids"):
            compare_runs(old, new)

    def test_without_numbers_the_question_is_the_item(self, tmp_path: Path) -> None:
        rows = [rollout(n) for n in range(3)]
        for row in rows:
            del row["_ng_task_index"], row["_ng_rollout_index"], row["agent_ref"]
        old = read_run(write(tmp_path / "a.jsonl", *rows))
        new = read_run(write(tmp_path / "b.jsonl", *rows[::-1]))
        assert compare_runs(old, new).counts.total == 3
        twice = read_run(write(tmp_path / "c.jsonl", *rows, rows[1]))
        with pytest.raises(MuscleMetricsError, match="more than once"):
            compare_runs(old, twice)


class TestFaults:
    def test_failures_are_counted_unless_a_later_attempt_succeeded(self, tmp_path: Path) -> None:
        path = write(tmp_path / "r.jsonl", rollout(0), rollout(2))
        write(tmp_path / "r_failures.jsonl", rollout(1, 0.0), rollout(1, 0.0), rollout(2, 0.0))
        write(tmp_path / "r_materialized_inputs.jsonl", *(rollout(n) for n in range(3)))
        for place in (path, tmp_path):
            facts = read_run(place).fingerprint
            assert facts["errors"] == "1 failed rollout"
            assert facts["partial"] == "2 of 3 rollouts"

    def test_a_rollout_without_a_reward_is_not_judged(self, tmp_path: Path) -> None:
        run = read_run(write(tmp_path / "r.jsonl", rollout(0), rollout(1, None)))
        with pytest.raises(MuscleMetricsError, match="1 of 2 items without a score"):
            compare_runs(run, run)

    def test_a_damaged_row(self, tmp_path: Path) -> None:
        path = write(tmp_path / "r.jsonl", rollout(0), rollout(1, response=["x"]))
        with pytest.raises(FileError, match=r"r\.jsonl:2: expected an object in the field 'resp"):
            read_run(path)

    def test_aggregate_metrics_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "r_aggregate_metrics.json"
        means = [{"agent_ref": {"name": "sums"}, "agent_metrics": {"mean/reward": 0.5}}]
        path.write_text(json.dumps(means, indent=2), encoding="utf-8")
        with pytest.raises(FileError, match=r"expected rollouts, .*got aggregate metrics alone: "):
            read_run(path)
