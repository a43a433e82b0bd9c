"""Train the compatibility adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.adapter.former_paths import bind_lazily

if TYPE_CHECKING:
    from muscle_metrics.adapter.training.train import train_compatibility_adapter

__all__ = ["train_compatibility_adapter"]

# Documented paths of the former, flat layout.
__getattr__ = bind_lazily(__name__, {"train": __all__})
