"""Methods of a comparison that higher floors carry out, such as the gate and the reports.

Imports point down, so this floor knows their names only. The root of the package, above all floors,
says where each of them is.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["HOMES", "call_method"]

HOMES: dict[str, str] = {}
"""By method: the module and the function that take the comparison first, as "module:function"."""


def call_method(name: str, comparison: object, *arguments: Any, **options: Any) -> Any:
    """Call the function that carries out a method of a comparison."""
    module, _, function = HOMES[name].partition(":")
    return getattr(import_module(module), function)(comparison, *arguments, **options)
