"""The four quadrants as tiles of a square, drawn to scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.flips.counts import Quadrant

if TYPE_CHECKING:
    from muscle_metrics.flips.counts import FlipCounts

__all__ = ["TITLES", "Tile", "mosaic_tiles"]

# What becomes of an item, in words that need no definition.
TITLES = {
    Quadrant.NEGATIVE: "Broke",
    Quadrant.POSITIVE: "Fixed",
    Quadrant.BOTH_RIGHT: "Stayed right",
    Quadrant.BOTH_WRONG: "Stayed wrong",
}


class Tile(NamedTuple):
    """One quadrant; sizes are shares of the square, measured from its left and its top.

    `changed` is the share of the tile whose answers changed while their rightness did not; None
    where that is unknown or where every answer changed.

    Examples
    --------
    >>> Tile(Quadrant.NEGATIVE, 3, 0.0, 0.5, 0.25, 0.5, None).items
    3
    """

    quadrant: Quadrant
    items: int
    left: float
    top: float
    width: float
    height: float
    changed: float | None


def mosaic_tiles(counts: FlipCounts) -> list[Tile]:
    """Tiles of areas proportional to the counts: old right on the left, new right at the top.

    Parameters
    ----------
    counts : FlipCounts
        At least one item.

    Returns
    -------
    list of Tile
        In the order of `TITLES`; a quadrant without items has no area.

    Examples
    --------
    >>> from muscle_metrics import FlipCounts
    >>> tile = mosaic_tiles(FlipCounts(both_right=3, negative=1, positive=2, both_wrong=2))[0]
    >>> tile.left, tile.top, tile.width, tile.height
    (0.0, 0.75, 0.5, 0.25)
    """
    was_right = counts.old_right / counts.total
    kept = counts.both_right / counts.old_right if counts.old_right else 0.0
    fixed = counts.positive / counts.old_wrong if counts.old_wrong else 0.0
    places = {
        Quadrant.BOTH_RIGHT: (0.0, 0.0, was_right, kept),
        Quadrant.NEGATIVE: (0.0, kept, was_right, 1 - kept),
        Quadrant.POSITIVE: (was_right, 0.0, 1 - was_right, fixed),
        Quadrant.BOTH_WRONG: (was_right, fixed, 1 - was_right, 1 - fixed),
    }
    changed = {
        Quadrant.BOTH_RIGHT: counts.both_right_changed,
        Quadrant.BOTH_WRONG: counts.wrong_changed,
    }
    tiles = []
    for quadrant in TITLES:
        count, part = getattr(counts, quadrant.value), changed.get(quadrant)
        share = None if part is None or not count else part / count
        tiles.append(Tile(quadrant, count, *places[quadrant], share))
    return tiles
