"""Conditions on items, such as "slice is law" or "length of prompt at least 120"."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from muscle_metrics.slices.facets import Facet

    Flags = NDArray[np.bool_]

__all__ = ["LEAST_ITEMS", "Condition", "Conditions", "conditions_of"]

LEAST_ITEMS = 10
"""A slice, and the rest, holds at least so many items in each half."""

# The most frequent labels of a facet; rarer ones are hardly ever found.
_MOST_LABELS = 40
_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


class Condition(NamedTuple):
    """One condition.

    Parameters
    ----------
    facet : str
        What is asked about, such as "slice".
    relation : {"is", "are", ">=", "<", ""}
        How it compares; empty where the value is a verb, as in "new answer came cut off".
    value : str
        With what.
    of_answer : bool
        Whether it is about answers, rather than the item.
    quotes : bool
        Whether the value quotes a prompt or a reference.
    """

    facet: str
    relation: str
    value: str
    of_answer: bool = False
    quotes: bool = False

    def text(self, *, hidden: bool = False) -> str:
        """Write the condition; hide what it quotes.

        Examples
        --------
        >>> Condition("reference", "is", "yes", quotes=True).text()
        'reference is yes'
        >>> Condition("reference", "is", "yes", quotes=True).text(hidden=True)
        'reference is [hidden]'
        """
        value = "[hidden]" if hidden and self.quotes else self.value
        return " ".join(filter(None, (self.facet, self.relation, value)))


class Conditions(NamedTuple):
    """Conditions, and which items meet each: shape (N, conditions)."""

    conditions: list[Condition]
    met: Flags


def conditions_of(facets: Sequence[Facet], total: int) -> Conditions:
    """Make the conditions that enough items meet, and enough do not; each set of items once.

    Parameters
    ----------
    facets : sequence of Facet
        Descriptions of the items.
    total : int
        Number of items, N.
    """
    conditions: list[Condition] = []
    columns: list[Flags] = []
    known: set[bytes] = set()
    for facet in facets:
        for relation, value, flags in _tests(facet):
            size = int(flags.sum())
            packed = np.packbits(flags).tobytes()
            if min(size, total - size) < 2 * LEAST_ITEMS or packed in known:
                continue
            known.add(packed)
            conditions.append(Condition(facet.name, relation, value, facet.of_answer, facet.quotes))
            columns.append(flags)
    met = np.stack(columns, axis=1) if columns else np.zeros((total, 0), dtype=bool)
    return Conditions(conditions, met)


def _tests(facet: Facet) -> Iterator[tuple[str, str, Flags]]:
    """Relation, value and items of every condition on a facet."""
    if isinstance(facet.values, np.ndarray):
        values = facet.values
        known = values[~np.isnan(values)]
        cuts = np.unique(np.quantile(known, _QUANTILES, method="higher")) if known.size else known
        for cut in cuts.tolist():
            yield ">=", _number(cut), values >= cut
            yield "<", _number(cut), values < cut
        return
    counts = Counter(value for value in facet.values if value is not None)
    frequent = sorted(counts, key=lambda label: (-counts[label], str(label)))[:_MOST_LABELS]
    numbers = {label: number for number, label in enumerate(frequent)}
    codes = np.array([numbers.get(value, -1) for value in facet.values], dtype=np.intp)
    for label, number in numbers.items():
        yield facet.verb, str(label), codes == number


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else f"{value:.6g}"
