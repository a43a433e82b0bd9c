"""Estimates of one prompt from its right generations, as tables: old in rows and new in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["estimates"]

# More failures in a row than this are no clearer sign that a prompt broke.
_MOST_IN_A_ROW = 8


def estimates(old_total: int, new_total: int) -> dict[str, Floats]:
    """Return every estimate for so many generations of the old and of the new model, at least 2.

    Returns
    -------
    dict of str to numpy.ndarray, shape (old_total + 1, new_total + 1)
        An entry of each table is the estimate for as many right generations as its row and column
        say.

    Examples
    --------
    >>> estimates(2, 2)["flip_rate"].tolist()
    [[0.0, 0.0, 0.0], [0.5, 0.25, 0.0], [1.0, 0.5, 0.0]]
    """
    old = np.arange(old_total + 1)[:, None]
    new = np.arange(new_total + 1)[None, :]
    p, q = old / old_total, new / new_total
    flip_rate = p * (1 - q)
    floor = (old * (1 - p) / (old_total - 1) + new * (1 - q) / (new_total - 1)) / 2
    # Products of integers: shares of different totals would tie only up to rounding.
    right_held_out = (old - 1) * (new_total - 1) - new * (old_total - 1)
    wrong_held_out = old * (new_total - 1) - (new - 1) * (old_total - 1)
    tie = 0.5 if min(old_total, new_total) == 2 else 0.0
    gain = p * (1 - q) * np.heaviside(right_held_out, tie)
    loss = (1 - p) * q * np.heaviside(wrong_held_out, tie)
    both_old = p * (old - 1) / (old_total - 1)
    both_new_wrong = (1 - q) * (new_total - new - 1) / (new_total - 1)
    return {
        "flip_rate": flip_rate,
        "floor": floor,
        "excess": flip_rate - floor,
        "excess_at_most": _never_rising(flip_rate - floor),
        "regression_mass": gain - loss,
        "net_loss": p - q,
        "collapse": _collapse(old_total, new_total),
        "repeat_variance": flip_rate**2 - both_old * both_new_wrong,
    }


def _collapse(old_total: int, new_total: int) -> Floats:
    """Return unbiased estimates of ``p ((1 - q)**r - (1 - p)**r)``, which fall with every column.

    Drawn without replacement, r of the new generations are all wrong with expectation
    ``(1 - q)**r``; one of the old is right and r others are wrong with expectation
    ``p (1 - p)**r``. From q = 0, where the difference is at most p, to q = p, where it is 0, it is
    convex and so at most p - q; beyond p it is negative.
    """
    in_a_row = min(old_total - 1, new_total, _MOST_IN_A_ROW)
    right = np.arange(old_total + 1) / old_total
    new_fails = _all_of(np.arange(new_total, -1, -1), new_total, in_a_row)
    old_fails = _all_of(np.arange(old_total, -1, -1), old_total - 1, in_a_row)
    return right[:, None] * (new_fails[None, :] - old_fails[:, None])


def _all_of(wrong: NDArray[np.int64], total: int, drawn: int) -> Floats:
    """Return the chance that all generations drawn are wrong, without replacement."""
    steps = np.arange(drawn)
    chances: Floats = np.prod(np.maximum(wrong[:, None] - steps, 0) / (total - steps), axis=1)
    return chances


def _never_rising(table: Floats) -> Floats:
    """Return the smallest table above this one that falls with every column."""
    return np.maximum.accumulate(table[:, ::-1], axis=1)[:, ::-1]
