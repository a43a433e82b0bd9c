"""Measure two runs by the chosen metrics: one of them decides the flips, all others are graded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from muscle_metrics.comparison.judging import judge_runs
from muscle_metrics.comparison.metrics import check_judging, check_scores, is_verdict
from muscle_metrics.comparison.scoring import grade_texts
from muscle_metrics.comparison.signature import name_effects, name_metric, name_recorded
from muscle_metrics.comparison.unanswered import UNBOUNDED, deny_unanswered
from muscle_metrics.flips.changes import ScoreChanges, measure_changes
from muscle_metrics.flips.thresholds import RECORDED_TIE
from muscle_metrics.scorers import Scorer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from muscle_metrics.answers.correctness import Correctness
    from muscle_metrics.comparison.judging import JudgedRuns
    from muscle_metrics.comparison.keyed import KeyedAnswers
    from muscle_metrics.comparison.metrics import Chosen
    from muscle_metrics.runs.joining.pairing import Unanswered

__all__ = ["Judged", "Measured", "Settings", "Texts", "judge_joined", "measure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options that turn scores into flips and changes; as in `compare_runs`."""

    threshold: float | None = None
    strict_threshold: bool = False
    tie: float | None = None
    minimum_effect: float = 0.0
    score_range: tuple[float, float] = UNBOUNDED
    unanswered: Unanswered = "error"

    def check(self, chosen: Sequence[Chosen]) -> None:
        """Refuse an option that has nothing to apply to.

        Raises
        ------
        UsageError
            As `check_judging`.
        """
        check_judging(
            chosen,
            threshold=self.threshold,
            strict_threshold=self.strict_threshold,
            tie=self.tie,
            minimum_effect=self.minimum_effect,
            score_range=self.score_range,
            unanswered=self.unanswered,
        )

    @property
    def recorded_tie(self) -> float:
        """Largest difference between recorded scores that are the same."""
        return RECORDED_TIE if self.tie is None else self.tie

    @property
    def effects(self) -> dict[str, str]:
        """The options of score changes that are not the usual ones, as a signature names them."""
        return name_effects(
            tie=self.tie, minimum_effect=self.minimum_effect, score_range=self.score_range
        )

    @property
    def range_of_texts(self) -> tuple[float, float]:
        """Range of scorers that have none themselves: a missing answer has its worse end."""
        return self.score_range if self.unanswered == "wrong" else UNBOUNDED

    def judge(self, answers: KeyedAnswers, metric: Chosen, limit: float | None) -> JudgedRuns:
        """Judge joined runs by a recorded score, or by a scorer that marks right and wrong."""
        joined = answers.joined
        judged = judge_runs(
            joined,
            metric=metric,
            answers=answers,
            threshold=limit,
            strict_threshold=self.strict_threshold,
            tie=self.recorded_tie,
            unanswered=self.unanswered,
            score_range=self.score_range,
        )
        for run, scores in zip(joined.names, judged.scores or (), strict=False):
            check_scores(scores, joined.ids, run=run, score_range=self.score_range)
        return judged

    def name(self, metric: str, limit: float | None, *, higher_is_better: bool) -> str:
        """Name a metric, with the scores that are right."""
        return name_metric(
            metric,
            threshold=limit,
            strict=self.strict_threshold,
            higher_is_better=higher_is_better,
        )


class Texts(NamedTuple):
    """Answers and references as scorers see them, each of N items.

    `new_references` judge the new answers where these have references of their own.
    """

    old: Any
    new: Any
    references: Any
    new_references: Any = None


class Judged(NamedTuple):
    """Items judged by a recorded score, or by a scorer that marks right and wrong.

    `scores` is None where answers were judged; `correctness` where scores are graded.
    """

    name: str
    correctness: Correctness | None
    scores: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None = None
    higher_is_better: bool = True
    shown: tuple[tuple[Any, ...], ...] | None = None


