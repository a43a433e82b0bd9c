"""Calls of tools in a trajectory: the messages of a conversation, or the steps of an agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muscle_metrics.answers.reading.canonical import UnreadError, parse_json, spelled
from muscle_metrics.answers.reading.tool_calls import Call

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["read_trajectory"]

# Keys of the arguments of a call, by service.
_ARGUMENTS = ("arguments", "input", "parameters", "args")
_WRAPPED = ("function", "function_call", "functionCall")
# Steps that are calls, and parts of a message that are calls, by their type.
_CALLS = frozenset({"function", "function_call", "tool_call", "tool_use", "custom_tool_call"})


def read_trajectory(value: Any) -> list[Call] | None:
    """Read the calls of tools that a model made, in their order.

    Forms that are read: lists of messages, as OpenAI, Anthropic, Gemini and inspect_ai write them,
    items of the Responses API, lists of calls, and JSON text of these. What tools and people said,
    and what the model wrote or thought, is no call.

    Parameters
    ----------
    value : object
        A list of messages or steps, or a list of such lists, one for each turn; or JSON text.

    Returns
    -------
    list of Call or None
        Empty where the model called no tool; None where the value is no list of messages or steps.

    Examples
    --------
    >>> call = {"function": {"name": "add", "arguments": '{"b": 2.0, "a": 1}'}}
    >>> asked = {"role": "user", "content": "1 + 2?"}
    >>> read_trajectory([asked, {"role": "assistant", "tool_calls": [call]}])[0].spelling
    '{"arguments":{"a":1,"b":2},"name":"add"}'
    >>> read_trajectory([asked]), read_trajectory("I called add.")
    ([], None)
    """
    try:
        steps = parse_json(value) if isinstance(value, str) else value
        return list(_calls(steps)) if isinstance(steps, list | tuple) else None
    except (UnreadError, RecursionError):
        return None


def _calls(steps: Any) -> Iterator[Call]:
    for step in steps:
        if isinstance(step, list | tuple):
            yield from _calls(step)
        elif not isinstance(step, dict):
            raise UnreadError("no message and no step")
        elif "role" in step:
            yield from _in_message(step)
        elif _is_call(step):
            yield _call(step)
        elif not isinstance(step.get("type"), str):
            raise UnreadError("no message and no step")


def _in_message(message: Mapping[str, Any]) -> Iterator[Call]:
    calls = message.get("tool_calls") or []
    if isinstance(message.get("function_call"), dict):
        calls = [*calls, message["function_call"]]
    # Services repeat the calls as parts of the content.
    parts = message.get("content") or message.get("parts")
    if not calls and isinstance(parts, list | tuple):
        calls = [part for part in parts if isinstance(part, dict) and _is_call(part)]
    if not isinstance(calls, list | tuple) or not all(isinstance(call, dict) for call in calls):
        raise UnreadError("calls are no list of objects")
    yield from map(_call, calls)


def _is_call(step: Mapping[str, Any]) -> bool:
    if step.get("type") in _CALLS or any(isinstance(step.get(key), dict) for key in _WRAPPED):
        return True
    return "type" not in step and "name" in step and any(key in step for key in _ARGUMENTS)


def _call(value: Mapping[str, Any]) -> Call:
    for key in _WRAPPED:
        if isinstance(value.get(key), dict):
            return _call(value[key])
    # In inspect_ai the function is the name itself.
    name = value.get("name", value.get("function"))
    if not isinstance(name, str) or not name:
        raise UnreadError("a call has no name")
    given: Any = next((value[key] for key in _ARGUMENTS if value.get(key) is not None), {})
    return Call(name, _spelled_arguments(given))


def _spelled_arguments(given: Any) -> Mapping[str, str]:
    """Spelling of each argument; one for all of them where a model wrote no object."""
    try:
        arguments = parse_json(given) if isinstance(given, str) and given.strip() else given
    except UnreadError:
        arguments = given
    if arguments == "":
        return {}
    if isinstance(arguments, dict) and all(isinstance(key, str) for key in arguments):
        return {key: spelled(one) for key, one in arguments.items()}
    return {"arguments": spelled(arguments if not isinstance(given, str) else given)}
