"""Flips inside inspect_ai: a scorer that compares with a stored run, and its metrics."""

from __future__ import annotations

from muscle_metrics.errors import InputError, require
from muscle_metrics.flips.counts import Quadrant
from muscle_metrics.flips.rates import Rate
from muscle_metrics.integrations.stored_correctness import is_right, quadrant_of, read_correctness

# Needed at import: inspect_ai reads the types of the functions that it decorates.
require("inspect_ai", "inspect")
from inspect_ai.scorer import (  # noqa: E402
    CORRECT,
    INCORRECT,
    NOANSWER,
    Metric,
    SampleScore,
    Score,
    Scorer,
    Target,
    accuracy,
    metric,
    scorer,
)
from inspect_ai.solver import TaskState  # noqa: E402, TC002

__all__ = ["flips", "negative_flip_rate", "positive_flip_rate"]

QUADRANT = "quadrant"
LETTERS = {CORRECT: 1, INCORRECT: 0, NOANSWER: 0}


def _rate_of(quadrant: Quadrant) -> Metric:
    def compute(scores: list[SampleScore]) -> float:
        found = [(sample.score.metadata or {}).get(QUADRANT) for sample in scores]
        if None in found:
            raise InputError(
                f"expected samples scored by flips, got {found.count(None)} of {len(found)} "
                f"without a quadrant: use this metric with the scorer flips"
            )
        return float(Rate(found.count(quadrant), len(found)))

    return compute


# One score per sample and epoch: a mean over epochs is neither right nor wrong.
@metric(scores="unreduced")  # type: ignore[untyped-decorator]
def negative_flip_rate() -> Metric:
    """Share of all samples that the old model got right and the new one gets wrong (NFR).

    Examples
    --------
    >>> flips(match(), baseline="v1.baseline")  # reports it  # doctest: +SKIP
    """
    return _rate_of(Quadrant.NEGATIVE)


@metric(scores="unreduced")  # type: ignore[untyped-decorator]
def positive_flip_rate() -> Metric:
    """Share of all samples that the old model got wrong and the new one gets right (PFR).

    Examples
    --------
    >>> flips(match(), baseline="v1.baseline")  # reports it  # doctest: +SKIP
    """
    return _rate_of(Quadrant.POSITIVE)


@scorer(metrics=[accuracy(), negative_flip_rate(), positive_flip_rate()])  # type: ignore[untyped-decorator]
def flips(
    judge: Scorer,
    baseline: str,
    metric: str | None = None,
    threshold: float | None = None,
    task: str | None = None,
) -> Scorer:
    """Score as another scorer does, and compare with a stored run by sample id and epoch.

    The score's metadata say in which quadrant the sample is.

    Parameters
    ----------
    judge : Scorer
        The scorer that decides correctness, such as ``match()``.
    baseline : str
        File of the old run, such as one that ``muscle-metrics baseline`` wrote of its log.
    metric : str, optional
        The score of the old run that decides correctness; needed if there are several.
    threshold : float, optional
        A score of at least this much is right; not needed where all are right or wrong.
    task : str, optional
        Name of the task in the old run, if that holds several.

    Returns
    -------
    Scorer
        With the metrics ``accuracy``, `negative_flip_rate` and `positive_flip_rate`.

    Raises
    ------
    InputError
        If the old run cannot be read or judged; while scoring, if it does not hold a sample, or a
        score is neither right nor wrong.

    Examples
    --------
    >>> Task(dataset=samples, scorer=flips(match(), baseline="v1.baseline"))  # doctest: +SKIP
    """
    stored = read_correctness(baseline, metric=metric, threshold=threshold, task=task)

    async def score(state: TaskState, target: Target) -> Score:
        judged = await judge(state, target)
        if judged is None:
            raise InputError(
                "expected a score of every sample, got none: flips need a scorer that always judges"
            )
        old_right = stored.of(str(state.sample_id), str(state.epoch))
        new_right = is_right(LETTERS.get(judged.value, judged.value), "the score", threshold)
        quadrant = quadrant_of(old_right=old_right, new_right=new_right)
        return judged.model_copy(
            update={"metadata": {**(judged.metadata or {}), QUADRANT: str(quadrant)}}
        )

    return score
