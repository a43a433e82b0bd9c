"""Candidates as a chart: gain of accuracy against the share that broke, and the front."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.comparison.uncertainty import rate_bounds
from muscle_metrics.reports.charts import Axis, axis_from_zero, axis_over

if TYPE_CHECKING:
    from muscle_metrics.comparison.candidates import Candidates

__all__ = ["CandidateChart", "CandidatePoint", "candidate_chart", "candidate_points"]


class CandidatePoint(NamedTuple):
    """One candidate; the intervals are as wide as a point where they are unknown."""

    name: str
    change: float
    nfr: float
    change_ends: tuple[float, float]
    nfr_ends: tuple[float, float]
    is_on_front: bool


class CandidateChart(NamedTuple):
    """Points on two axes, and the points of the front from the least gain to the most."""

    points: list[CandidatePoint]
    change: Axis
    nfr: Axis

    @property
    def steps(self) -> list[tuple[CandidatePoint, CandidatePoint]]:
        """Neighbours on the front, to draw a line between."""
        front = sorted(
            (point for point in self.points if point.is_on_front),
            key=lambda point: (point.change, point.nfr),
        )
        return list(pairwise(front))


def candidate_points(candidates: Candidates) -> list[CandidatePoint]:
    """Place candidates by their change of accuracy and their negative flip rate, with intervals."""
    points = []
    for name, one in candidates.comparisons.items():
        change, nfr = float(one.counts.accuracy_change), float(one.counts.negative_flip_rate)
        of_change, of_nfr = (
            rate_bounds(one, rate) for rate in ("accuracy_change", "negative_flip_rate")
        )
        points.append(
            CandidatePoint(
                name,
                change,
                nfr,
                (change, change) if of_change is None else (of_change.low, of_change.high),
                (nfr, nfr) if of_nfr is None else (of_nfr.low, of_nfr.high),
                name in candidates.front,
            )
        )
    return points


def candidate_chart(candidates: Candidates) -> CandidateChart:
    """Chart of candidates, with axes that hold all intervals and no change at all."""
    points = candidate_points(candidates)
    changes = [0.0, *(end for point in points for end in point.change_ends)]
    highest = max(point.nfr_ends[1] for point in points)
    return CandidateChart(
        points, axis_over(min(changes), max(changes)), axis_from_zero(max(highest, 1e-3))
    )
