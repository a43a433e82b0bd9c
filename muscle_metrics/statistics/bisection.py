"""Searches for a point of a condition or a function, where a bound has no formula."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["falling_root", "last_where"]


def last_where(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Largest number between `low` and `high` at which a condition still holds.

    Halves the range until no double lies between its ends, so the answer is as good as the
    condition itself, however small it is; a tolerance would be wrong for a rate of 1e-12.

    Parameters
    ----------
    holds : callable
        Takes a float, returns a bool; true from `low` up to some point and false beyond it.
    low, high : float
        Ends of the range. The condition is taken to hold at `low` and to fail at `high`.

    Returns
    -------
    float
        The last double at which the condition was seen to hold.
    """
    while low < (middle := (low + high) / 2) < high:
        if holds(middle):
            low = middle
        else:
            high = middle
    return low


def falling_root(function: Callable[[float], float], start: float) -> float:
    """Root of a falling function on the whole line.

    Parameters
    ----------
    function : callable
        Takes and returns a float; positive far to the left and negative far to the right.
    start : float
        Where the search begins; the steps to both sides double.

    Returns
    -------
    float
        The root, to 12 digits or 1e-12.

    Examples
    --------
    >>> falling_root(lambda x: 5 - x, 0.0)
    5.0
    """
    from scipy.optimize import brentq

    low, high = _walk(function, start, -0.5), _walk(function, start, 0.5)
    return float(brentq(function, low, high, xtol=1e-12, rtol=1e-12))


def _walk(function: Callable[[float], float], start: float, step: float) -> float:
    """Return a point on the other side of the root of a falling function, in doubling steps."""
    while function(start) * step > 0:
        start, step = start + step, 2 * step
    return start
