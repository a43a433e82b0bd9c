"""Laws of escaping: what acts without being seen is shown, and nothing else changes."""

from __future__ import annotations

import json
import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics.words.escape import shorten, terminal, visible

if TYPE_CHECKING:
    from pathlib import Path

ANYTHING = st.text(st.characters(exclude_categories=()))
# Texts in which the characters of commands often meet.
COMMANDS = st.text(st.sampled_from(" \t\r\n\u00a0\u2028:#[]verso\x1b"))


@pytest.fixture(scope="session")
def hostile(shared: Path) -> list[str]:
    payloads = json.loads((shared / "reference" / "hostile_strings.json").read_text("utf-8"))
    assert len(payloads) > 30
    return payloads


def acts_unseen(char: str) -> bool:
    return (
        unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} or char in "\ufdd0\ufffe\uffff"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ünïcode, 日本, 🙂, \u00a0", "plain, ünïcode, 日本, 🙂, \u00a0"),
        ("a\r\n\tb\x00\x7f", r"a\u000d\u000a\u0009b\u0000\u007f"),
        ("\x1b[2J\x9b31m\x85", r"\u001b[2J\u009b31m\u0085"),
        ("\u202egnp.exe a\u200bb \ufeff", r"\u202egnp.exe a\u200bb \ufeff"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("\ud800 \udfff", r"\ud800 \udfff"),
        ("\ufffe\uffff\U0001ffff\ufdd0", r"\ufffe\uffff\U0001ffff\ufdd0"),
        ("\U000e0041", r"\U000e0041"),
        ("private \ue000, unassigned \u0378", "private \ue000, unassigned \u0378"),
        ("", ""),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error::x", r"\u003a:error\u003a:x"),
        ("\u00a0 ::error::x", "\u00a0 " + r"\u003a:error\u003a:x"),
        (":::", r"\u003a\u003a:"),
        ("x ##[error]y", r"x \u0023#[error]y"),
        ("###[", r"#\u0023#["),
        ("##vso[task.complete]", r"\u0023#vso[task.complete]"),
        ("##teamcity[x]", r"\u0023#teamcity[x]"),
        ("12:30, ## [title] a:b # [", "12:30, ## [title] a:b # ["),
    ],
)
def test_terminal(text: str, shown: str) -> None:
    assert terminal(text) == shown


def test_hostile_strings_are_harmless_on_a_terminal(hostile: list[str]) -> None:
    for payload in hostile:
        check_harmless(terminal(payload))


@given(ANYTHING | COMMANDS)
def test_any_text_is_harmless_on_a_terminal(text: str) -> None:
    check_harmless(terminal(text))


def check_harmless(shown: str) -> None:
    assert not any(map(acts_unseen, shown))
    assert len(shown.splitlines()) <= 1
    # A terminal may fold a line anywhere, so no piece of it may be a command.
    assert not any(shown[start:].lstrip().startswith("::") for start in range(0, len(shown), 7))
    assert "::" not in shown
    assert "##[" not in shown
    shown.encode("utf-8")


@given(ANYTHING | COMMANDS)
def test_escaping_twice_is_escaping_once(text: str) -> None:
    assert visible(visible(text)) == visible(text)
    assert terminal(terminal(text)) == terminal(text)


@given(st.text(st.characters(exclude_categories=("C", "Z"))))
def test_what_is_seen_is_left_as_it_is(text: str) -> None:
    assert visible(text) == text


@given(ANYTHING, st.integers(1, 20))
def test_shortened_text_fits_and_says_so(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert len(short) <= limit
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))


@pytest.mark.parametrize("char", [" ", ":", "#", "\n", "a", "["])
def test_escaping_takes_linear_time(char: str) -> None:
    # A pattern that backtracks over a megabyte would not end.
    assert len(terminal(char * 1_000_000)) >= 1_000_000
    assert len(terminal(("##" + char * 99) * 10_000)) >= 1_000_000
