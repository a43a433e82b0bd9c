"""The trainer of the compatibility adapter: the new model's gains with fewer negative flips.

It needs the extra ``train`` (torch, transformers, peft, accelerate, safetensors). Importing the
package loads none of them; its names are bound when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muscle_metrics.optional import require

if TYPE_CHECKING:
    from muscle_metrics.adapter.answering import (
        ChoiceScores,
        choice_log_likelihoods,
        generate_answers,
    )
    from muscle_metrics.adapter.config import CompatibilityConfig
    from muscle_metrics.adapter.examples import Example, read_examples
    from muscle_metrics.adapter.fused import fused_compatibility_loss
    from muscle_metrics.adapter.losses import compatibility_loss
    from muscle_metrics.adapter.models import TaskModel
    from muscle_metrics.adapter.result import CompatibleAdapter
    from muscle_metrics.adapter.selection import Standing
    from muscle_metrics.adapter.strategies import STRATEGIES, LossSettings
    from muscle_metrics.adapter.trainer import CompatibilityTrainer
    from muscle_metrics.adapter.training import train_compatibility_adapter
    from muscle_metrics.adapter.validation import answer_items, make_evaluator

# Where each public name lives.
_HOMES = {
    "STRATEGIES": "strategies",
    "ChoiceScores": "answering",
    "CompatibilityConfig": "config",
    "CompatibilityTrainer": "trainer",
    "CompatibleAdapter": "result",
    "Example": "examples",
    "LossSettings": "strategies",
    "Standing": "selection",
    "TaskModel": "models",
    "answer_items": "validation",
    "choice_log_likelihoods": "answering",
    "compatibility_loss": "losses",
    "fused_compatibility_loss": "fused",
    "generate_answers": "answering",
    "make_evaluator": "validation",
    "read_examples": "examples",
    "train_compatibility_adapter": "training",
}

__all__ = [
    "STRATEGIES",
    "ChoiceScores",
    "CompatibilityConfig",
    "CompatibilityTrainer",
    "CompatibleAdapter",
    "Example",
    "LossSettings",
    "Standing",
    "TaskModel",
    "answer_items",
    "choice_log_likelihoods",
    "compatibility_loss",
    "fused_compatibility_loss",
    "generate_answers",
    "make_evaluator",
    "read_examples",
    "train_compatibility_adapter",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    for package in ("torch", "safetensors", "transformers", "accelerate", "peft"):
        require(package, "train")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
