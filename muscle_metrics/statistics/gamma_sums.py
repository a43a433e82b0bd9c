"""The chance that a weighted sum of independent Gamma variables is positive.

It is the one integral behind the bounds on a known range: flat Dirichlet weights are exponential
variables over their sum.
"""

from __future__ import annotations

import cmath
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["log_chance_positive"]

_STEP = 1 / 3
_NODES = 26
_MOST_CORRECTIONS = 30


def log_chance_positive(scales: Floats, shapes: Floats) -> float:
    """Return ``log P(sum(scale * Gamma(shape)) > 0)``, for scales of both signs.

    The probability is the integral of ``exp(f(s))`` over a line that passes 0 on its right, divided
    by ``2 pi i``, where ``f(s) = K(s) - log(s)`` and ``K`` is the cumulant generating function.
    The line is bent into the path of steepest descent, on which ``f`` is real and falls as
    ``-t**2 / 2``; there the trapezoidal rule in ``t`` converges geometrically. All saddle points
    are real, so this path meets no other one.

    Parameters
    ----------
    scales : numpy.ndarray of float, shape (k,)
        If none is positive, the chance is 0.
    shapes : numpy.ndarray of float, shape (k,)
        Positive; a whole number counts equal exponential variables.

    Returns
    -------
    float
        At most 0 up to rounding; minus infinity if the chance is 0.

    Examples
    --------
    The first of two equal variables is the larger one half of the time.

    >>> round(math.exp(log_chance_positive(np.array([1.0, -1.0]), np.ones(2))), 9)
    0.5
    """
    if not (scales > 0).any():
        return -math.inf
    saddle, curvature = _saddle_point(scales, shapes)
    tilted = scales / (1 - saddle * scales)
    log_point, direction = 0j, 1j / (saddle * math.sqrt(curvature))
    total = direction.imag / 2
    for node in range(1, _NODES):
        t = node * _STEP
        log_point += _STEP * direction
        for _ in range(_MOST_CORRECTIONS):
            point = cmath.exp(log_point)
            rest = 1 - saddle * (point - 1) * tilted
            fall = -complex(np.log(rest) @ shapes) - log_point + t * t / 2
            slope = saddle * point * complex((tilted / rest) @ shapes) - 1
            log_point -= fall / slope
            if abs(fall) < 1e-9 * abs(slope):
                break
        direction = -t / slope
        total += math.exp(-t * t / 2) * (point * direction).imag
    peak = -float(shapes @ np.log1p(-saddle * scales))
    return peak + math.log(total * _STEP / math.pi)


def _saddle_point(scales: Floats, shapes: Floats) -> tuple[float, float]:
    """Return where ``K(s) - log(s)`` is smallest right of 0, and its second derivative there."""
    from scipy.optimize import brentq

    largest = 1 / float(scales.max())

    def slope(share: float) -> float:
        point = share * largest
        return float(shapes @ (scales / (1 - point * scales))) - 1 / point

    # The slope rises from minus to plus infinity between 0 and 1 / max(scales).
    tiny = 1e-15
    point = largest * float(brentq(slope, tiny, 1 - tiny, xtol=1e-18, rtol=1e-14))
    tilted = scales / (1 - point * scales)
    return point, float(shapes @ tilted**2) + point**-2
