"""Which metrics compare two runs: a recorded score before a scorer of its name, and their options.

Every comparison, in memory or by an engine, chooses here, and has its options checked here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from muscle_metrics.answers.scores import LARGEST_SCORE
from muscle_metrics.comparison.unanswered import UNBOUNDED
from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.scorers import SCORERS, Scorer, resolve_scorer
from muscle_metrics.scorers.table import names_scorer, scorer_name
from muscle_metrics.words.place import list_ids, list_names, show
from muscle_metrics.words.suggestion import nearest_name

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from muscle_metrics.scorers import Metric

    Options = Mapping[str, Mapping[str, Any]]

__all__ = [
    "EXACT_MATCH",
    "Chosen",
    "Recorded",
    "RecordedNames",
    "check_judging",
    "check_scores",
    "choose_metrics",
    "is_verdict",
]

EXACT_MATCH = "exact_match"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A score that the runs recorded; without a name it is the only one of each task."""

    name: str | None = None


Chosen: TypeAlias = Recorded | Scorer
"""A recorded score, or a scorer that is computed from the answers."""

RecordedNames: TypeAlias = "tuple[str, Collection[str]]"
"""Name of a run, and the names of the scores that it recorded."""


def is_verdict(metric: Chosen) -> bool:
    """Whether a metric is computed and marks every item right or wrong by itself."""
    return isinstance(metric, Scorer) and metric.kind == "verdict"


def choose_metrics(
    metric: Metric | Sequence[Metric] | None,
    options: Options | None = None,
    *,
    recorded: Sequence[RecordedNames] = (),
    has_logs: bool = False,
) -> list[Chosen]:
    """Choose the metrics that compare runs, in the order in which they were asked for.

    A name that any run recorded means the recorded score, in all runs: whether each run, task and
    item has it is checked where it is read. A name with options means the scorer.

    Parameters
    ----------
    metric : str, callable, or several, optional
        By default the recorded score where there is one, else "exact_match".
    options : mapping of str to mapping, optional
        Options by metric.
    recorded : sequence of (str, collection of str)
        The scores that each run recorded.
    has_logs : bool
        Whether a harness recorded any of the runs, so that scores are to be expected.

    Raises
    ------
    UsageError
        If a metric is unknown or named twice, options belong to no metric, or only some runs
        recorded scores and no metric was named.

    Examples
    --------
    >>> choose_metrics("exact_match", recorded=[("v1", {"exact_match"}), ("v2", ())])
    [Recorded(name='exact_match')]
    >>> [one.signature for one in choose_metrics(["rouge1"], {"rouge1": {"stem": True}})]
    ['rouge1(stem=True)']
    """
    options = _checked_options(options)
    if metric is None:
        chosen = {EXACT_MATCH: _default(recorded, options, has_logs=has_logs)}
    else:
        known = {name for _, names in recorded for name in names}
        chosen = {}
        for one in _listed(metric):
            name, found = _choose(one, options, known)
            if chosen.setdefault(name, found) != found:
                raise UsageError(
                    f"expected metrics of different names, got two that are called {name!r}: "
                    f"name a function otherwise, or compare by one after the other"
                )
    _check_owners(options, chosen)
    _check_distinct(chosen)
    return list(chosen.values())


def _listed(metric: Metric | Sequence[Metric]) -> list[Metric]:
    listed = list(metric) if isinstance(metric, (list, tuple)) else [cast("Metric", metric)]
    if not listed:
        raise UsageError("expected at least one metric, got none: name one with --metric (metric=)")
    return listed


def _default(recorded: Sequence[RecordedNames], options: Options, *, has_logs: bool) -> Chosen:
    scored = [run for run, names in recorded if names]
    silent = [run for run, names in recorded if not names]
    if scored and not silent:
        return Recorded()
    if scored:
        known = {name for _, names in recorded for name in names}
        by_answers = "token_f1" if EXACT_MATCH in known else EXACT_MATCH
        raise UsageError(
            f"expected recorded scores in every run or in none, got them in "
            f"{list_names(scored)} and not in {list_names(silent)}: judge all by their answers "
            f"with a scorer such as --metric {by_answers} (metric=), or name the score of every "
            f"run with --score-field (score_field=)"
        )
    if has_logs:
        raise UsageError(
            "expected a score for every item in the log of a harness, got none: say how its "
            "answers are judged with --metric (metric=), such as exact_match"
        )
    return resolve_scorer(EXACT_MATCH, **options.get(EXACT_MATCH, {}))


