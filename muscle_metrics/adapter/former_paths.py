"""Names and module paths of this package that load when they are first used."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import ModuleType

__all__ = ["FORMER_PATHS", "bind_lazily", "keep_former_paths"]

PACKAGE = "muscle_metrics.adapter"
# Documented module paths of the former, flat layout: each still gives the same module.
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
        # The import system returns the entry of sys.modules, so no second copy of the module runs.
        sys.modules[module.__name__] = import_module(FORMER_PATHS[module.__name__])


def keep_former_paths() -> None:
    """Let the former paths be imported."""
    if not any(isinstance(finder, _FormerPaths) for finder in sys.meta_path):
        sys.meta_path.append(_FormerPaths())


def bind_lazily(package: str, modules: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """Make the ``__getattr__`` of a package whose names load when they are first used (PEP 562).

    Parameters
    ----------
    package : str
    modules : mapping of str to sequence of str
        Names by the module of the package that defines them. The modules need torch.
    """
    homes = {name: module for module, names in modules.items() for name in names}

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        for needed in ("torch", "safetensors", "transformers", "accelerate", "peft"):
            require(needed, "train")
        value = getattr(import_module(f"{package}.{homes[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return load
