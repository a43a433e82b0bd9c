"""Documented module paths of the former, flat layout: each still gives the same module."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

__all__ = ["FORMER_PATHS", "keep_former_paths"]

PACKAGE = "muscle_metrics.adapter"
FORMER_PATHS = {
    f"{PACKAGE}.{name}": f"{PACKAGE}.{folder}.{name}"
    for folder, names in {
        "data": ("answering",),
        "evaluation": ("frontier", "selection", "updates"),
        "loss": ("fused", "losses", "strategies"),
        "teachers": ("ensemble",),
        "training": ("result", "trainer"),
    }.items()
    for name in names
}


class _FormerPaths(MetaPathFinder, Loader):
    """Finder and loader that answer a former path with the module of today."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname in FORMER_PATHS else None

    def exec_module(self, module: ModuleType) -> None:
        # The import system returns what sys.modules holds, so no second copy of the module runs.
        sys.modules[module.__name__] = import_module(FORMER_PATHS[module.__name__])


def keep_former_paths() -> None:
    """Let the former paths be imported.

    Examples
    --------
    >>> keep_former_paths()
    >>> FORMER_PATHS["muscle_metrics.adapter.losses"]
    'muscle_metrics.adapter.loss.losses'
    """
    if not any(isinstance(finder, _FormerPaths) for finder in sys.meta_path):
        sys.meta_path.append(_FormerPaths())
