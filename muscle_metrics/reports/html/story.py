"""The effect of an update in sentences, for the head of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.comparison.sameness import EQUAL_RUNS, runs_are_equal
from muscle_metrics.comparison.uncertainty import rate_bounds, score_bounds
from muscle_metrics.reports.html.environment import brief
from muscle_metrics.words import numbers
from muscle_metrics.words.numbers import percent, plural, points, score, true_minus

if TYPE_CHECKING:
    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.flips.changes import ScoreChanges
    from muscle_metrics.flips.counts import FlipCounts

__all__ = ["story", "story_details"]


def story(comparison: Comparison) -> str:
    """Say the effect of the update in one sentence."""
    if runs_are_equal(comparison):
        return f"{EQUAL_RUNS.capitalize()}."
    if comparison.correctness is None:
        return _graded_story(*next(iter(comparison.changes.items())))
    counts = comparison.counts
    if not counts.negative:
        fixed = f"{_counted(counts.positive, 'answer')} got fixed" if counts.positive else ""
        return f"Nothing broke, and {fixed or 'nothing got fixed'}."
    verb = "is" if counts.negative == 1 else "are"
    answers = plural("right answer", counts.old_right)
    broken = f"{counts.negative:,} of {counts.old_right:,} {answers} {verb} now wrong"
    change = counts.accuracy_change
    if not change:
        return f"Accuracy stayed the same, but {broken}."
    size = f"{100 * abs(change):.1f} points"
    if change > 0:
        return f"Accuracy rose by {size}, but {broken}."
    return f"Accuracy fell by {size}: {broken}."


def story_details(comparison: Comparison) -> list[str]:
    """Say whether chance explains the change, and how many wrong answers changed."""
    if comparison.correctness is None:
        return [_graded_detail(comparison, *next(iter(comparison.changes.items())))]
    counts = comparison.counts
    moved = (
        f"Of {_counted(counts.total, 'item')}, {percent(counts.old_accuracy, 1)} were right before "
        f"and {percent(counts.new_accuracy, 1)} are now"
    )
    bounds = rate_bounds(comparison, "accuracy_change")
    if bounds is None:
        return [f"{moved}.", *_fixed(counts)]
    verb = "could" if bounds.low <= 0 <= bounds.high else "would hardly"
    interval = f"{points(bounds.low, 2)} to {points(bounds.high, 2)} points, {bounds.method}"
    chance = f"chance alone {verb} explain that change (95% interval {interval})"
    return [f"{moved}; {true_minus(chance)}.", *_fixed(counts)]


def _fixed(counts: FlipCounts) -> list[str]:
    """Say how many wrong answers got fixed, and how many changed."""
    if not counts.old_wrong:
        return []
    got = _counted(counts.positive, "answer") if counts.positive else "nothing"
    other = ""
    if counts.wrong_changed:
        wrong = "another wrong answer" if counts.wrong_changed == 1 else "other wrong answers"
        other = f", and {_counted(counts.wrong_changed, 'answer')} turned into {wrong}"
    return [f"Of what was wrong, {got} got fixed{other}."]


def _graded_story(metric: str, changes: ScoreChanges) -> str:
    worse, better = changes.negative_flip_rate.count, changes.positive_flip_rate.count
    change = changes.mean_change
    moved = f"{'rose' if change > 0 else 'fell'} by {score(abs(change))}"
    return (
        f"{brief(metric)} {moved if change else 'stayed the same'} on average; {worse:,} of "
        f"{changes.total:,} items got worse, {better:,} better."
    )


def _graded_detail(comparison: Comparison, metric: str, changes: ScoreChanges) -> str:
    band = f"Changes of at most {changes.dead_band:g} count as none."
    bounds = score_bounds(comparison, metric, "mean_change")
    if bounds is None:
        return band
    low, high = (score(bound, sign=True) for bound in bounds.ends)
    interval = true_minus(f"between {low} and {high}")
    return f"The mean change lies {interval} (95% interval, {bounds.method}). {band}"


def _counted(count: int, noun: str) -> str:
    return numbers.counted(count, noun, ",")
