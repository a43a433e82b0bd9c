"""Whether a judge errs in one direction on one of two models: a paired score test."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from muscle_metrics.errors import InputError

if TYPE_CHECKING:
    import numpy.typing as npt
    from numpy.typing import ArrayLike

    Floats = npt.NDArray[np.float64]

__all__ = ["FEWEST_ERRORS", "Leniency", "leniency_test"]

FEWEST_ERRORS = 10
"""Below this many items on which the judge errs nothing is tested."""


class Leniency(NamedTuple):
    """How much more often a judge passes new answers than old ones that are as right.

    Parameters
    ----------
    difference : float
        Share of answers, new minus old, pooled over right and wrong answers; above 0 the judge is
        lenient on new. nan where nothing can be compared.
    p_value : float
        Two-sided; 1 where too few errors were seen.
    """

    difference: float
    p_value: float


def leniency_test(
    right: ArrayLike, judged: ArrayLike, weights: ArrayLike | None = None
) -> Leniency:
    """Test whether a judge says "right" as often of old answers as of new ones that are as right.

    Among right answers, and among wrong ones, the judge may pass the same share of either model.
    What differs from that is summed over both kinds (Mantel-Haenszel), and its variance is taken
    over items, so that both answers of an item may depend on each other.

    Parameters
    ----------
    right : array_like of bool, shape (items, 2)
        Whether the old and the new answer of each labelled item are right, by people.
    judged : array_like of bool, shape (items, 2)
        Whether they are right by the judge.
    weights : array_like of float, shape (items,), optional
        How many items each labelled one stands for, in any unit; 1 by default.

    Returns
    -------
    Leniency

    Raises
    ------
    InputError
        If the shapes do not fit.

    Notes
    -----
    The test compares error rates and not means: a judge that errs alike on both models flatters
    the worse one, and is not lenient. Its level is asymptotic; simulated on 30 to 400 labels it
    errs in at most about 6 % at p = .05.

    References
    ----------
    Mantel and Haenszel, "Statistical Aspects of the Analysis of Data From Retrospective Studies of
    Disease", Journal of the National Cancer Institute 22 (1959), 719-748.

    Examples
    --------
    A judge passes 30 of 100 wrong new answers, and 10 of 100 wrong old ones.

    >>> right = np.zeros((200, 2), dtype=bool)
    >>> right[:100, 0] = right[100:, 1] = True
    >>> judged = right.copy()
    >>> judged[:30, 1] = judged[100:110, 0] = True
    >>> found = leniency_test(right, judged)
    >>> round(found.difference, 3), round(found.p_value, 5)
    (0.1, 0.00107)
    """
    from scipy.special import stdtr

    truth, verdicts = np.asarray(right, dtype=bool), np.asarray(judged, dtype=bool)
    mass = np.ones(len(truth)) if weights is None else np.asarray(weights, dtype=np.float64)
    if truth.shape != verdicts.shape or truth.shape != (len(mass), 2):
        raise InputError(
            f"expected labels and verdicts of two answers per item, got shapes {truth.shape}, "
            f"{verdicts.shape} and {len(mass)} weights: pass one row per item"
        )
    errors = int((truth != verdicts).any(axis=1).sum())
    parts, total = np.zeros(len(mass)), 0.0
    for kind in (True, False):
        part, size = _shift(truth == kind, verdicts, mass)
        parts, total = parts + part, total + size
    if not total:
        return Leniency(math.nan, 1.0)
    shift, spread = float(parts.sum()), math.sqrt(float(parts @ parts))
    if errors < FEWEST_ERRORS or not spread:
        return Leniency(shift / total, 1.0)
    # The variance rests on the items with an error, so few of them need Student's law.
    return Leniency(shift / total, 2 * float(stdtr(errors - 1, -abs(shift) / spread)))


def _shift(
    is_kind: npt.NDArray[np.bool_], judged: npt.NDArray[np.bool_], mass: Floats
) -> tuple[Floats, float]:
    """Part of each item in what the judge passes more of new, among answers of one kind."""
    old, new = (is_kind[:, side] * mass for side in (0, 1))
    of_old, of_new = float(old.sum()), float(new.sum())
    if not of_old or not of_new:
        return np.zeros(len(mass)), 0.0
    common = float(old @ judged[:, 0] + new @ judged[:, 1]) / (of_old + of_new)
    # Mantel-Haenszel weights: the harmonic mean of both sizes.
    size = of_old * of_new / (of_old + of_new)
    part = size * (new * (judged[:, 1] - common) / of_new - old * (judged[:, 0] - common) / of_old)
    return part, size
