"""Blocks of listed items: which come first, and what of them fits into a line."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from muscle_metrics import compare
from muscle_metrics.comparison.flip_blocks import block_lines, flip_block
from muscle_metrics.comparison.listed import ItemTexts
from muscle_metrics.comparison.text import comparison_text
from muscle_metrics.comparison.worst import worst_items


def blocks(comparison, flips: int, **more) -> list[str]:
    lines = comparison_text(comparison, flips=flips, **more).splitlines()
    start = next(n for n, line in enumerate(lines) if re.search("item.* that (broke|got)", line)
                 and "accuracy" not in line)  # fmt: skip
    return lines[start : lines.index("", start)]


def lines_of(old, new, reference="A", width: int = 60, **texts: str) -> dict[str, str]:
    (item,) = compare(old=[old], new=[new], references=[reference], missing="wrong").items()
    _, *lines = block_lines(flip_block(item, ItemTexts(**texts)), width)
    return {line.split()[0]: line[15:] for line in lines}


def test_how_many_are_shown_of_how_many() -> None:
    comparison = compare(old=["A"] * 7, new=["B"] * 5 + ["A"] * 2, references=["A"] * 7)
    assert blocks(comparison, 2)[0] == "2 of 5 items that broke; all of them: --flips 5 (flips=)"
    assert blocks(comparison, 9)[0] == "all 5 items that broke"
    same = compare(old=["A"], new=["A"], references=["A"])
    assert "\nno item broke\n" in comparison_text(same, flips=3)


def test_graded_scores_list_the_largest_loss_first() -> None:
    old = ["a b c d"] * 4
    new = ["a b c x", "a b c d", "w x y z", "a b y z"]
    texts = {"old": old, "new": new, "references": old, "ids": ["q1", "q2", "вопрос", "q4"]}
    graded = compare(**texts, metric="rouge1")
    title, *lines = blocks(graded, 2)
    assert title == (
        "2 of 3 items that got worse in rouge1, the largest loss first; all of them: --flips 3 "
        "(flips=)"
    )
    assert [line for line in lines if not line.startswith("    ")] == ["  вопрос", "  q4"]
    assert "    rouge1     1.0000 to 0.0000" in lines
    # With a threshold only what broke is listed, and still by its loss.
    judged = compare(**texts, metric="rouge1", threshold=0.6)
    assert [item.id for item in worst_items(judged)] == ["вопрос", "q4"]


def test_texts_are_one_line_each_with_a_sign_for_every_end_of_a_line() -> None:
    shown = lines_of("A", "one\r\ntwo\n\n\x1b[2J\u202e", question="Which\nof both?")
    assert shown["prompt"] == "Which↵of both?"
    assert shown["new"] == r"one↵two↵↵\u001b[2J\u202e"
    assert lines_of("A", None)["new"] == "no answer"


def test_a_line_end_cannot_hide_a_command_of_a_runner() -> None:
    assert "::" not in lines_of("A", ":\n:error:\r:::warning::x\n#\n#[group]")["new"]


@pytest.mark.parametrize("letter", ["x", "東", "й"])
def test_two_long_answers_show_where_they_differ(letter: str) -> None:
    long = letter * 300
    shown = lines_of(f"{long} so it is A", f"{long} so it is B")
    assert shown["old"].startswith("…")
    assert shown["old"] != shown["new"]
    assert shown["new"].endswith("so it is B")
    # One that only goes on is cut where it stands.
    assert lines_of("short", long)["new"].startswith(letter)


@given(
    texts=st.lists(st.text(st.characters(codec="utf-8")), min_size=4, max_size=4),
    width=st.integers(40, 120),
)
def test_no_line_of_a_screen_is_too_long(texts: list[str], width: int) -> None:
    (item,) = compare(old=["A"], new=["B"], references=["A"], ids=["x"], slices=["y"]).items()
    item = item._replace(id=texts[0], slice=texts[1], old=texts[2], new=texts[3])
    for line in block_lines(flip_block(item, ItemTexts(question=texts[3])), width, cuts_names=True):
        assert cell_len(line) <= width
        assert not {"Cc", "Cf", "Cs", "Zl", "Zp"} & {*map(unicodedata.category, line)}


def test_a_pipe_keeps_names_whole() -> None:
    name, slice_ = "id/" * 60 + "end", "тема/" * 30 + "конец"
    comparison = compare(old=["A"], new=["B"], references=["A"], ids=[name], slices=[slice_])
    text = comparison_text(comparison, flips=1, width=60)
    assert f"  {name}\n" in text
    assert f"slice      {slice_}\n" in text


def test_recorded_prompts_are_shown() -> None:
    runs = {"old": ["A", "A"], "new": ["A", "B"], "references": ["A", "A"]}
    comparison = compare(**runs, prompts=["first", "вторая\nстрока"])
    assert "    prompt     вторая↵строка" in blocks(comparison, 1)
