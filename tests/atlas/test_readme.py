"""The update that README opens with, compared anew from its counts in the atlas."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from muscle_metrics import compare
from muscle_metrics.atlas import frame

README = Path(__file__).parents[2] / "README.md"
COLUMNS, LINES = 100, 60

pytestmark = pytest.mark.house


def first_screen() -> str:
    return README.read_text(encoding="utf-8").partition("\n## ")[0]


def test_the_lines_are_those_of_the_update() -> None:
    table = frame()
    names = "Meta-Llama-3-8B", "Meta-Llama-3_1-8B"
    rows = table[(table.task == "mmlu-pro") & (table.old == names[0]) & (table.new == names[1])]
    (row,) = rows.to_dict("records")
    moves = {
        "AA": row["both_right"],
        "AB": row["negative"],
        "BA": row["positive"],
        "BC": row["wrong_changed"],
        "BB": row["both_wrong"] - row["wrong_changed"],
    }
    old, new = zip(*(pair for pair, items in moves.items() for _ in range(items)), strict=True)
    said = str(compare(old=old, new=new, references=["A"] * len(old)))
    (quoted,) = re.findall(r"```text\n(.*?)```", first_screen(), re.DOTALL)
    for line in quoted.splitlines():
        found = [one for one in said.splitlines() if one.startswith(line[:20])]
        checker = doctest.OutputChecker()
        assert any(checker.check_output(line, one, doctest.ELLIPSIS) for one in found), line
    assert f"one of {len(table)} counted" in first_screen()


def test_the_first_screen_is_one_screen() -> None:
    rows = sum(max(1, -(-len(line) // COLUMNS)) for line in first_screen().splitlines())
    assert rows <= LINES
