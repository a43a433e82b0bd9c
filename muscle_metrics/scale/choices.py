"""How an engine joins and judges two runs, and which metrics need the texts of the items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from muscle_metrics.answers.reading.reading import Reading
from muscle_metrics.comparison.judging import is_exact_text
from muscle_metrics.comparison.measured import Settings
from muscle_metrics.comparison.metrics import (
    EXACT_MATCH,
    Recorded,
    choose_metrics,
    is_verdict,
)
from muscle_metrics.comparison.signature import name_answer, name_recipe, name_recorded
from muscle_metrics.comparison.unanswered import UNBOUNDED
from muscle_metrics.errors import UsageError
from muscle_metrics.runs.joining.pairing import check_joining
from muscle_metrics.scorers import Scorer
from muscle_metrics.words.place import show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from muscle_metrics.runs.joining.mismatches import Need
    from muscle_metrics.runs.joining.pairing import Conflict, MissingItems, Unanswered
    from muscle_metrics.scorers import Metric

__all__ = ["Choices", "Judging"]

# DuckDB keeps at most a million values of a group.
LARGEST_SAMPLE = 100_000


class Judging(NamedTuple):
    """The metric that needs no texts, and the metrics that do.

    `judge` is "exact_match", the name of the recorded score if `by_score`, or None.
    """

    judge: str | None
    graders: tuple[Scorer, ...]
    by_score: bool

    @property
    def needs(self) -> frozenset[Need]:
        """What an item of either run must hold to be judged."""
        needs: set[Need] = {"score"} if self.by_score else set()
        if self.graders or not self.by_score:
            needs.add("answer")
        return frozenset(needs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """How runs are joined and judged, whatever the engine.

    Parameters
    ----------
    metric, options, answer, threshold, strict_threshold, tie, minimum_effect, score_range
        As in `compare_runs`; texts are read and scored chunk by chunk.
    missing, conflict, unanswered
        As in `compare_runs`.
    sample_size : int
        Largest number of negative flips kept per slice.
    seed : int
        Seed of that sample.
    lists_flips : bool
        Whether to keep every flip, in place of a sample, as a comparison in memory does.
    as_in_memory : bool
        Whether to refuse comparisons of which a report would say anything else than in memory.

    Examples
    --------
    >>> Choices(metric="rouge1").missing
    'error'
    """

    metric: Metric | Sequence[Metric] | None = None
    options: Mapping[str, Mapping[str, Any]] | None = None
    answer: str | None = None
    threshold: float | None = None
    strict_threshold: bool = False
    tie: float | None = None
    minimum_effect: float = 0.0
    score_range: tuple[float, float] = UNBOUNDED
    missing: MissingItems = "error"
    conflict: Conflict = "error"
    unanswered: Unanswered = "error"
    sample_size: int = 10
    seed: int = 0
    lists_flips: bool = False
    as_in_memory: bool = False

    def __post_init__(self) -> None:
        check_joining(missing=self.missing, conflict=self.conflict, unanswered=self.unanswered)
        if not 0 <= self.sample_size <= LARGEST_SAMPLE:
            raise UsageError(
                f"expected a sample of at most {LARGEST_SAMPLE} flips a slice, got "
                f"{self.sample_size!r}: leave out --engine to see all of them"
            )

    @property
    def reading(self) -> Reading | None:
        """Readers of answers and references, if there are any."""
        return None if self.answer is None else Reading.of(self.answer)

    @property
    def settings(self) -> Settings:
        """Options that turn scores into flips and changes."""
        return Settings(
            threshold=self.threshold,
            strict_threshold=self.strict_threshold,
            tie=self.tie,
            minimum_effect=self.minimum_effect,
            score_range=self.score_range,
            unanswered=self.unanswered,
        )

    def judging(
        self, scores: Sequence[str | None], names: Sequence[str] = ("old", "new")
    ) -> Judging:
        """Split the metrics, given the score field of the old and of the new run.

        Raises
        ------
        UsageError
            If metrics or options do not fit the fields.
        """
        recorded = [
            (name, set() if field is None else {field})
            for name, field in zip(names, scores, strict=True)
        ]
        chosen = choose_metrics(self.metric, self.options, recorded=recorded)
        self.settings.check(chosen)
        judges = [one for one in chosen if isinstance(one, Recorded) or is_verdict(one)]
        if len(judges) > 1:
            raise UsageError(
                f"expected one metric that the rows tell by themselves, got "
                f"{[one.name for one in judges]} where an engine counts the runs: give one of "
                f"them with --metric (metric=), or leave out --engine"
            )
        if self.threshold is not None and judges and chosen[0] is not judges[0]:
            raise UsageError(
                f"expected the recorded score {judges[0].name!r} first with a threshold where an "
                f"engine counts the runs, got it after others: name it first with --metric "
                f"(metric=), or leave out --engine"
            )
        graders = tuple(one for one in chosen if isinstance(one, Scorer) and one not in judges)
        judge = judges[0] if judges else None
        if isinstance(judge, Recorded):
            return Judging(self._score(judge, scores, names), graders, by_score=True)
        if judge is not None and not is_exact_text(judge):
            raise UsageError(
                f"expected exact_match without options where an engine counts the runs, got "
                f"{judge.signature}: compare in memory, or write what it extracts into the rows"
            )
        return Judging(None if judge is None else EXACT_MATCH, graders, by_score=False)

    def _score(self, judge: Recorded, scores: Sequence[str | None], names: Sequence[str]) -> str:
        if judge.name is None:
            return " -> ".join(dict.fromkeys(map(str, scores)))
        for name, field in zip(names, scores, strict=True):
            if field != judge.name:
                raise UsageError(
                    f"expected a score {judge.name!r} in every run, got "
                    f"{'none' if field is None else repr(field)} in {show(name)}: name its field "
                    f"with --score-field (score_field=)"
                )
        return judge.name

    def recipe(self, judging: Judging) -> dict[str, str]:
        """Name the choices that the numbers depend on."""
        settings = self.settings
        names, limit = [], self.threshold
        if judging.judge is not None:
            name = name_recorded(judging.judge) if judging.by_score else judging.judge
            names.append(settings.name(name, limit, higher_is_better=True))
            limit = None
        for scorer in judging.graders:
            higher = scorer.higher_is_better
            names.append(settings.name(scorer.signature, limit, higher_is_better=higher))
            limit = None
        judges = bool(judging.graders) or not judging.by_score
        return name_recipe(
            ", ".join(names),
            **name_answer(self.reading, judges=judges),
            missing=self.missing,
            conflict=self.conflict,
            unanswered=self.unanswered,
            **settings.effects,
        )
