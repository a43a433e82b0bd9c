"""Columns of answers and references, as readers read them."""

from __future__ import annotations

from functools import cache
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from muscle_metrics.answers.arrays import shown
from muscle_metrics.answers.keys import apply_key, is_missing
from muscle_metrics.answers.reading.reading import OPTION, Answer, Reading
from muscle_metrics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["accepted_texts", "found_texts", "read_answers", "read_references", "unread_references"]


def read_answers(
    reading: Reading,
    values: Iterable[Any],
    accepted: Iterable[Sequence[Any]],
    *,
    name: str,
    places: Sequence[str] | None = None,
    choices: Sequence[str | None] = (),
) -> list[Answer]:
    """Read every answer, given the references that it is compared with.

    Parameters
    ----------
    reading : Reading
        The readers.
    values : iterable, shape (N,)
        Answers.
    accepted : iterable of sequence, shape (N,)
        References of each, as they were read; None for one that cannot be.
    name, places
        As in `apply_key`.
    choices : sequence of (str or None), shape (N,)
        Letters of the options of each item; by default none are known.
    """
    if reading.key is not None:
        values = apply_key(reading.key, values, name=name, places=places)
    read_of = cache(lambda letters: cache(reading.of_item(letters).read))
    known = (tuple(one for one in row if isinstance(one, str)) for row in accepted)
    # Lengths are compared later: an item without references is not cut off here.
    items = zip(
        values, chain(known, repeat(())), map(read_of, choices or repeat(None)), strict=False
    )
    return [
        read(value, texts) if isinstance(value, str) else read.__wrapped__(value, texts)
        for value, texts, read in items
    ]


def found_texts(read: Iterable[Answer]) -> list[str | None]:
    """Texts that readers found; None for an answer in which they found nothing."""
    return [one.text if one.is_found else None for one in read]


def accepted_texts(reading: Reading, reference: Any) -> tuple[str, ...]:
    """Read the references of one item, as far as they can be read."""
    known = [one for one in reading.accepted(reference) if one is not None]
    given = known if reading.key is None else map(reading.key, known)
    found = map(reading.reference, given)
    return tuple(one for one in found if one is not None)


def read_references(
    reading: Reading,
    references: Sequence[Any],
    *,
    name: str,
    places: Sequence[str],
    choices: Sequence[str | None] = (),
) -> list[Any]:
    """Read every reference that is there.

    Parameters
    ----------
    reading : Reading
        The readers.
    references : sequence, shape (N,)
        References, one by one.
    name, places
        As in `apply_key`.
    choices : sequence of (str or None), shape (N,)
        Letters of the options of the item of each; by default none are known.

    Raises
    ------
    InputError
        If one cannot be read: an answer of noise could be right by it. The error names the first.
    """
    keyed = references
    if reading.key is not None:
        keyed = apply_key(reading.key, references, name=name, places=places)
    read_of = cache(lambda letters: cache(reading.of_item(letters).reference))
    found = [
        one if is_missing(one) else read(one) if isinstance(one, str) else read.__wrapped__(one)
        for one, read in zip(keyed, map(read_of, choices or repeat(None)), strict=False)
    ]
    pairs = zip(keyed, found, strict=True)
    unread = [n for n, (one, text) in enumerate(pairs) if text is None and not is_missing(one)]
    if unread:
        first = unread[0]
        place = f"{places[first]} in {name}"
        if choices and choices[first]:
            place += f" (options {choices[first]})"
        raise unread_references(reading, (len(unread), len(references)), references[first], place)
    return found


def unread_references(
    reading: Reading, counts: tuple[int, int], example: Any, place: str
) -> InputError:
    """Make the error for references that readers cannot read: how many of how many, and one."""
    return InputError(
        f"expected references that {reading.name} reads, got {counts[0]} of {counts[1]} that it "
        f"cannot, such as {shown(example)} at {place}: choose other readers with {OPTION}, correct "
        f"the references, or drop these items"
    )
