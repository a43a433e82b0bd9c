"""Evaluate adapters: answers, flips over updates, and the frontier of gain and flips."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.adapter.former_paths import bind_lazily

if TYPE_CHECKING:
    from muscle_metrics.adapter.evaluation.evaluate import evaluate_model, save_run

__all__ = ["evaluate_model", "save_run"]

# Documented paths of the former, flat layout.
__getattr__ = bind_lazily(__name__, {"evaluate": __all__})
