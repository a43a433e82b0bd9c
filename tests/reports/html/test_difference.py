"""Laws of the word-level difference: nothing is lost, and what is unmarked is common to both."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics.reports.html.difference import Segment, differing_words

TEXTS = st.lists(st.sampled_from(["a", "b", "c", " ", "\n", ", ", "東", "京"])).map("".join)


@given(TEXTS, TEXTS)
def test_parts_are_the_texts(old: str, new: str) -> None:
    before, after = differing_words(old, new)
    assert "".join(part.text for part in before) == old
    assert "".join(part.text for part in after) == new


@given(TEXTS, TEXTS)
def test_what_is_not_marked_is_in_both_in_one_order(old: str, new: str) -> None:
    common = [
        "".join(part.text for part in parts if not part.differs).split()
        for parts in differing_words(old, new)
    ]
    assert "".join(common[0]) == "".join(common[1])


@given(TEXTS, TEXTS)
def test_texts_that_differ_never_look_equal(old: str, new: str) -> None:
    marked = any(part.differs for parts in differing_words(old, new) for part in parts)
    assert marked == (old != new)


@pytest.mark.parametrize(
    ("old", "new", "marked"),
    [
        ("the cat sat down", "the dog sat down", (["cat "], ["dog "])),
        ("one two", "one two three", ([], ["three"])),
        ("98", "99", (["98"], ["99"])),
        # Too little in common to be worth any marks but one.
        ("a b c d e f g h", "x y c z v w q r", (["a b c d e f g h"], ["x y c z v w q r"])),
        ("same  words", "same words", (["same  words"], ["same words"])),
        ("東京都", "東京府", (["都"], ["府"])),
    ],
)
def test_marks(old: str, new: str, marked: tuple[list[str], list[str]]) -> None:
    found = differing_words(old, new)
    assert tuple([p.text for p in parts if p.differs] for parts in found) == marked


def test_long_texts_are_marked_whole_and_fast() -> None:
    old, new = "a " * 100_000, "b " * 100_000
    assert differing_words(old, new) == ([Segment(old, True)], [Segment(new, True)])
    # Repeated words are what makes naive alignments slow.
    start = time.perf_counter()
    differing_words("a b " * 500, "b a a " * 330)
    assert time.perf_counter() - start < 5
