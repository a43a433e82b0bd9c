"""Messages of what runs inside other tools; those that need the tool are tested inside it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from muscle_metrics import Record, Run, compare
from muscle_metrics.integrations import evaluate_path
from muscle_metrics.integrations.evaluate import FlipMetric
from muscle_metrics.integrations.llm_comparator import llm_comparator_json
from muscle_metrics.integrations.lm_eval import add_flips
from muscle_metrics.integrations.stored_correctness import is_right, read_correctness

if TYPE_CHECKING:
    from collections.abc import Callable

WATCHED = [
    "integrations/__init__",
    "integrations/evaluate",
    "integrations/llm_comparator",
    "integrations/stored_correctness",
]

OLD = Run(tuple(Record(i, scores={"acc": 1}) for i in ("q1", "q2")), "v1")
TASKS = Run(tuple(Record("q1", scores={"acc": 1}, task=task) for task in ("a", "b")), "v1")
REPEATS = Run((Record("q1", scores={"acc": 1}, repeat="1"),), "v1")


def score(document: object, results: object) -> dict[str, object]:
    return {"acc": results}


def graded_comparison() -> object:
    texts = ["the cat", "a dog"]
    return llm_comparator_json(
        compare(old=texts, new=texts, references=texts, metric=["token_f1", "rouge1"])
    )


CASES: dict[str, Callable[[], object]] = {
    "evaluate: no such metric": lambda: evaluate_path("accuracy"),
    "evaluate: an answer of another type": lambda: FlipMetric().add_batch(
        old_predictions=[Decimal(1)], predictions=[1], references=[1]
    ),
    "llm comparator: several graded scores": graded_comparison,
    "lm-eval: no old verdicts": lambda: add_flips(score, metric="acc"),
    "lm-eval: no such score": lambda: add_flips(score, metric="f1", old_field="old")({}, 1),
    "stored: no such item": lambda: read_correctness(OLD).of("q3"),
    "stored: no such repeat": lambda: read_correctness(REPEATS).of("q1", "2"),
    "stored: several tasks": lambda: read_correctness(TASKS),
    "stored: a score as text": lambda: is_right("True", "acc"),
    "stored: a graded score": lambda: is_right(0.5, "acc"),
}
