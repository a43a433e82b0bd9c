"""Counts of flips and every rate of the flip family, for `evaluate.load` of Hugging Face."""

import dataclasses

import evaluate

from muscle_metrics.flips.counts import FlipCounts
from muscle_metrics.flips.rate_table import RATES
from muscle_metrics.integrations.evaluate import FlipMetric

__all__ = ["Flips"]


class Flips(FlipMetric, evaluate.Metric):  # type: ignore[misc]
    """Numbers of items in the quadrants of an update, and every rate; nan where undefined.

    Examples
    --------
    >>> metric = Flips(keep_in_memory=True)
    >>> found = metric.compute(old_predictions=["A"], predictions=["B"], references=["A"])
    >>> found["negative"], found["negative_flip_rate"], found["fix_rate"]
    (1, Rate(1, 1), Rate(0, 0))
    """

    rates = tuple(RATES)

    def _results(self, counts: FlipCounts) -> dict[str, float]:
        return {**dataclasses.asdict(counts), **super()._results(counts)}
