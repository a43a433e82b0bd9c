"""A judge's verdicts on both answers of every item, and how often labels contradict them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from muscle_metrics.comparison.signature import name_metric
from muscle_metrics.errors import UsageError
from muscle_metrics.flips.thresholds import RECORDED_TIE, reaches
from muscle_metrics.labels.items import check_judge
from muscle_metrics.statistics.interval import Interval
from muscle_metrics.statistics.judge_bias import Leniency, leniency_test
from muscle_metrics.statistics.weighted import weighted_proportion_interval
from muscle_metrics.words.numbers import percent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import numpy.typing as npt

    from muscle_metrics.labels.items import LabelItems

    Flags = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]

__all__ = ["JudgeErrors", "Share", "Verdicts", "judge_errors", "read_verdicts"]

UNKNOWN = 4
"""Cell of items without one of the two verdicts."""
LEVEL = 0.05


@dataclass(frozen=True, eq=False)
class Verdicts:
    """What a judge says of both answers of every item.

    Parameters
    ----------
    name : str
        Name of its score, with the threshold.
    right : numpy.ndarray of bool, shape (items, 2)
        Whether the old and the new answer are right by the judge.
    known : numpy.ndarray of bool, shape (items,)
        Whether both verdicts are there.
    """

    name: str
    right: Flags
    known: Flags

    @property
    def cells(self) -> npt.NDArray[np.intp]:
        """Number of the cell of every item: wrong and wrong, ..., right and right, unknown."""
        pairs = 2 * self.right[:, 0] + self.right[:, 1]
        return np.where(self.known, pairs, UNKNOWN).astype(np.intp)

    def rates(self) -> dict[str, float]:
        """Rates of all items with both verdicts, by the judge alone."""
        old, new = self.right[self.known].T
        total = max(len(old), 1)
        negative, positive = int((old & ~new).sum()), int((~old & new).sum())
        return {
            "negative_flip_rate": negative / total,
            "positive_flip_rate": positive / total,
            "accuracy_change": (positive - negative) / total,
        }


class Share(NamedTuple):
    """A share of answers, its 95 % interval, and the number of labelled answers behind it."""

    value: float
    interval: Interval
    labels: int

    def to_dict(self) -> dict[str, Any]:
        """Plain data; undefined is None."""
        value = None if math.isnan(self.value) else self.value
        return {"value": value, "interval": list(self.interval), "labels": self.labels}


@dataclass(frozen=True, eq=False)
class JudgeErrors:
    """How often a judge is right about the answers that people labelled, model by model.

    Parameters
    ----------
    right : numpy.ndarray of bool, shape (labels, 2)
        What people said of the old and the new answer of each item that differs.
    judged : numpy.ndarray of bool, shape (labels, 2)
        What the judge said.
    weights : numpy.ndarray of float, shape (labels,)
        How many items each label stands for.
    """

    right: Flags
    judged: Flags
    weights: Floats

    def share(self, model: int, *, of_right: bool) -> Share:
        """Share of the right answers of a model that the judge calls right, or of the wrong ones.

        Parameters
        ----------
        model : {0, 1}
            Old or new.
        of_right : bool
            Right answers give the sensitivity, wrong ones the specificity.
        """
        of_kind = self.right[:, model] == of_right
        agrees = (self.judged[:, model] == of_right)[of_kind]
        weights = self.weights[of_kind]
        if not weights.size:
            return Share(math.nan, Interval(0.0, 1.0), 0)
        interval = weighted_proportion_interval(
            successes=agrees * weights, weights=weights, largest=float(self.weights.max())
        )
        return Share(float(agrees @ weights / weights.sum()), interval, int(weights.size))

    @property
    def leniency(self) -> Leniency:
        """Whether the judge passes more of the new answers than of old ones that are as right."""
        return leniency_test(self.right, self.judged, self.weights)

    @property
    def is_biased(self) -> bool:
        """Whether the test shows a difference."""
        return self.leniency.p_value < LEVEL

    @property
    def finding(self) -> str:
        """What the test says, in one sentence without the name of the judge."""
        found = self.leniency
        if not self.is_biased:
            return (
                f"no difference shown between its errors on OLD and on NEW "
                f"({len(self.weights)} labels, p = {found.p_value:.2g})"
            )
        word = "lenient" if found.difference > 0 else "strict"
        passed = (1 - self.share(model, of_right=False).value for model in (0, 1))
        kept = (self.share(model, of_right=True).value for model in (0, 1))
        wrong, correct = (" and ".join(map(_percent, pair)) for pair in (passed, kept))
        return (
            f"{word} on NEW (p = {found.p_value:.2g}): of OLD and NEW it passes {wrong} of the "
            f"wrong answers, {correct} of the right ones"
        )

    def to_dict(self) -> dict[str, Any]:
        """Sensitivity and specificity by model, and the test of a bias, as plain data."""
        models = {
            name: {
                "sensitivity": self.share(model, of_right=True).to_dict(),
                "specificity": self.share(model, of_right=False).to_dict(),
            }
            for model, name in enumerate(("old", "new"))
        }
        difference, p_value = self.leniency
        bias = {
            "difference": None if math.isnan(difference) else difference,
            "p_value": p_value,
            "finding": self.finding,
        }
        return {**models, "lenient_on_new": bias}


def read_verdicts(
    items: LabelItems, judge: str, *, threshold: float | None = None, strict: bool = False
) -> Verdicts:
    """Read what a judge says of both answers of every item.

    Parameters
    ----------
    items : LabelItems
        Old and new answers, with recorded scores.
    judge : str
        Name of the judge's score.
    threshold : float, optional
        An answer is right if its score reaches it; not needed for verdicts of 0 and 1.
    strict : bool
        Whether the score must be better than the threshold.

    Raises
    ------
    UsageError
        If the score is not recorded, or graded and without a threshold.
    """
    check_judge(items, judge)
    columns = [
        np.array([record.scores.get(judge, math.nan) for record in records], dtype=np.float64)
        for records in items.joined.records
    ]
    scores: Floats = np.stack(columns, axis=1)
    known = np.asarray(np.isfinite(scores).all(axis=1))
    higher = judge not in items.joined.lower_is_better
    if threshold is None:
        graded = ~np.isin(scores[~np.isnan(scores)], (0, 1))
        if graded.any():
            raise UsageError(
                f"expected verdicts of 0 and 1 for --judge (judge=), got scores of {judge!r} such "
                f"as {scores[~np.isnan(scores)][graded][0]:g}: say which are right with "
                f"--threshold (threshold=)"
            )
        return Verdicts(judge, (scores == float(higher)) & known.reshape(-1, 1), known)
    name = name_metric(judge, threshold=threshold, strict=strict, higher_is_better=higher)
    if not math.isfinite(threshold):
        raise UsageError(
            f"expected a finite number as --threshold (threshold=), got {threshold!r}: name the "
            f"least score that is right"
        )
    right = reaches(scores, threshold, tie=RECORDED_TIE, strict=strict, higher_is_better=higher)
    return Verdicts(name, right & known.reshape(-1, 1), known)


def judge_errors(
    verdicts: Verdicts,
    positions: Sequence[int],
    right: Sequence[tuple[bool, bool]],
    weights: Sequence[float],
) -> JudgeErrors:
    """Compare a judge with people on the labelled items that differ.

    Parameters
    ----------
    verdicts : Verdicts
        Of all items.
    positions : sequence of int
        Positions of the labelled items.
    right : sequence of (bool, bool)
        Their labels.
    weights : sequence of float
        How many items each of them stands for.
    """
    places = np.array(positions, dtype=np.intp)
    there = verdicts.known[places]
    labels = np.array(right, dtype=bool).reshape(-1, 2)
    return JudgeErrors(
        labels[there], verdicts.right[places][there], np.array(weights, dtype=np.float64)[there]
    )


def _percent(share: float) -> str:
    return "none" if math.isnan(share) else percent(share)
