"""Scorers of users: imported by name, and their scores checked."""

from __future__ import annotations

import importlib
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from muscle_metrics.answers.scores import LARGEST_SCORE
from muscle_metrics.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from muscle_metrics.scorers.texts import Scores

__all__ = ["check_scores", "find_function", "import_function"]


def import_function(location: str) -> Callable[..., Any]:
    """Import the function at ``package.module:function``. This runs the module's code.

    Raises
    ------
    UsageError
        If there is no such module, or nothing callable of that name in it. A module that is
        there but breaks while it is imported raises its own error.

    Examples
    --------
    >>> import_function("math:sqrt")(16)
    4.0
    """
    module, _, name = location.partition(":")
    if not all(part.isidentifier() for part in (*module.split("."), *name.split("."))):
        raise UsageError(
            f"expected 'package.module:function', got {location!r}: "
            "write the names of a module and of a function in it, with a colon between"
        )
    try:
        function = find_function(module, name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        raise UsageError(
            f"expected a module {module!r} for {location!r}, got none of that name: "
            "install it, or add its folder to PYTHONPATH"
        ) from error
    if function is None:
        raise UsageError(
            f"expected a function {name!r} in the module {module!r}, got none of that name: "
            "check the spelling"
        )
    return function


def find_function(where: str | Path, name: str) -> Callable[..., Any] | None:
    """Find a function, or a dotted name, in a module or a Python file. This runs its code.

    Parameters
    ----------
    where : str or Path
        Dotted name of a module, or path of a file.
    name : str
        Name in it.

    Returns
    -------
    callable or None
        None if nothing callable has that name.

    Raises
    ------
    ImportError
        If there is no such module, or it breaks while it is imported.
    """
    found: Any
    found = _load_file(where) if isinstance(where, Path) else importlib.import_module(where)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found if callable(found) else None


def _load_file(path: Path) -> ModuleType:
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    SourceFileLoader(path.stem, str(path)).exec_module(module)
    return module


def check_scores(name: str, scores: Any, items: int) -> Scores:
    """Return the scores of a scorer as one finite float64 per item.

    Raises
    ------
    InputError
        If they are anything else: too few or too many scores, text, nan, an infinity, or numbers of
        16 bits, which call different scores equal.
    """
    try:
        given = np.asarray(scores)
    except (RuntimeError, TypeError, ValueError) as error:
        raise InputError(
            f"expected numbers from {name!r}, got {_named(scores)}: return a flat list of floats"
        ) from error
    if given.shape != (items,):
        raise InputError(
            f"expected {items} scores from {name!r}, one per item, got "
            f"{_described(scores, given)}: return a flat list of floats"
        )
    if given.dtype.kind not in "biufO" or given.dtype == np.float16:
        raise InputError(
            f"expected numbers of at least 32 bits from {name!r}, got {given.dtype.name}: "
            "return a flat list of floats"
        )
    try:
        array = given.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"expected numbers from {name!r}, got {_named(scores)}: return a flat list of floats"
        ) from error
    wrong = np.flatnonzero(~(np.abs(array) <= LARGEST_SCORE))
    if len(wrong):
        raise InputError(
            f"expected finite scores from {name!r}, got {array[wrong[0]]} at position {wrong[0]} "
            f"({len(wrong)} of {items} are not finite or beyond {LARGEST_SCORE:g}): score these "
            f"items, or drop them"
        )
    return array


def _described(scores: Any, given: np.ndarray[Any, Any]) -> str:
    if given.ndim == 0:
        return _named(scores)
    return f"{len(given)}" if given.ndim == 1 else f"shape {given.shape}"


def _named(scores: Any) -> str:
    return f"{type(scores).__name__} {str(scores)[:60]!r}"
