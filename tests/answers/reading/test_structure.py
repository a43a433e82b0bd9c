"""JSON values and calls of tools: one spelling for what is equal, and a reason for what is not."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from importlib.util import find_spec

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics import Record, Run, compare, compare_runs, count_flips, html_report
from muscle_metrics.answers.reading.canonical import UnreadError, spelled
from muscle_metrics.answers.reading.reading import Reading
from muscle_metrics.answers.reading.structure import READERS
from muscle_metrics.answers.reading.tool_calls import mismatch, read_tool_calls
from muscle_metrics.comparison.listed import texts_of
from muscle_metrics.comparison.text import comparison_text
from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.reports.csv import items_csv
from muscle_metrics.reports.flips import first_flips, flip_lines

JSON, CALLS = READERS

EQUAL = [
    ('{"a": 1, "b": 2}', '{"b":2,"a":1}'),
    ("1", "1.0"),
    ("1", "1e0"),
    ("100", "1E+2"),
    ("0.015", "15e-3"),
    ("0", "-0.0"),
    ("1e400", "10e399"),
    ("9" * 5000, "9" * 5000 + ".0"),
    ('"\\u00e9"', '"é"'),
    ("[1, [2, {}]]", " [1,[2,{}]]\n"),
    ('```json\n{"a": 1}\n```', '{"a": 1}'),
    ('Here:\n```\n{"a": 1}\n```\nDone.', '{"a": 1}'),
    ({"b": [1, 2.5], "a": None}, '{"a":null,"b":[1,2.50]}'),
    ((1, 2), "[1,2]"),
    (0.1, "0.1"),
    (10**30, "1e30"),
    (True, "true"),
]
OTHER = [
    ("true", "1"),
    (True, 1),
    (False, "0"),
    ("1", '"1"'),
    ("null", "false"),
    ("9007199254740993", "9007199254740992"),
    ("0.1", "0.1000000000000000055511151231257827"),
    ("[1,2]", "[2,1]"),
    ('{"a":1}', '{"a":1,"b":null}'),
    ('{"é":1}', '{"e\u0301":1}'),
    ("[]", "{}"),
]
UNREAD = [
    "", "plain", "{'a': 1}", '{"a": 1,}', '{"a": 1, "a": 1}', '[{"b": {"a": 1, "a": 2}}]', "NaN",
    "[Infinity]", "01", "1.", '{"a": 1} and more', "```json\n1\n```\n```json\n2\n```", None,
    float("nan"), {"a": float("inf")}, {1: 2}, {1, 2}, b"1", [Decimal(1)], "[" * 100_000,
    '{"a":' * 100_000, "1e" + "9" * 30, 10**5000,
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), EQUAL, ids=lambda value: repr(value)[:40])
def test_equal_values_have_one_spelling(one, other):
    read = JSON.prediction(one)
    assert read is not None
    assert read == JSON.reference(other)
    assert JSON.prediction(read) == read


@pytest.mark.parametrize(("one", "other"), OTHER, ids=lambda value: repr(value)[:40])
def test_other_values_have_another(one, other):
    assert None not in (JSON.prediction(one), JSON.reference(other))
    assert JSON.prediction(one) != JSON.reference(other)


@pytest.mark.parametrize("value", UNREAD, ids=lambda value: repr(type(value))[:20])
def test_what_has_no_meaning_is_not_read(value):
    assert JSON.prediction(value) is None
    assert JSON.reference(value) is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def exact(value):
    """What json.loads gives with exact numbers, which tells booleans from numbers."""
    if isinstance(value, dict):
        return {key: exact(one) for key, one in value.items()}
    if isinstance(value, list):
        return [exact(one) for one in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return ("number", Decimal(repr(value)))
    return (type(value).__name__, value)


@given(one=VALUES, other=VALUES)
def test_spellings_are_equal_exactly_where_values_are(one, other):
    assert (spelled(one) == spelled(other)) == (exact(one) == exact(other))


@given(value=VALUES)
def test_a_value_and_its_json_are_read_alike(value):
    text = json.dumps(value, ensure_ascii=len(repr(value)) % 2 == 0, indent=1)
    assert JSON.prediction(text) == spelled(value)
    assert JSON.prediction(spelled(value)) == spelled(value)


@given(text=st.text() | st.text(alphabet='{}[]":,1e.-tfn \n`\\\ud800'))
def test_any_text_is_read_or_not(text):
    for reader in READERS:
        read = reader.prediction(text)
        assert read is None or reader.prediction(read) == read


ARGUMENTS = {"city": "Köln", "days": 3}
CALL = {"name": "weather", "arguments": ARGUMENTS}
FORMS = {
    "OpenAI chat": {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": "call_1",
                "type": "function",
                "function": {"name": "weather", "arguments": json.dumps(ARGUMENTS)},
            }
        ],
    },
    "OpenAI responses": [
        {"type": "reasoning", "summary": []},
        {
            "type": "function_call",
            "call_id": "c",
            "name": "weather",
            "arguments": '{"days": 3.0, "city": "K\\u00f6ln"}',
        },
    ],
    "OpenAI before 2024": {
        "role": "assistant",
        "function_call": {"name": "weather", "arguments": json.dumps(ARGUMENTS)},
    },
    "Anthropic": {
        "role": "assistant",
        "content": [
            {"type": "text", "text": "I look it up."},
            {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": ARGUMENTS},
        ],
    },
    "Gemini": {"functionCall": {"name": "weather", "args": ARGUMENTS}},
    "Hermes": f"I look it up.\n<tool_call>\n{json.dumps(CALL)}\n</tool_call>",
    "Llama": json.dumps({"name": "weather", "parameters": ARGUMENTS}),
    "bare": CALL,
    "list": json.dumps([CALL]),
    "code block": f"```json\n{json.dumps(CALL)}\n```",
    "BFCL": "[weather(days=3, city='Köln')]",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_every_form_of_a_call_is_read_alike(form):
    assert CALLS.prediction(form) == CALLS.reference([CALL])
    if not isinstance(form, str):
        assert CALLS.prediction(json.dumps(form)) == CALLS.reference([CALL])


@pytest.mark.parametrize(
    "value",
    [
        "I cannot.", "", None, 3, ["f"], {"arguments": {}}, {"name": ""}, {"name": 3},
        {"name": "f", "arguments": [1]}, {"name": "f", "arguments": "{"},
        {"name": "f", "arguments": {}, "input": {}},
        {"name": "f", "arguments": {"a": float("nan")}},
        {"name": "f", "arguments": '{"a": 1, "a": 2}'}, '<tool_call>{"name": "f"}',
        '<tool_call>{"name": "f"}</tool_call><tool_call>{"name"', "f(1)", "f(**x)", "f(a=b)",
        "f(a=1, a=2)", "f(a=1); g()", "f(a='\\d", "f(" * 5000, "f(a=" + "-" * 9000 + "1)",
        "f(a={1, 2})", "f\0(a=1)",
    ],
    ids=lambda value: repr(value)[:30],
)  # fmt: skip
def test_what_is_no_call_is_not_read(value):
    assert CALLS.prediction(value) is None


def test_a_message_without_a_call_is_the_empty_list():
    assert CALLS.prediction({"role": "assistant", "content": "Hello", "tool_calls": None}) == "[]"
    assert CALLS.reference([]) == "[]"


def test_the_order_of_calls_counts_unless_it_does_not():
    one, other = "[f(a=1), g()]", "[g(), f(a=1)]"
    assert CALLS.prediction(one) != CALLS.reference(other)
    assert CALLS.prediction(one, ordered=False) == CALLS.reference(other, ordered=False)
    assert CALLS.prediction("[f(), f()]", ordered=False) != CALLS.reference("f()", ordered=False)
    with pytest.raises(UsageError):
        CALLS.prediction(one, ordered="no")


@pytest.mark.parametrize(
    ("prediction", "reference", "reason"),
    [
        ("f(a=1)", "f(a=1.0)", ""),
        ("I cannot.", "f()", "no call is read of the answer"),
        ("f()", "I cannot.", "no call is read of the reference"),
        ("g(a=1)", "f(a=1)", "name g instead of f"),
        ("f(a=1)", "f(a=2)", "argument a of f differs"),
        ("f(a=1)", "f(a=True)", "argument a of f differs"),
        ("f(b=1)", "f(a=1, b=1)", "argument a of f is missing"),
        ("f(a=1, b=1)", "f(a=1)", "argument b of f is not asked for"),
        ("[f()]", "[f(), g()]", "call of g is missing"),
        ("[f(), f()]", "[f()]", "call of f is not asked for"),
        ("[g(), f()]", "[f(), g()]", "order of calls"),
        ("[f(a=1), f(a=3)]", "[f(a=1), f(a=2)]", "argument a of f differs"),
        ("[f(a=2), f(a=9)]", "[f(a=1), f(a=2)]", "argument a of f differs"),
    ],
)
def test_one_reason_is_given_for_each_mismatch(prediction, reference, reason):
    assert mismatch(prediction, reference) == reason


CALL_LISTS = st.lists(
    st.builds(
        lambda name, values: {"name": name, "arguments": values},
        st.sampled_from("fg"),
        st.dictionaries(st.sampled_from("ab"), st.sampled_from([1, 1.0, True, "1"]), max_size=2),
    ),
    max_size=3,
)


@given(one=CALL_LISTS, other=CALL_LISTS, ordered=st.booleans())
def test_there_is_a_reason_exactly_where_calls_differ(one, other, ordered):
    differ = read_tool_calls(one, ordered=ordered) != read_tool_calls(other, ordered=ordered)
    assert bool(mismatch(one, other, ordered=ordered)) == differ


def test_values_that_are_no_json_are_refused():
    with pytest.raises(UnreadError):
        spelled(object())


def test_a_list_of_references_may_be_one_answer() -> None:
    one, several = Reading.of("json(list=one)"), Reading.of("json")
    assert one.accepted([1, 2]) == [[1, 2]]
    assert several.accepted([1, 2]) == [1, 2]
    # Calls that are expected are one answer, in Python as in files.
    calls = [{"name": "f", "arguments": {"город": "Омск"}}]
    assert Reading.of("tool-calls").accepted(calls) == [calls]
    texts = {"old": [[1, 2], [3]], "new": [[1, 2], [4]], "references": [[1, 2], [3]]}
    assert count_flips(**texts, answer="json(list=one)").negative == 1
    with pytest.raises(InputError, match=r"say that it is one with --answer 'json\(list=one\)'"):
        count_flips(**texts, answer="json")
    with pytest.raises(UsageError, match="list"):
        Reading.of("json(list=whole)")


def test_every_wrong_call_has_its_reason_in_every_list() -> None:
    answers = {
        "а": ("f(x=1)", "f(x=1)", None),
        "b": ("f(x=2)", "f(x=1)", "argument x of f differs"),
        "в": ("[f(x=1)]", "gör(x=1)", "name f instead of gör"),
        "d": ("[g(), f()]", "[f(), g()]", "order of calls"),
    }
    runs = [
        Run(tuple(Record(n, (a, r)[old], r) for n, (a, r, _) in answers.items()), f"v{2 - old}")
        for old in (True, False)
    ]
    comparison = compare_runs(*runs, answer="strip, tool-calls")
    told = {name: why for name, (*_, why) in answers.items() if why}
    listed = list(comparison.flips())
    found = texts_of(comparison, listed).items
    assert {item.id: one.new_mismatch for item, one in zip(listed, found, strict=True)} == told
    assert all(one.old_mismatch is None for one in found)
    flips = comparison.to_dict()["flips"]
    assert {flip["id"]: flip["texts"]["new_mismatch"] for flip in flips} == told
    rows = csv.DictReader(io.StringIO(items_csv(comparison)))
    assert {row["id"]: row["new mismatch"] for row in rows if row["new mismatch"]} == told
    lines = "\n".join(flip_lines(first_flips(comparison, 9)))
    table = comparison_text(comparison, flips=9, width=200)
    for why in told.values():
        assert all(why in sink for sink in (lines, table))
    if find_spec("jinja2"):
        page = html_report(comparison)
        assert all(why in page for why in told.values())


def test_other_readers_know_no_reason() -> None:
    comparison = compare(old=["5"], new=["6"], references=["5"], answer="number")
    assert not texts_of(comparison, list(comparison.flips())).items[0].described()
    assert "mismatch" not in items_csv(comparison)


def test_tags_that_are_cut_are_no_calls() -> None:
    call = '<tool_call>{"name": "f", "arguments": {}}</tool_call>'
    assert read_tool_calls(f"{call} so {call}") is not None
    assert read_tool_calls(f"<tool_call>{call}") is None
    assert read_tool_calls(f"{call}<tool_call>") is None
