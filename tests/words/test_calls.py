"""Names with options, as they stand behind --metric and --answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics.errors import UsageError
from muscle_metrics.words.calls import Call, parse_call, split_calls, write_call

NAMES = st.from_regex(r"[a-z][a-z0-9_]*", fullmatch=True)
VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
CALLS = st.builds(Call, NAMES, st.dictionaries(NAMES, VALUES, max_size=3))


@given(st.lists(CALLS, min_size=1, max_size=4))
def test_what_is_written_is_read_again(calls: list[Call]) -> None:
    parts = split_calls(", ".join(map(write_call, calls)))
    assert [parse_call(part, option="--metric") for part in parts] == calls


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("rouge1", Call("rouge1")),
        ("a()", Call("a")),
        (" a ( x = 1e-6 , y = True ) ", Call("a", {"x": 1e-6, "y": True})),
        ("a(x=de, y=)", Call("a", {"x": "de", "y": ""})),
        ("module.part:function(n=-3)", Call("module.part:function", {"n": -3})),
    ],
)
def test_options_are_numbers_words_and_texts(text: str, call: Call) -> None:
    assert parse_call(text, option="--metric") == call


@pytest.mark.parametrize(
    "text",
    ["", "a(", "a b", "a(x=1,)", "a(x=1) b", "a(x==1)", "a(1)", "a(x=1 y=2)", 'a(x="\\q")', "a)("],
)
def test_anything_else_is_refused_with_its_option(text: str) -> None:
    with pytest.raises(UsageError, match="for --metric, got "):
        parse_call(text, option="--metric")


def test_an_option_is_given_once() -> None:
    with pytest.raises(UsageError, match="got 'x' twice"):
        parse_call("a(x=1, x=2)", option="--metric")


@pytest.mark.parametrize("text", ["(" * 100_000, "a(" + "x" * 100_000, ",(" * 50_000])
def test_splitting_is_linear(text: str) -> None:
    assert "".join(split_calls(text)) == text.replace(",", "")
