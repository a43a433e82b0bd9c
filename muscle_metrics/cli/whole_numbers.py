"""Whole numbers that options take, of a size that counts something."""

from __future__ import annotations

import argparse
import re

__all__ = ["count", "number"]

MOST = 10**9
_WHOLE = re.compile(r"[+-]?[0-9]{1,10}")


def number(text: str, least: int = 0) -> int:
    """Whole number of at least 0, for argparse; larger ones than a billion count nothing."""
    # Python reads other digits, and texts of millions of them slowly.
    value = int(text) if _WHOLE.fullmatch(text) else -1
    if not least <= value <= MOST:
        raise argparse.ArgumentTypeError(
            f"expected a whole number from {least} to {MOST}, got {text[:60]!r}"
        )
    return value


def count(text: str) -> int:
    """Whole number of at least 1, for argparse."""
    return number(text, 1)
