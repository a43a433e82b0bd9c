"""Tables that fit a screen: numbers stay whole, long names are cut visibly, texts are folded."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal, NamedTuple

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import ConsoleOptions, RenderableType

__all__ = ["Column", "FittedTable", "cut_end", "cut_middle", "plain_text"]

# By characters between columns: padding of a box, which draws one of these characters itself.
PADDING = {3: (0, 1, 0, 1), 2: (0, 1, 0, 0), 1: (0, 0, 0, 0)}
GAPS = tuple(PADDING)
# Least width of a name and of a text.
LEAST_NAME = 10
LEAST_TEXT = 9
# Spare columns go before a text is folded that is shorter than this.
SHORT_TEXT = 26


class Column(NamedTuple):
    """A column: numbers and labels are never cut.

    Parameters
    ----------
    heading : str
        The text above the column.
    kind : {"number", "label", "name", "text"}
        Numbers are aligned to the right. A name is cut where the screen has no room; a text is
        folded.
    spare : bool
        Whether the column is left out where the screen is too narrow.
    """

    heading: str
    kind: Literal["number", "label", "name", "text"] = "number"
    spare: bool = False


class FittedTable:
    """A table that a screen of 60 columns or more shows without a broken row.

    In a pipe or a file names stay whole, however long: programs search for them there.

    Parameters
    ----------
    columns : sequence of Column
        The columns; spare ones are left out from the last to the first.
    rows : iterable of sequence of (str or Text)
        Their cells; untrusted text has been escaped.
    title : str, optional
        A line above.

    Examples
    --------
    >>> from rich.console import Console
    >>> table = FittedTable([Column("slice", "name"), Column("items")], [["math", "7"]])
    >>> Console(width=60, color_system=None).print(table)
    slice   items
    ─────────────
    math        7
    """

    def __init__(
        self,
        columns: Sequence[Column],
        rows: Iterable[Sequence[str | Text]],
        *,
        title: str | None = None,
    ) -> None:
        self.columns = list(columns)
        self.rows = [[Text(c) if isinstance(c, str) else c for c in row] for row in rows]
        self.title = title

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        """Yield the table, and name the columns that were left out."""
        kept = list(range(len(self.columns)))
        spare = [place for place in kept if self.columns[place].spare]
        while options.is_terminal and spare and self._least(kept) > options.max_width:
            kept.remove(spare.pop())
        if self.title:
            yield Text(self.title)
        yield self._table(kept, options)
        if len(kept) < len(self.columns):
            left_out = ", ".join(c.heading for n, c in enumerate(self.columns) if n not in kept)
            yield Text(f"(no room for: {left_out})", style="dim")

    def _natural(self, place: int) -> int:
        cells = (row[place].cell_len for row in self.rows)
        return max(cell_len(self.columns[place].heading), *cells, 0)

    def _smallest(self, place: int, *, on_screen: bool = True, text: int = LEAST_TEXT) -> int:
        column, natural = self.columns[place], self._natural(place)
        if column.kind == "text":
            return min(natural, text)
        return min(natural, LEAST_NAME) if column.kind == "name" and on_screen else natural

    def _least(self, kept: Sequence[int]) -> int:
        widths = (self._smallest(place, text=SHORT_TEXT) for place in kept)
        return sum(widths) + GAPS[-1] * (len(kept) - 1)

    def _table(self, kept: Sequence[int], options: ConsoleOptions) -> Table:
        widths = {n: self._smallest(n, on_screen=options.is_terminal) for n in kept}
        natural = {n: self._natural(n) for n in kept}
        between = len(kept) - 1
        wanted = sum(natural.values())
        fitting = (gap for gap in GAPS if wanted + gap * between <= options.max_width)
        gap = next(fitting, GAPS[-1])
        _share(options.max_width - gap * between - sum(widths.values()), widths, natural)
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
        table.padding = PADDING[gap]
        table.width = sum(widths.values()) + gap * between
        for n in kept:
            column = self.columns[n]
            table.add_column(
                Text(column.heading),
                width=widths[n],
                justify="right" if column.kind == "number" else "left",
                no_wrap=column.kind != "text",
                overflow="fold" if column.kind == "text" else "ellipsis",
            )
        for row in self.rows:
            table.add_row(
                *(
                    _cut_name(row[n], widths[n]) if self.columns[n].kind == "name" else row[n]
                    for n in kept
                )
            )
        return table


def plain_text(renderable: RenderableType, width: int) -> str:
    """Write tables and lines as plain text, without colours.

    Examples
    --------
    >>> print(plain_text(FittedTable([Column("items")], [["7"]]), 60))
    items
    ─────
        7
    """
    buffer = io.StringIO()
    Console(file=buffer, width=width, color_system=None, legacy_windows=False).print(
        # Lines stay whole: programs search and compare them.
        renderable,
        crop=False,
        no_wrap=True,
        overflow="ignore",
    )
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines())


def _share(room: int, widths: dict[int, int], natural: dict[int, int]) -> None:
    """Share free room between the columns, the narrowest first."""
    while room > 0:
        short = [n for n in widths if widths[n] < natural[n]]
        if not short:
            return
        narrowest = min(short, key=lambda n: widths[n])
        widths[narrowest] += 1
        room -= 1


def cut_end(text: str, room: int) -> str:
    """Cut text to the cells of a terminal; the last one is an ellipsis where text was cut.

    Examples
    --------
    >>> cut_end("negative flips", 9), cut_end("\u6771\u4eac\u90fd", 5)
    ('negative…', '\u6771\u4eac…')
    """
    return text if cell_len(text) <= room else f"{_start(text, room - 1)}…"


def cut_middle(text: str, room: int) -> str:
    """Leave out the middle of a name: long names often start alike, or end alike.

    Examples
    --------
    >>> cut_middle("mmlu_pro/test/physics/0017", 14)
    'mmlu_p…cs/0017'
    """
    if cell_len(text) <= room:
        return text
    start = _start(text, (room - 1) // 2)
    end = _start(text[::-1], room - 1 - cell_len(start))[::-1]
    return f"{start}…{end}"


def _cut_name(name: Text, room: int) -> Text:
    return Text(cut_middle(name.plain, room), style=name.style)


def _start(text: str, room: int) -> str:
    # Count terminal cells: a character takes 0, 1 or 2 of them.
    start = text[:room]
    while cell_len(start) > room:
        start = start[:-1]
    return start