@dataclass(slots=True)
class Measured:
    """What the chosen metrics say about two runs.

    Parameters
    ----------
    correctness : Correctness or None
        Correctness of every item by the metric that decides.
    changes : dict of str to ScoreChanges
        Changes by all other metrics.
    names : list of str
        Every metric as a signature names it.
    recorded : list of str
        The recorded scores among them.
    shown : tuple of tuple, optional
        What readers see of each run: its answers, or scores where it has none.
    """

    correctness: Correctness | None = None
    changes: dict[str, ScoreChanges] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    recorded: list[str] = field(default_factory=list)
    shown: tuple[tuple[Any, ...], ...] | None = None


def measure(
    chosen: Sequence[Chosen],
    texts: Callable[[], Texts],
    settings: Settings,
    judge: Callable[[Chosen, float | None], Judged],
) -> Measured:
    """Measure the changes of two runs by every metric.

    A threshold applies to the first metric, which then decides the flips. Without one the first
    metric that marks items right or wrong decides them.

    Parameters
    ----------
    chosen : sequence of Recorded or Scorer
        The metrics.
    texts : callable
        Gives what graded scorers see; called only if there are any.
    settings : Settings
        Thresholds.
    judge : callable
        Takes any other metric and its threshold.
    """
    measured = Measured()
    for position, one in enumerate(chosen):
        limit = settings.threshold if position == 0 else None
        if isinstance(one, Scorer) and not is_verdict(one):
            _grade(measured, one, texts(), settings, limit)
            continue
        judged = judge(one, limit)
        decides = measured.correctness is None and judged.correctness is not None
        if decides and (settings.threshold is None or position == 0):
            measured.correctness = judged.correctness
        if not decides or limit is not None:
            measured.changes[judged.name] = _changes_of(judged, settings)
        measured.shown = measured.shown or judged.shown
        name = one.signature if isinstance(one, Scorer) else name_recorded(judged.name)
        measured.recorded += [] if isinstance(one, Scorer) else [judged.name]
        measured.names.append(settings.name(name, limit, higher_is_better=judged.higher_is_better))
    return measured


def _grade(
    measured: Measured, scorer: Scorer, texts: Texts, settings: Settings, limit: float | None
) -> None:
    graded = grade_texts(
        **texts._asdict(),
        metrics=[scorer],
        tie=settings.tie,
        minimum_effect=settings.minimum_effect,
        score_range=settings.range_of_texts,
    )
    measured.changes |= graded
    if limit is not None:
        (changes,) = graded.values()
        correctness = changes.correctness(threshold=limit, strict=settings.strict_threshold)
        measured.correctness = deny_unanswered(correctness, texts.old, texts.new)
    measured.names.append(
        settings.name(scorer.signature, limit, higher_is_better=scorer.higher_is_better)
    )


def _changes_of(judged: Judged, settings: Settings) -> ScoreChanges:
    low, high = settings.score_range
    scores: Sequence[npt.ArrayLike] = judged.scores or ()
    if judged.scores is None and judged.correctness is not None:
        scores, (low, high) = [flags.astype(np.float64) for flags in judged.correctness[:2]], (0, 1)
    return measure_changes(
        old=scores[0],
        new=scores[1],
        tie=settings.recorded_tie,
        minimum_effect=settings.minimum_effect,
        low=low,
        high=high,
        higher_is_better=judged.higher_is_better,
    )


def judge_joined(
    answers: KeyedAnswers, metric: Chosen, limit: float | None, settings: Settings
) -> Judged:
    """Judge two joined runs by a recorded score, or by a scorer that marks right and wrong."""
    judged = settings.judge(answers, metric, limit)
    return Judged(
        judged.metric,
        None if judged.right is None else judged.correctness(0, 1),
        None if judged.scores is None else (judged.scores[0], judged.scores[1]),
        judged.higher_is_better,
        judged.shown,
    )
