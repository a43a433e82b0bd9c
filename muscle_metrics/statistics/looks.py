"""Two looks at one growing sample: the level of each look that keeps the error of both.

After the first look anybody may choose how many items to add, and will choose by what it showed.
Half of the error for each look does not pay for this choice: by exact enumeration false PASS can
reach 5.8 % in place of 5 %. The level here does (Proschan and Hunsberger 1995).
"""

from __future__ import annotations

import math
from typing import Literal

from muscle_metrics.statistics.bisection import last_where
from muscle_metrics.statistics.interval import check_confidence, normal_quantile

__all__ = ["Looks", "look_confidence"]

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
    if looks == 1:
        return confidence
    # Worst case over every rule that chooses the added number: a + exp(-z_a^2 / 2) / 4 <= alpha.
    each = last_where(lambda error: _worst_error(error) <= alpha, 0.0, alpha)
    digits = 2 - math.floor(math.log10(each))
    scale = 10.0**digits
    return 1 - math.floor(each * scale) / scale


def _worst_error(each: float) -> float:
    return each + math.exp(-(normal_quantile(each) ** 2) / 2) / 4
