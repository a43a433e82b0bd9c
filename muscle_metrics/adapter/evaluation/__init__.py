"""Evaluate adapters: answers, flips over updates, and the frontier of gain and flips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from muscle_metrics.adapter.evaluation.evaluate import evaluate_model, save_run

__all__ = ["evaluate_model", "save_run"]


def __getattr__(name: str) -> Any:
    # Documented paths; the modules behind them need torch, so they load on first use.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.evaluate"), name)
