"""Flips from answers, or from the correctness that a harness recorded: counts, rates, labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from muscle_metrics.answers.columns import Key, Missing, Values, check_lengths
from muscle_metrics.answers.correctness import (
    Correctness,
    check_same_index,
    correctness_column,
    judge_answers,
)
from muscle_metrics.answers.reading.reading import with_answer
from muscle_metrics.errors import InputError
from muscle_metrics.flips.counts import FlipCounts

if TYPE_CHECKING:
    from muscle_metrics.flips.rates import Rate

__all__ = [
    "FlipLabels",
    "count_flips",
    "inconsistency_flip_rate",
    "label_correctness",
    "label_flips",
    "negative_flip_rate",
    "positive_flip_rate",
    "tally_correctness",
    "tally_flips",
]


class FlipLabels(NamedTuple):
    """The quadrant of every item, and whether its answer changed; both of shape (N,).

    Examples
    --------
    >>> labels = label_flips(old=["A", "B"], new=["C", "B"], references=["A", "A"])
    >>> labels.quadrants.tolist(), labels.changed.tolist()
    (['negative', 'both_wrong'], [True, False])
    """

    quadrants: npt.NDArray[np.str_]
    changed: npt.NDArray[np.bool_] | None


def count_flips(
    *,
    old: Values,
    new: Values,
    references: Values,
    key: Key = None,
    answer: str | None = None,
    missing: Missing = "error",
    weights: npt.ArrayLike | None = None,
) -> FlipCounts:
    """Count changes of correctness of N items from the old model to the new one.

    Parameters
    ----------
    old, new : sequence or array, shape (N,)
        Answers of the old and of the new model: text, numbers or booleans.
    references : sequence or array, shape (N,)
        The right answer of every item, or a list of accepted answers for it.
    key : callable, optional
        Normalises answers and references alike before they are compared, as in `sorted`.
    answer : str, optional
        Readers of answers and references, such as "strip, casefold", after the key.
    missing : {"error", "wrong"}
        Whether a None or NaN answer is refused or counts as a wrong answer.
    weights : sequence of int, shape (N,), optional
        Number of identical items that each row represents.

    Returns
    -------
    FlipCounts
        Counts, from which every rate of the flip family derives.

    Raises
    ------
    InputError
        If the columns cannot be compared: lengths differ, text meets numbers, answers are missing.

    References
    ----------
    Echterhoff et al., "MUSCLE", Findings of EMNLP 2024, section 3; Yan et al., CVPR 2021, eq. 2.

    Examples
    --------
    >>> counts = count_flips(old=["A", "B", "C"], new=["A", "C", "B"], references=["A", "B", "B"])
    >>> print(counts.negative_flip_rate)
    33.33% (1 of 3)
    """
    correctness = judge_answers(
        old=old, new=new, references=references, key=with_answer(key, answer), missing=missing
    )
    return tally_correctness(correctness, weights)


def tally_flips(
    *,
    old_right: Values,
    new_right: Values,
    changed: Values | None = None,
    weights: npt.ArrayLike | None = None,
) -> FlipCounts:
    """Count flips from the correctness of each item that a harness recorded.

    Parameters
    ----------
    old_right, new_right : sequence or array of bool, shape (N,)
        Whether each item was right; numbers are taken if all are 0 or 1.
    changed : sequence or array of bool, shape (N,), optional
        Whether the answer changed. Without it, rates of changed answers are undefined.
    weights : sequence of int, shape (N,), optional
        Number of identical items that each row represents.

    Returns
    -------
    FlipCounts

    Raises
    ------
    InputError
        If a column holds anything but booleans, 0 and 1, or lengths differ.

    Examples
    --------
    >>> counts = tally_flips(old_right=[True, True, False], new_right=[True, False, True])
    >>> counts.negative, counts.positive, counts.inconsistency_flip_rate
    (1, 1, Rate(None, 3))
    """
    return tally_correctness(_stored_correctness(old_right, new_right, changed), weights)


def label_flips(
    *,
    old: Values,
    new: Values,
    references: Values,
    key: Key = None,
    answer: str | None = None,
    missing: Missing = "error",
) -> FlipLabels:
    """Name the quadrant of every item, and say whether its answer changed.

    Parameters and errors are those of `count_flips`.

    Returns
    -------
    FlipLabels

    Examples
    --------
    >>> label_flips(old=[1, 2], new=[1, 3], references=[1, 2]).quadrants.tolist()
    ['both_right', 'negative']
    """
    correctness = judge_answers(
        old=old, new=new, references=references, key=with_answer(key, answer), missing=missing
    )
    return label_correctness(correctness)


def label_correctness(correctness: Correctness) -> FlipLabels:
    """Name the quadrant of every item that has been judged."""
    names = np.array([["both_wrong", "positive"], ["negative", "both_right"]])
    cells = names[correctness.old_right.astype(np.intp), correctness.new_right.astype(np.intp)]
    return FlipLabels(cells, correctness.changed)


def negative_flip_rate(
    *,
    old: Values,
    new: Values,
    references: Values,
    key: Key = None,
    answer: str | None = None,
    missing: Missing = "error",
) -> Rate:
    """Share of all items that the old model got right and the new one gets wrong (NFR).

    Parameters and errors are those of `count_flips`.

    Returns
    -------
    Rate
        In [0, 1], with its count, total and intervals.

    References
    ----------
    Yan et al., "Positive-congruent training", CVPR 2021, eq. 2.

    Examples
    --------
    >>> print(negative_flip_rate(old=["A", "B"], new=["A", "C"], references=["A", "B"]))
    50.00% (1 of 2)
    """
    return count_flips(
        old=old, new=new, references=references, key=key, answer=answer, missing=missing
    ).negative_flip_rate


def positive_flip_rate(
    *,
    old: Values,
    new: Values,
    references: Values,
    key: Key = None,
    answer: str | None = None,
    missing: Missing = "error",
) -> Rate:
    """Share of all items that the old model got wrong and the new one gets right (PFR).

    Parameters and errors are those of `count_flips`.

    Returns
    -------
    Rate
        In [0, 1], with its count, total and intervals.

    Examples
    --------
    >>> print(positive_flip_rate(old=["A", "B"], new=["A", "C"], references=["A", "C"]))
    50.00% (1 of 2)
    """
    return count_flips(
        old=old, new=new, references=references, key=key, answer=answer, missing=missing
    ).positive_flip_rate


def inconsistency_flip_rate(
    *,
    old: Values,
    new: Values,
    references: Values,
    key: Key = None,
    answer: str | None = None,
    missing: Missing = "error",
) -> Rate:
    """Share of all items now wrong with an answer that differs from the old one (NFR_mc).

    Parameters and errors are those of `count_flips`.

    Returns
    -------
    Rate
        In [0, 1]; never below the negative flip rate, which it includes.

    References
    ----------
    Echterhoff et al., "MUSCLE", Findings of EMNLP 2024, section 3.2.

    Examples
    --------
    >>> print(inconsistency_flip_rate(old=["A", "B"], new=["B", "C"], references=["A", "D"]))
    100.00% (2 of 2)
    """
    return count_flips(
        old=old, new=new, references=references, key=key, answer=answer, missing=missing
    ).inconsistency_flip_rate


def _stored_correctness(
    old_right: Values, new_right: Values, changed: Values | None
) -> Correctness:
    check_same_index(old_right, new_right, *(() if changed is None else (changed,)))
    columns = {
        "old_right": correctness_column(old_right, name="old_right"),
        "new_right": correctness_column(new_right, name="new_right"),
    }
    if changed is not None:
        columns["changed"] = correctness_column(changed, name="changed")
    check_lengths(**columns)
    return Correctness(columns["old_right"], columns["new_right"], columns.get("changed"))


def tally_correctness(correctness: Correctness, weights: npt.ArrayLike | None = None) -> FlipCounts:
    """Count flips among items that have been judged."""
    old_right, new_right, changed = correctness
    weigh = _counter(weights, items=len(old_right))
    right = old_right & new_right
    both_right, old_total, new_total = weigh(right), weigh(old_right), weigh(new_right)
    either = old_right | new_right
    return FlipCounts(
        both_right=both_right,
        negative=old_total - both_right,
        positive=new_total - both_right,
        both_wrong=weigh(~either),
        both_right_changed=None if changed is None else weigh(changed & right),
        wrong_changed=None if changed is None else weigh(changed & ~either),
    )


def _counter(weights: npt.ArrayLike | None, *, items: int) -> Any:
    if weights is None:
        return np.count_nonzero
    column = np.asarray(weights)
    if column.ndim != 1:
        raise InputError(
            f"expected weights to have one dimension, got shape {column.shape}: "
            f"pass one weight per item"
        )
    check_lengths(items=range(items), weights=column)
    exact = column.astype(object)
    strange = exact if column.dtype.kind not in "iu" else exact[column < 0]
    if len(strange):
        raise InputError(
            f"expected weights to be integers of at least 0, got {strange[0]!r}: "
            f"a weight says how many identical items a row stands for"
        )
    return lambda mask: int(exact[mask].sum())
