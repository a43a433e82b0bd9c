"""Functions for --key: on texts of many kinds, and on what is no text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics.scorers.keys import letter, number, plain

KEYS = [plain, letter, number]


@pytest.mark.parametrize(
    ("key", "answer", "found"),
    [
        (plain, "  PARIS!\n", "paris"),
        (plain, "Straße", "strasse"),
        (plain, "北京 。", "北京 。"),
        (plain, "...", ""),
        (letter, "b", "B"),
        (letter, "The answer is **C**", "C"),
        (letter, "Париж", "Париж"),
        (number, "so 3 + 4 = 7.0", "7"),
        (number, "#### 1,234", "1234"),
        (number, "seven", "seven"),
    ],
)
def test_known_answers(key, answer: str, found: str) -> None:
    assert key(answer) == found


@pytest.mark.parametrize("key", KEYS)
@given(answer=st.one_of(st.integers(), st.booleans(), st.none(), st.lists(st.text())))
def test_what_is_no_text_stays(key, answer: object) -> None:
    assert key(answer) is answer


@pytest.mark.parametrize("key", KEYS)
@given(answer=st.text())
def test_a_second_time_changes_nothing(key, answer: str) -> None:
    assert key(key(answer)) == key(answer)
