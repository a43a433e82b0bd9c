"""The table of items: nothing in it is a formula, and nothing is lost."""

from __future__ import annotations

import csv
import io
import re
import unicodedata

import pandas as pd

from muscle_metrics import Record, Run, compare, compare_runs
from muscle_metrics.reports.csv import items_csv
from muscle_metrics.words.escape import spreadsheet, terminal


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_item_is_there_with_its_scores() -> None:
    old, new = (
        Run(
            tuple(
                Record(f"{i:03}", "AB"[i % k == 0], "A", {"f1": i / 10 * k}, prompt=f"p{i}")
                for i in range(4)
            ),
            name,
        )
        for k, name in ((2, "v1"), (1, "v2"))
    )
    comparison = compare_runs(old, new, metric=["exact_match", "f1"])
    rows = rows_of(items_csv(comparison))
    assert [row["id"] for row in rows] == ["000", "001", "002", "003"]
    assert [row["quadrant"] for row in rows] == [str(i.quadrant) for i in comparison.items()]
    assert [float(row["old f1"]) for row in rows] == [0.0, 0.2, 0.4, 0.6]
    assert rows[1]["prompt"] == "p1"
    frame = pd.read_csv(io.StringIO(items_csv(comparison)), dtype={"id": str})
    assert frame["new f1"].tolist() == [0.0, 0.1, 0.2, 0.3]


def test_nothing_is_a_formula(hostile: list[str]) -> None:
    answers = [*hostile, "  =1+1", "\u3000\uff1d1", "-5", "+cmd|' /C calc'!A0"]
    comparison = compare(
        old=answers, new=["A"] * len(answers), references=answers, ids=range(len(answers)),
        slices=answers, prompts=answers,
    )  # fmt: skip
    text = items_csv(comparison)
    assert text.count("\n") == len(answers) + 1
    rows = rows_of(text)
    for row, answer in zip(rows, answers, strict=True):
        for cell in (row["old"], row["prompt"], row["reference"]):
            start = unicodedata.normalize("NFKC", cell).lstrip()[:1]
            assert start not in {*"=+-@\t\r"} or re.fullmatch(r"[+-][0-9]+(\.[0-9]+)?", cell)
            assert cell.removeprefix("'") == terminal(answer) or cell == terminal(answer)
    text.encode("utf-8")


def test_long_blanks_hide_no_formula() -> None:
    assert spreadsheet(" " * 5000 + "=1").startswith("'")
    assert spreadsheet("-5.25") == "-5.25"
    assert spreadsheet("-5.25-1") == "'-5.25-1"
