"""Prompts with several generations: their right ones before and now, and which changed for sure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import numpy as np

from muscle_metrics.comparison.pass_rates import right_of_rates
from muscle_metrics.comparison.plain_data import described_rate
from muscle_metrics.comparison.signature import SAMPLES
from muscle_metrics.evidence.prompts import PromptCounts, pass_changes
from muscle_metrics.evidence.units import number_labels
from muscle_metrics.flips.counts import Quadrant
from muscle_metrics.statistics.prompt_changes import Sureness, find_falls
from muscle_metrics.words.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.items import Item, ItemTable
    from muscle_metrics.evidence.prompts import PassChange
    from muscle_metrics.statistics.prompt_changes import Falls

    Numbers = npt.NDArray[np.intp]
    Flags = npt.NDArray[np.bool_]

__all__ = ["PromptChange", "Prompts", "prompts_of"]


class PromptChange(NamedTuple):
    """Change of one prompt over its generations.

    Parameters
    ----------
    task, id : str
        Names of the prompt.
    right_before, right_now : int
        Right generations of the old and of the new model.
    generations : int
        Generations of each model.
    p_value : float
        Fisher's exact test of a change in this direction.
    sureness : {"certain", "likely", "noise"}
        At most 5 % of the certain ones of a direction are expected to be noise, and at most half
        of the certain and the likely ones together.
    """

    task: str | None
    id: str
    right_before: int
    right_now: int
    generations: int
    p_value: float
    sureness: Sureness

    def __str__(self) -> str:
        number = self.generations
        return f"{self.right_before}/{number} -> {self.right_now}/{number}, {self.sureness}"

    def described(self) -> dict[str, Any]:
        """Plain data of the change, without the names."""
        return {name: value for name, value in self._asdict().items() if name not in ("task", "id")}


# Without slots, because a cached property lives in the `__dict__` of its instance.
@dataclass(frozen=True, kw_only=True, eq=False)
class Prompts:
    """All prompts of a comparison with repeats, in the natural order of their names.

    Parameters
    ----------
    names : sequence of (task, id)
        Names of P prompts.
    counts : PromptCounts
        Right generations of each prompt.
    numbers : numpy.ndarray of int, shape (N,)
        Number of the prompt of every row.
    old_right, new_right : numpy.ndarray of bool, shape (N,)
        Whether each generation is right.
    of_rates : bool
        Whether there is one row for each prompt, whose score is its share of right generations. The
        flags then say whether the prompt had more right ones in that run than in the other.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> rows = {"ids": ["q"] * 5 + ["r"] * 5, "repeats": [*range(5)] * 2, "references": ["A"] * 10}
    >>> prompts = compare(old=["A"] * 10, new=["B"] * 5 + ["A"] * 5, **rows).prompts
    >>> [f"{change.id}: {change}" for change in prompts.broke]
    ['q: 5/5 -> 0/5, certain']
    >>> prompts.pass_changes(5)[1].title, prompts.pass_changes(5)[1].broke
    ('pass^5', 0.5)
    """

    names: Sequence[tuple[str | None, str]]
    counts: PromptCounts
    numbers: Numbers
    old_right: Flags
    new_right: Flags
    of_rates: bool = False

    @property
    def fewest(self) -> int:
        """Generations of the prompt that has the fewest."""
        return int(self.counts.total.min())

    @cached_property
    def broke(self) -> list[PromptChange]:
        """Prompts with fewer right generations than before, the surest first."""
        return [self._change(self._falls, number) for number in self._broke]

    @cached_property
    def fixed(self) -> list[PromptChange]:
        """Prompts with more right generations than before, the surest first."""
        return [self._change(self._rises, number) for number in self._fixed]

    def pass_changes(self, k: int | None = None) -> list[PassChange]:
        """pass@k, pass^k and the flap rate of both models, and their changes over prompts.

        Parameters
        ----------
        k : int, optional
            Number of generations they are about; by default the fewest of any prompt.

        Raises
        ------
        InputError
            If a prompt has fewer than k generations.
        UsageError
            If k is no whole number of at least 1.
        """
        return pass_changes(self.counts, self.fewest if k is None else k)

    def change_of(self, item: Item) -> PromptChange | None:
        """Change of the prompt of an item; None where as many generations are right as before."""
        return self._changes.get((item.task, item.id))

    def change_of_number(self, number: int) -> PromptChange | None:
        """Change of a prompt by its number, as `change_of`."""
        return self._changes.get(self.names[number])

    def rows(self, quadrant: Quadrant | str) -> list[int]:
        """One row of every prompt that changed so, the surest first.

        Parameters
        ----------
        quadrant : Quadrant or str
            "negative" and "positive" give the first generation that broke, or got fixed, of every
            prompt with fewer, or more, right generations. Others give the first generation of every
            prompt in that quadrant.
        """
        flags = {
            Quadrant.NEGATIVE: self.old_right & ~self.new_right,
            Quadrant.POSITIVE: ~self.old_right & self.new_right,
            Quadrant.BOTH_RIGHT: self.old_right & self.new_right,
            Quadrant.BOTH_WRONG: ~(self.old_right | self.new_right),
        }[Quadrant(quadrant)]
        first = self.first_rows(flags)
        if quadrant == Quadrant.NEGATIVE:
            return [first[number] for number in self._broke]
        if quadrant == Quadrant.POSITIVE:
            return [first[number] for number in self._fixed]
        return list(first.values())

    def first_rows(self, flags: Flags) -> dict[int, int]:
        """Row of the first flagged generation of every prompt that has one, by its number."""
        rows = np.flatnonzero(flags)
        found, firsts = np.unique(self.numbers[rows], return_index=True)
        return dict(zip(found.tolist(), rows[firsts].tolist(), strict=True))

    def described(self, *, items: str = "all") -> dict[str, Any]:
        """Plain data: how many prompts changed, and the rates of the fewest generations of any.

        Of rates the prompts that changed are listed here, unless `items` is "none"; else they are
        among the flips.
        """
        listed = [*self.broke, *self.fixed] if self.of_rates and items == "all" else []
        return {
            "changed": [{"task": one.task, "id": one.id, **one.described()} for one in listed],
            "total": len(self.names),
            "generations": self.fewest,
            "broke": _count_sureness(self.broke),
            "fixed": _count_sureness(self.fixed),
            "rates": {
                one.name: {
                    "k": one.k,
                    "old": one.old,
                    "new": one.new,
                    "change": described_rate(one.new - one.old, one.change),
                    "broke": one.broke,
                    "fixed": one.fixed,
                }
                for one in self.pass_changes()
            },
        }

    def summary(self) -> str:
        """Numbers of prompts that changed, and for how many of them it is sure."""
        worse, better = (f"{len(one)}{_by_sureness(one)}" for one in (self.broke, self.fixed))
        few = (
            "" if self.fewest > 1 else "; one generation of a prompt leaves no pass^k or flap rate"
        )
        return (
            f"of {counted(len(self.names), 'prompt')} {worse} have fewer right answers than "
            f"before, {better} have more{few}"
        )

    @cached_property
    def _falls(self) -> Falls:
        counts = self.counts
        return find_falls(
            old_right=counts.old_right, new_right=counts.new_right, total=counts.total
        )

    @cached_property
    def _rises(self) -> Falls:
        counts = self.counts
        return find_falls(
            old_right=counts.new_right, new_right=counts.old_right, total=counts.total
        )

    @cached_property
    def _broke(self) -> list[int]:
        return _surest_first(self._falls, self.counts.old_right - self.counts.new_right)

    @cached_property
    def _fixed(self) -> list[int]:
        return _surest_first(self._rises, self.counts.new_right - self.counts.old_right)

    @cached_property
    def _changes(self) -> dict[tuple[str | None, str], PromptChange]:
        return {(change.task, change.id): change for change in (*self.broke, *self.fixed)}

    def _change(self, tests: Falls, number: int) -> PromptChange:
        counts = self.counts
        return PromptChange(
            *self.names[number],
            right_before=int(counts.old_right[number]),
            right_now=int(counts.new_right[number]),
            generations=int(counts.total[number]),
            p_value=float(tests.p_values[number]),
            sureness=tests.sureness(number),
        )


def prompts_of(comparison: Comparison) -> Prompts | None:
    """Prompts of a comparison; None where each was answered once, or nothing is right or wrong."""
    samples = comparison.recipe.get(SAMPLES)
    if samples is not None:
        return _of_rates(comparison, int(samples))
    if comparison.correctness is None or not comparison.is_repeated:
        return None
    table, (old, new, _) = comparison.table, comparison.correctness
    numbers = table.prompt_numbers
    firsts = np.unique(numbers, return_index=True)[1]
    lost = comparison.is_lost
    counts = PromptCounts(
        old_right=np.bincount(numbers, weights=old).astype(np.int64),
        new_right=np.bincount(numbers, weights=new).astype(np.int64),
        total=np.bincount(numbers).astype(np.int64),
        groups=_groups(table, firsts),
        lost=np.bincount(numbers, weights=lost).astype(np.int64) if lost.any() else None,
    )
    return Prompts(
        names=[table.prompts[row] for row in firsts],
        counts=counts,
        numbers=numbers,
        old_right=old,
        new_right=new,
    )


def _of_rates(comparison: Comparison, samples: int) -> Prompts:
    table, lost = comparison.table, comparison.is_lost
    old, new = right_of_rates(comparison, samples)
    rows = np.arange(comparison.total)
    counts = PromptCounts(
        old_right=old,
        new_right=new,
        total=np.full(comparison.total, samples, dtype=np.int64),
        groups=_groups(table, rows),
        lost=samples * lost.astype(np.int64) if lost.any() else None,
    )
    return Prompts(
        names=table.prompts,
        counts=counts,
        numbers=rows,
        old_right=old > new,
        new_right=new > old,
        of_rates=True,
    )


def _groups(table: ItemTable, rows: Numbers) -> Numbers | None:
    """Give the number of the group of every prompt, by one row of each."""
    return number_labels(table.unit_numbers[rows])[0] if table.unit == "groups" else None


def _surest_first(tests: Falls, sizes: npt.NDArray[np.int64]) -> list[int]:
    """Numbers of the prompts that changed in the tested direction."""
    # Of one p-value the larger change comes first; else the natural order of names. Rounding, as
    # one chance has many ways to be computed.
    order = np.lexsort((-sizes, np.round(tests.p_values, 12)))
    found: list[int] = order[sizes[order] > 0].tolist()
    return found


def _by_sureness(changes: Sequence[PromptChange]) -> str:
    numbers = _count_sureness(changes)
    told = ", ".join(f"{number} {sureness}" for sureness, number in numbers.items() if number)
    return f" ({told})" if told else ""


def _count_sureness(changes: Sequence[PromptChange]) -> dict[Sureness, int]:
    found = Counter(change.sureness for change in changes)
    return {sureness: found[sureness] for sureness in get_args(Sureness)}
