"""Short text that tells the options of a metric apart: equal text, equal computation."""

from __future__ import annotations

import hashlib
import inspect
import os
import re
import sys
from functools import lru_cache
from pathlib import Path
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    MappingProxyType,
    MethodDescriptorType,
)
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["changed_options", "describe", "describe_files", "join_options"]

DIGEST_LENGTH = 12
_LONGEST = 60
_PLAIN = re.compile(r"[\w./+-]+", re.ASCII)
_BLOCK = 1 << 20


def changed_options(
    function: Callable[..., Any], options: Mapping[str, Any], *, always: Iterable[str] = ()
) -> dict[str, str]:
    """Describe the options that differ from a function's defaults, and those asked for anyway.

    Examples
    --------
    >>> changed_options(sorted, {"key": None, "reverse": True}, always=["key"])
    {'key': 'None', 'reverse': 'True'}
    """
    try:
        parameters = inspect.signature(function).parameters
    except ValueError:  # some functions written in C have none
        parameters = MappingProxyType({})
    defaults = {
        name: parameter.default
        for name, parameter in parameters.items()
        if parameter.default is not parameter.empty
    }
    texts = {name: describe(value) for name, value in {**defaults, **options}.items()}
    return {
        name: text
        for name, text in sorted(texts.items())
        if name in always or name not in defaults or text != describe(defaults[name])
    }


def join_options(name: str, options: Mapping[str, str]) -> str:
    """Write a name and described options as a call.

    Examples
    --------
    >>> join_options("rouge1", {"stem": "True", "statistic": "recall"})
    'rouge1(stem=True, statistic=recall)'
    """
    listed = ", ".join(f"{option}={text}" for option, text in options.items())
    return f"{name}({listed})" if listed else name


def describe(value: Any) -> str:
    """Write a value so that different values get different text, the same in every process.

    Long text and objects are named by their type and a hash of their contents; a function by where
    it is defined, and by a hash of its code where that does not identify it.

    Parameters
    ----------
    value : object
        The value of an option.

    Returns
    -------
    str
        One line. An object that tells nothing about its contents is named by its identity, which
        holds within one process.

    Examples
    --------
    >>> describe("13a"), describe(2), describe("2"), describe(len)
    ('13a', '2', "'2'", 'builtins:len')
    """
    return _Description().write(value)


@lru_cache(64)
def _digest_file(path: str, size: int, changed: int) -> bytes:
    """Hash a file; its size and time are arguments so that the cache sees a change."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.digest()


def describe_files(location: str | os.PathLike[str]) -> str:
    """Name a file, or a folder of files, and hash its contents; any other text as it is.

    Examples
    --------
    >>> describe_files("roberta-large")
    'roberta-large'
    """
    path = Path(location).expanduser()
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    files = [file for file in files if file.is_file()]
    if not files:
        return describe(os.fspath(location))
    digest = hashlib.sha256()
    for file in files:
        facts = file.stat()
        name = file.relative_to(path).as_posix() if file != path else ""
        digest.update(f"{name}\0".encode(errors="surrogatepass"))
        digest.update(_digest_file(str(file), facts.st_size, facts.st_mtime_ns))
    return f"{describe(path.resolve().name)}@{digest.hexdigest()[:DIGEST_LENGTH]}"


class _Description:
    """One description; remembers the objects around the value being written."""

    def __init__(self) -> None:
        self._around: list[int] = []

    def write(self, value: Any) -> str:
        if type(value).__module__ == "numpy" and getattr(value, "shape", None) == ():
            value = value.item()
        if value is None or type(value) in (bool, int, float, complex):
            return repr(value)
        if isinstance(value, str) and len(value) <= _LONGEST:
            return value if _is_bare(value) else ascii(value)
        if isinstance(value, os.PathLike):
            return self.write(os.fspath(value))
        if isinstance(value, (str, bytes)):
            raw = value if isinstance(value, bytes) else value.encode(errors="surrogatepass")
            return f"{type(value).__name__}[{len(value)}]@{_digest(raw)}"
        if isinstance(value, type):
            return _place(value)
        if isinstance(value, (FunctionType, BuiltinFunctionType, MethodDescriptorType)):
            return self._function(value)
        return self._within(value)

    def _within(self, value: Any) -> str:
        if id(value) in self._around:
            return f"<level {self._around.index(id(value))}>"
        self._around.append(id(value))
        try:
            return self._contents(value)
        finally:
            self._around.pop()

    def _contents(self, value: Any) -> str:
        kind = type(value)
        if kind in (list, tuple):
            parts = [self.write(part) for part in value]
            marks = "[]" if kind is list else "()"
        elif kind in (dict, MappingProxyType):
            parts = [f"{self.write(key)}: {self.write(part)}" for key, part in value.items()]
            marks = "{}"
        elif kind in (set, frozenset):
            parts = sorted(self.write(part) for part in value)
            marks = "<>"
        elif kind is CodeType:
            parts = [value.co_code.hex(), self.write(value.co_consts), self.write(value.co_names)]
            marks = "()"
        else:
            return self._object(value)
        text = f"{marks[0]}{', '.join(parts)}{marks[1]}"
        return text if len(text) <= _LONGEST else f"{kind.__name__}[{len(parts)}]@{_digest(text)}"

    def _function(self, function: Any) -> str:
        place = _place(function)
        module, _, name = place.partition(":")
        found: Any = sys.modules.get(module)
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is function and module != "__main__":
            return place
        owner = getattr(function, "__self__", None)
        if not isinstance(function, FunctionType):
            return f"{place}@{_digest(self.write(owner))}"
        cells = [_cell(cell) for cell in function.__closure__ or ()]
        parts = (function.__code__, function.__defaults__, function.__kwdefaults__, cells)
        return f"{place}@{_digest(self.write(parts))}"

    def _object(self, value: Any) -> str:
        try:
            reduced = value.__reduce_ex__(4)
            if isinstance(reduced, str):
                return f"{_place(type(value))}.{reduced}"
            make, arguments, *rest = reduced
            parts = [self.write(make), self.write(arguments)]
            # State, and then iterators over the items of a list and of a dictionary.
            parts += [
                self.write(list(part) if index in (1, 2) and part is not None else part)
                for index, part in enumerate(rest)
            ]
        except Exception:  # whatever the object of a user raises, it has no contents to show
            return f"{_place(type(value))}@{id(value):x}"
        return f"{_place(type(value))}@{_digest(', '.join(parts))}"


def _is_bare(text: str) -> bool:
    """Whether a text needs no quotes: no other kind of value is written like it."""
    if text in ("True", "False", "None") or not _PLAIN.fullmatch(text):
        return False
    try:
        complex(text)
    except ValueError:
        return True
    return False


def _place(value: Any) -> str:
    module = getattr(value, "__module__", None) or "builtins"
    return f"{module}:{getattr(value, '__qualname__', type(value).__qualname__)}"


def _cell(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not bound yet
        return None


def _digest(contents: str | bytes) -> str:
    raw = contents if isinstance(contents, bytes) else contents.encode()
    return hashlib.sha256(raw).hexdigest()[:DIGEST_LENGTH]
