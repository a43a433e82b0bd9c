"""False discoveries among many exact tests, whose p-values take a few values each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from muscle_metrics.errors import InputError
from muscle_metrics.statistics.interval import check_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["discrete_discoveries"]

# The same chance, computed for two supports, may differ by rounding.
_ROUNDING = 1 + 1e-9


def discrete_discoveries(
    p_values: ArrayLike, kinds: ArrayLike, supports: Sequence[ArrayLike], *, rate: float
) -> NDArray[np.bool_]:
    """Find the tests of which on average at most a share `rate` is a false discovery.

    Step-up procedure for discrete tests (DBH). A test counts against the others only with the
    chance that its p-value can be so small: one that no data could make significant costs nothing.

    Parameters
    ----------
    p_values : array_like of float, shape (tests,)
        One p-value per test, independent of each other.
    kinds : array_like of int, shape (tests,)
        Position in `supports` of the p-values that each test can have.
    supports : sequence of array_like of float, shape (values,)
        p-values in (0, 1] that a test can have, each its own chance under the hypothesis.
    rate : float
        Expected share of false ones among the discoveries, between 0 and 1.

    Returns
    -------
    numpy.ndarray of bool, shape (tests,)
        All tests up to some p-value.

    Raises
    ------
    InputError
        If lengths differ or a p-value is not one that its test can have.
    UsageError
        If the rate is not between 0 and 1.

    References
    ----------
    Doehler, Durand and Roquain, "New FDR bounds for discrete and heterogeneous tests", Electronic
    Journal of Statistics 12 (2018), 1867-1900, procedure [HSU]. Dropping tests that cannot be
    significant: Tarone, Biometrics 46 (1990), 515-522; Gilbert, Applied Statistics 54 (2005),
    143-158.

    Examples
    --------
    >>> coin, sure = [0.02, 1.0], [1.0]
    >>> discrete_discoveries([0.02, 1.0, 1.0], [0, 1, 1], [coin, sure], rate=0.05).tolist()
    [True, False, False]
    """
    check_share("rate", rate)
    values, which = np.asarray(p_values, dtype=np.float64), np.asarray(kinds, dtype=np.intp)
    if values.ndim != 1 or values.shape != which.shape:
        raise InputError(
            f"expected one kind for each p-value, got arrays of shape {values.shape} and "
            f"{which.shape}: pass two flat lists of one length"
        )
    known = [np.unique(np.asarray(support, dtype=np.float64)) for support in supports]
    _check_attainable(values, which, known)
    found = np.zeros(values.shape, dtype=bool)
    if not values.size:
        return found
    used, tests = np.unique(which, return_counts=True)
    points = np.unique(np.concatenate([known[kind] for kind in used]))
    # Chances of every kind to be at most each point, shape (points, kinds).
    chances = np.stack([_chance_below(known[kind], points) for kind in used], axis=1)
    with np.errstate(divide="ignore"):
        odds = np.where(chances < 1, chances / (1 - chances), np.inf)
    within = np.flatnonzero(odds @ tests <= rate * values.size)
    if not within.size:
        return found
    last = within[-1]
    # tau_m = points[last]; G(t) = sum_i F_i(t) / (1 - F_i(tau_m)) for t <= tau_m.
    false_ones = chances[: last + 1] @ (tests / (1 - chances[last]))
    number = np.searchsorted(np.sort(values), points[: last + 1] * _ROUNDING, side="right")
    kept = np.flatnonzero((false_ones <= rate * number) & (number > 0))
    if not kept.size:
        return found
    return np.asarray(values <= points[kept[-1]] * _ROUNDING)


def _chance_below(support: Floats, points: Floats) -> Floats:
    """Chance of a p-value of at most each point: the largest one that a test can have there."""
    padded = np.concatenate([[0.0], support])
    below: Floats = padded[np.searchsorted(support, points * _ROUNDING, side="right")]
    return below


def _check_attainable(values: Floats, which: NDArray[np.intp], known: Sequence[Floats]) -> None:
    unknown = np.flatnonzero((which < 0) | (which >= len(known)))
    if unknown.size:
        raise InputError(
            f"expected kinds from 0 to {len(known) - 1}, got {which[unknown[0]]} at position "
            f"{unknown[0]}: give the support of every kind"
        )
    for kind in np.unique(which).tolist():
        tests = np.flatnonzero(which == kind)
        distance = np.abs(known[kind][:, None] - values[tests]).min(axis=0)
        # Written so that nan is refused, too.
        wrong = tests[~(distance <= 1e-9 * values[tests])]
        if wrong.size:
            raise InputError(
                f"expected p-values that their tests can have, got {float(values[wrong[0]])!r} at "
                f"position {wrong[0]}: give all values of its kind in supports"
            )
