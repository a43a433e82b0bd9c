"""Messages about trajectories: what holds none, and where none can be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from muscle_metrics import cli, compare, compare_trajectories
from muscle_metrics.cli.trajectories import check_trajectories
from muscle_metrics.runs.steps import read_steps

if TYPE_CHECKING:
    from collections.abc import Callable

WATCHED = ["cli/trajectories", "comparison/trajectories", "runs/steps"]

JUDGED = compare(old=["A"], new=["A"], references=["A"])
GRADED = compare(old=["a b"], new=["a c"], references=["a b"], metric="rouge1")
KEY = (None, "0", None)


def compared(*more: str) -> object:
    for name in ("old.jsonl", "new.jsonl"):
        row = '{"id": 1, "prediction": "A", "reference": "A", "steps": []}\n'
        Path(name).write_text(row, encoding="utf-8")
    words = ["compare", "old.jsonl", "new.jsonl", *more, "--trajectory-field", "steps"]
    options = cli._parser().parse_args(words)
    return options.command(options)


def compared_in_one_file() -> object:
    row = '{"id": 1, "v1": "A", "v2": "A", "reference": "A", "steps": []}\n'
    Path("both.jsonl").write_text(row, encoding="utf-8")
    words = ["compare", "both.jsonl", "both.jsonl", "--prediction-field", "v1"]
    words += ["--prediction-field", "v2", "--trajectory-field", "steps"]
    options = cli._parser().parse_args(words)
    return options.command(options)


def of_log() -> object:
    row = {"responses_create_params": {"input": "?"}, "response": {"output": []}, "reward": 1}
    Path("rollouts.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    return read_steps("rollouts.jsonl", "none")


CASES: dict[str, Callable[[], object]] = {
    "cli: trajectories of a chain": lambda: compared("old.jsonl"),
    "cli: trajectories of one field": compared_in_one_file,
    "cli: trajectories of three fields": lambda: compared(
        "--trajectory-field", "a", "--trajectory-field", "b"
    ),
    "cli: trajectories by an engine": lambda: compared("--engine", "duckdb"),
    "cli: trajectories of a pipe": lambda: check_trajectories(
        cli._parser().parse_args(
            ["compare", "/dev/null", "/dev/null", "--trajectory-field", "steps"]
        )
    ),
    "runs: trajectories: no call at all": lambda: compare_trajectories(
        JUDGED, old={KEY: []}, new={KEY: []}
    ),
    "runs: trajectories: none of an item": lambda: compare_trajectories(
        JUDGED, old={KEY: []}, new={}
    ),
    "runs: trajectories: graded scores": lambda: compare_trajectories(
        GRADED, old={KEY: []}, new={KEY: []}
    ),
    "logs: trajectories: no such field": of_log,
}
