"""Negative flips of two stochastic models, split into decoding noise and regression.

A prompt that is right with probability ``p`` under the old model and ``q`` under the new one flips
with probability ``p (1 - q)``, also when nothing changed. With several generations per prompt this
flip rate splits exactly into a noise floor, half the net loss of accuracy and half the mean squared
change per prompt. Prompts are the independent units; generations never are.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING

import numpy as np

from muscle_metrics.errors import InputError
from muscle_metrics.statistics.bounded import bounded_mean_interval
from muscle_metrics.statistics.clusters import (
    clustered_mean_interval,
    clustered_proportion_interval,
)
from muscle_metrics.statistics.interval import check_confidence
from muscle_metrics.statistics.noise_tables import estimates

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from muscle_metrics.statistics.interval import Interval, Side

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]

__all__ = [
    "DecodingNoise",
    "PromptMean",
    "estimate_noise",
    "estimate_noise_of_rows",
    "rerun_noise_floor",
]


@dataclass(frozen=True, slots=True, eq=False)
class PromptMean:
    """One number per prompt on a known range, and the mean they estimate.

    Attributes
    ----------
    values : numpy.ndarray, shape (prompts,)
        An estimate for each prompt.
    low, high : float
        The range an estimate can take with so many generations.
    groups : numpy.ndarray of int, shape (prompts,), or None
        Numbers of the groups, such as passages, that prompts belong to.
    """

    values: Floats
    low: float
    high: float
    groups: Counts | None = None

    @property
    def mean(self) -> float:
        """Mean over all prompts."""
        return float(self.values.mean())

    def interval(self, *, confidence: float = 0.95, side: Side = "two-sided") -> Interval:
        """Interval for the mean over prompts.

        Without groups it is the bound on a known range, which needs no assumption about the shape;
        with groups it is the one over clusters.

        Parameters
        ----------
        confidence : float, default 0.95
            Level, between 0 and 1.
        side : {"two-sided", "lower", "upper"}
            Which bounds to compute.

        Returns
        -------
        Interval
            Bounds in the unit of the values.
        """
        if self.groups is None:
            return bounded_mean_interval(
                self.values, low=self.low, high=self.high, confidence=confidence, side=side
            )
        totals, sizes = np.bincount(self.groups, weights=self.values), np.bincount(self.groups)
        if self.low == 0:
            return clustered_proportion_interval(
                successes=totals, sizes=sizes, confidence=confidence, side=side
            ).interval
        return clustered_mean_interval(
            totals=totals,
            sizes=sizes,
            low=self.low,
            high=self.high,
            confidence=confidence,
            side=side,
        )


@dataclass(frozen=True, slots=True, eq=False)
class DecodingNoise:
    """Flip rate of two stochastic models, its noise floor, and the excess over that floor.

    In expectation ``excess <= E[max(p - q, 0)] <= flip_rate``; `net_loss` and `clear_loss` are at
    most the middle one as well.

    Attributes
    ----------
    flip_rate : PromptMean
        Probability that one generation of each model makes a negative flip, ``E[p (1 - q)]``.
    floor : PromptMean
        Flip rate that two runs of the same models would show, ``E[p (1 - p) + q (1 - q)] / 2``.
    excess : PromptMean
        ``flip_rate - floor``: improvements elsewhere can hide it.
    net_loss : PromptMean
        ``E[p - q]``: the loss of accuracy, which improvements balance.
    clear_loss : PromptMean
        Loss on the prompts whose own generations show it (Fisher's exact test, one-sided at 5 %),
        less the most that noise adds. Improvements cannot hide it.
    excess_at_most : PromptMean
        An estimate above `excess` that never falls when one more generation breaks.
    repeat_variance, prompt_variance : float
        Variance of one prompt's flip rate that more generations would average out, at the present
        number of them, and the variance between prompts, which they would not.
    """

    flip_rate: PromptMean
    floor: PromptMean
    excess: PromptMean
    net_loss: PromptMean
    clear_loss: PromptMean
    excess_at_most: PromptMean
    repeat_variance: float
    prompt_variance: float

    def regression_lower_bound(self, *, confidence: float = 0.95) -> float:
        """Lower bound for the true regression ``E[max(p - q, 0)]``; above a limit it means FAIL.

        Parameters
        ----------
        confidence : float, default 0.95
            Level of the bound; each of the two bounds below gets half of the error.

        Returns
        -------
        float
            The larger of the bounds on `net_loss`, which sees small losses of many prompts, and on
            `clear_loss`, which sees the large losses of a few; at least 0. It never falls when one
            more generation of the new model breaks.
        """
        half = 1 - (1 - check_confidence(confidence)) / 2
        bounds = (
            estimate.interval(confidence=half, side="lower").low
            for estimate in (self.net_loss, self.clear_loss)
        )
        return max(0.0, *bounds)

    def regression_upper_bound(self, *, confidence: float = 0.95) -> float:
        """Upper bound for the parts of a regression that can be told from noise.

        Parameters
        ----------
        confidence : float, default 0.95
            Level of each of the three bounds below.

        Returns
        -------
        float
            The largest of the bounds on `net_loss`, `clear_loss` and `excess_at_most`. It is no
            bound for ``E[max(p - q, 0)]``: losses of many prompts that equal gains of others
            balance stay unseen, unless they are clear.
        """
        return max(
            estimate.interval(confidence=confidence, side="upper").high
            for estimate in (self.net_loss, self.clear_loss, self.excess_at_most)
        )


def estimate_noise(
    *,
    old_right: ArrayLike,
    old_repeats: ArrayLike,
    new_right: ArrayLike,
    new_repeats: ArrayLike,
    groups: ArrayLike | None = None,
) -> DecodingNoise:
    """Split the negative flip rate over prompts into decoding noise and regression.

    Parameters
    ----------
    old_right, new_right : array_like of int, shape (prompts,)
        Right generations of each prompt under the old and the new model.
    old_repeats, new_repeats : array_like of int, shape (prompts,) or a single number
        Generations of each prompt, at least 2; the two models and the prompts may differ.
    groups : array_like, shape (prompts,), optional
        A label for each prompt; prompts with the same label depend on each other.

    Returns
    -------
    DecodingNoise
        Estimates per prompt, their means and intervals over prompts; all but `clear_loss` and
        `excess_at_most` are unbiased.

    Raises
    ------
    InputError
        If lengths differ, a prompt has fewer than 2 generations, or more right ones than there are.

    Notes
    -----
    The clear loss of a prompt is the fall of its share of right generations if Fisher's exact test
    (one-sided, at 5 %) shows it, else 0; where so few generations can show nothing, a fall from all
    to none counts. Then each prompt pays for noise: a multiple of the unbiased estimate of
    ``p (1 - p)``, the smallest one with which the mean is at most ``max(p - q, 0)`` for all chances
    p and q. Like the net loss it never falls when one more generation of the new model breaks.

    Examples
    --------
    >>> noise = estimate_noise(
    ...     old_right=[4, 3, 4, 0], old_repeats=4, new_right=[4, 3, 0, 0], new_repeats=4
    ... )
    >>> round(noise.flip_rate.mean, 4), round(noise.floor.mean, 4)
    (0.2969, 0.0625)
    >>> round(noise.clear_loss.mean, 4)
    0.249
    """
    old, old_total = _check_repeats("old", old_right, old_repeats)
    new, new_total = _check_repeats("new", new_right, new_repeats)
    if old.shape != new.shape:
        raise InputError(
            f"expected the same prompts from both models, got {old.size} old and {new.size} new: "
            f"join them by the ids of the prompts"
        )
    labels = None if groups is None else _number_groups(groups, old.size)
    pairs, which = np.unique(np.stack([old_total, new_total]), axis=1, return_inverse=True)
    tables = [estimates(int(first), int(second)) for first, second in pairs.T]

    def look_up(name: str) -> PromptMean:
        values = np.empty(old.size)
        for index, table in enumerate(tables):
            here = which.ravel() == index
            values[here] = table[name][old[here], new[here]]
        low = min(float(table[name].min()) for table in tables)
        high = max(float(table[name].max()) for table in tables)
        return PromptMean(values, low, high, labels)

    flip_rate, spread = look_up("flip_rate"), look_up("repeat_variance").mean
    total_variance = float(flip_rate.values.var(ddof=1)) if old.size > 1 else nan
    return DecodingNoise(
        flip_rate=flip_rate,
        floor=look_up("floor"),
        excess=look_up("excess"),
        net_loss=look_up("net_loss"),
        clear_loss=look_up("clear_loss"),
        excess_at_most=look_up("excess_at_most"),
        repeat_variance=spread,
        prompt_variance=max(total_variance - spread, 0.0),
    )


def estimate_noise_of_rows(
    *,
    old_right: ArrayLike,
    new_right: ArrayLike,
    prompts: NDArray[np.intp],
    groups: ArrayLike | None = None,
) -> DecodingNoise:
    """Split the negative flip rate as `estimate_noise` does, from one row per generation.

    Parameters
    ----------
    old_right, new_right : array_like of bool, shape (N,)
        Whether each generation of the old and of the new model is right.
    prompts : numpy.ndarray of int, shape (N,)
        Number of the prompt of each row, from 0.
    groups : array_like, shape (prompts,), optional
        A label for each prompt; prompts with the same label depend on each other.

    Returns
    -------
    DecodingNoise
        Estimates per prompt, their means and intervals over prompts; all but `clear_loss` and
        `excess_at_most` are unbiased.

    Raises
    ------
    InputError
        If a prompt has fewer than 2 generations.

    Examples
    --------
    >>> noise = estimate_noise_of_rows(
    ...     old_right=[1, 1, 1, 0], new_right=[1, 0, 1, 1], prompts=np.array([0, 0, 1, 1])
    ... )
    >>> noise.flip_rate.mean
    0.25
    """
    repeats = np.bincount(prompts)
    old, new = (
        np.bincount(prompts, weights=right).astype(np.int64) for right in (old_right, new_right)
    )
    return estimate_noise(
        old_right=old, old_repeats=repeats, new_right=new, new_repeats=repeats, groups=groups
    )


def rerun_noise_floor(*, right: ArrayLike, repeats: ArrayLike) -> PromptMean:
    """Negative flip rate of a model against itself, ``E[p (1 - p)]`` over prompts ("A/A").

    It is the floor to print when only the old model was run again.

    Parameters
    ----------
    right : array_like of int, shape (prompts,)
        Right generations of each prompt.
    repeats : array_like of int, shape (prompts,) or a single number
        Generations of each prompt, at least 2.

    Returns
    -------
    PromptMean
        Unbiased estimates per prompt, their mean and interval.

    Raises
    ------
    InputError
        If a prompt has fewer than 2 generations, or more right ones than there are.

    Examples
    --------
    >>> rerun_noise_floor(right=[2, 1, 0, 1], repeats=2).mean
    0.25
    """
    hits, total = _check_repeats("old", right, repeats)
    values = hits * (total - hits) / (total * (total - 1.0))
    # The largest estimate, with half of the generations right, for the smallest number of them.
    half = total // 2
    return PromptMean(values, 0.0, float((half * (total - half) / (total * (total - 1.0))).max()))


def _check_repeats(model: str, right: ArrayLike, repeats: ArrayLike) -> tuple[Counts, Counts]:
    hits = np.asarray(right)
    if hits.ndim != 1 or not hits.size or not np.issubdtype(hits.dtype, np.integer):
        raise InputError(
            f"expected one count of right generations for each prompt of the {model} model, got "
            f"an array of shape {hits.shape} and type {hits.dtype}: pass a flat list of integers"
        )
    total = np.asarray(repeats)
    whole = np.issubdtype(total.dtype, np.integer)
    if (total.ndim and total.shape != hits.shape) or not whole:
        raise InputError(
            f"expected a number of generations for each of {hits.size} prompts of the {model} "
            f"model, got an array of shape {total.shape} and type {total.dtype}: pass one integer, "
            f"or one for each prompt"
        )
    total = np.broadcast_to(total, hits.shape)
    if total.min() < 2:
        raise InputError(
            f"expected at least 2 generations of every prompt of the {model} model, got "
            f"{int(total.min())} for prompt {int(total.argmin())}: generate again, or leave it out"
        )
    wrong = np.flatnonzero((hits < 0) | (hits > total))
    if wrong.size:
        raise InputError(
            f"expected right generations between 0 and all of them for the {model} model, got "
            f"{int(hits[wrong[0]])} of {int(total[wrong[0]])} for prompt {int(wrong[0])}"
        )
    return hits.astype(np.int64), total.astype(np.int64)


def _number_groups(groups: ArrayLike, prompts: int) -> Counts:
    labels = np.asarray(groups)
    if labels.shape != (prompts,):
        raise InputError(
            f"expected one group for each of {prompts} prompts, got an array of shape "
            f"{labels.shape}: pass a flat list of labels"
        )
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)
