"""How much of both runs the readers of answers understood."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from muscle_metrics.answers.reading.reading import Answer, Reading

__all__ = ["ReadingFacts"]

# From this share on, much of old counts as wrong by its form, and cannot break.
_MANY = 0.1
_AGES = ("old", "new")


@dataclass(frozen=True, slots=True)
class ReadingFacts:
    """In how many answers readers found nothing; `a + b` is about the items of both.

    Parameters
    ----------
    readers : str
        Their names and options.
    answers : tuple of int
        How many answers each run gave, the oldest first.
    unread : tuple of int
        In how many of them nothing was found. They count as wrong.
    changed : int
        How many answers of all runs were read as another text than they are.
    reading : Reading, optional
        The readers themselves, for the reasons of wrong answers.

    Examples
    --------
    >>> list(ReadingFacts("number", (1000, 1000), (120, 0), 1880).lines())
    ['warning: number found nothing in 120 of 1000 answers of old, ...']
    """

    readers: str
    answers: tuple[int, ...]
    unread: tuple[int, ...]
    changed: int
    reading: Reading | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(
        cls, reading: Reading, recorded: Sequence[Sequence[Any]], read: Sequence[Sequence[Answer]]
    ) -> ReadingFacts:
        """Count the answers of every run, given as they were recorded, and as they were read."""
        given = [
            [pair for pair in zip(values, answers, strict=True) if pair[1].text is not None]
            for values, answers in zip(recorded, read, strict=True)
        ]
        return cls(
            reading.name,
            tuple(map(len, given)),
            tuple(sum(not answer.is_found for _, answer in column) for column in given),
            sum(answer.is_found and answer.text != value for col in given for value, answer in col),
            reading,
        )

    def lines(self, names: Sequence[str] = _AGES) -> Iterator[str]:
        """Warnings and notes about runs of these names, one a line."""
        for text, is_warning in self._told(names):
            yield f"{'warning' if is_warning else 'note'}: {text}"

    def notes(self) -> Iterator[str]:
        """Say in how many answers of each run nothing was found, or that nothing was changed."""
        for text, _ in self._told(_AGES):
            yield text

    def _told(self, names: Sequence[str]) -> Iterator[tuple[str, bool]]:
        for run, unread, answers in zip(names, self.unread, self.answers, strict=True):
            is_last = run == names[-1]
            if unread:
                text = (
                    f"{self.readers} found nothing in {unread} of {answers} answers of {run}, "
                    f"which count as wrong{'' if is_last else ', so that they cannot break'}"
                )
                yield text, not is_last and unread > _MANY * answers
        if not self.changed and not any(self.unread):
            yield f"{self.readers} changes no answer", False
