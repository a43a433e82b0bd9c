"""Laws of sums in equal steps: the part of the normal law, and the value that a sum exceeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["STEPS", "Mass", "exceeded", "normal_mass"]

STEPS = 4096
"""Steps over the range of a sum."""


class Mass(NamedTuple):
    """Probabilities of equal steps of a value; the first step begins at `start`."""

    start: float
    shares: Floats


def exceeded(mass: Mass, step: float, sums: int, alpha: float) -> float:
    """Return the value that a sum of values in steps exceeds with a probability.

    Examples
    --------
    >>> round(exceeded(Mass(0.0, np.full(100, 0.01)), 0.01, 1, 0.05), 9)
    0.95
    """
    beyond = np.append(np.cumsum(mass.shares[::-1])[::-1], 0.0) / mass.shares.sum()
    # A sum of values that lie in the middle of their steps.
    values = mass.start + step * (np.arange(beyond.size) + (sums - 1) / 2)
    return float(np.interp(-alpha, -beyond, values))


def normal_mass(deviation: float, step: float) -> Mass:
    """Return the normal law around 0 in steps; one step where it is narrow.

    Examples
    --------
    >>> normal_mass(0.001, 0.1).shares
    array([1.])
    """
    from scipy.special import ndtr

    if deviation <= step / 8:
        return Mass(0.0, np.ones(1))
    reach = int(np.ceil(8 * deviation / step))
    edges = step * (np.arange(2 * reach + 2) - reach - 0.5)
    return Mass(-step * reach, np.diff(ndtr(edges / deviation)))
