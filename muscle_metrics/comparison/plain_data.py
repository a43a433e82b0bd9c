"""Counts and rates as plain data for JSON: no nan, undefined is null, keys sorted."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from muscle_metrics.flips.counts import FlipCounts
from muscle_metrics.flips.rates import Rate
from muscle_metrics.words.escape import json_source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from muscle_metrics.evidence.evidence import Bounds
    from muscle_metrics.evidence.repeats import NoisePart
    from muscle_metrics.flips.changes import ScoreFacts
    from muscle_metrics.flips.magnitudes import Mean

    BoundsOf = Callable[[str], Bounds | None]

__all__ = [
    "SCHEMA_VERSION",
    "described_changes",
    "described_counts",
    "described_noise",
    "described_rate",
    "json_text",
]

SCHEMA_VERSION = 1


def described_counts(
    counts: FlipCounts, bounds: BoundsOf, *, is_clustered: bool = False
) -> dict[str, Any]:
    """Describe counts, every rate of the flip family, and McNemar's mid-p.

    The test takes items as independent, so there is none where rows depend on each other.
    """
    return {
        "counts": {name: getattr(counts, name) for name in FlipCounts.__slots__},
        "rates": {
            name: described_rate(rate, bounds(name)) for name, rate in counts.rates().items()
        },
        "mcnemar_mid_p": None if is_clustered else counts.mcnemar().p_value,
    }


def described_changes(changes: ScoreFacts, bounds: BoundsOf) -> dict[str, Any]:
    """Describe the gains and losses of a graded score."""
    rates = ("negative_flip_rate", "positive_flip_rate", "tie_rate")
    means = ("mean_change", "mean_gain", "mean_regression")
    return {
        "items": changes.total,
        "tie": changes.tie,
        "minimum_effect": changes.minimum_effect,
        "tolerance_sensitive": changes.tolerance_sensitive,
        **{name: described_rate(getattr(changes, name), bounds(name)) for name in rates},
        **{name: _described_mean(getattr(changes, name), bounds(name)) for name in means},
    }


def described_noise(parts: Sequence[NoisePart]) -> dict[str, Any] | None:
    """Describe the parts of the flip rate of repeats, each with its 95 % interval over prompts."""
    described = {part.name: described_rate(part.value, part.bounds) for part in parts}
    return described or None


def described_rate(rate: float, bounds: Bounds | None) -> dict[str, Any]:
    """Describe a rate: its value and, if it has them, its count, total and 95 % interval.

    Examples
    --------
    >>> described_rate(Rate(0, 0), None)
    {'value': None, 'count': 0, 'total': 0}
    """
    described: dict[str, Any] = {"value": None if math.isnan(rate) else float(rate)}
    if isinstance(rate, Rate):
        described |= {"count": rate.count, "total": rate.total}
    if bounds is not None:
        described |= {"low": bounds.low, "high": bounds.high, "method": bounds.method}
    return described


def _described_mean(mean: Mean, bounds: Bounds | None) -> dict[str, Any]:
    return {
        "value": None if math.isnan(mean) else float(mean),
        "items": mean.count,
        "low": None if bounds is None else bounds.low,
        "high": None if bounds is None else bounds.high,
        "method": None if bounds is None else bounds.method,
    }


def json_text(data: dict[str, Any], indent: int | None) -> str:
    """Write plain data as JSON in ASCII, as `json_source`; the same data give the same bytes."""
    text = json.dumps(data, indent=indent, sort_keys=True, allow_nan=False, default=_plain)
    return json_source(text)


def _plain(value: Any) -> Any:
    # JSON knows neither numpy scalars nor numbers such as Decimal.
    return value.item() if hasattr(value, "item") else str(value)
