"""Calls of tools in trajectories, as services, agents and harnesses write them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics.answers.reading.tool_calls import read_tool_calls
from muscle_metrics.answers.reading.trajectory import read_trajectory

ASKED = {"role": "user", "content": "Погода в Києві?"}
WEATHER = {"city": "Київ", "days": 2}


def spelled(value: object) -> list[str] | None:
    calls = read_trajectory(value)
    return None if calls is None else [call.spelling for call in calls]


EXPECTED = [
    '{"arguments":{"city":"Київ","days":2},"name":"weather"}',
    '{"arguments":{},"name":"now"}',
]
OPENAI = [
    ASKED,
    {"role": "assistant", "content": None, "tool_calls": [
        {"id": "c1", "type": "function",
         "function": {"name": "weather", "arguments": json.dumps(WEATHER)}},
    ]},
    {"role": "tool", "tool_call_id": "c1", "name": "weather", "content": "warm"},
    {"role": "assistant", "content": "And now?", "function_call": {"name": "now", "arguments": ""}},
    {"role": "assistant", "content": "It is warm."},
]  # fmt: skip
ANTHROPIC = [
    {"role": "assistant", "content": [
        {"type": "thinking", "thinking": "..."},
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "t1", "name": "weather", "input": {"days": 2.0, "city": "Київ"}},
    ]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1"}]},
    {"role": "assistant", "content": [{"type": "tool_use", "name": "now", "input": {}}]},
]  # fmt: skip
# The output of the Responses API, as NeMo Gym keeps it.
RESPONSES = [
    {"type": "reasoning", "summary": []},
    {"type": "function_call", "call_id": "1", "name": "weather", "arguments": json.dumps(WEATHER)},
    {"type": "function_call_output", "call_id": "1", "output": "warm"},
    {"type": "function_call", "call_id": "2", "name": "now", "arguments": "{}"},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "warm"}]},
]
# What model_dump of inspect_ai 0.3 gives for messages: the function is the name itself.
INSPECT = [
    {"role": "system", "content": "Be brief."},
    {"role": "assistant", "content": "", "tool_calls": [
        {"id": "1", "function": "weather", "arguments": WEATHER, "type": "function"},
        {"id": "2", "function": "now", "arguments": {}, "type": "function"},
    ]},
]  # fmt: skip
GEMINI = [
    {"role": "model", "parts": [{"functionCall": {"name": "weather", "args": WEATHER}}]},
    {"role": "user", "parts": [{"functionResponse": {"name": "weather", "response": {}}}]},
    {"role": "model", "parts": [{"functionCall": {"name": "now"}}]},
]
PLAIN = [{"name": "weather", "arguments": WEATHER}, {"name": "now", "arguments": {}}]
FORMS = [OPENAI, ANTHROPIC, RESPONSES, INSPECT, GEMINI, PLAIN, [PLAIN[:1], PLAIN[1:]]]


@pytest.mark.parametrize("steps", FORMS)
def test_one_trajectory_reads_alike_in_every_form(steps: list[object]) -> None:
    assert spelled(steps) == EXPECTED
    assert spelled(json.dumps(steps)) == EXPECTED
    assert spelled(json.dumps(steps, ensure_ascii=False, indent=1)) == EXPECTED


@pytest.mark.parametrize("steps", [[], [ASKED], [ASKED, {"role": "assistant", "content": "Hi"}]])
def test_a_conversation_without_calls_has_none(steps: list[object]) -> None:
    assert spelled(steps) == []


@pytest.mark.parametrize(
    "value",
    [
        None, "", "weather()", "I called weather.", 7, True, {}, {"messages": OPENAI}, ["weather"],
        [1], [ASKED, "weather"], [ASKED, {"content": "no role"}], [{"role": "assistant",
        "tool_calls": "weather"}], [{"role": "assistant", "tool_calls": [{"type": "function"}]}],
        '[{"role": "user"}, ', '[{"role": "a", "role": "b"}]', "[" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_list_of_messages_or_steps_is_none(value: object) -> None:
    assert read_trajectory(value) is None


@pytest.mark.parametrize("written", ['{"city": "Ки', "Київ", '["Київ"]', "[1, 2"])
def test_arguments_that_are_no_object_are_one_argument(written: str) -> None:
    """Models write such calls, and one of them must not hide what the others did."""
    step = {"role": "assistant", "tool_calls": [
        {"function": {"name": "weather", "arguments": written}}, {"function": {"name": "now"}},
    ]}  # fmt: skip
    first, second = read_trajectory([ASKED, step])
    assert first.arguments == {"arguments": json.dumps(written, ensure_ascii=False)}
    assert second.name == "now"


ARGUMENTS = st.dictionaries(
    st.text(max_size=4), st.none() | st.booleans() | st.integers() | st.text(max_size=4), max_size=3
)
CALLS = st.lists(st.tuples(st.sampled_from(["f", "g", "日"]), ARGUMENTS), min_size=1, max_size=4)


@given(CALLS)
def test_messages_read_as_the_reader_of_answers_reads_their_calls(calls) -> None:
    rows = [
        {"type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for name, arguments in calls
    ]
    message = {"role": "assistant", "content": None, "tool_calls": rows}
    alone = [{"role": "assistant", "content": "", "tool_calls": [row]} for row in rows]
    expected = read_tool_calls(message)
    assert f"[{','.join(spelled([ASKED, message]))}]" == expected
    # However many messages they came in.
    assert spelled(alone) == spelled([message])
