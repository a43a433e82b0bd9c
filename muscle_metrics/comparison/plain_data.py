"""Counts and rates as plain data for JSON: no nan, undefined is null, keys sorted."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from muscle_metrics.flips.counts import FlipCounts
from muscle_metrics.flips.rates import AccuracyChange, Rate
from muscle_metrics.words.escape import json_source

if TYPE_CHECKING:
    from muscle_metrics.flips.changes import ScoreFacts
    from muscle_metrics.flips.magnitudes import Mean

__all__ = ["SCHEMA_VERSION", "described_changes", "described_counts", "described_rate", "json_text"]

SCHEMA_VERSION = 1


def described_counts(counts: FlipCounts) -> dict[str, Any]:
    """Describe counts, every rate of the flip family, and McNemar's mid-p."""
    return {
        "counts": {name: getattr(counts, name) for name in FlipCounts.__slots__},
        "rates": {name: described_rate(rate) for name, rate in counts.rates().items()},
        "mcnemar_mid_p": counts.mcnemar().p_value,
    }


def described_changes(changes: ScoreFacts) -> dict[str, Any]:
    """Describe the gains and losses of a graded score."""
    rates = ("negative_flip_rate", "positive_flip_rate", "tie_rate")
    means = ("mean_change", "mean_gain", "mean_regression")
    return {
        "items": changes.total,
        "tie": changes.tie,
        "minimum_effect": changes.minimum_effect,
        "tolerance_sensitive": changes.tolerance_sensitive,
        **{name: described_rate(getattr(changes, name)) for name in rates},
        **{name: _described_mean(getattr(changes, name)) for name in means},
    }


def described_rate(rate: float) -> dict[str, Any]:
    """Describe a rate: its value and, if it has them, its count, total and 95 % interval.

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


def _described_mean(mean: Mean) -> dict[str, Any]:
    low, high = mean.interval()
    return {
        "value": None if math.isnan(mean) else float(mean),
        "items": mean.count,
        "low": low if math.isfinite(low) else None,
        "high": high if math.isfinite(high) else None,
        "method": mean.method,
    }


def json_text(data: dict[str, Any], indent: int | None) -> str:
    """Write plain data as JSON in ASCII, as `json_source`; the same data give the same bytes."""
    text = json.dumps(data, indent=indent, sort_keys=True, allow_nan=False, default=_plain)
    return json_source(text)


def _plain(value: Any) -> Any:
    # JSON knows neither numpy scalars nor numbers such as Decimal.
    return value.item() if hasattr(value, "item") else str(value)
