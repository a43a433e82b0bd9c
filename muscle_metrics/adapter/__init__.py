"""The trainer of the compatibility adapter: the new model's gains with fewer negative flips.

It needs the extra ``train`` (torch, transformers, peft, accelerate, safetensors). Importing the
package loads none of them; its names are bound when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muscle_metrics.optional import require

if TYPE_CHECKING:
    from muscle_metrics.adapter.losses import compatibility_loss
    from muscle_metrics.adapter.strategies import STRATEGIES, LossSettings

# Where each public name lives.
_HOMES = {
    "STRATEGIES": "strategies",
    "LossSettings": "strategies",
    "compatibility_loss": "losses",
}

__all__ = [
    "STRATEGIES",
    "LossSettings",
    "compatibility_loss",
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
