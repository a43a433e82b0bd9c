"""Names with options as people write them: ``rouge1(stem=true, tokenizer=unicode)``."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Call", "parse_call", "split_calls", "write_call", "write_value"]

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_NAME = re.compile(r"\s*([^\s(),=\"]+)\s*")
_OPTION = re.compile(rf"\s*(\w+)\s*=\s*({_QUOTED}|[^,()=\"]*)\s*")
_PART = re.compile(rf"\((?:{_QUOTED}|[^()\"])*\)|,|[^,]", re.DOTALL)
_BARE = re.compile(r"[\w./:+-]+")
_WORDS = {"true": True, "false": False, "null": None, "none": None}


@dataclass(frozen=True, slots=True)
class Call:
    """A name, and the options behind it.

    Parameters
    ----------
    name : str
        The name as written.
    options : mapping
        Values by name: true and false, null, numbers; all else is text. Quoted values are texts.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


def split_calls(text: str) -> list[str]:
    """Split a list at its commas, except at those inside parentheses.

    Examples
    --------
    >>> split_calls("strip, number(decimal=comma, tolerance=1e-6)")
    ['strip', 'number(decimal=comma, tolerance=1e-6)']
    """
    parts = [""]
    for part in _PART.findall(text):
        if part == ",":
            parts.append("")
        else:
            parts[-1] += part
    return [part.strip() for part in parts]


def parse_call(text: str, *, option: str) -> Call:
    """Read a name and its options.

    Parameters
    ----------
    text : str
        Such as ``name`` or ``name(first=1, second="a, b")``.
    option : str
        The option that the text was given to, for errors.

    Raises
    ------
    UsageError
        If the text is anything else, or names an option twice.

    Examples
    --------
    >>> parse_call("rouge1(stem=true, tokenizer=unicode)", option="--metric")
    Call(name='rouge1', options={'stem': True, 'tokenizer': 'unicode'})
    """
    head = _NAME.match(text)
    if head is None:
        raise _refused(text, option)
    rest = text[head.end() :]
    if not rest:
        return Call(head[1])
    if not (rest.startswith("(") and rest.rstrip().endswith(")")):
        raise _refused(text, option)
    inner = rest.rstrip()[1:-1]
    options: dict[str, Any] = {}
    position = 0
    while inner.strip():
        found = _OPTION.match(inner, position)
        if found is None or inner[found.end() : found.end() + 1] not in ("", ","):
            raise _refused(text, option)
        if found[1] in options:
            raise UsageError(
                f"expected every option of {head[1]!r} once, got {found[1]!r} twice in {text!r} "
                f"for {option}: keep one of them"
            )
        try:
            options[found[1]] = _value(found[2].strip())
        except ValueError:
            raise _refused(text, option) from None
        if found.end() >= len(inner):
            break
        position = found.end() + 1
    return Call(head[1], options)


def write_call(call: Call) -> str:
    """Write a name and its options, sorted, so that `parse_call` reads the same.

    Examples
    --------
    >>> write_call(Call("rouge1", {"tokenizer": "unicode", "stem": True}))
    'rouge1(stem=true, tokenizer=unicode)'
    """
    options = ", ".join(
        f"{name}={write_value(call.options[name])}" for name in sorted(call.options)
    )
    return f"{call.name}({options})" if options else call.name


def write_value(value: Any) -> str:
    """Write the value of an option: a text in quotes where it would be read as anything else.

    Examples
    --------
    >>> write_value(True), write_value("13a"), write_value("13")
    ('true', '13a', '"13"')
    """
    is_bare = isinstance(value, str) and _BARE.fullmatch(value) and _value(value) == value
    return value if is_bare else json.dumps(value, ensure_ascii=False)


def _value(text: str) -> Any:
    if text.startswith('"'):
        return json.loads(text)
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _refused(text: str, option: str) -> UsageError:
    return UsageError(
        f"expected a name, or a name with options such as name(option=value), for {option}, got "
        f"{text!r}: check its parentheses and commas, and quote it in a shell"
    )
