"""Found slices as tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from muscle_metrics.words.escape import terminal
from muscle_metrics.words.numbers import percent, percent_range
from muscle_metrics.words.secrets import plain_line
from muscle_metrics.words.table import Column, FittedTable, plain_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from muscle_metrics.slices.found import FoundSlice, FoundSlices

__all__ = ["slices_table", "slices_text"]

WIDTH = 100


def slices_text(found: FoundSlices, *, width: int = WIDTH) -> str:
    """Plain text of found slices: no colours, no control characters from data."""
    return plain_text(slices_table(found), width)


def slices_table(found: FoundSlices) -> RenderableType:
    """Tables of found slices for rich to print."""
    return Group(*_parts(found))


def _parts(found: FoundSlices) -> Iterator[RenderableType]:
    yield Text("what kind of item broke", style="bold")
    for line in [] if found.forms is None else found.forms.lines():
        yield Text(line)
    for note in found.notes:
        yield Text(plain_line(f"note: {note}"))
    for kind, slices in (("item", found.items), ("answer", found.answers)):
        if slices:
            yield _table(kind, slices)
            yield Text()
        else:
            yield Text(f"no kind of {kind} stands out")
    yield Text(plain_line(found.signature), style="dim")


def _table(kind: str, slices: Sequence[FoundSlice]) -> FittedTable:
    columns = [
        Column(f"{kind}s that broke more often", "text"),
        Column("items", spare=True),
        Column("broke"),
        Column("NFR", spare=True),
        Column("tested"),
        Column("95 % interval"),
        Column("method", "label", spare=True),
        Column("rest"),
        Column("p"),
    ]
    rows = [
        [
            terminal(one.shown()),
            str(one.rate.total),
            str(one.rate.count),
            percent(one.rate, 1),
            percent(one.tested, 1),
            percent_range(one.bounds.ends, 1),
            one.bounds.short_method,
            percent(one.rest, 1),
            f"{one.p_value:.2g}",
        ]
        for one in slices
    ]
    return FittedTable(columns, rows)
