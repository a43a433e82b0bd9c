"""Scores that an LLM judge gave: who says so, and what a verdict by them must say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from muscle_metrics.scorers import SCORERS
from muscle_metrics.words.place import list_names

if TYPE_CHECKING:
    from muscle_metrics.comparison.facts import Facts

__all__ = ["judge_note", "recorded_metrics"]


def recorded_metrics(comparison: Facts) -> list[str]:
    """Names of the recorded scores by which runs were compared.

    Examples
    --------
    >>> from muscle_metrics import Record, Run, compare_runs
    >>> run = Run((Record("1", "A", scores={"judge": 0.7}),), "v1")
    >>> recorded_metrics(compare_runs(run, run, threshold=0.5))
    ['judge']
    """
    parts = re.split(", | -> ", comparison.recipe.get("metric", ""))
    names = [re.split(" [<>]=? ", part)[0] for part in parts]
    own = {"exact_match", *SCORERS}
    recorded = (name for name in names if not ({name, name.partition("(")[0]} & own))
    return list(dict.fromkeys(name.removeprefix("recorded ") for name in recorded))


def judge_note(comparison: Facts, judge: str | None = None) -> str | None:
    """Say that a judge decided alone; None where labels correct it, or no judge is known.

    A judge is known where a policy names its score, or where a run that is compared by a recorded
    score says which judge gave it (the part "judge" of its fingerprint). Nothing is guessed from
    the name of a score.

    Parameters
    ----------
    comparison : Comparison or CountedComparison
        Old against new.
    judge : str, optional
        Score that the policy says a judge gave.
    """
    if comparison.sample is not None:
        return comparison.judge_finding
    named = [one["judge"] for one in comparison.fingerprints if one.get("judge")]
    who = judge or list_names(list(dict.fromkeys(named)))
    if not who or not recorded_metrics(comparison):
        return None
    return (
        f"decided by the judge {who} alone, whose errors no labels correct: 'muscle-metrics label' "
        f"draws some to correct them"
    )
