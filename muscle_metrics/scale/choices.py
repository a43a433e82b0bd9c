"""How an engine joins and judges two runs, and which metrics need the texts of the items."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from muscle_metrics.comparison.judging import EXACT_MATCH, THRESHOLD_WITHOUT_SCORE
from muscle_metrics.comparison.signature import name_recipe
from muscle_metrics.errors import UsageError
from muscle_metrics.runs.joining.pairing import check_joining

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
    graders: tuple[Metric, ...]
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
    metric, options, threshold, strict_threshold, tie, minimum_effect, score_range
        As in `compare_runs`; texts are scored chunk by chunk.
    missing, conflict, unanswered
        As in `compare_runs`.
    sample_size : int
        Largest number of negative flips kept per slice.
    seed : int
        Seed of that sample.

    Examples
    --------
    >>> Choices(metric="rouge1").missing
    'error'
    """

    metric: Metric | Sequence[Metric] | None = None
    options: Mapping[str, Mapping[str, Any]] | None = None
    threshold: float | None = None
    strict_threshold: bool = False
    tie: float | None = None
    minimum_effect: float = 0.0
    score_range: tuple[float, float] = (-math.inf, math.inf)
    missing: MissingItems = "error"
    conflict: Conflict = "error"
    unanswered: Unanswered = "error"
    sample_size: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        check_joining(missing=self.missing, conflict=self.conflict, unanswered=self.unanswered)
        if self.threshold is not None and not math.isfinite(self.threshold):
            raise UsageError(
                f"expected a finite number as threshold, got {self.threshold!r}: pass the least "
                f"score that is right"
            )
        if not 0 <= self.sample_size <= LARGEST_SAMPLE:
            raise UsageError(
                f"expected a sample of at most {LARGEST_SAMPLE} flips a slice, got "
                f"{self.sample_size!r}: leave out --engine to see all of them"
            )

    def judging(self, scores: Sequence[str | None]) -> Judging:
        """Split the metrics, given the score field of the old and of the new run.

        Raises
        ------
        UsageError
            If the metrics or the threshold do not fit the fields.
        """
        judging = self._default(scores) if self.metric is None else self._asked(scores)
        if self.threshold is not None and not judging.by_score and not judging.graders:
            raise UsageError(THRESHOLD_WITHOUT_SCORE)
        return judging

    def _default(self, scores: Sequence[str | None]) -> Judging:
        names = list(dict.fromkeys(name for name in scores if name is not None))
        by_score = None not in scores
        return Judging(" -> ".join(names) if by_score else EXACT_MATCH, (), by_score)

    def _asked(self, scores: Sequence[str | None]) -> Judging:
        several = isinstance(self.metric, (list, tuple))
        listed: list[Any] = list(self.metric) if several else [self.metric]  # type: ignore[arg-type]
        known = {EXACT_MATCH, *scores}
        judges = list(dict.fromkeys(one for one in listed if isinstance(one, str) and one in known))
        if len(judges) > 1:
            raise UsageError(
                f"expected one metric that the rows tell by themselves, got {judges} where an "
                f"engine counts the runs: give one of them with --metric (metric=), or leave out "
                f"--engine"
            )
        judge = judges[0] if judges else None
        by_score = judge is not None and judge in scores
        if by_score and set(scores) != {judge}:
            raise UsageError(
                f"expected the score {judge!r} in both runs, got the score fields {scores}: name "
                f"the same with --score-field (score_field)"
            )
        return Judging(judge, tuple(one for one in listed if one not in judges), by_score)

    def recipe(self, metrics: Sequence[str]) -> dict[str, str]:
        """Name the choices that the numbers depend on."""
        names = ", ".join(dict.fromkeys(metrics))
        if self.threshold is not None:
            names = f"{names} {'>' if self.strict_threshold else '>='} {self.threshold!r}"
        return name_recipe(
            names,
            None,
            missing=self.missing,
            conflict=self.conflict,
            unanswered=self.unanswered,
        )
