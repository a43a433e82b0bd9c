"""Flips in MLflow: metrics for `mlflow.models.evaluate`, scorers for `mlflow.genai.evaluate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from muscle_metrics.answers.correctness import Correctness, judge_answers
from muscle_metrics.answers.reading.reading import with_answer
from muscle_metrics.errors import InputError, require
from muscle_metrics.flips.counting import tally_correctness

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from muscle_metrics.answers.columns import Key, Missing

    Flags = npt.NDArray[np.bool_]

__all__ = ["flip_metrics", "flip_scorers"]

# Name of each rate without "_rate", and the items that it counts.
FLIPS: dict[str, Callable[[Correctness], Flags]] = {
    "negative_flip": lambda correctness: correctness.old_right & ~correctness.new_right,
    "positive_flip": lambda correctness: ~correctness.old_right & correctness.new_right,
    "inconsistency_flip": lambda correctness: (
        cast("Flags", correctness.changed) & ~correctness.new_right
    ),
}


def flip_metrics(
    *, key: Key = None, answer: str | None = None, missing: Missing = "error"
) -> list[Any]:
    """Rates for ``mlflow.models.evaluate(extra_metrics=...)``, each with a flag per row.

    MLflow finds the answers of the old model by the name of their column, ``old_predictions``, or
    by the one that ``evaluator_config={"col_mapping": ...}`` gives.

    Parameters
    ----------
    key : callable, optional
        Normalises answers and references before they are compared.
    answer : str, optional
        Readers of answers and references, such as "strip, casefold", after the key.
    missing : {"error", "wrong"}
        Whether a None or NaN answer is refused or counts as a wrong answer.

    Returns
    -------
    list of mlflow.models.EvaluationMetric
        ``negative_flip_rate``, ``positive_flip_rate`` and ``inconsistency_flip_rate``.

    Raises
    ------
    MissingDependencyError
        If MLflow is not installed.

    Examples
    --------
    >>> import mlflow  # doctest: +SKIP
    >>> mlflow.models.evaluate(  # doctest: +SKIP
    ...     data=data,  # with a column old_predictions
    ...     predictions="predictions",
    ...     targets="targets",
    ...     evaluators="default",
    ...     extra_metrics=flip_metrics(),
    ... )
    """
    key = with_answer(key, answer)
    mlflow = require("mlflow", "mlflow")
    values = require("mlflow.metrics", "mlflow")

    def metric(flip: str) -> Any:
        name = f"{flip}_rate"

        # MLflow passes arguments by the names of these parameters.
        def evaluate(
            predictions: pd.Series[Any],
            targets: pd.Series[Any],
            metrics: object,
            old_predictions: pd.Series[Any],
        ) -> Any:
            # MLflow gives new indexes to some columns, so rows are paired by position.
            old, new, references = (
                column.to_numpy() for column in (old_predictions, predictions, targets)
            )
            correctness = judge_answers(
                old=old, new=new, references=references, key=key, missing=missing
            )
            return values.MetricValue(
                scores=FLIPS[flip](correctness).astype(int).tolist(),
                aggregate_results={name: getattr(tally_correctness(correctness), name)},
            )

        return mlflow.models.make_metric(
            eval_fn=evaluate, name=name, greater_is_better=flip == "positive_flip"
        )

    return [metric(flip) for flip in FLIPS]


def flip_scorers(
    *,
    old: str = "old_response",
    reference: str = "expected_response",
    key: Key = None,
    answer: str | None = None,
    missing: Missing = "error",
) -> list[Any]:
    """Scorers for ``mlflow.genai.evaluate``; the mean of each is a rate.

    An item whose answers cannot be compared is an error of its scorer. MLflow leaves such items
    out of the mean, and warns of how many there are.

    Parameters
    ----------
    old, reference : str
        Names of the old answer and of the reference (an answer or a list of accepted ones) in the
        expectations of every item.
    key : callable, optional
        Normalises answers and references before they are compared.
    answer : str, optional
        Readers of answers and references, such as "strip, casefold", after the key.
    missing : {"error", "wrong"}
        Whether an output or old answer that is None is refused or counts as wrong.

    Returns
    -------
    list of mlflow.genai.scorers.Scorer
        ``negative_flip``, ``positive_flip`` and ``inconsistency_flip``: true where an item flipped.

    Raises
    ------
    MissingDependencyError
        If MLflow is not installed.

    Examples
    --------
    >>> item = {
    ...     "inputs": {"question": "7 * 8?"},
    ...     "outputs": "54",
    ...     "expectations": {"expected_response": "56", "old_response": "56"},
    ... }
    >>> mlflow.genai.evaluate(data=[item], scorers=flip_scorers())  # doctest: +SKIP
    """
    key = with_answer(key, answer)
    scorers = require("mlflow.genai.scorers", "mlflow")

    def scorer(flip: str) -> Any:
        def score(outputs: object, expectations: Mapping[str, object]) -> bool:
            for name in (old, reference):
                if name not in expectations:
                    raise InputError(
                        f"expected {name!r} among the expectations of every item, got "
                        f"{sorted(expectations)}: add it, or say what it is called"
                    )
            correctness = judge_answers(
                old=[expectations[old]],
                new=[outputs],
                references=[expectations[reference]],
                key=key,
                missing=missing,
            )
            return bool(FLIPS[flip](correctness)[0])

        is_good = flip == "positive_flip"
        # MLflow would mark every item with a true score as passed, negative flips included.
        return scorers.scorer(score, name=flip, pass_if=lambda flipped: is_good or not flipped)

    return [scorer(flip) for flip in FLIPS]
