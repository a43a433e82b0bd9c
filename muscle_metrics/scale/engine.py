"""The comparison that every engine makes: count, refuse what is wrong, score what must be read."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from muscle_metrics.comparison.counted import CountedComparison
from muscle_metrics.comparison.judging import EXACT_MATCH, THRESHOLD_WITHOUT_SCORE
from muscle_metrics.comparison.signature import choices
from muscle_metrics.errors import UsageError
from muscle_metrics.runs.joining.pairing import check_choices
from muscle_metrics.scale.counting import tally
from muscle_metrics.scale.flaws import collect_flawed, explain_flaws
from muscle_metrics.scale.joining import Joining
from muscle_metrics.scale.streaming import Grading, stream_totals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from muscle_metrics.comparison.totals import Totals
    from muscle_metrics.runs.joining.pairing import Conflict, MissingItems, Unanswered
    from muscle_metrics.scale.encoding import Source
    from muscle_metrics.scale.flaws import FlawedItems
    from muscle_metrics.scale.tally import Tally
    from muscle_metrics.scorers import Metric

__all__ = ["Choices", "Database", "Engine", "compare_sources"]

NO_OPTIONS: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
# The database keeps fewer than a million of a group, and nobody reads as many.
LARGEST_SAMPLE = 100_000


class _ToldApart(NamedTuple):
    judge: str | None
    graders: tuple[Metric, ...]
    is_by_score: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """How runs are joined and judged, whatever the engine.

    Parameters
    ----------
    metric, options, threshold, strict_threshold, tie, minimum_effect, score_range
        As in `compare_runs`; texts are scored as they stream by.
    missing, conflict, unanswered
        As in `compare_runs`.
    sample_size : int
        The most negative flips kept of every slice.
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
        check_choices(missing=self.missing, conflict=self.conflict, unanswered=self.unanswered)
        if self.threshold is not None and not math.isfinite(self.threshold):
            raise UsageError(
                f"expected a finite number as threshold, got {self.threshold!r}: pass the least "
                f"score that is right"
            )
        if not 0 <= self.sample_size <= LARGEST_SAMPLE:
            raise UsageError(
                f"expected a sample of at most {LARGEST_SAMPLE} flips a slice, got "
                f"{self.sample_size!r}: compare the runs in memory to see all of them"
            )

    def joining(self, old: Source, new: Source) -> Joining:
        """Join two sources by these choices."""
        return Joining(
            old=old,
            new=new,
            by_score=self._told_apart(old, new).is_by_score,
            threshold=self.threshold,
            strict_threshold=self.strict_threshold,
            missing=self.missing,
            conflict=self.conflict,
            unanswered=self.unanswered,
        )

    def grading(self, old: Source, new: Source, *, is_graded: bool) -> Grading:
        """Grade the items of two sources by these choices."""
        return Grading(
            **self._told_apart(old, new)._asdict(),
            options=self.options or NO_OPTIONS,
            threshold=self.threshold,
            strict_threshold=self.strict_threshold,
            tie=self.tie,
            minimum_effect=self.minimum_effect,
            score_range=self.score_range,
            is_graded=is_graded,
        )

    def _told_apart(self, old: Source, new: Source) -> _ToldApart:
        """Tell what the rows say by themselves from what must read their texts."""
        scores = [source.fields.get("score") for source in (old, new)]
        told = _told_by_default(scores) if self.metric is None else self._told_as_asked(scores)
        if self.threshold is not None and not told.is_by_score and not told.graders:
            raise UsageError(THRESHOLD_WITHOUT_SCORE)
        return told

    def _told_as_asked(self, scores: Sequence[str | None]) -> _ToldApart:
        several = isinstance(self.metric, (list, tuple))
        listed: list[Any] = list(self.metric) if several else [self.metric]  # type: ignore[arg-type]
        known = {EXACT_MATCH, *scores}
        told = list(dict.fromkeys(one for one in listed if isinstance(one, str) and one in known))
        if len(told) > 1:
            raise UsageError(
                f"expected one metric that the rows tell by themselves, got {told} where an engine "
                f"counts the runs: ask for one of them at a time, or compare in memory"
            )
        judge = told[0] if told else None
        is_by_score = judge is not None and judge in scores
        if is_by_score and set(scores) != {judge}:
            raise UsageError(
                f"expected the score {judge!r} in both runs, got the score fields {scores}: name "
                f"the same with --score-field (score_field)"
            )
        return _ToldApart(judge, tuple(one for one in listed if one not in told), is_by_score)

    def recipe(self, judge: str | None, totals: Totals) -> dict[str, str]:
        """Name the choices that the numbers depend on."""
        names = ", ".join(dict.fromkeys([*filter(None, [judge]), *totals.scores]))
        if self.threshold is not None:
            names = f"{names} {'>' if self.strict_threshold else '>='} {self.threshold!r}"
        return choices(
            names,
            None,
            missing=self.missing,
            conflict=self.conflict,
            unanswered=self.unanswered,
        )


