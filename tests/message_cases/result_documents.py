"""Messages about the result files of SWE-bench, EvalPlus and OpenCompass, and about suites."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from muscle_metrics.cli.reading import two_models
from muscle_metrics.comparison.compare import compare_runs
from muscle_metrics.runs.choice import Choice, narrow_run
from muscle_metrics.runs.read import read_run
from muscle_metrics.runs.record import Record, Run

if TYPE_CHECKING:
    from collections.abc import Callable

WATCHED = [
    "comparison/per_task",
    "runs/choice",
    "runs/readers/evalplus",
    "runs/readers/opencompass",
    "runs/readers/swe_bench",
]


def read(harness: str, document: object, **options: object) -> object:
    Path("old.json").write_text(json.dumps(document), encoding="utf-8")
    return read_run("old.json", format=harness, **options)


def suite(**options: object) -> object:
    item = Record("1", scores={"acc": 1.0, "acc_norm": 1.0}, task="arc")
    return compare_runs(Run((item,), "v1"), Run((item,), "v2"), **options)


def two_filters(**options: object) -> object:
    records = tuple(
        Record("1", "4", scores={"em": 1.0}, task=task, filter=name)
        for task in ("gsm8k", "maths")
        for name in ("strict", task)
    )
    return narrow_run(Run(records, "v1"), Choice(**options))


def a_model_by_another_name() -> object:
    Path("results", "base").mkdir(parents=True)
    Path("results", "base", "sums.json").write_text(json.dumps({"details": [{"pred": "4"}]}))
    return read_run(".", model="tuned")


def several_models() -> object:
    for model in "ab":
        Path("results", model).mkdir(parents=True)
        details = [{"pred": "4", "answer": "4", "correct": True}]
        Path("results", model, "sums.json").write_text(json.dumps({"details": details}))
    return read_run(".")


CASES: dict[str, Callable[[], object]] = {
    "swe-bench: resolved alone": lambda: read("swe-bench", {"resolved": ["a"]}),
    "swe-bench: not submitted": lambda: read(
        "swe-bench", {"submitted_ids": ["a"], "resolved_ids": ["b"]}
    ),
    "evalplus: no task": lambda: read("evalplus", {"eval": {}}),
    "evalplus: no solution": lambda: read("evalplus", {"eval": {"HumanEval/0": []}}),
    "evalplus: no status": lambda: read("evalplus", {"eval": {"HumanEval/0": [{}]}}),
    "opencompass: the mean alone": lambda: read("opencompass", {"accuracy": 50.0}),
    "opencompass: no prediction": lambda: read("opencompass", {"details": {"0": {"prompt": "q"}}}),
    "opencompass: no verdict": lambda: read(
        "opencompass", {"details": {"0": {"pred": "4", "correct": "yes"}}}
    ),
    "opencompass: several models": several_models,
    "suite: an unknown task": lambda: suite(metric={"arcs": "acc"}),
    "suite: an unknown score": lambda: suite(metric={"arc": "bleu"}),
    "suite: choices of two forms": lambda: suite(metric=["arc=acc", "acc"]),
    "suite: several filters": two_filters,
    "suite: an unknown filter of a task": lambda: two_filters(filter={"gsm8k": "maths"}),
    "suite: a model that is not there": a_model_by_another_name,
    "cli: one model of two": lambda: two_models(
        Namespace(runs=["out"], old_model="base", new_model=None, model=None)
    ),
    "suite: a model of a log with one": lambda: read(
        "swe-bench", {"submitted_ids": ["a"], "resolved_ids": []}, model="m"
    ),
}
