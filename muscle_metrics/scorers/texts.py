"""Predictions and references: the input of every scorer, checked and paired."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from muscle_metrics.errors import InputError, UsageError, check_choice
from muscle_metrics.words.numbers import counted

__all__ = [
    "OverCap",
    "Pairs",
    "Scores",
    "TextPair",
    "check_cap",
    "check_texts",
    "cut_blocks",
    "pair_texts",
    "refuse_long",
]

Scores: TypeAlias = NDArray[np.float64]
TextPair: TypeAlias = tuple[str, str]
OverCap: TypeAlias = Literal["raise", "nan"]
"""Whether an item with a text over the cap is an error, or has the score nan."""

# Without an order, or used up by one reading.
_NO_LISTS = (bytes, Mapping, Set, Iterator)


def check_texts(predictions: Any, references: Any) -> tuple[list[str], list[tuple[str, ...]]]:
    """Return the predictions, and for each of them the tuple of its references.

    Parameters
    ----------
    predictions : sequence of str
        One text per item.
    references : sequence of (str or sequence of str)
        Item-major: one reference per item, or one list of references per item.

    Raises
    ------
    InputError
        If there are no items, not as many references as predictions, or anything that is not
        text: a missing prediction is never read as an empty one.

    Examples
    --------
    >>> check_texts(["yes", "no"], ["yes", ["no", "never"]])
    (['yes', 'no'], [('yes',), ('no', 'never')])
    """
    predicted = _as_list("predictions", predictions)
    expected = _as_list("references", references)
    _check_sizes(predicted, expected)
    for position, text in enumerate(predicted):
        if not isinstance(text, str):
            raise InputError(
                f"expected text at prediction {position}, got {_named(text)}: "
                "drop the item or fill it on purpose"
            )
    return predicted, [_alternatives(item, position) for position, item in enumerate(expected)]


def _as_list(name: str, texts: Any) -> list[Any]:
    if not isinstance(texts, Iterable) or isinstance(texts, (str, *_NO_LISTS)):
        raise InputError(
            f"expected {name} to be a list of texts, got {_named(texts)}: pass one text per item"
        )
    return list(texts)


def _check_sizes(predicted: list[Any], expected: list[Any]) -> None:
    if not predicted and not expected:
        raise InputError(
            "expected at least one item, got no predictions and no references: pass some of each"
        )
    if len(predicted) == len(expected):
        return
    sizes = {len(item) for item in expected if isinstance(item, (list, tuple))}
    if sizes == {len(predicted)} and all(isinstance(item, (list, tuple)) for item in expected):
        raise InputError(
            f"expected one list of references per prediction, got {len(predicted)} predictions "
            f"and {len(expected)} reference lists of {len(predicted)} texts: they look "
            "transposed, pass list(zip(*references))"
        )
    raise InputError(
        f"expected as many references as predictions, "
        f"got {len(predicted)} predictions and {len(expected)} references: "
        "pass one text, or one list of accepted texts, per prediction"
    )


def _alternatives(item: Any, position: int) -> tuple[str, ...]:
    if isinstance(item, str):
        return (item,)
    if not isinstance(item, Iterable) or isinstance(item, _NO_LISTS):
        raise InputError(
            f"expected text or a list of texts at reference {position}, got {_named(item)}: "
            "drop the item or fill it on purpose"
        )
    texts = tuple(item)
    if not texts:
        raise InputError(
            f"expected at least one reference at position {position}, got none: "
            "drop the item or add one"
        )
    for text in texts:
        if not isinstance(text, str):
            raise InputError(
                f"expected a list of texts at reference {position}, got {_named(text)} in it: "
                "leave it out or fill it on purpose"
            )
    return texts


def _named(value: Any) -> str:
    """Show a value that is no text, cut short: it may be a whole table."""
    shown = repr(value)
    return f"{type(value).__name__} {shown if len(shown) <= 60 else shown[:57] + '...'}"


@dataclass(frozen=True, slots=True)
class Pairs:
    """The distinct (prediction, reference) pairs of a data set, and the pairs of each item.

    Attributes
    ----------
    distinct : list of (str, str)
        Pairs with the same reference are neighbours.
    position : numpy.ndarray
        Item by item, for each of the item's references, the index of its pair in `distinct`.
    first : numpy.ndarray
        For each item, where its references begin in `position`.
    """

    distinct: list[TextPair]
    position: NDArray[np.intp]
    first: NDArray[np.intp]

    @property
    def texts(self) -> list[str]:
        """The distinct texts."""
        return list(dict.fromkeys(chain.from_iterable(self.distinct)))

    def only_references(self, texts: Set[str]) -> list[str]:
        """Those of the texts that are the only references of an item, or with others of them."""
        if not texts:
            return []
        found: dict[str, None] = {}
        ends = [*self.first[1:].tolist(), len(self.position)]
        for start, end in zip(self.first.tolist(), ends, strict=True):
            accepted = [self.distinct[place][1] for place in self.position[start:end].tolist()]
            if all(text in texts for text in accepted):
                found |= dict.fromkeys(accepted)
        return list(found)

    def best(self, scores: Scores, by: Scores | None = None) -> Scores:
        """Score of each item: that of its reference with the highest `by`, the first of equals.

        A pair without a score (nan) leaves its item without one.
        """
        if len(self.position) == len(self.first):
            return scores[self.position]
        rank = scores if by is None else by
        rank = np.where(np.isnan(rank), np.inf, rank)[self.position]
        sizes = np.diff(self.first, append=len(self.position))
        highest = np.repeat(np.maximum.reduceat(rank, self.first), sizes)
        item = np.repeat(np.arange(len(self.first)), sizes)
        winners = np.flatnonzero(rank == highest)
        _, earliest = np.unique(item[winners], return_index=True)
        return scores[self.position[winners[earliest]]]


def pair_texts(predictions: Any, references: Any) -> Pairs:
    """Check the texts and find their distinct pairs, each of which is scored once.

    Raises
    ------
    InputError
        As `check_texts`.
    """
    predicted, expected = check_texts(predictions, references)
    serial: dict[TextPair, int] = {}
    arrival = [
        serial.setdefault((prediction, reference), len(serial))
        for prediction, alternatives in zip(predicted, expected, strict=True)
        for reference in alternatives
    ]
    rank: dict[str, int] = {}
    order = np.argsort([rank.setdefault(pair[1], len(rank)) for pair in serial], kind="stable")
    place = np.empty(len(order), np.intp)
    place[order] = np.arange(len(order))
    arrived = list(serial)
    sizes = np.fromiter(map(len, expected), np.intp, len(expected))
    return Pairs([arrived[k] for k in order], place[arrival], np.cumsum(sizes) - sizes)


def cut_blocks(pairs: Sequence[TextPair], characters: int) -> Iterator[slice]:
    """Cut pairs of texts into blocks of about so many characters; a pair is never cut."""
    start = size = 0
    for stop, (prediction, reference) in enumerate(pairs, 1):
        size += len(prediction) + len(reference)
        if size >= characters or stop == len(pairs):
            yield slice(start, stop)
            start, size = stop, 0


def check_cap(max_tokens: object, over_cap: object, highest: int) -> None:
    """Check a cap on the words of a text, and what happens above it.

    Raises
    ------
    UsageError
        If the cap is no whole number from 1 to `highest`, or `over_cap` is unknown.
    """
    check_choice("over_cap", over_cap, get_args(OverCap))
    is_whole = isinstance(max_tokens, int) and not isinstance(max_tokens, bool)
    if not (is_whole and 1 <= max_tokens <= highest):  # type: ignore[operator]
        raise UsageError(f"expected max_tokens between 1 and {highest}, got {max_tokens!r}")


def refuse_long(positions: Sequence[int], max_tokens: int) -> None:
    """Refuse the items at these positions, which hold a text over the cap.

    Raises
    ------
    InputError
        If there are any, with their number.
    """
    if positions:
        raise InputError(
            f"expected at most {max_tokens} words per text, got "
            f"{counted(len(positions), 'item')} with a longer one, the first at positions "
            f"{list(positions[:3])}: use --metric chrf (metric='chrf')",
            in_python="raise the cap (max_tokens=), or leave these scores undefined "
            "(over_cap='nan')",
        )
