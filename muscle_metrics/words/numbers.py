"""Counts, shares and scores as every table, report and message writes them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction

__all__ = [
    "counted",
    "percent",
    "percent_range",
    "plural",
    "points",
    "points_range",
    "ratio",
    "score",
    "score_range",
    "short_percent",
    "true_minus",
]

UNDEFINED = "undefined"
_LARGE = 1e15

# Two bounds, low and high.
Bounds = tuple[float, float]


def plural(noun: str, count: int) -> str:
    """Noun that agrees with a count.

    Examples
    --------
    >>> plural("item", 1), plural("item", 0)
    ('item', 'items')
    """
    return noun if count == 1 else f"{noun}s"


def counted(count: int, noun: str, separator: str = "") -> str:
    """Count and its noun; `separator` goes between thousands.

    Examples
    --------
    >>> counted(1, "item"), counted(12032, "item", ",")
    ('1 item', '12,032 items')
    """
    number = f"{count:,}".replace(",", separator)
    return f"{number} {plural(noun, count)}"


def percent(share: float, digits: int = 2) -> str:
    """Share in percent.

    Examples
    --------
    >>> percent(0.0751), percent(float("nan"))
    ('7.51%', 'undefined')
    """
    # A share may be a Rate or a Fraction, which format in their own way.
    return UNDEFINED if math.isnan(share) else f"{float(share):.{digits}%}"


def percent_range(bounds: Bounds, digits: int = 2) -> str:
    """Bounds of a share."""
    return _range(*(percent(bound, digits) for bound in bounds))


def short_percent(share: float | Fraction) -> str:
    """Share in percent with as many digits as it needs, as a person writes a limit.

    Examples
    --------
    >>> short_percent(0.02), short_percent(0.005)
    ('2%', '0.5%')
    """
    return f"{float(100 * share):g}%"


def points(change: float, digits: int = 1) -> str:
    """Difference of two shares in percentage points, with its sign.

    Examples
    --------
    >>> points(-0.0462)
    '-4.6'
    """
    return UNDEFINED if math.isnan(change) else f"{100 * change:+.{digits}f}"


def points_range(bounds: Bounds, digits: int = 1) -> str:
    """Bounds of a difference of two shares."""
    return _range(*(points(bound, digits) for bound in bounds))


def ratio(value: float) -> str:
    """Ratio of two rates."""
    return UNDEFINED if math.isnan(value) else f"{value:.2f}"


def score(value: float, *, sign: bool = False) -> str:
    """Score; with its sign a change of one.

    Examples
    --------
    >>> score(0.25), score(0.25, sign=True), score(1e100)
    ('0.2500', '+0.2500', '1e+100')
    """
    if math.isnan(value):
        return UNDEFINED
    # Decimals of large numbers are no digits of a float, and up to 300 characters.
    digits = ".4f" if abs(value) < _LARGE else ".6g"
    return f"{float(value):{'+' if sign else ''}{digits}}"


def score_range(bounds: Bounds, *, sign: bool = False) -> str:
    """Bounds of a score, or with their signs of a change of one."""
    return _range(*(score(bound, sign=sign) for bound in bounds))


def true_minus(number: str) -> str:
    """Replace hyphens by minus signs: a hyphen is shorter than a plus, and columns would not align.

    Examples
    --------
    >>> true_minus("-1 to +1")
    '−1 to +1'
    """
    return number.replace("-", "\N{MINUS SIGN}")


def _range(low: str, high: str) -> str:
    return f"{low} to {high}"
