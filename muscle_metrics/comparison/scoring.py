"""From texts to score changes: both models scored against the references in one pass."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from muscle_metrics.answers.columns import check_lengths
from muscle_metrics.comparison.unanswered import UNBOUNDED, score_answered, with_range
from muscle_metrics.flips.changes import ScoreChanges, measure_changes
from muscle_metrics.scorers import resolve_scorer, score_both

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from muscle_metrics.flips.changes import Scores
    from muscle_metrics.scorers import Metric, Scorer

__all__ = ["grade_texts", "score_flips"]


def score_flips(
    *,
    old: Sequence[str],
    new: Sequence[str],
    references: Sequence[str | Sequence[str]],
    metric: Metric = "rouge1",
    tie: float | None = None,
    minimum_effect: float = 0.0,
    **options: Any,
) -> ScoreChanges:
    """Score the texts of two models against the references, and measure the changes.

    Old and new texts are scored in one pass: each distinct text is read once, and an answer that
    did not change keeps its score.

    Parameters
    ----------
    old, new : sequence of str, shape (N,)
        Texts of the old and of the new model.
    references : sequence, shape (N,)
        One reference text per item, or a list of several.
    metric : str or callable
        A name in the table of scorers, ``package.module:function``, or a callable
        ``(predictions, references) -> one score per item``.
    tie : float, optional
        Scores that differ by at most this much are the same; by default the value of the scorer.
    minimum_effect : float
        A change of at most this much does not matter.
    **options
        Those of the metric, such as ``stem=True`` for ROUGE or ``model=`` for BERTScore.

    Returns
    -------
    ScoreChanges

    Raises
    ------
    InputError
        If texts cannot be scored: lengths differ, an answer is None, a score is not a number.
    UsageError
        If the metric or an option is unknown.

    References
    ----------
    Echterhoff et al., "MUSCLE", Findings of EMNLP 2024, section 3.2.

    Examples
    --------
    >>> changes = score_flips(
    ...     old=["the cat sat"], new=["a dog ran"], references=["the cat sat down"]
    ... )
    >>> print(changes.negative_flip_rate, changes.mean_regression, sep="; ")
    100.00% (1 of 1); 0.8571 (1 item)
    """
    scorer = resolve_scorer(metric, **options)
    check_lengths(old=old, new=new, references=references)
    scores = score_both(scorer, old=old, new=new, references=references)
    return _measured(scorer, scores, tie, minimum_effect)


def grade_texts(
    *,
    old: Sequence[Any],
    new: Sequence[Any],
    references: Sequence[Any],
    new_references: Sequence[Any] | None = None,
    metrics: Sequence[Metric],
    options: Mapping[str, Mapping[str, Any]] | None = None,
    tie: float | None = None,
    minimum_effect: float = 0.0,
    score_range: tuple[float, float] = UNBOUNDED,
) -> dict[str, ScoreChanges]:
    """Score the texts of two models by several metrics; a missing answer has the worst score.

    `score_range` is the range of scorers that have none themselves. `new_references` judge the new
    texts, if they are not those of the old ones.

    Raises
    ------
    UsageError
        As `score_flips`; or if an answer is missing and no score of a metric is the worst.
    """
    changes = {}
    for metric in metrics:
        chosen = (options or {}).get(metric, {}) if isinstance(metric, str) else {}
        scorer = with_range(resolve_scorer(metric, **chosen), score_range)
        scored = partial(score_answered, scorer, partial(score_both, scorer))
        if new_references is None:
            scores = scored(old=old, new=new, references=references)
        else:
            before, _ = scored(old=old, new=old, references=references)
            _, after = scored(old=new, new=new, references=new_references)
            scores = before, after
        changes[scorer.name] = _measured(scorer, scores, tie, minimum_effect)
    return changes


def _measured(
    scorer: Scorer, scores: tuple[Scores, Scores], tie: float | None, minimum_effect: float
) -> ScoreChanges:
    before, after = scores
    return measure_changes(
        old=before,
        new=after,
        tie=scorer.tie if tie is None else tie,
        minimum_effect=minimum_effect,
        low=scorer.low,
        high=scorer.high,
        higher_is_better=scorer.higher_is_better,
    )
