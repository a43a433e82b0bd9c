"""Counts and rates as plain data for JSON: no nan, undefined is null, keys sorted."""

from __future__ import annotations

import json
import math
from typing import Any

from muscle_metrics.flips import FlipCounts
from muscle_metrics.rates import AccuracyChange, Rate

__all__ = ["SCHEMA_VERSION", "described_counts", "described_rate", "json_text"]

SCHEMA_VERSION = 1


def described_counts(counts: FlipCounts) -> dict[str, Any]:
    """Describe counts, every rate of the flip family, and McNemar's mid-p.

    Examples
    --------
    >>> counts = FlipCounts(both_right=1, negative=1, positive=0, both_wrong=0)
    >>> described_counts(counts)["counts"]["negative"]
    1
    """
    return {
        "counts": {name: getattr(counts, name) for name in FlipCounts.__slots__},
        "rates": {name: described_rate(rate) for name, rate in counts.rates().items()},
        "mcnemar_mid_p": counts.mcnemar().p_value,
    }


def described_rate(rate: float) -> dict[str, Any]:
    """Describe a rate: value, and where it has them, count, total and 95 % interval.

    Examples
    --------
    >>> described_rate(Rate(0, 0))
    {'value': None, 'count': 0, 'total': 0}
    """
    undefined = math.isnan(rate)
    described: dict[str, Any] = {"value": None if undefined else float(rate)}
    if isinstance(rate, Rate):
        described |= {"count": rate.count, "total": rate.total}
    if isinstance(rate, (Rate, AccuracyChange)) and not undefined:
        described["low"], described["high"] = rate.interval()
    return described


def json_text(data: dict[str, Any], indent: int | None) -> str:
    """Write plain data as JSON; the same data give the same bytes.

    Examples
    --------
    >>> json_text({"b": 1, "a": None}, None)
    '{"a": null, "b": 1}'
    """
    return json.dumps(data, indent=indent, sort_keys=True, allow_nan=False, default=_plain)


def _plain(value: Any) -> Any:
    # numpy scalars, and numbers such as Decimal that JSON does not know.
    return value.item() if hasattr(value, "item") else str(value)
