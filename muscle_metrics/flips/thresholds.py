"""When a score reaches a threshold: the one rule for scores in memory, in files and in text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["RECORDED_TIE", "reaches", "threshold_sign"]

RECORDED_TIE = 1e-6
"""Scores that were stored differ by rounding of up to this much."""


def reaches(
    scores: npt.NDArray[np.float64],
    threshold: float,
    *,
    tie: float,
    strict: bool = False,
    higher_is_better: bool = True,
) -> npt.NDArray[np.bool_]:
    """Whether each score is as good as a threshold, up to a tie.

    Parameters
    ----------
    scores : numpy.ndarray of float64, shape (N,)
        One score per item.
    threshold : float
        The worst score that is right.
    tie : float
        Scores that differ by at most this much are the same score.
    strict : bool
        Whether a score must be better than the threshold, and so by more than `tie`.
    higher_is_better : bool
        Whether a larger score is better.

    Returns
    -------
    numpy.ndarray of bool, shape (N,)

    Examples
    --------
    >>> import numpy as np
    >>> reaches(np.array([0.7999999999999999, 0.7]), 0.8, tie=1e-9)
    array([ True, False])
    """
    ahead = scores - threshold if higher_is_better else threshold - scores
    flags: npt.NDArray[np.bool_] = ahead > tie if strict else ahead >= -tie
    return flags


def threshold_sign(*, strict: bool = False, higher_is_better: bool = True) -> str:
    """Write how scores are compared with a threshold.

    Examples
    --------
    >>> threshold_sign(), threshold_sign(strict=True, higher_is_better=False)
    ('>=', '<')
    """
    return (">" if higher_is_better else "<") + ("" if strict else "=")
