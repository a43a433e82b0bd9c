"""The trainer of the compatibility adapter: the new model's gains with fewer negative flips.

It needs the extra ``train`` (torch, transformers, peft, accelerate, safetensors). Importing the
package loads none of them; its names are bound when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muscle_metrics.adapter.former_paths import keep_former_paths
from muscle_metrics.errors import require

if TYPE_CHECKING:
    # Type checkers read the names of the table below from their modules.
    from muscle_metrics.adapter.config import *
    from muscle_metrics.adapter.data.answering import *
    from muscle_metrics.adapter.data.examples import *
    from muscle_metrics.adapter.evaluation.evaluate import *
    from muscle_metrics.adapter.evaluation.frontier import *
    from muscle_metrics.adapter.evaluation.selection import *
    from muscle_metrics.adapter.evaluation.updates import *
    from muscle_metrics.adapter.evaluation.validation import *
    from muscle_metrics.adapter.loss.fused import *
    from muscle_metrics.adapter.loss.losses import *
    from muscle_metrics.adapter.loss.strategies import *
    from muscle_metrics.adapter.models import *
    from muscle_metrics.adapter.teachers.ensemble import *
    from muscle_metrics.adapter.training.result import *
    from muscle_metrics.adapter.training.train import *
    from muscle_metrics.adapter.training.trainer import *

# Public names by the module that defines them; each loads when it is first used (PEP 562).
_PUBLIC = {
    "config": ("CompatibilityConfig",),
    "data.answering": (
        "ChoiceScores",
        "choice_log_likelihoods",
        "generate_answers",
    ),
    "data.examples": (
        "Example",
        "read_examples",
    ),
    "evaluation.evaluate": (
        "evaluate_model",
        "save_run",
    ),
    "evaluation.frontier": (
        "Candidate",
        "Frontier",
        "interpolate_adapters",
        "pareto_front",
        "pick_candidate",
        "trace_frontier",
    ),
    "evaluation.selection": ("Standing",),
    "evaluation.updates": (
        "MeasuredUpdate",
        "measure_updates",
        "score_run",
    ),
    "evaluation.validation": (
        "answer_items",
        "make_evaluator",
    ),
    "loss.fused": ("fused_compatibility_loss",),
    "loss.losses": ("compatibility_loss",),
    "loss.strategies": (
        "LossSettings",
        "STRATEGIES",
    ),
    "models": ("TaskModel",),
    "teachers.ensemble": ("Ensemble",),
    "training.result": ("CompatibleAdapter",),
    "training.train": ("train_compatibility_adapter",),
    "training.trainer": ("CompatibilityTrainer",),
}
_HOMES = {name: module for module, names in _PUBLIC.items() for name in names}

__all__ = sorted(_HOMES)

keep_former_paths()


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
