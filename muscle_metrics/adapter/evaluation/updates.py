"""Several updates of one old model side by side, each against its baselines, item by item."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from muscle_metrics.errors import InputError
from muscle_metrics.flips.changes import measure_changes
from muscle_metrics.flips.rates import Rate, relative_change
from muscle_metrics.statistics.bounded import bounded_mean_interval
from muscle_metrics.statistics.interval import Interval
from muscle_metrics.statistics.paired import paired_interval
from muscle_metrics.statistics.resampling import bootstrap_cells

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from muscle_metrics.runs.record import Run

__all__ = ["Change", "MeasuredUpdate", "measure_updates", "score_run"]


class Change(NamedTuple):
    """How an update differs from a baseline on the same items.

    Parameters
    ----------
    nfr : float
        Relative change of the negative flip rate, the paper's delta; below 0 is better.
    nfr_interval : Interval
        Its paired bootstrap interval; nan if the baseline has too few flips for one.
    accuracy : float
        Change of the mean score; above 0 is better.
    accuracy_interval : Interval
        Its paired interval: Tango's for right and wrong, Gaffke's for graded scores.
    """

    nfr: float
    nfr_interval: Interval
    accuracy: float
    accuracy_interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredUpdate:
    """Accuracy and flips of one update.

    Parameters
    ----------
    name : str
    accuracy : float
        Mean score; the share of right items where scores are 0 or 1.
    negative_flip_rate, positive_flip_rate : Rate
        Against the old model, of all items.
    against : mapping of str to Change
        By the name of the baseline.

    Examples
    --------
    >>> print(measure_updates(old=[1, 1], updates={"v2": [0, 1]})[0].negative_flip_rate)
    50.00% (1 of 2)
    """

    name: str
    accuracy: float
    negative_flip_rate: Rate
    positive_flip_rate: Rate
    against: Mapping[str, Change]


def score_run(run: Run, *, metric: str | None = None) -> npt.NDArray[np.float64]:
    """Give the score of every item of a run.

    Parameters
    ----------
    run : Run
        As `evaluate_model` makes it.
    metric : str, optional
        A recorded score; by default 1 where the prediction is the reference, else 0.

    Returns
    -------
    array of float, shape (N,)

    Raises
    ------
    InputError
        If an item has no such score.

    Examples
    --------
    >>> from muscle_metrics.runs.record import Record, Run
    >>> score_run(Run((Record("1", prediction="a", reference="a"),), name="old")).tolist()
    [1.0]
    """
    if metric is None:
        right = [record.prediction == record.reference for record in run]
        return np.array(right, dtype=np.float64)
    missing = [record.id for record in run if metric not in record.scores]
    if missing:
        raise InputError(
            f"expected the score {metric!r} of every item of {run.name!r}, got none of "
            f"{missing[0]!r} and {len(missing)} such in all: evaluate with that metric"
        )
    return np.array([record.scores[metric] for record in run], dtype=np.float64)


def measure_updates(
    *,
    old: npt.ArrayLike,
    updates: Mapping[str, npt.ArrayLike],
    baselines: tuple[str, ...] = (),
    minimum_effect: float = 0.0,
    seed: int = 0,
) -> list[MeasuredUpdate]:
    """Measure updates of one old model, and compare each with the baselines.

    Parameters
    ----------
    old : array_like of float, shape (N,)
        Scores of the old model, in [0, 1].
    updates : mapping of str to array_like of float, shape (N,)
        Scores of each update on the same items.
    baselines : tuple of str
        Names among the updates, such as the new model as it was, and the new model trained on for
        as many steps. The gain over the first may come from longer training alone.
    minimum_effect : float
        A score must change by more than this to count as a flip.
    seed : int
        Of the bootstrap.

    Returns
    -------
    list of MeasuredUpdate
        In the order of the updates.

    Raises
    ------
    InputError
        If lengths differ, a score is out of range or a baseline is not among the updates.

    Examples
    --------
    >>> measured = measure_updates(
    ...     old=[1, 1, 1, 0], updates={"v2": [0, 0, 1, 1], "ours": [0, 1, 1, 1]}, baselines=("v2",)
    ... )
    >>> measured[1].against["v2"].nfr
    -0.5
    """
    unknown = [name for name in baselines if name not in updates]
    if unknown:
        raise InputError(
            f"expected baselines among {list(updates)}, got {unknown[0]!r}: give its scores too"
        )
    scores = {name: np.asarray(values, dtype=np.float64) for name, values in updates.items()}
    changes = {
        name: measure_changes(old=old, new=values, minimum_effect=minimum_effect)
        for name, values in scores.items()
    }
    flips = {name: change.deltas < -change.dead_band for name, change in changes.items()}
    return [
        MeasuredUpdate(
            name=name,
            accuracy=float(values.mean()),
            negative_flip_rate=changes[name].negative_flip_rate,
            positive_flip_rate=changes[name].positive_flip_rate,
            against={
                baseline: Change(
                    *_flips_against(flips[baseline], flips[name], seed),
                    *_accuracy_against(scores[baseline], values),
                )
                for baseline in baselines
                if baseline != name
            },
        )
        for name, values in scores.items()
    ]


def _flips_against(before: Any, after: Any, seed: int) -> tuple[float, Interval]:
    """Relative change of the flip rate, with a bootstrap over the four cells of joint flips."""
    cells = [
        int((before & after).sum()),
        int((before & ~after).sum()),
        int((~before & after).sum()),
        int((~before & ~after).sum()),
    ]
    change = relative_change(cells[0] + cells[1], cells[0] + cells[2])
    try:
        interval = bootstrap_cells(_relative, cells, seed=seed)
    except InputError:
        # A replicate has no flip of the baseline: too few flips for an interval.
        interval = Interval(math.nan, math.nan)
    return change, interval


def _relative(cells: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    both, before, after = cells[..., 0], cells[..., 1], cells[..., 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        changed: npt.NDArray[np.float64] = (after - before) / (both + before)
    return changed


def _accuracy_against(before: Any, after: Any) -> tuple[float, Interval]:
    deltas = after - before
    if np.isin(before, (0, 1)).all() and np.isin(after, (0, 1)).all():
        interval = paired_interval(
            both_right=int(((before == 1) & (after == 1)).sum()),
            negative=int((deltas < 0).sum()),
            positive=int((deltas > 0).sum()),
            both_wrong=int(((before == 0) & (after == 0)).sum()),
        )
    else:
        interval = bounded_mean_interval(deltas, low=-1, high=1)
    return float(deltas.mean()), interval
