"""Inconsistency flip rate, for `evaluate.load` of Hugging Face."""

import evaluate

from muscle_metrics.integrations.evaluate import FlipMetric

__all__ = ["InconsistencyFlipRate"]


class InconsistencyFlipRate(FlipMetric, evaluate.Metric):  # type: ignore[misc]
    """Share of all items now wrong with an answer that differs from the old one (NFR_mc).

    Examples
    --------
    >>> metric = InconsistencyFlipRate(keep_in_memory=True)
    >>> metric.compute(old_predictions=["A", "B"], predictions=["B", "C"], references=["A", "D"])
    {'inconsistency_flip_rate': Rate(2, 2)}
    """

    rates = ("inconsistency_flip_rate",)
