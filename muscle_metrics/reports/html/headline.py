"""The first thing a reader sees: the verdict, and the story in one sentence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.reports.html.wording import (
    brief,
    counted,
    percent,
    place,
    points,
    score,
    score_range,
    signed,
)
from muscle_metrics.words.escape import shorten

if TYPE_CHECKING:
    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.flips.changes import ScoreChanges
    from muscle_metrics.flips.counts import FlipCounts
    from muscle_metrics.gate.verdict import Check, Verdict

__all__ = ["CheckRow", "Decision", "decision", "story", "story_details"]

MEANINGS = {
    "PASS": "Every limit of the policy is kept.",
    "FAIL": "A limit of the policy is broken.",
    "INCONCLUSIVE": "The data cannot decide whether the limits of the policy are kept.",
    "INVALID": "The runs cannot be judged by the policy.",
}
REASON_LIMIT = 1000
# The worst first.
ORDER = ("FAIL", "INCONCLUSIVE", "PASS")


class CheckRow(NamedTuple):
    """One criterion of a gate; the last four are places on an axis of its own.

    Examples
    --------
    >>> texts = ("accuracy loss", "PASS", "1.00%", "0.50% to 1.50%", "2%", "9 of 900", "")
    >>> CheckRow(*texts, "25%", "75%", "50%", "100%").limit
    '2%'
    """

    criterion: str
    outcome: str
    value: str
    bounds: str
    limit: str
    sample: str
    advice: str
    low_at: str
    high_at: str
    value_at: str
    limit_at: str


class Decision(NamedTuple):
    """A verdict for a reader.

    Examples
    --------
    >>> Decision("PASS", MEANINGS["PASS"], [], [], [], "95%").outcome
    'PASS'
    """

    outcome: str
    meaning: str
    checks: list[CheckRow]
    broken_pins: list[str]
    reasons: list[str]
    confidence: str


def decision(verdict: Verdict) -> Decision:
    """Describe a verdict.

    Examples
    --------
    >>> from muscle_metrics import Policy, check_gate, compare
    >>> comparison = compare(old=["A"] * 99, new=["A"] * 99, references=["A"] * 99)
    >>> decision(check_gate(comparison, Policy(max_nfr="0.05"))).meaning
    'Every limit of the policy is kept.'
    """
    checks = [check for outcome in ORDER for check in verdict.checks if check.outcome == outcome]
    return Decision(
        str(verdict.outcome),
        MEANINGS[verdict.outcome],
        list(map(_row, checks)),
        list(map(brief, verdict.broken_pins)),
        [shorten(reason, REASON_LIMIT) for reason in verdict.reasons],
        f"{verdict.confidence:.4g}",
    )


def story(comparison: Comparison) -> str:
    """Tell what the update did, in one sentence.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> story(compare(old=["A", "B"], new=["B", "A"], references=["A", "A"]))
    'Accuracy stayed the same, but 1 of 1 right answer is now wrong.'
    """
    if comparison.correctness is None:
        return _graded_story(*next(iter(comparison.changes.items())))
    counts = comparison.counts
    change, broken = counts.accuracy_change, _broken(counts)
    if not counts.negative:
        fixed = f"{counted(counts.positive, 'answer')} got fixed" if counts.positive else ""
        return f"Nothing broke{f', and {fixed}' if fixed else ', and nothing got fixed'}."
    if not change:
        return f"Accuracy stayed the same, but {broken}."
    size = f"{points(abs(change)).lstrip('+')} points"
    return (
        f"Accuracy rose by {size}, but {broken}."
        if change > 0
        else (f"Accuracy fell by {size}: {broken}.")
    )


def story_details(comparison: Comparison) -> list[str]:
    """Tell what a reader asks next: is it chance, and what else changed.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> story_details(compare(old=["A", "B"], new=["B", "A"], references=["A", "A"]))[-1]
    'Of what was wrong, 1 answer got fixed.'
    """
    if comparison.correctness is None:
        return [_graded_detail(next(iter(comparison.changes.values())))]
    counts = comparison.counts
    low, high = counts.accuracy_change.interval()
    moved = (
        f"Of {counted(counts.total, 'item')}, {percent(counts.old_accuracy)} were right before and "
        f"{percent(counts.new_accuracy)} are now"
    )
    if comparison.table.is_clustered:
        chance = f"{moved}."
    else:
        verb = "could" if low <= 0 <= high else "would hardly"
        chance = (
            f"{moved}; chance alone {verb} explain that change (95% interval {points(low, 2)} to "
            f"{points(high, 2)} points)."
        )
    return [chance, *_fixed(counts)]


def _row(check: Check) -> CheckRow:
    limit = f"{float(100 * check.limit):g}%" if check.is_share else f"{float(check.limit):g}"
    return CheckRow(
        criterion=brief(check.criterion),
        outcome=str(check.outcome),
        value=signed(check.shown(check.estimate)),
        bounds=signed(f"{check.shown(check.low)} to {check.shown(check.high)}"),
        limit=limit,
        sample=shorten(check.sample, REASON_LIMIT),
        advice=check.advice,
        **_places(check),
    )


def _places(check: Check) -> dict[str, str]:
    """Where the bounds, the estimate and the limit stand on an axis that holds them all."""
    values = {
        "low_at": check.low,
        "high_at": check.high,
        "value_at": check.low if math.isnan(check.estimate) else check.estimate,
        "limit_at": float(check.limit),
    }
    start, end = min(0.0, *values.values()), max(values.values())
    room = (end - start) * 1.05 or 1.0
    return {name: place((value - start) / room) for name, value in values.items()}


def _broken(counts: FlipCounts) -> str:
    verb = "is" if counts.negative == 1 else "are"
    answers = "right answer" if counts.old_right == 1 else "right answers"
    return f"{counts.negative:,} of {counts.old_right:,} {answers} {verb} now wrong"


def _fixed(counts: FlipCounts) -> list[str]:
    """Tell what became of the answers that were wrong."""
    if not counts.old_wrong:
        return []
    got = counted(counts.positive, "answer") if counts.positive else "nothing"
    other = ""
    if counts.wrong_changed:
        wrong = "another wrong answer" if counts.wrong_changed == 1 else "other wrong answers"
        other = f", and {counted(counts.wrong_changed, 'answer')} turned into {wrong}"
    return [f"Of what was wrong, {got} got fixed{other}."]


def _graded_story(metric: str, changes: ScoreChanges) -> str:
    worse, better = changes.negative_flip_rate.count, changes.positive_flip_rate.count
    change = changes.mean_change
    moved = f"{'rose' if change > 0 else 'fell'} by {score(abs(change))}"
    return (
        f"{brief(metric)} {moved if change else 'stayed the same'} on average; {worse:,} of "
        f"{changes.total:,} items got worse, {better:,} better."
    )


def _graded_detail(changes: ScoreChanges) -> str:
    interval = score_range(changes.mean_change.interval(), sign=True)
    band = f" Changes of at most {changes.dead_band:g} count as none."
    return f"The mean change lies between {interval.replace(' to ', ' and ')} (95% interval).{band}"
