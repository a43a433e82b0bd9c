"""Negative flip rate, for `evaluate.load` of Hugging Face."""

import evaluate

from muscle_metrics.integrations.evaluate import FlipMetric

__all__ = ["NegativeFlipRate"]


class NegativeFlipRate(FlipMetric, evaluate.Metric):  # type: ignore[misc]
    """Share of all items that the old model got right and the new one gets wrong (NFR).

    Examples
    --------
    >>> metric = NegativeFlipRate(keep_in_memory=True)
    >>> metric.compute(old_predictions=["A", "B"], predictions=["A", "C"], references=["A", "B"])
    {'negative_flip_rate': Rate(1, 2)}
    """

    rates = ("negative_flip_rate",)
