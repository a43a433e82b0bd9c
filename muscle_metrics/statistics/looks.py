"""Two looks at one growing sample: the level of each look that keeps the error of both.

After the first look anybody may choose how many items to add, and will choose by what it showed.
Half of the error for each look does not pay for this choice: by exact enumeration false PASS can
reach 5.8 % in place of 5 %. The level here does (Proschan and Hunsberger 1995).

Over several criteria each look corrects its own p-values by Holm's method. Of `k` criteria at their
limits the first that a look rejects is rejected at ``alpha / k`` or less. So each of them gets the
error of a look that belongs to ``alpha / k``: over both looks it is rejected with at most this
chance, and any of the ``k`` with at most ``alpha``, in any dependence.
"""

from __future__ import annotations

import math
from typing import Literal

from muscle_metrics.statistics.bisection import last_where
from muscle_metrics.statistics.interval import check_confidence, normal_quantile

__all__ = ["Looks", "look_confidence", "look_error"]

Looks = Literal[1, 2]


def look_confidence(confidence: float, looks: Looks) -> float:
    """One-sided level of each look, so that all looks together err as rarely as `confidence` says.

    The second look holds the items of the first one and any number of new ones, also a number that
    was chosen after the first look.

    Parameters
    ----------
    confidence : float
        One-sided level of the whole plan, above 0.5 and below 1.
    looks : {1, 2}
        Looks that were planned before the first one.

    Returns
    -------
    float
        `confidence` itself for one look; its error has three digits for two.

    Raises
    ------
    UsageError
        If the level is not between 0 and 1.

    Examples
    --------
    >>> look_confidence(0.95, looks=2)
    0.9802
    """
    alpha = 1 - check_confidence(confidence)
    return confidence if looks == 1 else 1 - look_error(alpha, looks)


def look_error(alpha: float, looks: Looks) -> float:
    """One-sided error of each look, so that all looks together err with probability `alpha`.

    Parameters
    ----------
    alpha : float
        Error of the whole plan, between 0 and 0.5.
    looks : {1, 2}
        Looks that were planned before the first one.

    Returns
    -------
    float
        `alpha` itself for one look; three digits, rounded down, for two. Half of the error of the
        plan has less than half of this, so Holm's method takes its parts of `alpha` itself.

    Examples
    --------
    >>> look_error(0.05, looks=2), look_error(0.025, looks=2)
    (0.0198, 0.0093)
    """
    if looks == 1:
        return alpha
    # Worst case over every rule that chooses the added number: a + exp(-z_a^2 / 2) / 4 <= alpha.
    each = last_where(lambda error: _worst_error(error) <= alpha, 0.0, alpha)
    digits = 2 - math.floor(math.log10(each))
    scale = 10.0**digits
    return math.floor(each * scale) / scale


def _worst_error(each: float) -> float:
    return each + math.exp(-(normal_quantile(each) ** 2) / 2) / 4
