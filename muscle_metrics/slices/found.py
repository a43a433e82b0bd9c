"""Slices in which more items broke than elsewhere, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from muscle_metrics.comparison.plain_data import described_rate, json_text
from muscle_metrics.words.secrets import brief_name

if TYPE_CHECKING:
    from muscle_metrics.comparison.answer_forms import AnswerForms
    from muscle_metrics.evidence.evidence import Bounds
    from muscle_metrics.flips.rates import Rate
    from muscle_metrics.slices.conditions import Condition

__all__ = ["FoundSlice", "FoundSlices"]

SCHEMA_VERSION = 1
NAME_LIMIT = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSlice:
    """One slice that was found in one half of the items and confirmed in the other.

    Parameters
    ----------
    conditions : tuple of Condition
        What its items have in common: one or two conditions.
    rate : Rate
        Negative flip rate of all its items, in both halves. It is too high: the slice was chosen
        for it.
    tested : Rate
        Negative flip rate in the half that did not choose the slice.
    bounds : Bounds
        95 % interval of `tested`, over groups or prompts where items share them.
    shrunken : float
        `tested`, drawn towards the rate of the rest as far as the slice is small; it ranks slices.
    rest : Rate
        Negative flip rate of the other items in the same half, that no slice above holds.
    p_value : float
        Adjusted by Benjamini and Hochberg over all slices that were tested.
    broken : tuple of str
        Names of its items that broke.
    """

    conditions: tuple[Condition, ...]
    rate: Rate
    tested: Rate
    bounds: Bounds
    shrunken: float
    rest: Rate
    p_value: float
    broken: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its conditions in words."""
        return self.text()

    @property
    def is_of_answers(self) -> bool:
        """Whether it says how answers look, rather than which items they answer."""
        return any(condition.of_answer for condition in self.conditions)

    def text(self, *, hidden: bool = False) -> str:
        """Write its conditions in words; hide what they quote of prompts and references."""
        return " and ".join(condition.text(hidden=hidden) for condition in self.conditions)

    def shown(self, *, hidden: bool = False) -> str:
        """Write its conditions without secrets, cut to fit a line."""
        return brief_name(self.text(hidden=hidden), NAME_LIMIT)

    def described(self) -> dict[str, Any]:
        """Describe the slice as plain data."""
        return {
            "conditions": [
                {"facet": one.facet, "relation": one.relation, "value": one.value}
                for one in self.conditions
            ],
            "of_answers": self.is_of_answers,
            "negative_flip_rate": described_rate(self.rate, None),
            "tested": described_rate(self.tested, self.bounds),
            "shrunken": self.shrunken,
            "rest": described_rate(self.rest, None),
            "p_value": self.p_value,
            "broken": list(self.broken),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSlices:
    """Slices that stand out, the highest shrunken rate first; of items, and of answers.

    Parameters
    ----------
    items : tuple of FoundSlice
        Kinds of items: fields, length, script and first words of prompts, references.
    answers : tuple of FoundSlice
        Kinds of answers: forms and changes of form, perhaps together with kinds of items.
    forms : AnswerForms or None
        In which form items broke.
    notes : tuple of str
        What could not be looked at.
    signature : str
        How the slices were found, and from what.
    """

    items: tuple[FoundSlice, ...]
    answers: tuple[FoundSlice, ...]
    forms: AnswerForms | None
    notes: tuple[str, ...]
    signature: str

    def to_dict(self) -> dict[str, Any]:
        """Describe the slices as plain data: no nan, undefined is None."""
        return {
            "schema_version": SCHEMA_VERSION,
            "items": [one.described() for one in self.items],
            "answers": [one.described() for one in self.answers],
            "answer_forms": None if self.forms is None else self.forms.described(),
            "notes": list(self.notes),
            "signature": self.signature,
        }

    def to_json(self, indent: int | None = 2) -> str:
        """`to_dict` as JSON with sorted keys; the same comparison gives the same bytes."""
        return json_text(self.to_dict(), indent)

    def __str__(self) -> str:
        from muscle_metrics.slices.text import slices_text

        return slices_text(self)
