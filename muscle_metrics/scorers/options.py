"""The options of a scorer, as the signature of its function names, types and sets them."""

from __future__ import annotations

import collections.abc
import inspect
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from muscle_metrics.errors import UsageError
from muscle_metrics.words.suggestion import nearest_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

__all__ = ["REQUIRED", "Option", "bind_options", "check_names", "list_options", "without_folders"]

REQUIRED = inspect.Parameter.empty
"""Default of an option that has none."""

_PLAIN = (bool, int, float, str, NoneType)
_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a scorer.

    Parameters
    ----------
    name : str
        Its name.
    default : object
        Its default, or `REQUIRED`.
    kinds : frozenset of type
        Plain types that it takes; empty if its function does not tell.
    choices : tuple
        The texts that it takes, if only some.
    takes_function : bool
        Whether it takes ``package.module:function``.
    is_path : bool
        Whether it takes the path of a file or folder.
    """

    name: str
    default: Any = REQUIRED
    kinds: frozenset[type] = frozenset()
    choices: tuple[Any, ...] = ()
    takes_function: bool = False
    is_path: bool = False

    @property
    def values(self) -> str:
        """Say in words which values it takes.

        Examples
        --------
        >>> Option("beta", 2, frozenset({float})).values
        'a number'
        """
        kinds = set(self.kinds) - ({int} if float in self.kinds else set())
        found = [f"one of {', '.join(map(str, self.choices))}"] if self.choices else []
        found += [text for kind, text in _WORDS.items() if kind in kinds]
        found += ["package.module:function"] if self.takes_function else []
        return " or ".join(found) or "any value"

    def read(self, value: Any, scorer: str) -> Any:
        """Value as the function takes it, of one that a user wrote.

        Raises
        ------
        UsageError
            If the option does not take it.
        """
        if value is None and NoneType not in self.kinds and "none" in self.choices:
            value = "none"
        if not self._takes(value):
            known = [str(choice) for choice in self.choices]
            near = nearest_name(str(value), known) if known else None
            quoted = f'{self.name}="{value}"'
            advice = (
                f"did you mean {near!r}?"
                if near
                else f"write {quoted}"
                if str in self.kinds
                else f"list its options with muscle-metrics metrics {scorer}"
            )
            raise UsageError(
                f"expected {self.name} of {scorer} to be {self.values}, got {value!r}: {advice}"
            )
        # 2 and 2.0 are one value: a recipe must not tell them apart.
        is_default = type(value) in (int, float) and type(self.default) in (int, float)
        return self.default if is_default and value == self.default else value

    def _takes(self, value: Any) -> bool:
        if not (self.kinds or self.choices) or type(value) in self.kinds:
            return True
        if type(value) is int and float in self.kinds:
            return True
        return value in self.choices or (
            self.takes_function and isinstance(value, str) and ":" in value
        )


def list_options(function: Callable[..., Any], bound: Collection[str] = ()) -> list[Option] | None:
    """List the options of a scorer's function, beside those that are bound.

    Returns
    -------
    list of Option or None
        None if the function takes any name, or does not tell.

    Examples
    --------
    >>> def judge(predictions, references, *, scale: Literal["linear", "log"] = "linear"): ...
    >>> [(option.name, option.values) for option in list_options(judge)]
    [('scale', 'one of linear, log')]
    """
    try:
        parameters = inspect.signature(function).parameters
    except ValueError:  # some functions written in C have none
        return None
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return None
    hints = _hints(function)
    return [
        _option(name, parameters[name].default, hints.get(name))
        for name in list(parameters)[2:]
        if name not in bound
    ]


def _hints(function: Callable[..., Any]) -> Mapping[str, Any]:
    try:
        return get_type_hints(function, localns=vars(collections.abc))
    except Exception:  # annotations of a user may name anything, or stand for a type checker only
        return {}


def _option(name: str, default: Any, hint: Any) -> Option:
    if hint is None:
        return Option(name, default)
    parts = _parts(hint)
    choices = tuple(value for part in parts if _is_literal(part) for value in get_args(part))
    kinds = frozenset(part for part in parts if part in _PLAIN)
    is_path = any((get_origin(part) or part) in (PathLike, Path) for part in parts)
    takes_function = any(get_origin(part) is collections.abc.Callable for part in parts)
    return Option(
        name,
        default,
        kinds | ({str} if is_path else frozenset()),
        choices,
        takes_function=takes_function,
        is_path=is_path,
    )


def _parts(hint: Any) -> list[Any]:
    """Types that a hint joins."""
    if _is_literal(hint) or get_origin(hint) in (collections.abc.Callable, list, tuple, dict):
        return [hint]
    arguments = get_args(hint)
    is_union = arguments and not isinstance(get_origin(hint), type)
    if is_union or type(hint).__name__ == "UnionType":
        return [part for argument in arguments for part in _parts(argument)]
    return [hint]


def _is_literal(hint: Any) -> bool:
    return get_origin(hint) is Literal


def check_names(options: Collection[str], known: list[Option] | None, scorer: str) -> None:
    """Refuse options that a scorer does not have.

    Raises
    ------
    UsageError
        If there are any; the error names the nearest.
    """
    if known is None:
        return
    names = [option.name for option in known]
    unknown = [name for name in options if name not in names]
    if unknown:
        near = nearest_name(str(unknown[0]), names)
        raise UsageError(
            f"expected options of {scorer!r} to be one of {names}, "
            f"got {', '.join(map(repr, unknown))}{f': did you mean {near!r}?' if near else ''}"
        )


def bind_options(
    options: Mapping[str, Any], known: list[Option] | None, scorer: str
) -> dict[str, Any]:
    """Check options that a user wrote as text; their defaults are left out.

    Raises
    ------
    UsageError
        If a name or a value is unknown.

    Examples
    --------
    >>> bind_options({"stem": True, "beta": 2.0}, [Option("stem"), Option("beta", 2)], "rouge1")
    {'stem': True}
    """
    check_names(options, known, scorer)
    by_name = {option.name: option for option in known or ()}
    read = {
        name: by_name[name].read(value, scorer) if name in by_name else value
        for name, value in options.items()
    }
    return {
        name: value
        for name, value in read.items()
        if name not in by_name or not _is_same(value, by_name[name].default)
    }


def without_folders(options: Mapping[str, Any], known: list[Option] | None) -> dict[str, Any]:
    """Options with the names of files and folders alone: results must not show paths of a machine.

    Examples
    --------
    >>> without_folders({"model": "/usr/bin/"}, [Option("model", is_path=True)])
    {'model': 'bin'}
    """
    paths = {option.name for option in known or () if option.is_path}
    return {
        name: Path(value).expanduser().resolve().name
        if name in paths and isinstance(value, str) and Path(value).expanduser().exists()
        else value
        for name, value in options.items()
    }


def _is_same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(value == default)
