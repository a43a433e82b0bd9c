"""The trainer of the compatibility adapter: the new model's gains with fewer negative flips.

It needs the extra ``train`` (torch, transformers, peft, accelerate, safetensors). Importing the
package loads none of them; its names are bound when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.adapter.former_paths import bind_lazily, keep_former_paths

if TYPE_CHECKING:
    # Type checkers read the names of the table below from their modules.
    from muscle_metrics.adapter.config import *
    from muscle_metrics.adapter.data.answering import *
    from muscle_metrics.adapter.data.examples import *
    from muscle_metrics.adapter.evaluation.evaluate import *
    from muscle_metrics.adapter.evaluation.frontier import *
    from muscle_metrics.adapter.evaluation.selection import *
    from muscle_metrics.adapter.evaluation.updates import *
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
        "answer_items",
        "choice_log_likelihoods",
        "generate_answers",
    ),
    "data.examples": ("Example", "read_examples"),
    "evaluation.evaluate": ("evaluate_model", "make_evaluator", "save_run"),
    "evaluation.frontier": (
        "Candidate",
        "Frontier",
        "interpolate_adapters",
        "pareto_front",
        "pick_candidate",
        "trace_frontier",
    ),
    "evaluation.selection": ("Standing",),
    "evaluation.updates": ("MeasuredUpdate", "measure_updates", "score_run"),
    "loss.fused": ("fused_compatibility_loss",),
    "loss.losses": ("compatibility_loss",),
    "loss.strategies": ("LossSettings", "STRATEGIES"),
    "models": ("TaskModel",),
    "teachers.ensemble": ("Ensemble",),
    "training.result": ("CompatibleAdapter",),
    "training.train": ("train_compatibility_adapter",),
    "training.trainer": ("CompatibilityTrainer",),
}

__all__ = sorted(name for names in _PUBLIC.values() for name in names)

keep_former_paths()
__getattr__ = bind_lazily(__name__, _PUBLIC)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
