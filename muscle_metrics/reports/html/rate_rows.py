"""Every rate in plain words, with its denominator."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.reports.html.wording import percent, percent_range, score, score_range

if TYPE_CHECKING:
    from muscle_metrics.flips.changes import ScoreChanges
    from muscle_metrics.flips.counts import FlipCounts
    from muscle_metrics.flips.magnitudes import Magnitude
    from muscle_metrics.flips.rates import Rate

__all__ = ["RateRow", "flip_rows", "score_rows"]

# Plain words, the name in papers and in `FlipCounts`, and what the denominator counts.
RATES = (
    ("Right, then wrong", "negative flip rate, NFR", "negative_flip_rate", "all {:,} items"),
    ("Wrong, then right", "positive flip rate, PFR", "positive_flip_rate", "all {:,} items"),
    (
        "Wrong now, and not the answer of before",
        "inconsistency flip rate, NFR_mc",
        "inconsistency_flip_rate",
        "all {:,} items",
    ),
    (
        "Wrong, then wrong in another way",
        "wrong to different wrong",
        "wrong_to_different_wrong_rate",
        "all {:,} items",
    ),
    (
        "Right, then right in another way",
        "right to different right",
        "right_to_different_right_rate",
        "all {:,} items",
    ),
    ("Another answer than before", "churn", "churn", "all {:,} items"),
    (
        "Broken, of what was right",
        "conditional NFR",
        "conditional_negative_flip_rate",
        "the {:,} items that were right",
    ),
    ("Fixed, of what was wrong", "fix rate", "fix_rate", "the {:,} items that were wrong"),
    (
        "New errors that the update made",
        "negative flip impact, NFI",
        "negative_flip_impact",
        "the {:,} items that are wrong now",
    ),
    (
        "Broken beyond what the accuracy change forces",
        "avoidable NFR",
        "avoidable_negative_flip_rate",
        "all {:,} items",
    ),
)


class RateRow(NamedTuple):
    """One number with its interval, and what it counts of what.

    Examples
    --------
    >>> RateRow("Right, then wrong", "NFR", "7.5%", "5% to 10%", "26 of 346 items").value
    '7.5%'
    """

    words: str
    name: str
    value: str
    interval: str
    sample: str


def flip_rows(counts: FlipCounts) -> list[RateRow]:
    """Rates of the flip family, and the two numbers that are no rates.

    Examples
    --------
    >>> from muscle_metrics import FlipCounts
    >>> rows = flip_rows(FlipCounts(both_right=4, negative=3, positive=1, both_wrong=2))
    >>> rows[0].value, rows[0].sample
    ('30.0%', '3 of all 10 items')
    """
    rows = [_row(words, name, getattr(counts, key), of) for words, name, key, of in RATES]
    relative = counts.relative_negative_flip_rate
    return [
        *rows,
        RateRow(
            "Broken, compared with a new model that errs independently of the old one",
            "relative NFR",
            "undefined" if math.isnan(relative) else f"{relative:.2f}",
            "",
            "0: nothing broke; 1: as much as by chance",
        ),
        RateRow(
            "How surprising so uneven flips are if breaking is as likely as fixing",
            "McNemar mid-p",
            f"{counts.mcnemar().p_value:.2g}",
            "",
            "informs; a gate should not use it",
        ),
    ]


def score_rows(changes: ScoreChanges) -> list[RateRow]:
    """Rates and means of graded scores.

    Examples
    --------
    >>> from muscle_metrics import measure_changes
    >>> score_rows(measure_changes(old=[0.5, 0.9], new=[0.6, 0.7]))[0].sample
    '1 of all 2 items'
    """
    change = changes.mean_change
    return [
        _row("Got worse", "negative flip rate, NFR", changes.negative_flip_rate, "all {:,} items"),
        _row("Got better", "positive flip rate, PFR", changes.positive_flip_rate, "all {:,} items"),
        _row("Same score", "ties", changes.tie_rate, "all {:,} items"),
        RateRow(
            "Mean change, new minus old",
            "mean change",
            score(change, sign=True),
            score_range(change.interval(), sign=True),
            f"{changes.total:,} items",
        ),
        _magnitude("Mean loss of what got worse", "mean regression, m_r", changes.mean_regression),
        _magnitude("Mean gain of what got better", "mean gain, m_g", changes.mean_gain),
    ]


def _row(words: str, name: str, rate: Rate, of: str) -> RateRow:
    if rate.count is None:
        return RateRow(words, name, "unknown", "", "needs answers, not only verdicts")
    sample = f"{rate.count:,} of {of.format(rate.total)}"
    if not rate.total:
        return RateRow(words, name, "undefined", "", sample)
    return RateRow(words, name, percent(rate), percent_range(rate.interval()), sample)


def _magnitude(words: str, name: str, size: Magnitude) -> RateRow:
    interval = "too few for an interval" if size.too_few else score_range(size.interval())
    if math.isinf(size.limit) and not size.too_few:
        interval = "needs the range of the score"
    value = score(size) if size.count else "undefined"
    return RateRow(words, name, value, interval, f"{size.count:,} items")