def _choose(metric: Metric, options: Options, known: Collection[str]) -> tuple[str, Chosen]:
    """Name of a metric, under which it has options, and the metric."""
    if isinstance(metric, str):
        if metric in known:
            return metric, Recorded(metric)
        if known and not names_scorer(metric):
            raise _unknown(metric, known)
        name = scorer_name(metric)
        return name, resolve_scorer(metric, **options.get(name, {}))
    name = resolve_scorer(metric).name if callable(metric) else ""
    return name, resolve_scorer(metric, **options.get(name, {}))


def _unknown(metric: str, known: Collection[str]) -> UsageError:
    near = nearest_name(metric, [*known, *SCORERS])
    return UsageError(
        f"expected a metric to be a recorded score, one of {list_names(sorted(known)) or 'none'}, "
        f"or a scorer, one of {list(SCORERS)} or 'package.module:function', got {metric!r}"
        f"{f': did you mean {near!r}?' if near else ': name one with --metric (metric=)'}"
    )


def _checked_options(options: Options | None) -> Options:
    for name, given in (options or {}).items():
        if not isinstance(given, Mapping):
            raise UsageError(
                f"expected options by metric, such as {{'rouge1': {{'stem': True}}}}, got "
                f"{type(given).__name__} for {name!r}: write the options of one metric as a mapping"
            )
    return {scorer_name(name): given for name, given in (options or {}).items()}


def _check_owners(options: Options, chosen: Mapping[str, Chosen]) -> None:
    """Refuse options of a metric that is not computed: they would change nothing."""
    for name, given in options.items():
        found = chosen.get(name)
        if isinstance(found, Scorer):
            continue
        if found is not None and found.name == name:
            raise UsageError(
                f"expected no options for the recorded score {name!r}, got "
                f"{list_names([*map(str, given)])}: drop them, or name a scorer with --metric "
                f"(metric=)"
            )
        computed = [one for one, metric in chosen.items() if isinstance(metric, Scorer)]
        near = nearest_name(str(name), computed)
        advice = f"did you mean {near!r}?" if near else "drop them, or add --metric (metric=)"
        raise UsageError(
            f"expected options of a metric that is computed, which is {computed or 'none'}, got "
            f"options of {name!r}: {advice}"
        )


def _check_distinct(chosen: Mapping[str, Chosen]) -> None:
    """Refuse one metric under two names, as by its options twice."""
    names: dict[str, str] = {}
    for name, one in chosen.items():
        if isinstance(one, Scorer) and names.setdefault(one.signature, name) != name:
            raise UsageError(
                f"expected different metrics, got {list_names([names[one.signature], name])}, "
                f"which are the same: drop one --metric (metric=)"
            )


def check_judging(
    chosen: Sequence[Chosen],
    *,
    threshold: float | None = None,
    strict_threshold: bool = False,
    tie: float | None = None,
    minimum_effect: float = 0.0,
    score_range: tuple[float, float] = UNBOUNDED,
    unanswered: str = "error",
) -> None:
    """Refuse an option that would change nothing, or that makes every item right or wrong.

    Parameters
    ----------
    chosen : sequence of Recorded or Scorer
        The metrics; a threshold applies to the first.
    threshold, strict_threshold, tie, minimum_effect, score_range, unanswered
        As in `compare_runs`.

    Raises
    ------
    UsageError
        If an option has nothing to apply to, or contradicts the scores of its metric.
    """
    first = chosen[0]
    if threshold is not None:
        _check_threshold(first, threshold, strict_threshold, score_range)
    elif strict_threshold:
        raise UsageError(
            "expected a threshold for --strict-threshold (strict_threshold=), got none: add "
            "--threshold (threshold=), or drop it"
        )
    if all(map(is_verdict, chosen)):
        for name, given in (
            ("tie=", tie is not None),
            ("--minimum-effect (minimum_effect=)", minimum_effect != 0),
        ):
            if given:
                raise UsageError(
                    f"expected a graded score for {name}, got only exact_match, which marks items "
                    f"right or wrong: drop it, or add a graded --metric (metric=)"
                )
    _check_range(chosen, score_range, covers_texts=unanswered == "wrong")


