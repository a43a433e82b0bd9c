"""Flags that choose the score of each task of a suite."""

from __future__ import annotations

import shlex

from muscle_metrics.comparison.task_flags import advise_scores


def test_names_are_quoted_for_a_shell() -> None:
    advice = advise_scores({"harness|arc:challenge|25": ["acc"], "вопросы ответы": ["f1"]})
    flags = advice.removeprefix("choose one for each task, with ").removesuffix(" (metric={...})")
    assert shlex.split(flags) == [
        "--metric",
        "harness|arc:challenge|25=acc",
        "--metric",
        "вопросы ответы=f1",
    ]


def test_a_task_without_scores_is_compared_alone() -> None:
    advice = advise_scores({"a": ["acc"], "b": []})
    assert "compare a task without scores alone, with --task b --metric exact_match" in advice


def test_a_long_suite_is_cut() -> None:
    advice = advise_scores({f"mmlu_{number}": ["acc"] for number in range(57)})
    assert advice.count("--metric") == 5
    assert "--metric mmlu_4=acc ... (metric=" in advice
    assert len(advise_scores({"a\nb" * 500: ["x" * 500]}).splitlines()) == 1
