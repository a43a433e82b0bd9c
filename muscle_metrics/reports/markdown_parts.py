"""Parts of a report in Markdown: cells, tables, and sections of which the last rows may not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.words.escape import brief, markdown, shorten
from muscle_metrics.words.secrets import hide_secrets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from muscle_metrics.gate.verdict import Check

__all__ = [
    "COMMENT_LIMIT",
    "LINE_LIMIT",
    "NAME_LIMIT",
    "SUMMARY_LIMIT",
    "Section",
    "check_cells",
    "cut_cell",
    "fitted",
    "line_cell",
    "name_cell",
    "table_head",
    "table_row",
]

# Sites refuse longer text: characters of a comment, bytes of a step's summary.
COMMENT_LIMIT = 65_536
SUMMARY_LIMIT = 1_048_000

NAME_LIMIT = 120
LINE_LIMIT = 1000


class Section(NamedTuple):
    """Rows, of which the last may be left out, between lines that are always there."""

    before: Sequence[str]
    rows: Sequence[str]
    after: Sequence[str] = ()

    @property
    def frame(self) -> list[str]:
        """Lines of the section without its rows, and the line that counts those left out."""
        return ["", *self.before, *self.after, "", _left_out(len(self.rows))]

    def fitted(self, room: int) -> list[str]:
        """Keep as many rows as fit into `room` bytes."""
        shown = []
        for row in self.rows:
            room -= _size([row])
            if room < 0:
                break
            shown.append(row)
        left = len(self.rows) - len(shown)
        note = ["", _left_out(left)] if left else []
        return ["", *self.before, *shown, *self.after, *note]


def fitted(
    head: Sequence[str], sections: Sequence[Section], foot: Sequence[str], limit: int
) -> str:
    """Join a report of at most `limit` bytes in UTF-8; rows that do not fit are counted."""
    room = limit - _size([*head, *foot]) - sum(_size(section.frame) for section in sections)
    body: list[str] = []
    for section in sections:
        lines = section.fitted(room)
        room -= _size(lines) - _size(section.frame)
        body += lines
    return "\n".join([*head, *body, *foot]) + "\n"


def check_cells(check: Check) -> list[str]:
    """Cells of a check below the columns "check", "verdict", "value", "bounds", "limit", "seen"."""
    return [
        markdown(shorten(check.criterion, NAME_LIMIT)),
        f"**{check.outcome}**",
        check.shown(check.estimate),
        check.named_bounds,
        check.limit_text,
        line_cell(check.sample),
    ]


def name_cell(text: str) -> str:
    """Escape a name, and hide secrets: slices and metrics may have some in their names too."""
    return markdown(brief(hide_secrets(text).value, NAME_LIMIT))


def line_cell(text: str) -> str:
    """Escape a sentence."""
    return markdown(shorten(text, LINE_LIMIT))


def cut_cell(text: str) -> str:
    """Escape the first words of a text."""
    return markdown(shorten(text, NAME_LIMIT))


def table_head(*columns: str) -> list[str]:
    """Head of a table."""
    return [table_row(*columns), table_row(*["---"] * len(columns))]


def table_row(*cells: str) -> str:
    """Row of a table; its cells are escaped."""
    return f"| {' | '.join(cells)} |"


def _left_out(rows: int) -> str:
    return f"{rows} more rows did not fit."


def _size(lines: Sequence[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)
