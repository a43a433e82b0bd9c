"""Columns that a caller holds, as the table of the items of a comparison."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from muscle_metrics.answers.columns import check_lengths, is_missing
from muscle_metrics.comparison.items import ItemTable
from muscle_metrics.errors import InputError
from muscle_metrics.runs.joining.mismatches import sort_items

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from muscle_metrics.runs.joining.mismatches import Identity

__all__ = ["labels_of", "pick", "tabulate_columns"]


def tabulate_columns(
    answers: tuple[Any, Any, Any],
    total: int,
    ids: Sequence[object] | None,
    labels: Mapping[str, Sequence[object] | None],
) -> tuple[ItemTable, npt.NDArray[np.intp]]:
    """Sort columns into the natural order of their ids and repeats, and give that order.

    Parameters
    ----------
    answers : tuple of columns
        Old and new answers, and references.
    total : int
        Number of items.
    ids : sequence, optional
        Names of the items; their positions by default.
    labels : mapping of str to (sequence or None)
        The columns "repeats", "slices", "groups" and "prompts", of which any may be None.

    Raises
    ------
    InputError
        If a column has another length, or two rows share an id and a repeat.
    """
    names = [str(identifier) for identifier in (range(total) if ids is None else ids)]
    given = {name: labels_of(values) for name, values in labels.items() if values is not None}
    check_lengths(old=range(total), ids=names, **given)
    columns = {name: given.get(name, [None] * total) for name in labels}
    rows: list[Identity] = [
        (None, name, repeat) for name, repeat in zip(names, columns["repeats"], strict=True)
    ]
    positions = {row: position for position, row in enumerate(rows)}
    if len(positions) < total:
        (_, repeated, _), times = Counter(rows).most_common(1)[0]
        raise InputError(
            f"expected one row for each id and repeat, got {repeated!r} {times} times and "
            f"{len(positions)} different ones for {total} rows: give each item an id of its own, "
            f"or number its generations in --repeat-field (repeats=)"
        )
    order = np.array([positions[row] for row in sort_items(rows)], dtype=np.intp)
    old, new, references = (pick(column, order) for column in answers)
    table = ItemTable(
        ids=pick(names, order),
        tasks=(None,) * total,
        old=old,
        new=new,
        references=references,
        asked=pick(columns.pop("prompts"), order),
        **{name: pick(column, order) for name, column in columns.items()},
    )
    return table, order


def labels_of(values: Sequence[object]) -> list[str | None]:
    """Texts of a column of labels; missing ones become None."""
    return [None if is_missing(value) else str(value) for value in values]


def pick(values: Any, order: npt.NDArray[np.intp]) -> tuple[Any, ...]:
    """Values of a column in another order; missing ones become None."""
    plain = values.tolist() if hasattr(values, "tolist") else list(values)
    return tuple(None if is_missing(plain[i]) else plain[i] for i in order)
