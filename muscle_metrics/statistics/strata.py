"""A mean over strata of which samples were looked at: how many items to draw, and its bounds.

Of each stratum the number of items is known, and a random sample of them was labelled. A label says
whether an item counts 1 (lost), -1 (gained) or 0. Labels of one stratum bound its mean as they
would alone: one more label is added at the worst end, which is Clopper-Pearson's bound for a rate
and Gaffke's for values of -1, 0 and 1. The confidence distributions of these bounds are then
combined ("melded"), weighted by the sizes of the strata. Strata of which every item is known count
as one, so labels of all items give the bound that the references would give.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.statistics.bounded import net_share_interval
from muscle_metrics.statistics.interval import Interval, Side, tail_levels
from muscle_metrics.statistics.proportions import proportion_interval
from muscle_metrics.statistics.steps import STEPS, Mass, exceeded, normal_mass

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["Stratum", "allocate_labels", "needed_spread", "stratified_mean_interval"]

_NODES = 64
_POINTS = 256
_BEYOND = 1e-10
# A spread of at least half the mean one: no stratum is left with so few labels that one of them
# decides.
_LEAST_SPREAD = 0.5


class Stratum(NamedTuple):
    """Items of one stratum, and what the labelled ones count.

    Parameters
    ----------
    size : int
        Number of all items.
    lost, gained, kept : int
        Labelled items that count 1, -1 and 0.

    Examples
    --------
    >>> Stratum(size=500, lost=3, kept=97).labelled
    100
    """

    size: int
    lost: int = 0
    gained: int = 0
    kept: int = 0

    @property
    def labelled(self) -> int:
        """Number of labelled items."""
        return self.lost + self.gained + self.kept

    @property
    def mean(self) -> float:
        """Mean of the labelled items; nan without any."""
        return (self.lost - self.gained) / self.labelled if self.labelled else float("nan")


def stratified_mean_interval(
    strata: Sequence[Stratum],
    *,
    low: float = 0.0,
    confidence: float = 0.95,
    side: Side = "two-sided",
) -> Interval:
    """Interval for a mean over independent items, from labels of random samples of strata.

    Parameters
    ----------
    strata : sequence of Stratum
        All items, each in one stratum.
    low : {0, -1}
        Least value of an item: 0 for a rate, -1 where items can be gained.
    confidence : float, default 0.95
        Level, between 0 and 1.
    side : {"two-sided", "lower", "upper"}
        A one-sided bound leaves the other end at the end of the range.

    Returns
    -------
    Interval
        For the mean of the population that the items come from, as the intervals of complete
        labels are. No bound falls where one more labelled item is lost.

    Raises
    ------
    InputError
        If a stratum has no items, or more labels than items.
    UsageError
        If `low`, the level or the side is unknown.

    Notes
    -----
    For one stratum the bound is exact (Clopper-Pearson) or Gaffke's. That several of them melded
    cover at least `confidence` is conjectured and supported by simulation, not proved. A stratum
    without a lost item never has a variance of 0: the added label is lost.

    References
    ----------
    Fay, Proschan and Brittain, "Combining One-Sample Confidence Procedures for Inference in the
    Two-Sample Case", Biometrics 71 (2015), 146-156.
    Cochran, "Sampling Techniques" (1977), chapter 5.

    Examples
    --------
    Of 2000 items 1200 cannot have changed; of the others 200 were labelled, and 6 are lost.

    >>> print(stratified_mean_interval([Stratum(1200, kept=1200), Stratum(800, 6, kept=194)]))
    [0.0044, 0.0262]
    """
    _check(strata, low)
    below, above = tail_levels(confidence, side)
    counts = [one if one.labelled == one.size else Stratum(0) for one in strata]
    known = Stratum(*map(sum, zip(*counts, strict=True)))
    sampled = [one for one in strata if one.labelled < one.size]
    if not sampled:
        return _of_known(known, low, confidence, side)
    parts = [*sampled, known] if known.size else sampled
    opposite = [one._replace(lost=one.gained, gained=one.lost) for one in parts]
    return Interval(
        low=max(-_upper(opposite, below, worst=-low), low) if below else low,
        high=min(_upper(parts, above, worst=1.0), 1.0) if above else 1.0,
    )


def allocate_labels(
    sizes: Sequence[int], spreads: Sequence[float], budget: int, *, least: int = 2, spent: int = 0
) -> list[int]:
    """Numbers of items to draw from strata: by size and spread (Neyman), up to all of them.

    Parameters
    ----------
    sizes : sequence of int
        Items that can be drawn.
    spreads : sequence of float
        Standard deviation of an item in each stratum, or what it is expected to be; positive.
    budget : int
        Number of items to draw in all.
    least : int, default 2
        Items to draw from each stratum, where it has as many.
    spent : int, default 0
        Of the budget that a person named, what other items took already; for the message.

    Returns
    -------
    list of int
        Their sum is the budget, or the number of all items if that is less.

    Raises
    ------
    UsageError
        If the budget does not reach for the least number of each stratum.

    Examples
    --------
    >>> allocate_labels([900, 100], [0.1, 0.3], 100)
    [75, 25]
    >>> allocate_labels([900, 10], [0.1, 0.9], 200)
    [190, 10]
    """
    available, score = np.asarray(sizes), np.asarray(sizes) * np.asarray(spreads, dtype=float)
    floor = np.minimum(available, least)
    total = min(budget, int(available.sum()))
    if floor.sum() > total:
        raise UsageError(
            f"expected a budget of at least {floor.sum() + spent} labels, {least} for each "
            f"stratum, got {budget + spent}: raise --budget (budget=)"
        )
    # The factor at which the parts, within their bounds, sum to the total.
    few, many = 0.0, 2.0 * total / float(score[score > 0].min()) if score.any() else 0.0
    for _ in range(100):
        middle = (few + many) / 2
        is_enough = np.clip(middle * score, floor, available).sum() >= total
        few, many = (few, middle) if is_enough else (middle, many)
    exact = np.clip(many * score, floor, available)
    # Largest remainders; the stable sort lets the first of equal ones go first.
    drawn = np.floor(exact + 1e-9).astype(int)
    rest = np.argsort(drawn - exact, kind="stable")
    for place in rest[: total - int(drawn.sum())]:
        drawn[place] += 1
    return [int(number) for number in drawn]


def needed_spread(strata: Sequence[Stratum]) -> list[float]:
    """Estimate the standard deviation of an item of each stratum, for a second stage.

    Rates of few labels are drawn towards the common one. No spread is less than half the mean one:
    a stratum in which nothing has been lost so far is not left alone.

    Examples
    --------
    >>> [round(one, 2) for one in needed_spread([Stratum(500, 0, kept=50), Stratum(50, 5, kept=5)])]
    [0.06, 0.5]
    """
    labels, lost = sum(one.labelled for one in strata), sum(one.lost for one in strata)
    common = (lost + 0.5) / (labels + 1)
    rates = np.array([(one.lost + 2 * common) / (one.labelled + 2) for one in strata])
    spreads, sizes = np.sqrt(rates * (1 - rates)), np.array([one.size for one in strata])
    mean = float(sizes @ spreads / sizes.sum())
    return [float(spread) for spread in np.maximum(spreads, _LEAST_SPREAD * mean)]


def _check(strata: Sequence[Stratum], low: float) -> None:
    if low not in (0, -1):
        raise UsageError(f"expected low to be 0 or -1, got {low!r}: a rate has 0")
    for one in strata:
        if min(one) < 0 or one.labelled > one.size or (low == 0 and one.gained):
            raise InputError(
                f"expected at most as many labels as items in each stratum, got {one}: count each "
                f"label once"
            )
    if not sum(one.size for one in strata):
        raise InputError("expected strata with items, got none: leave out empty ones")


def _of_known(known: Stratum, low: float, confidence: float, side: Side) -> Interval:
    """Interval where every item is labelled, as for complete references."""
    if low == 0:
        return proportion_interval(
            known.lost, known.size, confidence=confidence, method="clopper-pearson", side=side
        )
    lost, gained = known.lost, known.gained
    return net_share_interval(
        lost=lost, gained=gained, total=known.size, confidence=confidence, side=side
    )


def _upper(strata: Sequence[Stratum], alpha: float, *, worst: float) -> float:
    """Bound that the mean exceeds with probability `alpha`; `worst` is the largest value."""
    total = sum(one.size for one in strata)
    # Weights of a flat Dirichlet law on lost, gained and kept items: one more at the worst value.
    cells = [
        (one.size / total, one.lost + (worst == 1), one.gained, one.kept + (worst == 0))
        for one in strata
    ]
    shares = np.array([cell[0] for cell in cells])
    means = np.array([(lost - gained) / (lost + gained + kept) for _, lost, gained, kept in cells])
    # Shares of the strata vary between samples of as many items, which moves the mean of all.
    between = max(float(shares @ means**2 - (shares @ means) ** 2), 0.0)
    deviation = float(np.sqrt(between / total))
    ends = [_support(*cell) for cell in cells]
    width = sum(high - low for low, high in ends) + 16 * deviation
    step = max(width, 1e-12) / STEPS
    mass = normal_mass(deviation, step)
    for cell, (low, high) in zip(cells, ends, strict=True):
        share, *counts = cell
        edges = low + step * np.arange(int(np.ceil((high - low) / step)) + 2, dtype=np.float64)
        chances = np.diff(_chance_below(edges / share, *counts))
        mass = Mass(mass.start + low, np.convolve(mass.shares, chances))
    return exceeded(mass, step, len(cells), alpha)


def _support(share: float, lost: float, gained: float, kept: float) -> tuple[float, float]:
    """Range of the part of a stratum in the mean, but for a negligible probability."""
    low = -_largest_part(gained, lost + kept)
    return share * low, share * _largest_part(lost, gained + kept)


def _largest_part(counted: float, others: float) -> float:
    from scipy.special import betainccinv

    if not counted or not others:
        return float(counted > 0)
    return float(betainccinv(counted, others, _BEYOND))


def _chance_below(values: Floats, lost: float, gained: float, kept: float) -> Floats:
    """Chance that the mean of a stratum is below each value, by the Dirichlet law of its labels."""
    from scipy.special import betainc

    if not gained:
        return _beta_below(values, lost, kept)
    if not lost:
        return 1 - _beta_below(-values, gained, kept)
    # The mean is r (2 b - 1): r is the part that is lost or gained, b the lost part of it.
    parts, weights = _changed_parts(lost + gained, kept)
    some = np.linspace(float(values[0]), float(values[-1]), _POINTS)
    points = np.clip((1 + some[:, None] / parts) / 2, 0, 1)
    return np.interp(values, some, betainc(lost, gained, points) @ weights)


def _changed_parts(changed: float, kept: float) -> tuple[Floats, Floats]:
    from scipy.special import betainc, betaincinv

    if not kept:
        return np.ones(1), np.ones(1)
    ends = betaincinv(changed, kept, [_BEYOND, 1 - _BEYOND])
    edges = np.linspace(float(ends[0]), float(ends[1]), _NODES + 1)
    weights = np.diff(betainc(changed, kept, edges))
    return (edges[1:] + edges[:-1]) / 2, weights / weights.sum()


def _beta_below(values: Floats, counted: float, others: float) -> Floats:
    from scipy.special import betainc

    if not counted or not others:
        below: Floats = (values > float(counted > 0)).astype(np.float64)
        return below
    chances: Floats = betainc(counted, others, np.clip(values, 0, 1))
    return chances
