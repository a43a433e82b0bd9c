"""Items of a comparison: their names, their labels and their answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from muscle_metrics.errors import check_choice
from muscle_metrics.evidence.units import number_labels
from muscle_metrics.flips.counts import Quadrant
from muscle_metrics.words.coded import SEPARATOR, code_key, code_text
from muscle_metrics.words.place import item_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from muscle_metrics.runs.joining.pairing import JoinedRuns

__all__ = [
    "Item",
    "ItemTable",
    "answer_text",
    "check_quadrants",
    "items_of_quadrants",
    "joined_table",
    "positions_by_label",
]

Labels = tuple[str | None, ...]
Numbers = npt.NDArray[np.intp]


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
        return item_name(self.task, self.id, self.repeat)


# Without slots, because a cached property lives in the `__dict__` of its instance.
@dataclass(frozen=True, kw_only=True, eq=False)
class ItemTable:
    """Columns of N items, in the natural order of task, id and repeat.

    Parameters
    ----------
    ids : tuple of str
        Names of the items.
    tasks, repeats, slices, groups : tuple of str or None
        Task, repeat of the generation, slice, and passage or prompt that an item shares with
        others.
    old, new, references : tuple
        Both answers and the reference as a report shows them; None where none was recorded.
    asked : tuple of str or None, optional
        Prompt texts; None where no run recorded one.

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

    @cached_property
    def prompts(self) -> tuple[tuple[str | None, str], ...]:
        """Task and id of every row; repeats of one prompt share it."""
        return tuple(zip(self.tasks, self.ids, strict=True))

    @property
    def keys(self) -> list[str]:
        """One text for each row, by its task, id and repeat: of a plain file the engine's keys."""
        rows = zip(self.tasks, self.ids, self.repeats, strict=True)
        return [
            code_key(name, repeat)
            if task is None
            else f"{code_text(task)}{SEPARATOR}{code_key(name, repeat or '')}"
            for task, name, repeat in rows
        ]

    @cached_property
    def is_repeated(self) -> bool:
        """Whether any prompt was answered several times."""
        # Fast path: if no id repeats, no pair of task and id repeats.
        return len(set(self.ids)) < len(self.ids) and len(set(self.prompts)) < len(self.ids)

    @cached_property
    def unit(self) -> str:
        """Independent unit of the rows: "groups", "prompts", or "items" if every row is one."""
        if self.groups.count(None) < len(self.groups):
            return "groups"
        return "prompts" if self.is_repeated else "items"

    @cached_property
    def _positions(self) -> dict[tuple[str | None, str, str | None], int]:
        names = zip(self.tasks, self.ids, self.repeats, strict=True)
        return {name: position for position, name in enumerate(names)}

    def position_of(self, item: Item) -> int:
        """Row of an item; no two items share task, id and repeat."""
        return self._positions[item.task, item.id, item.repeat]

    @property
    def is_clustered(self) -> bool:
        """Whether rows depend on each other, as repeats of a prompt or items of a group do."""
        return self.unit != "items"

    @cached_property
    def prompt_numbers(self) -> Numbers:
        """Number of the prompt of every row."""
        return number_labels(self.prompts)[0]

    @cached_property
    def unit_numbers(self) -> Numbers:
        """Number of the independent unit of every row."""
        if self.unit != "groups":
            return self.prompt_numbers
        pairs = zip(self.groups, self.prompts, strict=True)
        # A prompt without a group is a group of its own.
        return number_labels([prompt if group is None else group for group, prompt in pairs])[0]

    @cached_property
    def rows_of_slices(self) -> dict[str, Numbers]:
        """Rows of every slice."""
        return positions_by_label(self.slices)

    @cached_property
    def rows_of_tasks(self) -> dict[str, Numbers]:
        """Rows of every task."""
        return positions_by_label(self.tasks)

    def rows(
        self, quadrants: Sequence[Quadrant | None], changed: Sequence[bool | None]
    ) -> list[Item]:
        """Rows as items, given the quadrant of each and whether its answer changed."""
        columns = (
            self.ids, self.tasks, self.repeats, self.slices, self.old, self.new, self.references,
            quadrants, changed,
        )  # fmt: skip
        return list(map(Item._make, zip(*columns, strict=True)))


def check_quadrants(quadrants: Collection[Quadrant | str]) -> list[str]:
    """Names of quadrants; by default those of flips.

    Raises
    ------
    UsageError
        If one is unknown.
    """
    for quadrant in quadrants:
        check_choice("a quadrant", quadrant, [known.value for known in Quadrant])
    return [str(one) for one in quadrants or (Quadrant.NEGATIVE, Quadrant.POSITIVE)]


def items_of_quadrants(
    items: Sequence[Item], quadrants: Collection[Quadrant | str]
) -> Iterator[Item]:
    """Items that broke, then those that got fixed; or those of the given quadrants in turn."""
    wanted = check_quadrants(quadrants)
    return (item for name in wanted for item in items if item.quadrant == name)


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
    """Columns of the items that two runs share; labels come from the first run that has them."""
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


def positions_by_label(labels: Sequence[str | None]) -> dict[str, Numbers]:
    """Positions of every label, in the order of first appearance; unlabelled items have none.

    Examples
    --------
    >>> positions_by_label(["x", None, "y", "x"])["x"]
    array([0, 3])
    """
    numbers, sizes = number_labels(labels)
    # A stable sort keeps the positions of one label in order; 16 bits are sorted by radix, faster.
    narrow = numbers.astype(np.uint16) if len(sizes) < 2**16 else numbers
    positions = np.split(np.argsort(narrow, kind="stable"), np.cumsum(sizes)[:-1])
    members = zip(dict.fromkeys(labels), positions, strict=True)
    return {label: rows for label, rows in members if label is not None}