def _check_threshold(
    metric: Chosen, threshold: float, strict: bool, score_range: tuple[float, float]
) -> None:
    if not math.isfinite(threshold):
        raise UsageError(
            f"expected a finite number as threshold, got {threshold!r}: pass the least score that "
            f"is right"
        )
    if is_verdict(metric):
        raise UsageError(
            "expected a graded score to apply --threshold (threshold=) to, got exact_match first, "
            "which tells right from wrong itself: name a score with --score-field or --metric "
            "(metric=), or drop the threshold"
        )
    if isinstance(metric, Recorded):
        low, high = score_range
        name, worst, best = str(metric.name or "the recorded score"), -math.inf, math.inf
    else:
        low, high, name = metric.low, metric.high, metric.name
        worst, best = (low, high) if metric.higher_is_better else (high, low)
    if not low <= threshold <= high:
        raise UsageError(
            f"expected --threshold (threshold=) among the scores of {name}, which lie from {low:g} "
            f"to {high:g}, got {threshold!r}: choose one between them"
        )
    if threshold == (best if strict else worst):
        raise UsageError(
            f"expected --threshold (threshold=) to tell scores of {name} apart, which lie from "
            f"{low:g} to {high:g}, got {threshold!r}, by which every item is "
            f"{'wrong' if strict else 'right'}: choose one between them"
        )


def _check_range(
    chosen: Sequence[Chosen], score_range: tuple[float, float], *, covers_texts: bool
) -> None:
    low, high = score_range
    if (low, high) == UNBOUNDED:
        return
    if not low < high:
        raise UsageError(
            f"expected --score-range LOW HIGH (score_range=) with LOW below HIGH, got {low!r} and "
            f"{high!r}: exchange them"
        )
    # A lost item moves by the whole range, and the square of its move must be a float.
    too_wide = [end for end in score_range if LARGEST_SCORE < abs(end) < math.inf]
    if too_wide:
        raise UsageError(
            f"expected --score-range LOW HIGH (score_range=) between {-LARGEST_SCORE:g} and "
            f"{LARGEST_SCORE:g}, got {too_wide[0]!r}: name the least and the largest score that "
            f"the judge gives"
        )
    open_ended = [
        one for one in chosen if isinstance(one, Scorer) and not math.isfinite(one.high - one.low)
    ]
    if not any(isinstance(one, Recorded) for one in chosen) and not (covers_texts and open_ended):
        names = [one.name for one in chosen if isinstance(one, Scorer)]
        raise UsageError(
            f"expected a recorded score for --score-range (score_range=), or missing answers of a "
            f"scorer without a range, got {list_names(names)}: drop it, or add --unanswered wrong "
            f'(unanswered="wrong")'
        )


def check_scores(
    scores: npt.NDArray[np.float64],
    ids: Sequence[str],
    *,
    run: str,
    score_range: tuple[float, float],
) -> None:
    """Refuse a recorded score outside the range that was given.

    Raises
    ------
    InputError
        If a score contradicts the range; the error names the item.
    """
    low, high = score_range
    outside = np.flatnonzero((scores < low) | (scores > high))
    if len(outside):
        first = outside[0]
        raise InputError(
            f"expected scores of {show(run)} from {low:g} to {high:g}, got "
            f"{float(scores[first])!r} for {list_ids([ids[first]])} and {len(outside)} such in "
            f"all: correct them, or the range --score-range (score_range=)"
        )
