"""Views of the items that changed: which items, in which order, and which of them are listed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from muscle_metrics.comparison.story import leading_score
from muscle_metrics.flips.counts import Quadrant

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    import numpy.typing as npt
    from markupsafe import Markup

    from muscle_metrics.answers.correctness import Correctness
    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.prompts import Prompts
    from muscle_metrics.flips.changes import ScoreChanges

    Flags = npt.NDArray[np.bool_]

__all__ = ["View", "find_views", "take_turns"]


class View(NamedTuple):
    """Items that changed in the same way.

    Parameters
    ----------
    name : str
        Name of the view in the page, a word of CSS.
    tone : str
        Quadrant that lends its colour.
    metric : str or None
        The graded score by which its items changed; None for right and wrong.
    title, meaning : str
        The change, as a title and in words.
    positions : list of int
        Its items, in the order in which they are listed.
    shown : tuple of Markup
        The items that fit, as the page writes them.
    """

    name: str
    tone: str
    metric: str | None
    title: str
    meaning: str
    positions: list[int]
    shown: tuple[Markup, ...] = ()

    @property
    def total(self) -> int:
        """Number of its items."""
        return len(self.positions)

    @property
    def left_out(self) -> int:
        """How many of its items did not fit."""
        return self.total - len(self.shown)


def find_views(
    comparison: Comparison, *, pinned: Collection[str] = (), again: Flags | None = None
) -> list[View]:
    """Sort the items that changed into views; those of the leading metric come first.

    Parameters
    ----------
    comparison : Comparison
        Old against new.
    pinned : collection of str
        Ids that come first in a view.
    again : numpy.ndarray of bool, shape (N,), optional
        Items that one update of a chain fixed, and a later one broke.

    Returns
    -------
    list of View
        In each view the largest loss comes first, or the largest gain; without graded scores the
        natural order of ids decides.
    """
    lead = leading_score(comparison)
    names = sorted(comparison.changes, key=lambda name: name != lead)
    views = [view for name in names for view in _graded_views(comparison, name)]
    if comparison.correctness is not None:
        gains = comparison.changes[names[0]].gains if names else np.zeros(comparison.total)
        judged = [*_judged_views(comparison.correctness, gains, again)]
        if comparison.prompts is not None:
            judged = [_once_per_prompt(view, comparison.prompts) for view in judged]
        views = [*views, *judged] if lead else [*judged, *views]
    ids = comparison.table.ids
    for view in views:
        view.positions.sort(key=lambda position: ids[position] not in pinned)
    return views


def take_turns(
    positions: Sequence[int], parts: Sequence[str | None], first: Collection[int] = ()
) -> list[int]:
    """Order items so that slices take turns: a list that ends anywhere holds items of every slice.

    Parameters
    ----------
    positions : sequence of int
        Items in the order in which they are listed.
    parts : sequence of str or None, shape (N,)
        Slice (or task) of every item of the comparison.
    first : collection of int
        Items that come before all turns.

    Examples
    --------
    >>> take_turns([0, 1, 2, 3, 4], ["x", "x", "x", "y", None])
    [0, 3, 4, 1, 2]
    """
    turns: Counter[str | None] = Counter()
    order: list[tuple[int, int]] = []
    for position in positions:
        is_first = position in first
        order.append((0 if is_first else turns[parts[position]] + 1, len(order)))
        turns[parts[position]] += not is_first
    return [positions[index] for _, index in sorted(order)]


def _judged_views(
    correctness: Correctness, gains: npt.NDArray[np.float64], again: Flags | None
) -> Iterator[View]:
    losses_first, gains_first = (np.argsort(sign * gains, kind="stable") for sign in (1, -1))

    def view_of(name: str, title: str, meaning: str, flags: Flags) -> View:
        order = gains_first if name == Quadrant.POSITIVE else losses_first
        tone = name if name in {*Quadrant} else Quadrant.NEGATIVE.value
        return View(name, tone, None, title, meaning, order[flags[order]].tolist())

    old, new, changed = correctness
    yield view_of("negative", "Broke", "right, then wrong", old & ~new)
    yield view_of("positive", "Fixed", "wrong, then right", new & ~old)
    if changed is not None:
        another = "both times, with another answer"
        yield view_of(
            "both_wrong", "Wrong in another way", f"wrong {another}", changed & ~(old | new)
        )
        yield view_of("both_right", "Right in another way", f"right {another}", changed & old & new)
    if again is not None:
        meaning = "fixed by one update of the chain, and broken by a later one"
        yield view_of("again", "Broke again", meaning, again)


def _once_per_prompt(view: View, prompts: Prompts) -> View:
    """List a prompt once, and those whose number of right generations changed by how sure it is."""
    than = "right answers than before, the surest change first"
    if view.name == Quadrant.NEGATIVE:
        rows, meaning = prompts.rows(Quadrant.NEGATIVE), f"prompts with fewer {than}"
    elif view.name == Quadrant.POSITIVE:
        rows, meaning = prompts.rows(Quadrant.POSITIVE), f"prompts with more {than}"
    else:
        flags = np.zeros(len(prompts.numbers), dtype=bool)
        flags[view.positions] = True
        rows, meaning = [*prompts.first_rows(flags).values()], f"{view.meaning}, once per prompt"
    return view._replace(positions=rows, meaning=meaning)


def _graded_views(comparison: Comparison, metric: str) -> list[View]:
    changes: ScoreChanges = comparison.changes[metric]
    number = [*comparison.changes].index(metric)
    gains = changes.gains
    order = np.argsort(gains, kind="stable")
    worse = order[gains[order] < -changes.dead_band].tolist()
    better = order[gains[order] > changes.dead_band][::-1].tolist()
    return [
        View(f"worse-{number}", "negative", metric, "Got worse", "the largest loss first", worse),
        View(
            f"better-{number}", "positive", metric, "Got better", "the largest gain first", better
        ),
    ]
