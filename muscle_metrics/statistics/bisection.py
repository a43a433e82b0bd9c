"""Bisection to the last double: the search behind every bound without a formula."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["last_where"]


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
