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
    from muscle_metrics.adapter.ensemble import Ensemble
    from muscle_metrics.adapter.evaluation import evaluate_model, save_run
    from muscle_metrics.adapter.examples import Example, read_examples
    from muscle_metrics.adapter.frontier import (
        Candidate,
        Frontier,
        interpolate_adapters,
        pareto_front,
        pick_candidate,
        trace_frontier,
    )
    from muscle_metrics.adapter.fused import fused_compatibility_loss
    from muscle_metrics.adapter.losses import compatibility_loss
    from muscle_metrics.adapter.models import TaskModel
    from muscle_metrics.adapter.result import CompatibleAdapter
    from muscle_metrics.adapter.selection import Standing
    from muscle_metrics.adapter.strategies import STRATEGIES, LossSettings
    from muscle_metrics.adapter.trainer import CompatibilityTrainer
    from muscle_metrics.adapter.training import train_compatibility_adapter
    from muscle_metrics.adapter.updates import MeasuredUpdate, measure_updates, score_run
    from muscle_metrics.adapter.validation import answer_items, make_evaluator

# Where each public name lives.
_HOMES = {
    "STRATEGIES": "strategies",
    "Candidate": "frontier",
    "ChoiceScores": "answering",
    "CompatibilityConfig": "config",
    "CompatibilityTrainer": "trainer",
    "CompatibleAdapter": "result",
    "Ensemble": "ensemble",
    "Example": "examples",
    "Frontier": "frontier",
    "LossSettings": "strategies",
    "MeasuredUpdate": "updates",
    "Standing": "selection",
    "TaskModel": "models",
    "answer_items": "validation",
    "choice_log_likelihoods": "answering",
    "compatibility_loss": "losses",
    "evaluate_model": "evaluation",
    "fused_compatibility_loss": "fused",
    "generate_answers": "answering",
    "interpolate_adapters": "frontier",
    "make_evaluator": "validation",
    "measure_updates": "updates",
    "pareto_front": "frontier",
    "pick_candidate": "frontier",
    "read_examples": "examples",
    "save_run": "evaluation",
    "score_run": "updates",
    "trace_frontier": "frontier",
    "train_compatibility_adapter": "training",
}

__all__ = [
    "STRATEGIES",
    "Candidate",
    "ChoiceScores",
    "CompatibilityConfig",
    "CompatibilityTrainer",
    "CompatibleAdapter",
    "Ensemble",
    "Example",
    "Frontier",
    "LossSettings",
    "MeasuredUpdate",
    "Standing",
    "TaskModel",
    "answer_items",
    "choice_log_likelihoods",
    "compatibility_loss",
    "evaluate_model",
    "fused_compatibility_loss",
    "generate_answers",
    "interpolate_adapters",
    "make_evaluator",
    "measure_updates",
    "pareto_front",
    "pick_candidate",
    "read_examples",
    "save_run",
    "score_run",
    "trace_frontier",
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
