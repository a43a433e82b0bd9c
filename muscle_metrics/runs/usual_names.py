"""Names that people and tools give to the fields that a comparison reads."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["USUAL_NAMES"]

# By option of `read_run`, the likeliest first.
USUAL_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "id_field": (
            "id", "question_id", "instance_id", "sample_id", "task_id", "doc_id", "item_id",
            "example_id", "problem_id", "qid", "uid", "uuid", "idx", "index", "key", "name",
            # A prompt that no other row has names its item too.
            "question", "prompt", "instruction", "user_input", "input", "query",
        ),
        "prediction_field": (
            "prediction", "pred", "predicted", "model_answer", "model_output", "output", "response",
            "completion", "generation", "generated_text", "model_response", "answer",
        ),
        "reference_field": (
            "reference", "gold", "ground_truth", "target", "expected", "expected_output",
            "correct_answer", "label", "references", "targets", "answer", "answers", "solution",
        ),
        "score_field": ("is_correct", "correct", "score", "passed", "acc", "accuracy"),
        "slice_field": (
            "category", "topic", "subject", "subset", "domain", "language", "task", "type", "level",
        ),
        "prompt_field": ("prompt", "question", "input", "query", "instruction", "user_input"),
    }
)  # fmt: skip
