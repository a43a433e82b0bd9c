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

_STEP, _NODES, _MOST_NODES = 1 / 8, 32, 96
_AGREEMENT, _NEGLIGIBLE = 1e-7, 1e-14
_STEP_DOWN, _NODES_DOWN, _MOST_CORRECTIONS = 1 / 3, 26, 30


def log_chance_positive(scales: Floats, shapes: Floats) -> float:
    """Return ``log P(sum(scale * Gamma(shape)) > 0)``, for scales of both signs.

    The probability is the integral of ``exp(f(s))`` over a line that passes 0 on its right, divided
    by ``2 pi i``, where ``f(s) = K(s) - log(s)`` and ``K`` is the cumulant generating function.
    The line may be bent into any contour through the saddle point of ``f``, between the same poles.

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
    if scales @ shapes > 0:
        # Near 1 the integrand oscillates: take the chance of the opposite from 1.
        return math.log1p(-math.exp(log_chance_positive(-scales, shapes)))
    # The chance does not depend on the unit, but squares of tiny numbers are 0.
    scales = scales / np.abs(scales).max()
    saddle, curvature = _saddle_point(scales, shapes)
    tilted = scales / (1 - saddle * scales)
    integral = _along_hyperbola(tilted, shapes, saddle, 1 / math.sqrt(curvature))
    if integral is None:
        integral = _along_steepest_descent(tilted, shapes, saddle, 1 / math.sqrt(curvature))
    peak = -float(shapes @ np.log1p(-saddle * scales))
    return peak + math.log(integral / saddle / math.pi)


def _along_hyperbola(tilted: Floats, shapes: Floats, saddle: float, width: float) -> float | None:
    """Integrate along a hyperbola, all nodes at once; None if terms cancel or do not converge.

    The hyperbola bends to the side of the skewness of the sum. There the integrand falls.
    """
    bend = float(shapes @ tilted**3) / float(shapes @ tilted**2) ** 1.5
    terms = np.empty(0, dtype=np.complex128)
    falls = False
    while terms.size < _MOST_NODES and not falls:
        nodes = (terms.size + np.arange(_NODES)) * _STEP
        points = width * (bend * (np.cosh(nodes) - 1) + 1j * np.sinh(nodes))
        slopes = width * (bend * np.sinh(nodes) + 1j * np.cosh(nodes))
        # Real parts and angles of log(1 - point * tilted): real functions are faster.
        ahead, aside = np.outer(points.real, tilted), np.outer(points.imag, tilted)
        sizes = np.log1p(ahead * (ahead - 2) + aside * aside) @ shapes / 2
        angles = np.arctan2(aside, 1 - ahead) @ shapes
        # The factor 1 / s is one more variable, with a pole at 0.
        logs = sizes - 1j * angles + np.log1p(points / saddle)
        if logs.real.min() < -1:
            return None
        terms = np.append(terms, np.exp(-logs) * slopes)
        falls = abs(terms[-1]) < _NEGLIGIBLE * width
    terms[0] /= 2
    total, half = float(terms.imag.sum()), 2 * float(terms[::2].imag.sum())
    converges = falls and abs(total - half) < _AGREEMENT * total
    return total * _STEP if converges and 2 * total > np.abs(terms).sum() else None


def _along_steepest_descent(tilted: Floats, shapes: Floats, saddle: float, width: float) -> float:
    """Integrate along the path on which ``f`` is real and falls as ``-t**2 / 2``, node by node.

    There the trapezoidal rule in ``t`` converges geometrically. All saddle points are real, so this
    path meets no other one.
    """
    log_point, direction = 0j, 1j * width / saddle
    total = direction.imag / 2
    for node in range(1, _NODES_DOWN):
        t = node * _STEP_DOWN
        log_point += _STEP_DOWN * direction
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
    return saddle * total * _STEP_DOWN


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
