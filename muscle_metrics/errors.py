"""The tree of exceptions, and the checks of an option and of an optional package.

::

    MuscleMetricsError
    ├── InputError (ValueError)          the data cannot be compared
    │   ├── PairingError                 two runs do not hold the same items
    │   └── FileError                    a file cannot be read as what it claims to be
    ├── UsageError (ValueError)          an option is unknown, out of range or contradicts another
    ├── TrainingError (RuntimeError)     training cannot go on
    └── MissingDependencyError (ImportError)   an optional package is not installed

Every message is one line, in lower case: what was expected, what was given, what to do.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "FileError",
    "InputError",
    "MissingDependencyError",
    "MuscleMetricsError",
    "PairingError",
    "TrainingError",
    "UsageError",
    "check_choice",
    "require",
]


_LONGEST = 100


class MuscleMetricsError(Exception):
    """Root of every error this package raises on purpose.

    Parameters
    ----------
    message : str
        What was expected, what was given, what to do.
    in_python : str
        A further way out, which the command line does not offer.

    Examples
    --------
    >>> error = MuscleMetricsError("expected a: use --b (b=)", in_python="pass c=")
    >>> print(error, error.message, sep="; ")
    expected a: use --b (b=), or pass c=; expected a: use --b (b=)
    """

    def __init__(self, message: str = "", *, in_python: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.in_python = in_python

    def __str__(self) -> str:
        return f"{self.message}, or {self.in_python}" if self.in_python else self.message


class InputError(MuscleMetricsError, ValueError):
    """The data cannot be compared as they are."""


class PairingError(InputError):
    """Two runs do not hold the same items."""


class FileError(InputError):
    """A file cannot be read as what it claims to be."""


class UsageError(MuscleMetricsError, ValueError):
    """An option is unknown, out of range, or contradicts another."""


class TrainingError(MuscleMetricsError, RuntimeError):
    """Training cannot go on."""


class MissingDependencyError(MuscleMetricsError, ImportError):
    """An optional package is needed and not installed."""


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


def check_choice(name: str, given: object, choices: Iterable[object]) -> None:
    """Raise unless the option `name` is given as one of its choices.

    Raises
    ------
    UsageError
        If it is not.

    Examples
    --------
    >>> check_choice("side", "both", ["lower", "upper"])
    Traceback (most recent call last):
    muscle_metrics.errors.UsageError: expected side to be one of ['lower', 'upper'], got 'both'
    """
    known = list(choices)
    if given not in known:
        shown = repr(given)
        shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
        raise UsageError(f"expected {name} to be one of {known}, got {shown}")
