"""The one door through which optional packages come in."""

from __future__ import annotations

import importlib
from typing import Any

from muscle_metrics.errors import MissingDependencyError

__all__ = ["require"]


def require(module: str, extra: str) -> Any:
    """Import an optional module, or say which extra installs it.

    Parameters
    ----------
    module : str
        Dotted name of the module.
    extra : str
        The extra of muscle-metrics that installs it.

    Returns
    -------
    module
        The imported module.

    Raises
    ------
    MissingDependencyError
        If the module is not installed. A module that is installed but breaks while it is
        imported raises its own error: broken is not missing.

    Examples
    --------
    >>> require("json", "report").dumps([1])
    '[1]'
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        raise MissingDependencyError(
            f"expected the package {module!r}, which is not installed: "
            f"pip install 'muscle-metrics[{extra}]'"
        ) from error
