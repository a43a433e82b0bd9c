"""Tables at every width that a screen has, and where there is no screen."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from muscle_metrics import compare, count_chain
from muscle_metrics.comparison.text import (
    chain_table,
    chain_text,
    comparison_table,
    comparison_text,
)
from muscle_metrics.words.table import Column, FittedTable

LONG = "benchmarks/mmlu_pro/a-very-long-identifier-that-goes-on/and-on"


def on_screen(table: object, width: int) -> list[str]:
    buffer = io.StringIO()
    console = Console(file=buffer, width=width, force_terminal=True, color_system=None)
    console.print(table, crop=False)
    return [line.rstrip() for line in buffer.getvalue().splitlines()]


@pytest.fixture(scope="module")
def comparison():
    items = 120
    return compare(
        old=["A"] * items,
        new=["A" if i % 5 else "an answer that is longer than others" for i in range(items)],
        references=["A" if i % 7 else "B" for i in range(items)],
        ids=[f"{LONG}-{i}" for i in range(items)],
        slices=[f"{LONG}-slice-{i % 3}" for i in range(items)],
    )


@pytest.fixture(scope="module")
def chain():
    return count_chain(
        versions=[["A"] * 9, ["A"] * 6 + ["B"] * 3, ["B"] * 2 + ["A"] * 7],
        references=["A"] * 9,
        names=[f"{LONG}-v{i}.jsonl" for i in range(3)],
    )


@pytest.mark.parametrize("width", range(60, 201))
def test_no_row_is_broken_and_no_number_is_cut(comparison, chain, width: int) -> None:
    lines = on_screen(comparison_table(comparison, flips=2), width)
    lines += on_screen(chain_table(chain), width)
    assert max(map(cell_len, lines)) <= width
    text = "\n".join(lines)
    for counts in (comparison.counts, *comparison.slices.values(), *chain.steps, chain.overall):
        assert f"{float(counts.negative_flip_rate):.2%}" in text
    # One line for each slice, with a name unlike the others, and one for each flip.
    for number in range(3):
        (row,) = (line for line in lines if re.match(rf"ben\S*{number} +.*\d\.\d\d%$", line))
        assert ("…" in row) == (f"{LONG}-slice-{number} " not in row)
    assert sum(bool(re.match(r"  ben\S+-(5|10)$", line)) for line in lines) == 2


def test_what_has_no_room_is_named(comparison) -> None:
    assert "(no room for: 95 % interval, method)" in on_screen(comparison_table(comparison), 60)
    assert not any("no room" in line for line in on_screen(comparison_table(comparison), 100))


@pytest.mark.parametrize("width", [60, 100, 400])
def test_names_stay_whole_where_programs_read(comparison, chain, width: int) -> None:
    text = comparison_text(comparison, flips=2, width=width)
    assert f"  {LONG}-5\n" in text
    assert f"{LONG}-slice-1 " in text
    assert "…" not in text
    assert "no room" not in text
    assert f"-> {LONG}-v2.jsonl " in chain_text(chain, width=width)


@given(
    names=st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C"])), min_size=1),
    width=st.integers(20, 80),
)
def test_a_name_is_cut_in_its_middle(names: list[str], width: int) -> None:
    table = FittedTable(
        [Column("", "name"), Column("n")], [[name, str(n)] for n, name in enumerate(names)]
    )
    lines = on_screen(table, width)[2:]
    assert len(lines) == len(names)
    assert all(cell_len(line) <= width for line in lines)
    for number, (name, line) in enumerate(zip(names, lines, strict=True)):
        assert line.endswith(str(number))
        shown = line.removesuffix(str(number)).rstrip()
        if shown != name.rstrip():
            start, _, end = shown.partition("…")
            assert name.startswith(start)
            assert name.rstrip().endswith(end.rstrip())


def test_a_heading_from_data_is_no_markup() -> None:
    lines = on_screen(FittedTable([Column("[bold]x[/]", "name")], [["[red]y[/]"]]), 80)
    assert lines == ["[bold]x[/]", "──────────", "[red]y[/]"]