def _told_by_default(scores: Sequence[str | None]) -> _ToldApart:
    names = dict.fromkeys(name for name in scores if name is not None)
    is_by_score = None not in scores
    return _ToldApart(" -> ".join(names) if is_by_score else EXACT_MATCH, (), is_by_score)


class Engine(Protocol):
    """Where the items of two sources are joined; each method goes over all of them once."""

    def tally(self, joining: Joining, choices: Choices) -> Tally:
        """Count the items by the marks they carry."""

    def collect_flawed(self, joining: Joining, wrong: frozenset[str]) -> FlawedItems:
        """Fetch the items that carry a flaw, and those whose id repeats."""

    def stream_totals(self, joining: Joining, grading: Grading, choices: Choices) -> Totals:
        """Sum up the scores of the items that are compared."""


@dataclass(frozen=True, slots=True)
class Database:
    """The engine of one machine: an open database that both sources can be read from.

    Examples
    --------
    >>> from muscle_metrics.scale.counting import open_database
    >>> with open_database("500MB", 1) as connection:
    ...     engine = Database(connection)
    """

    connection: Any

    def tally(self, joining: Joining, choices: Choices) -> Tally:
        """Count the items by the marks they carry."""
        return tally(self.connection, joining, size=choices.sample_size, seed=choices.seed)

    def collect_flawed(self, joining: Joining, wrong: frozenset[str]) -> FlawedItems:
        """Fetch the items that carry a flaw, and those whose id repeats."""
        return collect_flawed(self.connection, joining, wrong)

    def stream_totals(self, joining: Joining, grading: Grading, choices: Choices) -> Totals:
        """Sum up the scores of the items that are compared."""
        return stream_totals(
            self.connection, joining, grading, size=choices.sample_size, seed=choices.seed
        )


def compare_sources(
    engine: Engine, old: Source, new: Source, choices: Choices
) -> CountedComparison:
    """Compare the rows of two sources by their ids.

    Raises
    ------
    InputError
        As `compare_runs`.

    Examples
    --------
    >>> from muscle_metrics.scale.counting import open_database
    >>> from muscle_metrics.scale.encoding import Source
    >>> rows = '''(SELECT 1 AS id, 'A' AS prediction, 'A' AS reference)'''
    >>> types = {"id": "INTEGER", "prediction": "VARCHAR", "reference": "VARCHAR"}
    >>> fields = {name: name for name in types}
    >>> source = Source(name="v1", relation=rows, fields=fields, types=types, where={})
    >>> with open_database("500MB", 1) as connection:
    ...     compare_sources(Database(connection), source, source, Choices()).counts.both_right
    1
    """
    joining = choices.joining(old, new)
    found = engine.tally(joining, choices)
    if found.count("strange"):
        # Lists of accepted answers cost time, so they are looked into only where there are any.
        joining = replace(joining, has_lists=True)
        found = engine.tally(joining, choices)
    explain_flaws(joining, found, lambda wrong: engine.collect_flawed(joining, wrong))
    grading = choices.grading(old, new, is_graded=found.is_graded(joining))
    totals = (
        engine.stream_totals(joining, grading, choices)
        if grading.is_needed
        else found.totals(joining)
    )
    return CountedComparison(
        names=(old.name, new.name),
        totals=totals,
        dropped=found.dropped(joining),
        recipe=choices.recipe(grading.judge, totals),
        is_repeated="repeat" in old.fields,
        is_grouped="group" in {*old.fields, *new.fields},
    )
