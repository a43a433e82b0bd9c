"""The page to label on: the cells of its sheet, no word on which answer is new, and its files."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from dataclasses import replace

import pytest

from muscle_metrics import InputError, MissingDependencyError, Run, plan_labels
from muscle_metrics.labels.design import new_is_first
from muscle_metrics.labels.sheet import key_path
from tests.labels.conftest import make_runs, read, write


@pytest.fixture
def plan():
    pytest.importorskip("jinja2", reason="the page is behind an extra")
    runs = make_runs(60, broken=9, rewritten=20)
    return plan_labels(runs.old, runs.new, budget=25, seed=7)


def cells(page):
    return [json.loads(html.unescape(found)) for found in re.findall(r'data-cells="([^"]*)"', page)]


def test_a_page_holds_the_cells_of_its_sheet(plan):
    rows = list(csv.reader(io.StringIO(plan.sheet())))
    page = plan.page(file="лист.csv")
    assert cells(page) == rows[1:]
    assert json.loads(html.unescape(re.findall(r'data-columns="([^"]*)"', page)[0])) == rows[0]
    assert 'data-file="лист.csv"' in page


def test_only_the_key_tells_which_answer_is_new(plan):
    page = plan.page()
    rows = page.partition("<article")[2].partition("<script")[0]
    names = "|".join(plan.items.joined.names)
    assert not re.search(rf"\b({names}|seed|stratum|broken)\b", rows)
    # The runs the other way round, with the sides of each row as they were: the same rows.
    firsts = {new_is_first(plan.design.seed, one) for one in plan.items.identities}
    assert firsts == {True, False}
    swapped = replace(plan.items.joined, records=plan.items.joined.records[::-1])
    other = replace(plan, items=replace(plan.items, joined=swapped)).page()
    assert [one[3:5] for one in cells(other)] == [one[4:2:-1] for one in cells(page)]


def test_an_extended_page_begins_with_the_labels_that_are_known(plan, tmp_path):
    path = tmp_path / "sheet.csv"
    plan.write(path)
    rows = read(path)
    rows[4] |= {"right_a": "yes", "right_b": "yes", "note": "да"}
    rows[9] |= {"right_a": "?", "right_b": ""}
    write(path, rows)
    runs = plan.items.joined
    old, new = (Run(one, name) for one, name in zip(runs.records, runs.names, strict=True))
    longer = plan_labels(old, new, budget=30, extend=path)
    page = longer.page()
    assert len(cells(page)) == 30
    checked = set(re.findall(r'name="([ab]-\d+)" value="([^"]*)" id="[^"]*" checked', page))
    assert {("a-5", "yes")} <= checked <= {("a-5", "yes"), ("b-5", "yes")}
    assert re.findall(r'id="note-(\d+)" autocomplete="off" value="(.+)"', page) == [("5", "да")]


def test_a_page_lies_beside_its_sheet_and_its_key(plan, tmp_path):
    path = tmp_path / "лист.HTML"
    plan.write(path)
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "лист.HTML",
        "лист.csv",
        "лист.csv.key",
    ]
    assert (tmp_path / "лист.csv").read_text("utf-8") == plan.sheet()
    with pytest.raises(InputError, match=r"the page .* that it is filled on: name the \.csv"):
        key_path(path)


def test_nothing_is_written_where_no_page_can_be(plan, tmp_path, monkeypatch):
    def missing(*_, **__):
        raise MissingDependencyError("jinja2")

    monkeypatch.setattr("muscle_metrics.labels.page.render", missing)
    with pytest.raises(MissingDependencyError):
        plan.write(tmp_path / "sheet.html")
    assert list(tmp_path.iterdir()) == []
