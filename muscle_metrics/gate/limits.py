"""Limits that a person wrote, as exact fractions; what is no limit is refused."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from muscle_metrics.errors import UsageError
from muscle_metrics.words.escape import shorten, visible

__all__ = [
    "Limit",
    "brief_value",
    "coverage_of",
    "fraction_of",
    "names_of",
    "positive_of",
    "share_of",
]

Limit = Fraction | str | int | float

# Characters of a limit, and of its value written without an exponent.
_LONGEST = 60


def names_of(name: str, values: Any) -> tuple[str, ...]:
    """List of texts that a policy names."""
    collection = isinstance(values, (list, tuple, set, frozenset))
    if collection and all(isinstance(value, str) for value in values):
        return tuple(values)
    # Python would accept a string as a collection of letters.
    raise UsageError(f"expected a list of texts for {name}, got {brief_value(values)}")


def share_of(name: str, limit: Limit) -> Fraction:
    """Exact share above 0 and below 1.

    Examples
    --------
    >>> share_of("max_nfr", "0.02")
    Fraction(1, 50)
    """
    share = fraction_of(name, limit)
    if not 0 < share < 1:
        hint = (
            f"write {limit} % as {float(share / 100):g}"
            if share >= 1
            else "no number of items shows that nothing breaks; pin items that must not break"
        )
        raise UsageError(
            f"expected {name} to be a share between 0 and 1, got {brief_value(limit)}: {hint}"
        )
    return share


def coverage_of(least: Limit) -> Fraction:
    """Exact share of the items that must be compared, above 0 and at most 1."""
    share = fraction_of("min_coverage", least)
    if not 0 < share <= 1:
        hint = "1 asks for every item" if share > 1 else 'missing = "ignore" accepts any loss'
        raise UsageError(
            f"expected min_coverage to be a share above 0 and at most 1, got {brief_value(least)}: "
            f"{hint}"
        )
    return share


def positive_of(name: str, limit: Limit) -> Fraction:
    """Exact value above 0."""
    value = fraction_of(name, limit)
    if value <= 0:
        raise UsageError(f"expected {name} to be above 0, got {brief_value(limit)}")
    return value


def fraction_of(name: str, limit: Limit) -> Fraction:
    """Exact value of a limit, of a size and of digits that a person writes."""
    if isinstance(limit, Fraction):
        return limit
    try:
        text = str(limit)
        # Before the fraction is made: of 1e99999999 it has a hundred million digits.
        if len(text) > _LONGEST or ("/" not in text and abs(Decimal(text).adjusted()) > _LONGEST):
            raise ValueError(name)
        return Fraction(text)
    except (ValueError, ArithmeticError) as error:
        raise UsageError(
            f"expected {name} to be a number such as 0.02, got {brief_value(limit)}"
        ) from error


def brief_value(value: object) -> str:
    """Value as a person wrote it, short enough for a message."""
    try:
        return shorten(visible(repr(value)), _LONGEST)
    except ValueError:
        return "a number too long to read"
