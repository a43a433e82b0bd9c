"""Which numbers are scores: those whose differences, squares and sums are finite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import SupportsAbs

__all__ = ["LARGEST_SCORE", "is_score"]

LARGEST_SCORE = 1e100
"""Size of the largest score: floats end at 1.8e308, and variances add squares of differences."""


def is_score(value: SupportsAbs[Any]) -> bool:
    """Whether a number is no NaN, no infinity, and not too large to compute with.

    Examples
    --------
    >>> is_score(-0.5), is_score(1e308), is_score(10**400), is_score(float("nan"))
    (True, False, False, False)
    """
    return bool(abs(value) <= LARGEST_SCORE)
