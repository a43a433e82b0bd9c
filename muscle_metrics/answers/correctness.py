"""Judge answers item by item: old model right, new model right, answer changed."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from muscle_metrics.answers.columns import (
    AcceptedAnswers,
    Column,
    Key,
    Missing,
    Values,
    answer_column,
    check_kinds,
    check_lengths,
    keyed_columns,
    reference_columns,
)
from muscle_metrics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Correctness",
    "changed_answers",
    "check_same_index",
    "correctness_column",
    "judge_answers",
    "right_answers",
]

Flags = npt.NDArray[np.bool_]


class Correctness(NamedTuple):
    """Three flags per item, each column of shape (N,)."""

    old_right: Flags
    new_right: Flags
    changed: Flags | None

    def take(self, positions: npt.NDArray[np.intp]) -> Correctness:
        """Correctness of the items at some positions, in that order."""
        changed = None if self.changed is None else self.changed[positions]
        return Correctness(self.old_right[positions], self.new_right[positions], changed)


def judge_answers(
    *,
    old: Values,
    new: Values,
    references: Values,
    key: Key = None,
    missing: Missing = "error",
) -> Correctness:
    """Judge both answers to every item by its references, and compare them with each other.

    Parameters
    ----------
    old, new : sequence or array, shape (N,)
        Answers of the old and the new model.
    references : sequence or array, shape (N,)
        The right answer of every item, or a list of accepted ones.
    key : callable, optional
        Applied to answers and references alike before they are compared, as in `sorted`, so that
        *right* and *same* cannot disagree.
    missing : {"error", "wrong"}
        Whether a None or NaN answer is refused or counts as a wrong answer.

    Returns
    -------
    Correctness
        `changed` is true where old and new answers differ after `key`.

    Raises
    ------
    InputError
        If the columns cannot be compared.
    """
    check_same_index(old, new, references)
    if key is not None:
        (old, new), references, _ = keyed_columns(key, {"old": old, "new": new}, references)
    old_answers = answer_column(old, name="old", missing=missing)
    new_answers = answer_column(new, name="new", missing=missing)
    accepted = reference_columns(references, items=len(old_answers))
    check_lengths(old=old_answers, new=new_answers, references=range(accepted.items))
    return Correctness(
        right_answers(old_answers, accepted, name="old"),
        right_answers(new_answers, accepted, name="new"),
        changed_answers(old_answers, new_answers),
    )


def right_answers(answers: Column, references: AcceptedAnswers, *, name: str) -> Flags:
    """Whether each answer equals its reference, or any of its accepted references.

    Raises
    ------
    InputError
        If answers and references are of different kinds.
    """
    accepted, owners = references
    if owners is None:
        check_kinds(answers, accepted, names=(name, "references"))
        return _compared(operator.eq, answers, accepted)
    repeated = answers[owners]
    check_kinds(repeated, accepted, names=(name, "references"), owners=owners)
    matches = _compared(operator.eq, repeated, accepted)
    return np.logical_or.reduceat(matches, np.flatnonzero(np.diff(owners, prepend=-1)))


def changed_answers(old: Column, new: Column) -> Flags:
    """Whether each answer differs from the old one; two missing answers are the same.

    Raises
    ------
    InputError
        If the answers are of different kinds.
    """
    check_kinds(old, new, names=("old", "new"))
    return _compared(operator.ne, old, new)


def correctness_column(values: Values, *, name: str) -> Flags:
    """Turn the correctness that a harness recorded into flags.

    Parameters
    ----------
    values : sequence or array, shape (N,)
        Booleans, or numbers that are all 0 or 1.
    name : str
        Its name in errors.

    Raises
    ------
    InputError
        For anything else: the text "False" is true in Python, and a graded score is no flag.
    """
    column = answer_column(values, name=name, has_options=False)
    if column.dtype.kind != "b":
        strange = column[(column != 0) & (column != 1)].tolist()
        if strange and isinstance(strange[0], str):
            raise InputError(
                f"expected {name} to hold booleans or numbers 0 and 1, got {strange[0]!r}: "
                f"compare answers with count_flips, or convert the verdicts"
            )
        if strange:
            raise InputError(
                f"expected {name} to hold only 0 and 1, got {strange[0]!r}: "
                f"make a score a verdict with a threshold, as in score >= 0.5"
            )
    flags: Flags = column.astype(bool)
    return flags


def _compared(compare: Callable[[Any, Any], Any], left: Column, right: Column) -> Flags:
    if not _compare_exactly(left.dtype, right.dtype):
        left, right = left.astype(object), right.astype(object)
    flags: Flags = compare(left, right)
    return flags if flags.dtype == bool else flags.astype(bool)


def _compare_exactly(left: np.dtype[Any], right: np.dtype[Any]) -> bool:
    """Whether numpy compares values of two types without rounding, as Python does."""
    if left.kind == right.kind:
        return True
    if not {left.kind, right.kind} <= set("iuf"):
        return False
    integers = [dtype for dtype in (left, right) if dtype.kind in "iu"]
    # numpy converts uint64 and a signed integer, or a 64-bit integer and a float, to float64.
    return np.result_type(left, right).kind in "iu" or all(i.itemsize <= 4 for i in integers)


def check_same_index(*columns: Any) -> None:
    """Refuse pandas columns whose rows may belong to different items.

    Columns of one frame share its index. Columns of different frames are paired by an index of
    item names, one that has a name or holds no integers. Row numbers say nothing about items: two
    frames in different orders have the same ones.

    Raises
    ------
    InputError
        If the indexes differ, or hold row numbers of different frames.
    """
    indexes = [
        c.index
        for c in columns
        if type(c).__module__.partition(".")[0] == "pandas" and hasattr(c, "iloc")
    ]
    others = [index for index in indexes[1:] if not index.is_(indexes[0])]
    if any(not index.equals(indexes[0]) for index in others):
        raise InputError(
            "expected pandas columns with one index, got different indexes: join the frames by id "
            "with .merge first, or pair rows by position on purpose with .to_numpy()"
        )
    # An index of dtype int64 without a name is what filtering leaves of row numbers.
    if others and indexes[0].dtype.kind in "iu" and None in indexes[0].names:
        raise InputError(
            "expected pandas columns of one frame, or with an index of item names, got row numbers "
            "of different frames, which may be in different orders: join the frames by id with "
            ".merge first, or pair rows by position on purpose with .to_numpy()"
        )
