"""The tables of the atlas: whole, small, free of texts, and in the distribution."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import files
from pathlib import Path

import numpy as np
import pytest

import muscle_metrics.atlas
from muscle_metrics.atlas.table import check_like, comparable, frame, read_table, updates
from muscle_metrics.errors import UsageError

FOLDER = Path(muscle_metrics.atlas.__file__).parent
PROJECT = Path(__file__).parents[2]
TABLES = sorted(path.name for path in FOLDER.glob("*.csv"))


def test_rates_of_the_frame_are_those_of_its_counts() -> None:
    table = frame()
    right = table.both_right + table.negative
    wrong = table.negative + table.both_wrong
    items = right + table.positive + table.both_wrong
    assert (table["items"] == items).all()
    for name, expected in {
        "negative_flip_rate": table.negative / items,
        "conditional_negative_flip_rate": table.negative / right,
        "relative_negative_flip_rate": table.negative * items / (right * wrong),
        "accuracy_change": (table.positive - table.negative) / items,
    }.items():
        np.testing.assert_allclose(table[name], expected, rtol=1e-12)
    # Verdicts alone do not tell which wrong answers changed.
    assert (table.inconsistency_flip_rate.isna() == table.wrong_changed.isna()).all()


def test_rows_are_pairs_with_a_source() -> None:
    table = frame()
    assert not table.duplicated(["task", "old", "new"]).any()
    assert not (table.old == table.new).any()
    assert table.commit.str.fullmatch("[0-9a-f]{40}").all()
    assert table.repository.str.fullmatch(r"[\w.-]+/[\w.-]+").all()
    assert {*table.flag} == {"", "format", "suspect", "sensitivity"}
    assert not (table[["family", "right_by", "licence"]] == "").any(axis=None)
    assert {row["task"] for row in read_table("tasks")} == {*table.task}
    pairs = {(u.kind, u.task.task, u.old, u.new) for u in updates()}
    assert {(r["kind"], r["task"], r["old"], r["new"]) for r in read_table("sampled")} <= pairs


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_small_and_holds_names_and_numbers(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert len(text) < 40_000
    assert re.fullmatch(r"[\w \n,./@~()>=%+-]*", text, re.ASCII)
    assert max(map(len, re.split(r"[,\n]", text))) <= 64


def test_flagged_rows_and_small_ones_are_compared_with_nothing() -> None:
    kinds = {update.kind for update in updates()}
    found = comparable(*kinds)
    assert all(not update.flag and update.counts.total >= 200 for update in found)
    table = frame()
    assert len(found) == ((table.flag == "") & (table["items"] >= 200)).sum()


@pytest.mark.parametrize("name", ["all", "vision", "lcb-execution"])
def test_a_name_with_enough_updates(name: str) -> None:
    assert check_like(name) == name
    assert len(comparable("version", like=name)) >= 5


@pytest.mark.parametrize(
    "name",
    [
        # Four version updates, two, one, and none with 200 items.
        "drift", "agents", "theoremqa", "lcb-testgen", "", "ALL", "mmlu-pro ", "мmlu-pro",
        "gsm\x1b[2J\u202e8k\n<script>", "x" * 10_000, None, 7, ["all"], "=cmd|' /C calc'!A0",
    ],
)  # fmt: skip
def test_another_name_is_refused_in_one_escaped_line(name: object) -> None:
    with pytest.raises(UsageError) as raised:
        check_like(name)  # type: ignore[arg-type]
    message = str(raised.value)
    assert message.isprintable()
    assert "\u202e" not in message
    assert len(message) < 600
    assert message.endswith("zeroeval-math-l5")


def test_the_tables_are_in_the_distribution() -> None:
    """In the RECORD of an installed wheel; beside an editable one, in what a wheel takes."""
    installed = {str(path) for path in files("muscle-metrics") or []}
    if "muscle_metrics/atlas/table.py" in installed:
        assert {f"muscle_metrics/atlas/{name}" for name in TABLES} <= installed
        return
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    build = settings["tool"]["hatch"]["build"]
    assert build["targets"]["wheel"] == {"packages": ["muscle_metrics"]}
    assert not {"exclude", "include", "only-packages"} & {*build}
    ignored = (PROJECT / ".gitignore").read_text(encoding="utf-8")
    assert "csv" not in ignored
    assert TABLES == ["sampled.csv", "tasks.csv", "updates.csv"]
