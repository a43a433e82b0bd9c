"""Calls of tools, as services and chat templates write them, and why two lists of them differ."""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from muscle_metrics.answers.reading.canonical import UnreadError, parse_json, spelled, unfenced
from muscle_metrics.errors import check_choice

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Call", "difference", "mismatch", "read_tool_calls"]

_TAG, _END_TAG = "<tool_call>", "</tool_call>"
_CALLED = re.compile(r"\s*\[?\s*[A-Za-z_][\w.]*\s*\(")
_LONGEST_CODE = 20_000
_ARGUMENTS = ("arguments", "input", "parameters", "args")
_WRAPPED = ("function", "function_call", "functionCall")


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool: its name, and the spelling of each argument."""

    name: str
    arguments: Mapping[str, str]

    @property
    def spelling(self) -> str:
        """One text for all equal calls."""
        pairs = (f"{spelled(name)}:{self.arguments[name]}" for name in sorted(self.arguments))
        return f'{{"arguments":{{{",".join(pairs)}}},"name":{spelled(self.name)}}}'


def read_tool_calls(value: Any, *, ordered: bool = True) -> str | None:
    """Read calls of tools in one spelling: names and arguments, without ids.

    Forms that are read: ``tool_calls`` and ``function_call`` of OpenAI, ``tool_use`` of Anthropic,
    ``functionCall`` of Gemini, ``<tool_call>`` of Hermes and Qwen, an object of a name and
    ``arguments`` or ``parameters``, lists of these, and Python calls with keywords, as in BFCL.

    Parameters
    ----------
    value : object
        Text, or a dict or list.
    ordered : bool
        Whether the order of the calls counts.

    Returns
    -------
    str or None
        A JSON list, which reads as itself; empty for a message without a call; None for text
        without a call, and for a call that is not well-formed.

    Raises
    ------
    UsageError
        If `ordered` is not a truth value.

    Examples
    --------
    >>> read_tool_calls('<tool_call>{"name": "add", "arguments": {"b": 2.0, "a": 1}}</tool_call>')
    '[{"arguments":{"a":1,"b":2},"name":"add"}]'
    >>> read_tool_calls({"type": "tool_use", "id": "t1", "name": "add", "input": {"b": 2, "a": 1}})
    '[{"arguments":{"a":1,"b":2},"name":"add"}]'
    >>> read_tool_calls("add(a=1, b=2)"), read_tool_calls("I cannot add.")
    ('[{"arguments":{"a":1,"b":2},"name":"add"}]', None)
    """
    check_choice("ordered", ordered, (True, False))
    calls = _read(value)
    if calls is None:
        return None
    spellings = [call.spelling for call in calls]
    return f"[{','.join(spellings if ordered else sorted(spellings))}]"


def mismatch(prediction: Any, reference: Any, *, ordered: bool = True) -> str:
    """Say why calls are not those of the reference: one reason, the gravest; "" if they are.

    Parameters
    ----------
    prediction, reference : object
        As `read_tool_calls` takes them.
    ordered : bool
        Whether the order of the calls counts.

    Returns
    -------
    str
        One of: no call is read, a missing or further call, another name, an argument that is
        missing, not asked for or has another value, the order.

    Examples
    --------
    >>> mismatch("f(a=1)", "f(a=2)"), mismatch("f(a=1)", "f(a=1.0)")
    ('argument a of f differs', '')
    >>> mismatch("[f(), g()]", "[g(), f()]"), mismatch("[f()]", "[f(), g()]")
    ('order of calls', 'call of g is missing')
    """
    given, expected = _read(prediction), _read(reference)
    if given is None or expected is None:
        return f"no call is read of the {'answer' if given is None else 'reference'}"
    return difference(given, expected, ordered=ordered)


def difference(given: list[Call], expected: list[Call], *, ordered: bool = True) -> str:
    """Say why calls are not the expected ones, as `mismatch` does; "" if they are."""
    if given == expected:
        return ""
    if sorted(call.spelling for call in given) == sorted(call.spelling for call in expected):
        return "order of calls" if ordered else ""
    names, wanted = (Counter(call.name for call in calls) for calls in (given, expected))
    missing, further = list(wanted - names), list(names - wanted)
    if missing and further:
        return f"name {further[0]} instead of {missing[0]}"
    if missing or further:
        one = missing or further
        return f"call of {one[0]} is {'missing' if missing else 'not asked for'}"
    return _other_argument(given, expected)


def _other_argument(given: list[Call], expected: list[Call]) -> str:
    """Name the first argument that differs; calls that agree in full are set aside first."""
    left = list(given)
    unmet = []
    for call in expected:
        if call in left:
            left.remove(call)
        else:
            unmet.append(call)
    call = unmet[0]
    other = next(one for one in left if one.name == call.name)
    for name in sorted({**call.arguments, **other.arguments}):
        if name not in other.arguments:
            return f"argument {name} of {call.name} is missing"
        if name not in call.arguments:
            return f"argument {name} of {call.name} is not asked for"
        if call.arguments[name] != other.arguments[name]:
            return f"argument {name} of {call.name} differs"
    return "order of calls"  # pragma: no cover - calls that differ have an argument that does


def _read(value: Any) -> list[Call] | None:
    try:
        if isinstance(value, str):
            return _in_text(value)
        return _in_value(value)
    except (UnreadError, RecursionError):
        return None


def _in_text(text: str) -> list[Call] | None:
    tagged = text.split(_TAG)[1:]
    if tagged:
        if not all(_END_TAG in one for one in tagged):
            return None
        inner = [one.partition(_END_TAG)[0] for one in tagged]
        return [call for one in inner for call in _in_value(parse_json(one))]
    text = unfenced(text).strip()
    if text[:1] in ("{", "["):
        try:
            return _in_value(parse_json(text))
        except UnreadError:
            pass
    return _in_code(text)


def _in_value(value: Any) -> list[Call]:
    """Find the calls in a message, a block, a call or a list of these."""
    if isinstance(value, list | tuple):
        return [call for one in value for call in _in_value(one)]
    if not isinstance(value, dict):
        raise UnreadError("no call")
    if value.get("type") in ("text", "thinking", "redacted_thinking", "reasoning"):
        return []
    for wrapper in _WRAPPED:
        if isinstance(value.get(wrapper), dict):
            return [_call_of(value[wrapper])]
    if "tool_calls" in value:
        return _in_value(value["tool_calls"] or [])
    content = value.get("content")
    if "role" in value or (isinstance(content, list) and "name" not in value):
        return _in_value(content) if isinstance(content, list) else []
    return [_call_of(value)]


def _call_of(value: Mapping[str, Any]) -> Call:
    name = value.get("name")
    given = [key for key in _ARGUMENTS if key in value]
    if not isinstance(name, str) or not name or len(given) > 1:
        raise UnreadError("a call needs one name and one object of arguments")
    arguments = value[given[0]] if given else None
    if isinstance(arguments, str):
        arguments = parse_json(arguments) if arguments.strip() else None
    arguments = {} if arguments is None else arguments
    if not isinstance(arguments, dict) or not all(isinstance(key, str) for key in arguments):
        raise UnreadError("arguments are no object")
    return Call(name, {key: spelled(one) for key, one in arguments.items()})


def _in_code(text: str) -> list[Call] | None:
    """Find the calls of Python code: keywords and literals only, since positions have no names."""
    if len(text) > _LONGEST_CODE or not _CALLED.match(text):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = ast.parse(text, mode="eval").body
            calls = code.elts if isinstance(code, ast.List) else [code]
            return [_call_in(call) for call in calls]
    except (SyntaxError, ValueError, MemoryError, TypeError) as error:
        raise UnreadError(str(error)) from error


def _call_in(call: ast.expr) -> Call:
    if not isinstance(call, ast.Call) or call.args:
        raise UnreadError("no call with keywords alone")
    values = {word.arg: ast.literal_eval(word.value) for word in call.keywords if word.arg}
    if len(values) < len(call.keywords):
        raise UnreadError("keywords repeat, or are unpacked")
    return Call(ast.unparse(call.func), {name: spelled(one) for name, one in values.items()})
