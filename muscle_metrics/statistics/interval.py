"""Two bounds, a level and a side: what every interval in this package has in common."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

from muscle_metrics.errors import UsageError

__all__ = ["Interval", "Side", "check_confidence", "tail_levels"]

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

    Examples
    --------
    >>> check_confidence(0.95)
    0.95
    """
    if isinstance(confidence, (int, float)) and 0 < confidence < 1:
        return confidence
    raise UsageError(
        f"expected a confidence level between 0 and 1, got {confidence!r}: write 95 % as 0.95"
    )


def tail_levels(confidence: float, side: Side) -> tuple[float, float]:
    """Probability left outside an interval, below it and above it.

    Returns
    -------
    tuple of float
        ``(below, above)``; the open side of a one-sided bound leaves nothing outside.

    Examples
    --------
    >>> tail_levels(0.75, "two-sided")
    (0.125, 0.125)
    >>> tail_levels(0.75, "upper")
    (0.0, 0.25)
    """
    alpha = 1 - check_confidence(confidence)
    if side == "two-sided":
        return alpha / 2, alpha / 2
    if side == "lower":
        return alpha, 0.0
    if side == "upper":
        return 0.0, alpha
    raise UsageError(f"expected side to be one of {list(get_args(Side))}, got {side!r}")
