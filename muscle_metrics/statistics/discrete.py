"""False discoveries among many exact tests, whose p-values take a few values each."""

from __future__ import annotations

from collections import Counter
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
    used = [(known[kind], tests) for kind, tests in Counter(which.tolist()).items()]
    last = _largest_point(used, rate * values.size)
    points = np.unique(values[values <= last * _ROUNDING])
    # G(t) = sum_i F_i(t) / (1 - F_i(tau_m)) for t <= tau_m, one kind of tests after the other.
    false_ones = np.zeros(points.shape)
    for support, tests in used:
        chance_of_last = _chance_below(support, np.array([last]))[0]
        false_ones += tests * _chance_below(support, points) / (1 - chance_of_last)
    number = np.searchsorted(np.sort(values), points * _ROUNDING, side="right")
    kept = np.flatnonzero(false_ones <= rate * number)
    return np.asarray(values <= points[kept[-1]] * _ROUNDING) if kept.size else found


def _largest_point(used: Sequence[tuple[Floats, int]], most: float) -> float:
    """Return tau_m, the largest t with sum_i F_i(t) / (1 - F_i(t)) <= m rate; 0 without any."""
    points = np.unique(np.concatenate([[0.0], *(support for support, _ in used)]))

    def is_within(point: float) -> bool:
        chances = [(_chance_below(one, np.array([point]))[0], tests) for one, tests in used]
        return all(chance < 1 for chance, _ in chances) and most >= sum(
            tests * chance / (1 - chance) for chance, tests in chances
        )

    # The sum never falls: halve the points between one within and one beyond.
    within, beyond = 0, points.size
    while beyond - within > 1:
        middle = (within + beyond) // 2
        within, beyond = (middle, beyond) if is_within(float(points[middle])) else (within, middle)
    return float(points[within])


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
