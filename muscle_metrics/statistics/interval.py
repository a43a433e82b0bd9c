"""Two bounds, a level and a side: shared by every interval; and the check of any other share."""

from __future__ import annotations

from statistics import NormalDist
from typing import Literal, NamedTuple, get_args

from muscle_metrics.errors import UsageError, check_choice

__all__ = [
    "Interval",
    "Side",
    "check_confidence",
    "check_share",
    "normal_quantile",
    "tail_levels",
]

Side = Literal["two-sided", "lower", "upper"]


class Interval(NamedTuple):
    """Two bounds, never a half-width.

    Examples
    --------
    >>> low, high = Interval(0.1, 0.3)
    >>> print(Interval(0.1, 0.3))
    [0.1000, 0.3000]
    """

    low: float
    high: float

    def __str__(self) -> str:
        return f"[{self.low:.4f}, {self.high:.4f}]"


def check_confidence(confidence: float) -> float:
    """Return `confidence` if it is a level strictly between 0 and 1.

    Raises
    ------
    UsageError
        If it is not; a percentage such as 95 is the usual mistake.
    """
    if isinstance(confidence, (int, float)) and 0 < confidence < 1:
        return confidence
    raise UsageError(
        f"expected a confidence level between 0 and 1, got {confidence!r}: write 95 % as 0.95"
    )


def check_share(name: str, value: float) -> float:
    """Return `value`, a limit, a power or an error rate, if it lies strictly between 0 and 1.

    Raises
    ------
    UsageError
        If `value` does not; a percentage such as 2 is the usual mistake.
    """
    if isinstance(value, (int, float)) and 0 < value < 1:
        return value
    raise UsageError(f"expected {name} strictly between 0 and 1, got {value!r}: write 2 % as 0.02")


def tail_levels(confidence: float, side: Side) -> tuple[float, float]:
    """Probability left outside an interval, below it and above it.

    Returns
    -------
    tuple of float
        ``(below, above)``; the open side of a one-sided bound leaves nothing outside.
    """
    alpha = 1 - check_confidence(confidence)
    check_choice("side", side, get_args(Side))
    if side == "two-sided":
        return alpha / 2, alpha / 2
    return (alpha, 0.0) if side == "lower" else (0.0, alpha)


def normal_quantile(alpha: float) -> float:
    """Return the point that a standard normal variable exceeds with probability `alpha`."""
    return -NormalDist().inv_cdf(alpha)
