"""Flags that compare each task of a suite."""

from __future__ import annotations

import shlex

from muscle_metrics.comparison.one_task import one_task_at_a_time


def test_names_are_quoted_for_a_shell() -> None:
    advice = one_task_at_a_time({"harness|arc:challenge|25": ["acc"], "вопросы ответы": []})
    flags = advice.removeprefix("compare one task at a time, with ").removesuffix(
        " (task=, metric=)"
    )
    assert [shlex.split(part) for part in flags.split(", ")] == [
        ["--task", "harness|arc:challenge|25", "--metric", "acc"],
        ["--task", "вопросы ответы", "--metric", "exact_match"],
    ]


def test_a_long_suite_is_cut() -> None:
    advice = one_task_at_a_time({f"mmlu_{number}": ["acc"] for number in range(57)})
    assert advice.count("--task") == 5
    assert "--metric acc, ... (task=" in advice
    assert len(one_task_at_a_time({"a\nb" * 500: ["x" * 500]}).splitlines()) == 1
