"""Estimates of one prompt from its right generations, as tables: old in rows and new in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["estimates", "fisher_tails"]

# A prompt got clearly worse if Fisher's exact test says so at this level.
_CLEAR = 0.05
# Noise adds most to clear losses at some chances p and q; so many of each are tried.
_TRIED = 200


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
    both_old = p * (old - 1) / (old_total - 1)
    both_new_wrong = (1 - q) * (new_total - new - 1) / (new_total - 1)
    return {
        "flip_rate": flip_rate,
        "floor": floor,
        "excess": flip_rate - floor,
        "excess_at_most": _never_rising(flip_rate - floor),
        "net_loss": p - q,
        "clear_loss": _clear_loss(old_total, new_total),
        "repeat_variance": flip_rate**2 - both_old * both_new_wrong,
    }


def _clear_loss(old_total: int, new_total: int) -> Floats:
    """Return estimates with a mean of at most ``max(p - q, 0)``, which fall with every column.

    A cell holds its loss if that loss is clear. Two runs of one model show clear losses too. Noise
    is ``p (1 - p)``, so every row pays the same multiple of its estimate. The multiple is the
    smallest one that keeps the mean below ``max(p - q, 0)`` for every p and q.
    """
    old, new = np.arange(old_total + 1)[:, None], np.arange(new_total + 1)[None, :]
    clear = fisher_tails(old_total, new_total) <= _CLEAR * (1 + 1e-9)
    # So few generations may be that not even a loss of all of them is clear.
    clear[old_total, 0] = True
    losses = np.where(clear, old / old_total - new / new_total, 0.0)
    p = np.sin(np.linspace(0, np.pi / 2, _TRIED + 2)[1:-1]) ** 2
    means = _chances(old_total, p) @ losses @ _chances(new_total, p).T
    beyond = means - np.maximum(p[:, None] - p, 0)
    # One hundredth more, for the chances between those tried.
    multiple = 1.01 * (beyond / (p * (1 - p))[:, None]).max()
    table: Floats = losses - multiple * old * (1 - old / old_total) / (old_total - 1)
    return table


def fisher_tails(old_total: int, new_total: int) -> Floats:
    """Return one-sided p-values of Fisher's exact test for a loss, for every table of counts.

    Returns
    -------
    numpy.ndarray, shape (old_total + 1, new_total + 1)
        In (0, 1], by right generations of the old model in rows and of the new one in columns. All
        p-values with the same sum of row and column are those that this sum allows.

    Examples
    --------
    >>> float(fisher_tails(5, 5)[5, 0].round(5))
    0.00397
    """
    old, new = np.arange(old_total + 1)[:, None], np.arange(new_total + 1)[None, :]
    right = _log_choose(old_total + new_total)[old + new]
    tail: Floats = np.exp(_log_choose(old_total)[old] + _log_choose(new_total)[new] - right)
    # A table is less extreme than the one with one more right under old and one less under new.
    for column in range(1, new_total + 1):
        tail[:-1, column] += tail[1:, column - 1]
    # Sums of many chances can exceed 1 by rounding.
    return np.minimum(tail, 1.0)


def _chances(total: int, p: Floats) -> Floats:
    """Return the binomial chances of every number of right generations, a row for each p."""
    right = np.arange(total + 1)
    logs = right * np.log(p)[:, None] + (total - right) * np.log1p(-p)[:, None]
    chances: Floats = np.exp(_log_choose(total) + logs)
    return chances


def _log_choose(total: int) -> Floats:
    """Return logarithms of the binomial coefficients of a total."""
    factorials = np.append(0.0, np.log(np.arange(1, total + 1)).cumsum())
    logs: Floats = factorials[-1] - factorials - factorials[::-1]
    return logs


def _never_rising(table: Floats) -> Floats:
    """Return the smallest table above this one that falls with every column."""
    return np.maximum.accumulate(table[:, ::-1], axis=1)[:, ::-1]
