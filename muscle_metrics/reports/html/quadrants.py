"""The four quadrants as cells of the page's mosaic."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.flips.counts import Quadrant
from muscle_metrics.flips.rates import Rate
from muscle_metrics.reports.html.wording import counted, percent, percent_range, place
from muscle_metrics.reports.mosaic import TITLES, mosaic_tiles

if TYPE_CHECKING:
    from muscle_metrics.flips.counts import FlipCounts

__all__ = ["Cell", "quadrant_cells"]

MEANINGS = {
    Quadrant.NEGATIVE: "right before, wrong now",
    Quadrant.POSITIVE: "wrong before, right now",
    Quadrant.BOTH_RIGHT: "right before and now",
    Quadrant.BOTH_WRONG: "wrong before and now",
}
# A tile smaller than this, in either direction, holds no writing.
LEAST_WIDTH, LEAST_HEIGHT = 0.14, 0.09


class Cell(NamedTuple):
    """One quadrant: what it means, and its tile.

    Examples
    --------
    >>> from muscle_metrics import FlipCounts
    >>> quadrant_cells(FlipCounts(both_right=3, negative=1, positive=0, both_wrong=0))[0].title
    'Broke'
    """

    name: str
    title: str
    meaning: str
    items: int
    share: str
    interval: str
    changed: str
    left: str
    top: str
    width: str
    height: str
    changed_height: str
    is_roomy: bool
    is_empty: bool


def quadrant_cells(counts: FlipCounts) -> list[Cell]:
    """Describe the quadrants, those that changed first.

    Examples
    --------
    >>> from muscle_metrics import FlipCounts
    >>> cell = quadrant_cells(FlipCounts(both_right=3, negative=1, positive=0, both_wrong=0))[0]
    >>> cell.share, cell.left, cell.top, cell.height
    ('25.0%', '0.000%', '75.000%', '25.000%')
    """
    changed = {
        Quadrant.BOTH_RIGHT: (counts.both_right_changed, "another right answer"),
        Quadrant.BOTH_WRONG: (counts.wrong_changed, "another wrong answer"),
    }
    cells = []
    for tile in mosaic_tiles(counts):
        rate = Rate(tile.items, counts.total)
        number, what = changed.get(tile.quadrant, (None, ""))
        cells.append(
            Cell(
                name=tile.quadrant.value,
                title=TITLES[tile.quadrant],
                meaning=MEANINGS[tile.quadrant],
                items=tile.items,
                share=percent(rate),
                interval=percent_range(rate.interval()),
                changed=f"{counted(number, 'item')} with {what}" if number else "",
                left=place(tile.left),
                top=place(tile.top),
                width=place(tile.width),
                height=place(tile.height),
                changed_height=place(tile.changed or 0.0),
                is_roomy=tile.width >= LEAST_WIDTH and tile.height >= LEAST_HEIGHT,
                is_empty=not tile.items,
            )
        )
    return cells
