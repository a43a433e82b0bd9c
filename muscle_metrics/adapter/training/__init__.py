"""Train the compatibility adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from muscle_metrics.adapter.training.train import train_compatibility_adapter

__all__ = ["train_compatibility_adapter"]


def __getattr__(name: str) -> Any:
    # Documented paths; the modules behind them need torch, so they load on first use.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.train"), name)
