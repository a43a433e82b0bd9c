"""Scores that an LLM judge gave: who says so, and what a verdict by them must say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from muscle_metrics.scorers import SCORERS
from muscle_metrics.words.numbers import counted
from muscle_metrics.words.place import list_names, show

if TYPE_CHECKING:
    from muscle_metrics.comparison.counted import CountedComparison
    from muscle_metrics.comparison.facts import Facts

__all__ = ["judge_note", "recorded_metrics", "split_note"]


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
        return comparison.judge_bias
    named = [one["judge"] for one in comparison.fingerprints if one.get("judge")]
    who = show(judge) if judge else list_names(list(dict.fromkeys(named)))
    if not who or not recorded_metrics(comparison):
        return None
    return (
        f"decided by the judge {who} alone, whose errors no labels correct: 'muscle-metrics label' "
        f"draws some to correct them"
    )


def split_note(comparison: Facts) -> str | None:
    """Say how many equal answers of both runs got different verdicts; None where there is none.

    Such flips are noise of whoever gave the verdicts. They count like all others: to leave them out
    would let a verdict pass.

    Examples
    --------
    >>> from muscle_metrics import Record, Run, compare_runs
    >>> old, new = (Run((Record("1", "A", scores={"judge": v}),), "v") for v in (True, False))
    >>> split_note(compare_runs(old, new)).partition(":")[0]
    '1 of 1 equal answer got different verdicts in the two runs'
    """
    if not comparison.is_judged or not recorded_metrics(comparison):
        return None
    split, equal = _split(comparison)
    if not split:
        return None
    return (
        f"{split} of {counted(equal, 'equal answer')} got different verdicts in the two runs: "
        f"noise of the verdicts, which counts as flips here; judge equal answers once"
    )


def _split(comparison: Facts) -> tuple[int, int]:
    """Items with equal answers and different verdicts, and all items with equal answers."""
    held = comparison.in_memory
    if held is None:
        counts, engine = comparison.counts, cast("CountedComparison", comparison)
        known = (engine.answers_changed, counts.both_right_changed, counts.wrong_changed)
        changed, of_right, of_wrong = known
        if changed is None or of_right is None or of_wrong is None:
            return 0, 0
        flips = counts.negative + counts.positive
        return flips - (changed - of_right - of_wrong), counts.total - changed
    if held.correctness is None or held.correctness.changed is None:
        return 0, 0
    equal = ~held.correctness.changed
    split = equal & (held.correctness.old_right != held.correctness.new_right)
    return int(split.sum()), int(equal.sum())
