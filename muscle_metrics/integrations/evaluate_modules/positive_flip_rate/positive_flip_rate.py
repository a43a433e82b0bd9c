"""Positive flip rate, for `evaluate.load` of Hugging Face."""

import evaluate

from muscle_metrics.integrations.evaluate import FlipMetric

__all__ = ["PositiveFlipRate"]


class PositiveFlipRate(FlipMetric, evaluate.Metric):  # type: ignore[misc]
    """Share of all items that the old model got wrong and the new one gets right (PFR).

    Examples
    --------
    >>> metric = PositiveFlipRate(keep_in_memory=True)
    >>> metric.compute(old_predictions=["A", "B"], predictions=["A", "C"], references=["A", "C"])
    {'positive_flip_rate': Rate(1, 2)}
    """

    rates = ("positive_flip_rate",)
