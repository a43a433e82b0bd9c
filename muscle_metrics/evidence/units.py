"""Units that rows of a comparison depend on, and the events that are counted over them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

__all__ = [
    "CELLS_OF",
    "Cells",
    "Event",
    "Kind",
    "Named",
    "Part",
    "Possible",
    "Regression",
    "Units",
    "number_labels",
]

Kind = Literal["task", "slice"]


class Part(NamedTuple):
    """One task or one slice of a comparison."""

    kind: Kind
    name: str


class Possible(NamedTuple):
    """Items whose old score leaves room for a `Regression`."""

    metric: str
    minimum_effect: float = 0.0


class Regression(NamedTuple):
    """Items whose score got worse by more than its tie and by more than this effect."""

    metric: str
    minimum_effect: float = 0.0

    @property
    def possible(self) -> Possible:
        """Items that could regress."""
        return Possible(*self)


class Cells(NamedTuple):
    """Items in any of these counts of `FlipCounts`, such as `negative` or `wrong_changed`."""

    names: tuple[str, ...]


# "loss" adds 1 for an item that broke, and subtracts 1 for one that got fixed.
Named = Literal["negative", "inconsistent", "loss", "right before"]
Event = Named | Cells | Regression | Possible

Numbers = npt.NDArray[np.intp]

CELLS_OF: Mapping[Named, Cells] = MappingProxyType(
    {
        "negative": Cells(("negative",)),
        "inconsistent": Cells(("negative", "wrong_changed")),
        "right before": Cells(("both_right", "negative")),
    }
)


class Units(NamedTuple):
    """Sums of an event over independent units, and the number of items of each unit.

    Parameters
    ----------
    sums : numpy.ndarray of float, shape (K,)
        Sum of the event over the items of each unit.
    sizes : numpy.ndarray of int, shape (K,)
        Items of each unit.
    unit : str
        "groups", "prompts" or "items". Totals suffice for independent items: they are one row.
    """

    sums: npt.NDArray[np.float64]
    sizes: npt.NDArray[np.intp]
    unit: str = "items"

    @classmethod
    def of(
        cls, values: npt.NDArray[Any], labels: Sequence[Hashable] | npt.NDArray[np.intp], unit: str
    ) -> Units:
        """Sum one value per row over the units that rows belong to."""
        if unit == "items":
            return cls(np.array([values.sum()], dtype=np.float64), np.array([len(values)]))
        numbers, sizes = number_labels(labels)
        return cls(np.bincount(numbers, weights=values).astype(np.float64), sizes, unit)


def number_labels(labels: Sequence[Hashable] | Numbers) -> tuple[Numbers, Numbers]:
    """Give every row the number of its label, by first appearance, and count rows by number.

    Examples
    --------
    >>> [column.tolist() for column in number_labels(["b", "a", "b"])]
    [[0, 1, 0], [2, 1]]
    """
    if isinstance(labels, np.ndarray):
        _, firsts, codes = np.unique(labels, return_index=True, return_inverse=True)
        numbers = np.argsort(np.argsort(firsts))[codes]
    else:
        known = {label: number for number, label in enumerate(dict.fromkeys(labels))}
        numbers = np.fromiter(map(known.__getitem__, labels), dtype=np.intp, count=len(labels))
    return numbers, np.bincount(numbers)
