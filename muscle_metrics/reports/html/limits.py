"""What so many items can tell: the limits they could decide, and the noise of repeats."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from muscle_metrics.reports.html.wording import percent, percent_range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.gate.verdict import Verdict

__all__ = ["NoiseRow", "PowerRow", "ReachableLimits", "noise_rows", "reachable_limits"]

NFR = "negative flip rate"


class NoiseRow(NamedTuple):
    """One part of the flip rate of models that answer by chance.

    Examples
    --------
    >>> NoiseRow("Noise floor", "two runs of the same models", "5.0%", "1.0% to 9.0%").value
    '5.0%'
    """

    name: str
    meaning: str
    value: str
    interval: str


class PowerRow(NamedTuple):
    """How likely each verdict is for a model whose true rate is known.

    Examples
    --------
    >>> PowerRow("1.0%", "90%", "0%", "10%").passed
    '90%'
    """

    rate: str
    passed: str
    failed: str
    undecided: str


class ReachableLimits(NamedTuple):
    """Limits that these items would keep or break, and how likely a limit is to be decided.

    Examples
    --------
    >>> ReachableLimits("95%", "10.3%", "5.3%", "", []).keeps
    '10.3%'
    """

    confidence: str
    keeps: str
    breaks: str
    limit: str
    powers: list[PowerRow]


def reachable_limits(comparison: Comparison, verdict: Verdict | None) -> ReachableLimits | None:
    """Limits of NFR that a gate could decide with these items; None where they are not independent.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> comparison = compare(old=["A"] * 300, new=["A"] * 300, references=["A"] * 300)
    >>> reachable_limits(comparison, None).keeps
    '0.99%'
    """
    from muscle_metrics.statistics.power import gate_power

    if comparison.correctness is None or comparison.table.is_clustered:
        return None
    confidence = 0.95 if verdict is None else verdict.confidence
    rate = comparison.counts.negative_flip_rate
    low = rate.interval(confidence, "clopper-pearson", side="lower").low
    high = rate.interval(confidence, "clopper-pearson", side="upper").high
    limits = (
        []
        if verdict is None
        else [c.limit for c in verdict.checks if c.criterion == NFR and 0 < c.limit < 1]
    )
    powers = []
    for limit in limits:
        for share in (0.25, 0.5, 0.75, 1.5, 2.0):
            true = float(limit) * share
            if true < 1:
                power = gate_power(
                    items=rate.total, limit=float(limit), true_rate=true, confidence=confidence
                )
                powers.append(PowerRow(percent(true, 2), *(f"{chance:.0%}" for chance in power)))
    named = percent(float(limits[0]), 2) if limits else ""
    return ReachableLimits(f"{confidence:.4g}", percent(high, 2), percent(low, 2), named, powers)


def noise_rows(comparison: Comparison) -> list[NoiseRow]:
    """Split the flip rate of repeated generations; empty where prompts were answered once.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> noise_rows(compare(old=["A"], new=["B"], references=["A"]))
    []
    """
    from muscle_metrics.statistics.noise import estimate_noise

    correctness, table = comparison.correctness, comparison.table
    if correctness is None or not table.is_repeated:
        return []
    codes, firsts = _numbered(table.prompts)
    repeats = np.bincount(codes)
    if repeats.min() < 2:
        return []
    groups = [table.groups[first] for first in firsts]
    noise = estimate_noise(
        old_right=np.bincount(codes, weights=correctness.old_right).astype(np.int64),
        old_repeats=repeats,
        new_right=np.bincount(codes, weights=correctness.new_right).astype(np.int64),
        new_repeats=repeats,
        groups=None if None in groups else np.array(groups, dtype=str),
    )
    parts = (
        ("Flip rate", "one generation of each model", noise.flip_rate),
        ("Noise floor", "what two runs of unchanged models would show", noise.floor),
        ("Excess", "flip rate beyond the noise floor", noise.excess),
        ("Regression mass", "loss on the prompts that got worse", noise.regression_mass),
    )
    return [
        NoiseRow(name, meaning, percent(part.mean, 2), percent_range(part.interval(), 2))
        for name, meaning, part in parts
    ]


def _numbered(labels: Sequence[object]) -> tuple[np.ndarray, list[int]]:
    numbers: dict[object, int] = {}
    codes = np.array([numbers.setdefault(label, len(numbers)) for label in labels])
    return codes, np.unique(codes, return_index=True)[1].tolist()
