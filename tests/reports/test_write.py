"""`Comparison.report` writes what the function of each format writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from muscle_metrics import Policy, UsageError, check_gate, compare
from muscle_metrics.comparison.methods import HOMES
from muscle_metrics.reports.csv import items_csv
from muscle_metrics.reports.junit import verdict_junit
from muscle_metrics.reports.markdown import verdict_markdown
from muscle_metrics.reports.verdict_json import verdict_json
from muscle_metrics.scale import CountedComparison, Totals

if TYPE_CHECKING:
    from pathlib import Path

COMPARISON = compare(old=["да"] * 99, new=["да"] * 98 + ["нет"], references=["да"] * 99)
POLICY = Policy(max_nfr="0.1")
COUNTED = CountedComparison(
    names=("v1", "v2"), totals=Totals.of(COMPARISON), dropped={}, recipe={}
)  # fmt: skip


def test_a_gate_is_a_method() -> None:
    assert COMPARISON.gate(POLICY) == check_gate(COMPARISON, POLICY)
    assert COUNTED.gate(POLICY).outcome == "PASS"
    assert {*HOMES} == {"gate", "report", "gate_candidates", "report_candidates"}


def test_each_format_by_its_ending(tmp_path: Path) -> None:
    verdict = COMPARISON.gate(POLICY)
    expected = {
        "a.csv": items_csv(COMPARISON),
        "a.md": verdict_markdown(verdict, COMPARISON),
        "a.xml": verdict_junit(verdict, COMPARISON),
        "A.JSON": verdict_json(verdict, COMPARISON),
    }
    for name, text in expected.items():
        COMPARISON.report(tmp_path / name, verdict=verdict)
        assert (tmp_path / name).read_text(encoding="utf-8") == text
    COMPARISON.report(str(tmp_path / "b.json"))
    assert (tmp_path / "b.json").read_text(encoding="utf-8") == COMPARISON.to_json() + "\n"


def test_a_page_and_the_table_beside_it(tmp_path: Path) -> None:
    pytest.importorskip("jinja2", reason="pages are behind an extra")
    broken = compare(old=["A"] * 9, new=["B"] * 9, references=["A"] * 9)
    broken.report(tmp_path / "all.html")
    assert not (tmp_path / "all.csv").exists()
    broken.report(tmp_path / "some.html", examples=2, redact=True)
    assert "some.csv" in (tmp_path / "some.html").read_text(encoding="utf-8")
    assert "[1 character" in (tmp_path / "some.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["v2", "v2.txt", "v2.md", "v2.xml"])
def test_other_endings_are_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"ends in \.html, \.csv, \.json.*verdict=comparison"):
        COMPARISON.report(tmp_path / name)


@pytest.mark.parametrize("name", ["v2.html", "v2.csv"])
def test_counts_have_no_items_to_list(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="--engine memory"):
        COUNTED.report(tmp_path / name)
    COUNTED.report(tmp_path / "v2.json")
    assert (tmp_path / "v2.json").exists()
