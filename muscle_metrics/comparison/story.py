"""The effect of an update in sentences, for pages, comments and notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.comparison.sameness import EQUAL_RUNS, runs_are_equal
from muscle_metrics.comparison.uncertainty import rate_bounds, score_bounds
from muscle_metrics.words import numbers
from muscle_metrics.words.escape import brief
from muscle_metrics.words.numbers import percent, plural, points, score, true_minus

if TYPE_CHECKING:
    from collections.abc import Callable

    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.flips.changes import ScoreFacts
    from muscle_metrics.flips.counts import FlipCounts

__all__ = ["leading_score", "story", "story_details"]

NAME_LIMIT = 160


def leading_score(comparison: Facts) -> str | None:
    """Graded score that leads a report: the metric named first, or else that of unjudged items.

    Returns
    -------
    str or None
        None where right and wrong lead.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> texts = {"old": ["a b"], "new": ["a c"], "references": ["a b"]}
    >>> leading_score(compare(**texts, metric=["rouge1", "exact_match"]))
    'rouge1'
    >>> leading_score(compare(**texts, metric=["exact_match", "rouge1"]))
    """
    named = comparison.recipe["metric"]
    scores = [*comparison.changes]
    first = [name for name in scores if named == name or named.startswith(f"{name}, ")]
    if first or comparison.is_judged:
        return max(first, key=len, default=None)
    return scores[0]


def story(comparison: Facts, show: Callable[[str], str] | None = None) -> str:
    """Say the effect of the update in one sentence.

    Parameters
    ----------
    comparison : Comparison or CountedComparison
        Old against new.
    show : callable, optional
        Writes the name of a metric, the one untrusted text; cut to a line by default.
    """
    if runs_are_equal(comparison):
        return f"{EQUAL_RUNS.capitalize()}."
    score = leading_score(comparison)
    if score is not None:
        name = brief(score, NAME_LIMIT) if show is None else show(score)
        return _graded_story(name, comparison.changes[score])
    return _flip_story(comparison.counts)


def _flip_story(counts: FlipCounts) -> str:
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


def story_details(comparison: Facts) -> list[str]:
    """Say whether chance explains the change, and how many wrong answers changed."""
    score = leading_score(comparison)
    if score is not None:
        flips = [_flip_story(comparison.counts)] if comparison.is_judged else []
        return [_graded_detail(comparison, score), *flips]
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


def _graded_story(metric: str, changes: ScoreFacts) -> str:
    worse, better = changes.negative_flip_rate.count, changes.positive_flip_rate.count
    change = changes.mean_change
    moved = f"{'rose' if change > 0 else 'fell'} by {score(abs(change))}"
    return (
        f"{metric} {moved if change else 'stayed the same'} on average; {worse:,} of "
        f"{changes.total:,} items got worse, {better:,} better."
    )


def _graded_detail(comparison: Facts, metric: str) -> str:
    band = f"Changes of at most {comparison.changes[metric].dead_band:g} count as none."
    bounds = score_bounds(comparison, metric, "mean_change")
    if bounds is None:
        return band
    low, high = (score(bound, sign=True) for bound in bounds.ends)
    interval = true_minus(f"between {low} and {high}")
    return f"The mean change lies {interval} (95% interval, {bounds.method}). {band}"


def _counted(count: int, noun: str) -> str:
    return numbers.counted(count, noun, ",")
