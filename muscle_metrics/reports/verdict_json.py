"""A verdict as JSON for programs; `verdict.schema.json` beside this file is its schema."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from muscle_metrics.comparison.plain_data import json_text
from muscle_metrics.reports.flips import publish

if TYPE_CHECKING:
    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.comparison.items import Item
    from muscle_metrics.gate.verdict import Check, Verdict

__all__ = ["verdict_data", "verdict_json"]

SCHEMA_VERSION = 1


def verdict_data(
    verdict: Verdict,
    comparison: Facts | None = None,
    *,
    examples: int = 20,
) -> dict[str, Any]:
    """Plain data of a verdict: no nan, undefined is None.

    Parameters
    ----------
    verdict : Verdict
        The verdict of a gate.
    comparison : Comparison or CountedComparison, optional
        The comparison that was judged; None where the runs could not be compared.
    examples : int
        How many negative flips to list.

    Returns
    -------
    dict
        With `schema_version`, which rises when a name changes its meaning.
    """
    verdict, flips = publish(verdict, comparison, examples)
    return {
        "schema_version": SCHEMA_VERSION,
        "outcome": str(verdict.outcome),
        "old": verdict.names[0],
        "new": verdict.names[1],
        "confidence": verdict.confidence,
        "checks": [_described(check) for check in verdict.checks],
        "broken_pins": list(verdict.broken_pins),
        "waivers": [waiver.described() for waiver in verdict.waivers],
        "reasons": list(verdict.reasons),
        "notes": list(verdict.notes),
        "items": None if comparison is None else comparison.total,
        "dropped": {} if comparison is None else dict(comparison.dropped),
        "lost": {} if comparison is None else dict(comparison.lost),
        "coverage": None if comparison is None else float(comparison.coverage),
        "counts": _counts(comparison),
        "answer_forms": _forms(comparison),
        "negative_flips": {
            "total": flips.total,
            "secrets_hidden": flips.secrets,
            "listed": [
                {**_described_flip(item), **texts.described(), **prompt}
                for (item, texts), prompt in zip(flips.pairs, flips.prompts, strict=True)
            ],
            **({"problem": flips.problem} if flips.problem else {}),
        },
        "signature": verdict.signature,
    }


def verdict_json(
    verdict: Verdict,
    comparison: Facts | None = None,
    *,
    examples: int = 20,
) -> str:
    """`verdict_data` as JSON in ASCII with sorted keys; the same verdict gives the same bytes."""
    data = verdict_data(verdict, comparison, examples=examples)
    return json_text(data, indent=2) + "\n"


def _described(check: Check) -> dict[str, Any]:
    return {
        "criterion": check.criterion,
        "outcome": str(check.outcome),
        "estimate": _finite(check.estimate),
        "low": _finite(check.low),
        "low_of": check.bounded[0],
        "high": _finite(check.high),
        "high_of": check.bounded[1],
        "limit": float(check.limit),
        "is_share": check.is_share,
        "is_minimum": check.is_minimum,
        "method": check.method,
        "allowed_units": check.allowed_units,
        "unseen_share": check.unseen_share,
        "sample": check.sample,
        "advice": check.advice,
    }


def _counts(comparison: Facts | None) -> dict[str, int] | None:
    if comparison is None or not comparison.is_judged:
        return None
    counts = comparison.counts
    return {
        name: getattr(counts, name) for name in ("both_right", "negative", "positive", "both_wrong")
    }


def _forms(comparison: Facts | None) -> dict[str, Any] | None:
    forms = None if comparison is None else comparison.answer_forms
    return None if forms is None else forms.described()


def _described_flip(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "task": item.task,
        "repeat": item.repeat,
        "slice": item.slice,
        "old": _finite(item.old),
        "new": _finite(item.new),
        "reference": _finite(item.reference),
    }


def _finite(value: Any) -> Any:
    """Replace nan and infinity by None: JSON has neither."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return value
