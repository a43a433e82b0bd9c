"""Numbers as a page says them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from muscle_metrics.words.escape import shorten

if TYPE_CHECKING:
    from muscle_metrics.statistics.interval import Interval

__all__ = [
    "brief",
    "counted",
    "percent",
    "percent_range",
    "place",
    "points",
    "score",
    "score_range",
    "signed",
]


# An id may be a whole question, and a slice anything.
BRIEF = 160


def brief(text: str) -> str:
    """Name of something, of a length that a line can hold.

    Examples
    --------
    >>> len(brief("x" * 5000))
    160
    """
    return shorten(text, BRIEF)


def counted(count: int, noun: str) -> str:
    """Count of things, with its plural.

    Examples
    --------
    >>> counted(1, "item"), counted(12032, "item")
    ('1 item', '12,032 items')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def percent(share: float, digits: int = 1) -> str:
    """Share in percent.

    Examples
    --------
    >>> percent(0.0751), percent(float("nan"))
    ('7.5%', 'undefined')
    """
    return "undefined" if math.isnan(share) else f"{share:.{digits}%}"


def percent_range(interval: Interval, digits: int = 1) -> str:
    """Interval of a share.

    Examples
    --------
    >>> from muscle_metrics import Interval
    >>> percent_range(Interval(0.0518, 0.1078))
    '5.2% to 10.8%'
    """
    return f"{interval.low:.{digits}%} to {interval.high:.{digits}%}"


def points(change: float, digits: int = 1) -> str:
    """Difference of two shares in percentage points, with its sign.

    Examples
    --------
    >>> points(-0.0462)
    '−4.6'
    """
    return signed(f"{100 * change:+.{digits}f}")


def score(value: float, *, sign: bool = False) -> str:
    """Score, or with its sign a change of one.

    Examples
    --------
    >>> score(0.25), score(-0.25, sign=True)
    ('0.2500', '−0.2500')
    """
    if math.isnan(value):
        return "undefined"
    return signed(f"{value:+.4f}" if sign else f"{value:.4f}")


def score_range(interval: Interval, *, sign: bool = False) -> str:
    """Interval of a score.

    Examples
    --------
    >>> from muscle_metrics import Interval
    >>> score_range(Interval(0.1, 0.2))
    '0.1000 to 0.2000'
    """
    return f"{score(interval.low, sign=sign)} to {score(interval.high, sign=sign)}"


def place(share: float) -> str:
    """Place or size on a chart, for a style sheet or a drawing.

    Examples
    --------
    >>> place(1 / 3)
    '33.333%'
    """
    return f"{100 * min(max(share, 0.0), 1.0):.3f}%"


def signed(number: str) -> str:
    """Numbers with a true minus sign.

    Examples
    --------
    >>> signed("-1 to +1")
    '−1 to +1'
    """
    # A hyphen is shorter than a plus, and lines of numbers would not align.
    return number.replace("-", "\N{MINUS SIGN}")
