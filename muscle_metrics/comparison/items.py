"""Items of a comparison: what tells them apart, what belongs together, what was answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from muscle_metrics.flips.counts import Quadrant
    from muscle_metrics.runs.joining.pairing import JoinedRuns

__all__ = ["Item", "ItemTable", "answer_text", "joined_table", "positions_by_label"]

Labels = tuple[str | None, ...]


class Item(NamedTuple):
    """One item of a comparison, as a person reads it.

    `quadrant` is None where scores are graded and no threshold says which are right.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> next(compare(old=["A"], new=["B"], references=["A"]).items()).new
    'B'
    """

    id: str
    task: str | None
    repeat: str | None
    slice: str | None
    old: Any
    new: Any
    reference: Any
    quadrant: Quadrant | None
    changed: bool | None

    @property
    def name(self) -> str:
        """Task, id and repeat: no two items share all three."""
        return "/".join(part for part in (self.task, self.id, self.repeat) if part is not None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ItemTable:
    """Columns of N items, in the natural order of task, id and repeat.

    Parameters
    ----------
    ids : tuple of str
        Names of the items.
    tasks, repeats, slices, groups : tuple of str or None
        The task an item belongs to, the repeat of the generation, the slice it is reported in and
        the passage or prompt it shares with others.
    old, new, references : tuple
        What each item shows; None where nothing was recorded.
    asked : tuple of str or None, optional
        What the models were asked; None where no run recorded it.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> compare(old=["A"], new=["B"], references=["A"]).table.ids
    ('0',)
    """

    ids: tuple[str, ...]
    tasks: Labels
    repeats: Labels
    slices: Labels
    groups: Labels
    old: tuple[Any, ...]
    new: tuple[Any, ...]
    references: tuple[Any, ...]
    asked: Labels | None = None

    @property
    def prompts(self) -> tuple[tuple[str | None, str], ...]:
        """Task and id of every row; repeats of one prompt share it."""
        return tuple(zip(self.tasks, self.ids, strict=True))

    @property
    def is_repeated(self) -> bool:
        """Whether any prompt was answered several times."""
        return len(set(self.prompts)) < len(self.ids)

    @property
    def is_clustered(self) -> bool:
        """Whether rows depend on each other, as repeats of a prompt or items of a group do."""
        return self.is_repeated or any(group is not None for group in self.groups)

    def rows(
        self, quadrants: Sequence[Quadrant | None], changed: Sequence[bool | None]
    ) -> list[Item]:
        """Rows as items, given what became of each."""
        columns = (
            self.ids, self.tasks, self.repeats, self.slices, self.old, self.new, self.references,
            quadrants, changed,
        )  # fmt: skip
        return list(map(Item._make, zip(*columns, strict=True)))


def answer_text(value: Any) -> str:
    """Whole text of an answer, or of all accepted ones; empty where there is none.

    Examples
    --------
    >>> answer_text(["Cairo", "Al-Qahira"]), answer_text(None)
    ('Cairo | Al-Qahira', '')
    """
    if value is None:
        return ""
    accepted = value if isinstance(value, (list, tuple)) else [value]
    return " | ".join(map(str, accepted))


def joined_table(joined: JoinedRuns, shown: Sequence[tuple[Any, ...]]) -> ItemTable:
    """Columns of the items that two runs share; a label is that of the first run with one.

    Examples
    --------
    >>> from muscle_metrics.runs.record import Record, Run
    >>> from muscle_metrics.runs.joining.pairing import pair_runs
    >>> run = Run(records=(Record(id="1", prediction="A", slice="x"),), name="run")
    >>> joined_table(pair_runs(run, run), [("A",), ("A",)]).slices
    ('x',)
    """
    return ItemTable(
        ids=joined.ids,
        tasks=joined.labels("task"),
        repeats=joined.labels("repeat"),
        slices=joined.slices,
        groups=joined.labels("group"),
        old=shown[0],
        new=shown[1],
        references=joined.references[0],
        asked=joined.labels("prompt"),
    )


def positions_by_label(labels: Sequence[str | None]) -> dict[str, npt.NDArray[np.intp]]:
    """Positions of every label, in the order of first appearance; unlabelled items have none.

    Examples
    --------
    >>> positions_by_label(["x", None, "y", "x"])["x"]
    array([0, 3])
    """
    members: dict[str, list[int]] = {}
    for position, label in enumerate(labels):
        if label is not None:
            members.setdefault(label, []).append(position)
    return {label: np.array(positions, dtype=np.intp) for label, positions in members.items()}
