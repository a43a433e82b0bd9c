"""A mean over all items by labels of some and a judge's verdicts on all (PPI++ by cells).

A judge sorts the items of every stratum into cells, such as "right before, wrong now". Labels say
what an item of a cell counts on average; the sizes of the cells carry that to all items, and the
labels correct it: ``mean(model of all) + mean(weight * (label - model))``. The model of a label is
the mean of the *other* labels of its cell, drawn towards the mean of all of them (power tuning by
cell, and cross-fitting with one label left out). So a useless judge costs almost nothing, a good
one removes what it predicts, and no choice between two estimates looks at the labels.

The corrections are bounded as any mean of a known range: one more label is added, at the worst end
(Gaffke's bound, `bounded_mean_interval`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from muscle_metrics.errors import InputError
from muscle_metrics.statistics.gamma_sums import log_chance_positive
from muscle_metrics.statistics.interval import Interval, Side, tail_levels
from muscle_metrics.statistics.steps import STEPS, Mass, exceeded, normal_mass

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["AssistedMean", "Cell"]

# The mean of all labels counts as this many labels of each cell.
_COMMON_LABELS = 5.0
_VALUES = np.array([1.0, -1.0, 0.0])
# Points of the law within and beyond so many standard deviations of its mean.
_NEAR, _FAR = 6.0, 40.0
_NEAR_POINTS, _FAR_POINTS = 40, 14
_LEAST_LOG, _NEGLIGIBLE = -745.0, 1e-12


class Cell(NamedTuple):
    """Items of one stratum on which a judge said the same, and what the labelled ones count.

    Parameters
    ----------
    stratum : int
        Number of the stratum, from 0; its items were drawn with one chance.
    size : int
        Number of all items of the cell.
    lost, gained, kept : int
        Labelled items that count 1, -1 and 0.

    Examples
    --------
    >>> Cell(0, 300, lost=60, kept=40).lost
    60
    """

    stratum: int
    size: int
    lost: int = 0
    gained: int = 0
    kept: int = 0


class _Corrections(NamedTuple):
    """Estimates of the mean that single labels give, how often each occurs, and the worst ones."""

    values: Floats
    counts: Floats
    least: float
    most: float
    deviation: float


@dataclass(frozen=True)
class AssistedMean:
    """Mean over independent items, from labels of a random sample and a judge's cells.

    Parameters
    ----------
    cells : tuple of Cell
        All items that can count; each in one stratum and one cell.
    kept, lost : int
        Other items, which are known to count 0 and 1.
    low : {0, -1}
        Least value of an item: 0 for a rate, -1 where items can be gained.

    Raises
    ------
    InputError
        If a stratum has no label, or a cell more labels than items.

    Notes
    -----
    That the bounds hold is conjectured for one stratum and any known model (Gaffke), and supported
    by enumeration and simulation for estimated ones and for several strata; it is not proved.

    References
    ----------
    Angelopoulos, Duchi and Zrnic, "PPI++: Efficient Prediction-Powered Inference", arXiv
    2311.01453 (2023). Särndal, Swensson and Wretman, "Model Assisted Survey Sampling" (1992).

    Examples
    --------
    Of 2000 items that differ 400 were labelled; the judge says of 300 that they broke.

    >>> cells = (Cell(0, 300, lost=45, kept=15), Cell(0, 1700, lost=5, kept=335))
    >>> mean = AssistedMean(cells, kept=2000)
    >>> round(mean.estimate, 4)
    0.0626
    >>> print(mean.interval())
    [0.0500, 0.0756]
    """

    cells: tuple[Cell, ...]
    kept: int = 0
    lost: int = 0
    low: float = 0.0

    def __post_init__(self) -> None:
        for one in self.cells:
            if min(one) < 0 or sum(one[2:]) > one.size or (self.low == 0 and one.gained):
                raise InputError(
                    f"expected at most as many labels as items in each cell, got {one}: count each "
                    f"label once"
                )
        if not self._labels.any() or (self._labels_of_strata == 0).any():
            raise InputError(
                "expected a label in every stratum, got none in one of them: label more rows"
            )

    @property
    def estimate(self) -> float:
        """Mean of all items."""
        found = self._corrections
        return float(found.values @ found.counts / found.counts.sum())

    def interval(self, confidence: float = 0.95, side: Side = "two-sided") -> Interval:
        """Interval for the mean of the population that the items come from.

        Parameters
        ----------
        confidence : float, default 0.95
            Level, between 0 and 1.
        side : {"two-sided", "lower", "upper"}
            A one-sided bound leaves the other end at the end of the range.

        Raises
        ------
        UsageError
            If the level or the side is unknown.
        """
        below, above = tail_levels(confidence, side)
        return Interval(
            low=max(-_exceeded(self._mirrored_law, below), self.low) if below else self.low,
            high=min(_exceeded(self._law, above), 1.0) if above else 1.0,
        )

    @cached_property
    def _sizes(self) -> Floats:
        return np.array([one.size for one in self.cells], dtype=np.float64)

    @cached_property
    def _counts(self) -> Floats:
        """Labels by cell and value."""
        return np.array([one[2:] for one in self.cells], dtype=np.float64).reshape(-1, 3)

    @cached_property
    def _labels(self) -> Floats:
        labels: Floats = self._counts.sum(axis=1)
        return labels

    @cached_property
    def _strata(self) -> npt.NDArray[np.intp]:
        return np.unique([one.stratum for one in self.cells], return_inverse=True)[1].reshape(-1)

    @cached_property
    def _labels_of_strata(self) -> Floats:
        return np.bincount(self._strata, self._labels).astype(np.float64)

    @property
    def _total(self) -> float:
        return float(self._sizes.sum()) + self.kept + self.lost

    @cached_property
    def _weights(self) -> Floats:
        """Weight of a label of each cell: share of its stratum in all items over that in labels."""
        shares = np.bincount(self._strata, self._sizes) / self._total
        weights: Floats = (shares * self._labels.sum() / self._labels_of_strata)[self._strata]
        return weights

    @cached_property
    def _corrections(self) -> _Corrections:
        rows, counts = [], []
        for cell, value in zip(*self._counts.nonzero(), strict=True):
            # The model without one label of this cell and value.
            others = self._counts.copy()
            others[cell, value] -= 1
            rows.append(self._corrected(self._model(others), int(cell), float(_VALUES[value])))
            counts.append(self._counts[cell, value])
        model = self._model(self._counts)
        filled = [int(cell) for cell in self._sizes.nonzero()[0]]
        least = min(*rows, *(self._corrected(model, cell, self.low) for cell in filled))
        most = max(*rows, *(self._corrected(model, cell, 1.0) for cell in filled))
        mean = self._mean_of(model)
        # Other items of the population would fall into other cells.
        square = float(self._sizes @ model**2 + self.lost) / self._total
        deviation = float(np.sqrt(max(square - mean**2, 0.0) / self._total))
        return _Corrections(np.array(rows), np.array(counts), least, most, deviation)

    def _model(self, counts: Floats) -> Floats:
        """Estimate what an item of each cell counts, by these labels."""
        sums, labels = counts @ _VALUES, counts.sum(axis=1)
        weight = float(self._weights @ labels)
        common = float(self._weights @ sums) / weight if weight else 0.0
        model: Floats = (sums + _COMMON_LABELS * common) / (labels + _COMMON_LABELS)
        return model

    def _mean_of(self, model: Floats) -> float:
        return float(self._sizes @ model + self.lost) / self._total

    def _corrected(self, model: Floats, cell: int, value: float) -> float:
        """Mean of all items by a model and one label."""
        return self._mean_of(model) + float(self._weights[cell] * (value - model[cell]))

    @cached_property
    def _law(self) -> tuple[Mass, float]:
        found = self._corrections
        return _law(found.values, found.counts, found.most, found.deviation)

    @cached_property
    def _mirrored_law(self) -> tuple[Mass, float]:
        found = self._corrections
        return _law(-found.values, found.counts, -found.least, found.deviation)


def _exceeded(law: tuple[Mass, float], alpha: float) -> float:
    mass, step = law
    return exceeded(mass, step, 1, alpha)


def _law(values: Floats, counts: Floats, worst: float, deviation: float) -> tuple[Mass, float]:
    """Law of the mean with one more label at the worst value, and the width of its steps."""
    from scipy.interpolate import PchipInterpolator

    points, places = np.unique(np.append(values, worst), return_inverse=True)
    shapes = np.bincount(places.reshape(-1), np.append(counts, 1.0)).astype(np.float64)
    mean = float(points @ shapes / shapes.sum())
    spread = float(np.sqrt((points - mean) ** 2 @ shapes / shapes.sum() / (shapes.sum() + 1)))
    low, high = max(points[0], mean - _FAR * spread), min(points[-1], mean + _FAR * spread)
    step = max(high - low + 16 * deviation, 1e-12) / STEPS
    normal = normal_mass(deviation, step)
    if not spread:
        return Mass(normal.start + mean, normal.shares), step
    inner = np.linspace(mean - _NEAR * spread, mean + _NEAR * spread, _NEAR_POINTS)
    # Denser towards both ends of the range, where the logarithm of the chance has a pole.
    nearer = 0.6 ** np.arange(_FAR_POINTS)
    ends = [end + (mean - end) * nearer for end in (low, high)]
    between = np.unique(np.concatenate([inner, *ends]))
    near = 1e-6 * (high - low)
    some = np.array([low, *between[(between > low + near) & (between < high - near)], high])
    logs = [_log_chance_above(points - value, shapes) for value in some]
    edges = low + step * np.arange(int(np.ceil((high - low) / step)) + 2, dtype=np.float64)
    above = np.exp(np.minimum(PchipInterpolator(some, logs)(np.clip(edges, low, high)), 0.0))
    above[edges >= high] = 0.0
    return Mass(normal.start + low, np.convolve(normal.shares, -np.diff(above))), step


def _log_chance_above(differences: Floats, shapes: Floats) -> float:
    if differences.min() >= 0:
        return 0.0
    found = max(log_chance_positive(differences, shapes), _LEAST_LOG)
    # Chances that are almost 1 have slopes whose inverses overflow.
    return found if found < -_NEGLIGIBLE else 0.0
