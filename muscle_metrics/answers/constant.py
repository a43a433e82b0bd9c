"""Keys and readers that give nearly every answer and reference one value: nothing is compared."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from muscle_metrics.answers.arrays import shown
from muscle_metrics.answers.keys import is_missing
from muscle_metrics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["KEPT", "Spread", "Variety"]

KEPT: Final = 100
"""How many of its commonest values a part of the items names."""

_NEARLY_ALL = 0.99
# References that are nearly all equal as they were recorded are an honest constant.
_MOST = 0.9


@dataclass(frozen=True, slots=True)
class Spread:
    """How often the commonest of some values occur; `a + b` counts those of both.

    Parameters
    ----------
    counts : mapping of str to int
        Values with their numbers; rare ones may be left out.
    total : int
        Number of all values.

    Examples
    --------
    >>> (Spread.of(["A", "B"]) + Spread.of([["B", "B"], None])).share("B")
    0.6666666666666666
    """

    counts: Mapping[Any, int]
    total: int

    @classmethod
    def of(cls, values: Iterable[Any]) -> Spread:
        """Count values that are there; a list of equal ones is that value."""
        counts = Counter(_hashable(value) for value in values if not is_missing(value))
        return cls(counts, counts.total())

    def __add__(self, other: Spread) -> Spread:
        return Spread(Counter(self.counts) + Counter(other.counts), self.total + other.total)

    @property
    def commonest(self) -> Any:
        """The commonest value, the first of equally common ones; None without values."""
        return max(self.counts, key=self.counts.__getitem__, default=None)

    def share(self, value: Any) -> float:
        """Share of one value; 1 without values."""
        return self.counts.get(value, 0) / self.total if self.total else 1.0


@dataclass(frozen=True, slots=True)
class Variety:
    """Values of references and answers of all runs; `a + b` counts those of both.

    Parameters
    ----------
    recorded : Spread
        References as they were recorded.
    references : Spread
        References after a key or readers.
    answers : tuple of Spread
        Answers of each run after them, those alone in which something was found.
    """

    recorded: Spread
    references: Spread
    answers: tuple[Spread, ...]

    @classmethod
    def of(
        cls, recorded: Iterable[Any], references: Iterable[Any], answers: Sequence[Iterable[Any]]
    ) -> Variety:
        """Count the values of columns."""
        return cls(Spread.of(recorded), Spread.of(references), tuple(map(Spread.of, answers)))

    def __add__(self, other: Variety) -> Variety:
        pairs = zip(self.answers, other.answers, strict=True)
        return Variety(
            self.recorded + other.recorded,
            self.references + other.references,
            tuple(mine + theirs for mine, theirs in pairs),
        )

    def refuse_constant(self, option: str) -> None:
        """Refuse what gives one value for references that differ, and for the answers to them.

        Raises
        ------
        InputError
            If every answer in which something was found is right by that value alone.

        Examples
        --------
        >>> same = ["The answer"] * 2
        >>> Variety.of(["The answer is 4", "The answer is 5"], same, [same]).refuse_constant("x")
        Traceback (most recent call last):
        muscle_metrics.errors.InputError: expected x to tell answers apart, got 'The answer' for ...
        """
        value = self.references.commonest
        is_varied = self.recorded.share(self.recorded.commonest) < _MOST
        columns = (self.references, *self.answers)
        is_answered = any(column.total for column in self.answers)
        is_constant = all(column.share(value) >= _NEARLY_ALL for column in columns)
        if is_varied and is_answered and is_constant:
            raise self._constant(option, value)

    def _constant(self, option: str, value: Any) -> InputError:
        answers = sum(column.total for column in self.answers)
        equal = sum(column.counts.get(value, 0) for column in self.answers)
        return InputError(
            f"expected {option} to tell answers apart, got {shown(value)} for "
            f"{self.references.counts[value]} of {self.references.total} references, which differ, "
            f"and for {equal} of {answers} answers: find the answer itself, as with --answer "
            f"last-number (answer=), or write references that mean the same alike"
        )


def _hashable(value: Any) -> Any:
    if isinstance(value, list | tuple):
        distinct = tuple(dict.fromkeys(map(_hashable, value)))
        return distinct[0] if len(distinct) == 1 else distinct
    return value if value.__hash__ is not None else repr(value)
