"""Answers that are JSON values or calls of tools, whatever their spelling."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args

from muscle_metrics.answers.reading.canonical import UnreadError, parse_json, spelled, unfenced
from muscle_metrics.answers.reading.reader import Reader
from muscle_metrics.answers.reading.tool_calls import mismatch, read_tool_calls
from muscle_metrics.errors import check_choice

__all__ = ["READERS", "read_json"]

List: TypeAlias = Literal["any", "one"]


def read_json(value: Any, *, list: List = "any") -> str | None:  # noqa: A002
    r"""Read a JSON value in one spelling: independent of the order of keys and spelling of numbers.

    Parameters
    ----------
    value : object
        JSON text, alone or in the only code block of an answer; or the value itself: a dict, a
        list, a number, a truth value.
    list : {"any", "one"}
        Whether a list of references holds accepted answers, or is the one right answer itself. A
        list with objects is always one answer.

    Returns
    -------
    str or None
        Compact JSON, which reads as itself; None where there is no JSON, or an object repeats a
        key. Numbers are exact: 1, 1.0 and 1e0 are equal, true and 1 are not.

    Examples
    --------
    >>> read_json('{"b": 1.0, "a": [true, 1e2]}'), read_json({"a": [True, 100], "b": 1})
    ('{"a":[true,100],"b":1}', '{"a":[true,100],"b":1}')
    >>> read_json("Here it is:\n```json\n[1.50]\n```"), read_json('{"a": 1, "a": 2}')
    ('[1.5]', None)
    """
    if list not in get_args(List):
        check_choice("list", list, get_args(List))
    try:
        if not isinstance(value, str):
            return None if value is None else spelled(value)
        return spelled(parse_json(unfenced(value)))
    except UnreadError:
        return None


READERS: tuple[Reader, ...] = (
    Reader(
        name="json",
        does="a JSON value, whatever the order of keys and the spelling of numbers",
        prediction=read_json,
        reference=read_json,
    ),
    Reader(
        name="tool-calls",
        does="calls of tools by name and arguments, as OpenAI, Anthropic and others write them",
        prediction=read_tool_calls,
        reference=read_tool_calls,
        mismatch=mismatch,
    ),
)
