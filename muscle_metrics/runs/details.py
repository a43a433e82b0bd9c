"""What a log holds of an answer beside what is compared: labels, and texts of listed items.

Texts such as prompts would fill memory. A log is read again for the few items that are listed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from muscle_metrics.runs.columns import MissingFieldError, find
from muscle_metrics.runs.record import Record
from muscle_metrics.runs.values import label_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from muscle_metrics.runs.choice import Choice

__all__ = [
    "LABEL_FIELDS",
    "DetailedRecord",
    "Details",
    "RecordWithSteps",
    "completed",
    "detailed",
    "labels_of",
    "lettered",
]

LABEL_FIELDS = ("slice_field", "group_field", "prompt_field")
"""Options that may name fields of a log."""

_NO_OPTIONS: Mapping[str, str] = MappingProxyType({})


class Details(NamedTuple):
    """Texts that help a person to judge an answer.

    Parameters
    ----------
    question : str, optional
        The question, or the whole prompt where the log has no question of its own.
    response : str, optional
        What the model wrote, before a filter took the answer from it.
    options : mapping of str to str
        Text of each option, by the name that answers and references give it, such as "1" or "B".
    number : str, optional
        Number of the document in its dataset, where ids are hashes.
    """

    question: str | None = None
    response: str | None = None
    options: Mapping[str, str] = _NO_OPTIONS
    number: str | None = None


NO_DETAILS = Details()


@dataclass(frozen=True, slots=True)
class DetailedRecord(Record):
    """A record of an item that is listed, with its texts."""

    details: Details = NO_DETAILS


@dataclass(frozen=True, slots=True)
class RecordWithSteps(Record):
    """A record with the field of its log that holds the steps of the model."""

    steps: object = None


def detailed(record: Record, details: Details) -> DetailedRecord:
    """Record with its texts.

    Examples
    --------
    >>> detailed(Record("7", "B"), Details(options={"B": "Paris"})).details.options["B"]
    'Paris'
    """
    values = {name: getattr(record, name) for name in Record.__slots__}
    return DetailedRecord(**values, details=details)


def completed(
    record: Record,
    row: Mapping[str, object],
    choice: Choice,
    details: Callable[[], Details] | None = None,
) -> Record:
    """Add to a record the labels that a user named and, if it is listed, its texts.

    Parameters
    ----------
    record : Record
        The record.
    row : mapping
        What the log holds of it; fields are looked up here.
    choice : Choice
        The fields that were named, and the items that are listed.
    details : callable, optional
        Makes the texts; called for listed items only.

    Raises
    ------
    InputError
        If a field holds a list or an object.
    """
    if choice.steps is not None:
        known = {name: getattr(record, name) for name in Record.__slots__}
        return RecordWithSteps(**known, steps=_value(row, choice.steps, "trajectory_field"))
    labels: dict[str, Any] = labels_of(row, choice)
    if labels:
        record = replace(record, **labels)
    return detailed(record, details()) if details and choice.wants(record.id) else record


def labels_of(row: Mapping[str, object], choice: Choice) -> dict[str, str | None]:
    """Slice, group and prompt of a row, as far as a user named fields; None where it lacks one.

    Raises
    ------
    InputError
        If a field holds a list or an object.
    """
    if choice.look is not None:
        choice.look(row)
    return {
        option.removesuffix("_field"): label_of(_value(row, field, option), field)
        for option, field in (choice.fields or {}).items()
    }


def _value(row: Mapping[str, object], field: str, option: str) -> object:
    try:
        return find(row, field, option)
    except MissingFieldError:
        # A suite holds tasks with other fields; `read_run` refuses a field that no row has.
        return None


def lettered(texts: Sequence[object]) -> dict[str, str]:
    """Texts of options by their letters, also in brackets.

    Examples
    --------
    >>> lettered(["Rome", "Paris"])
    {'A': 'Rome', '(A)': 'Rome', 'B': 'Paris', '(B)': 'Paris'}
    """
    letters = zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", texts, strict=False)
    return {name: str(text) for letter, text in letters for name in (letter, f"({letter})")}
