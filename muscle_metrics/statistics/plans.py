"""Power of a gate over groups, repeats, several criteria and items that may be lost.

Items that depend on each other are worth fewer independent ones, whose probabilities are exact. So
these are approximations; `tests/statistics/test_plans.py` compares them with the gate itself.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import Literal

from muscle_metrics.errors import UsageError
from muscle_metrics.statistics.cluster_bounds import SETTLED
from muscle_metrics.statistics.interval import check_confidence, check_share, normal_quantile
from muscle_metrics.statistics.power import GatePower, gate_power, minimum_items, required_items

__all__ = ["Design", "finite_sample_groups", "planned_items", "planned_power"]

Goal = Literal["pass", "fail"]

# FAIL of repeats is the larger of two lower bounds. The one of net loss counts on losses and gains,
# which costs about as much as a third bound: planned with two, the gate fails less than planned.
BOUNDS_OF_REPEATS = 3
MOST_GROUPS = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What a benchmark and a policy are made of, as far as power depends on it.

    Parameters
    ----------
    group_size : float
        Mean number of items per group; 1 for independent items.
    largest_group : float, optional
        Number of items of the largest group; without it, the mean number.
    correlation : float
        Correlation of the flips of two items of a group.
    repeats : int
        Generations of each item by each model.
    repeat_correlation : float
        Correlation of the flips of two generations of an item; at 1 repeats add nothing.
    criteria : int
        Criteria of the policy, each over as many items: all must pass, and one can fail.
    missing_share : float
        Share of the items that the new run is expected to lose; PASS counts them as broken.

    Raises
    ------
    UsageError
        If a size, share or number is out of range.

    Examples
    --------
    >>> round(Design(group_size=10, correlation=0.3).effect, 2)
    3.7
    """

    group_size: float = 1.0
    largest_group: float | None = None
    correlation: float = 0.3
    repeats: int = 1
    repeat_correlation: float = 0.5
    criteria: int = 1
    missing_share: float = 0.0

    def __post_init__(self) -> None:
        for name, value in (
            ("group_size", self.group_size),
            ("repeats", self.repeats),
            ("criteria", self.criteria),
            ("largest_group", self.largest),
        ):
            if not 1 <= value <= MOST_GROUPS:
                bound = f"most {MOST_GROUPS:g}" if value > MOST_GROUPS else "least 1"
                raise UsageError(
                    f"expected {_flag(name)} of at {bound}, got {value!r}: give the mean number"
                )
        if self.largest < self.group_size:
            raise UsageError(
                f"expected {_flag('largest_group')} of at least the mean size, got "
                f"{self.largest_group!r} and a mean of {self.group_size!r}: swap them"
            )
        for name in ("correlation", "repeat_correlation"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise UsageError(
                    f"expected {_flag(name)} between 0 and 1, got {value!r}: 0 is independent, 1 "
                    f"is always alike"
                )
        if not 0 <= self.missing_share < 1:
            raise UsageError(
                f"expected {_flag('missing_share')} of at least 0 and below 1, got "
                f"{self.missing_share!r}: write 2 % as 0.02"
            )

    @property
    def effect(self) -> float:
        """Design effect: items that are worth one independent item; repeats make it smaller."""
        within = (1 + (self.repeats - 1) * self.repeat_correlation) / self.repeats
        return within + (self.group_size - 1) * self.correlation

    @property
    def largest(self) -> float:
        """Items of the largest group."""
        return self.largest_group or self.group_size

    @property
    def is_clustered(self) -> bool:
        """Whether bounds count groups or prompts in place of items."""
        return self.group_size > 1 or self.repeats > 1

    def worst_rate(self, rate: float) -> float:
        """Rate that PASS counts, with every missing item as broken."""
        return self.missing_share + (1 - self.missing_share) * rate


def planned_power(
    design: Design, *, items: int, limit: float, true_rate: float, confidence: float = 0.95
) -> GatePower:
    """Probability of each verdict of a gate over a benchmark of some design.

    Parameters
    ----------
    design : Design
        Groups, repeats, criteria and missing items.
    items : int
        Items of each criterion, at least 1.
    limit, true_rate : float
        Allowed flip rate, and that of the population: below the limit that of every criterion,
        above it that of one.
    confidence : float, default 0.95
        One-sided level of each bound.

    Returns
    -------
    GatePower
        Exact for independent items, without repeats or missing ones; criteria are taken to be
        independent, and criteria that share items pass together more often.

    Raises
    ------
    InputError
        If `items` is no positive count.
    UsageError
        If a rate or the level is out of range.

    Examples
    --------
    >>> each = planned_power(Design(criteria=11), items=969, limit=0.02, true_rate=0.01)
    >>> f"{each.passes:.2f}"
    '0.11'
    """
    exact = gate_power(items=items, limit=limit, true_rate=true_rate, confidence=confidence)
    if design == Design():
        return exact
    alpha = 1 - check_confidence(confidence)
    passes = _chance_to_pass(design, items, limit=limit, rate=true_rate, alpha=alpha)
    fails = _chance_to_fail(design, items, limit=limit, rate=true_rate, alpha=alpha)
    if true_rate < limit:
        passes, fails = passes**design.criteria, 1 - (1 - fails) ** design.criteria
    passes = min(passes, 1 - fails)
    return GatePower(passes, fails, max(0.0, 1 - passes - fails))


def planned_items(
    design: Design,
    *,
    limit: float,
    true_rate: float,
    power: float = 0.8,
    confidence: float = 0.95,
    verdict: Goal = "pass",
) -> int:
    """Fewest items of each criterion with which the gate reaches a verdict.

    Parameters
    ----------
    design : Design
        Groups, repeats, criteria and missing items.
    limit, true_rate : float
        Allowed flip rate and the rate to plan for: of all criteria for "pass", of one for "fail".
    power : float, default 0.8
        Probability of the verdict, between 0 and 1; for "pass" that all criteria pass.
    confidence : float, default 0.95
        One-sided level of each bound.
    verdict : {"pass", "fail"}
        The verdict that should be reached.

    Returns
    -------
    int
        Items in whole groups.

    Raises
    ------
    UsageError
        If a rate, the power or the level is out of range, or missing items alone reach the limit.

    Examples
    --------
    >>> planned_items(Design(criteria=11), limit=0.02, true_rate=0.01)
    2030
    """
    check_share("power", power)
    alpha = 1 - check_confidence(confidence)
    rate, level, kept = true_rate, 1 - _alpha_to_fail(design, alpha), 1 - design.missing_share
    if verdict == "pass":
        rate, level, kept = design.worst_rate(true_rate), confidence, 1.0
        if rate >= limit > true_rate:
            raise UsageError(
                f"expected missing items below the limit {limit:g}, got a share of "
                f"{design.missing_share:g} and a true rate of {true_rate:g}, and PASS counts "
                f"missing items as broken: lower --missing-share (missing_share=)"
            )
        power = power ** (1 / design.criteria)
    # Also checks the rates. Independent items are the easiest plan, and an exact one.
    needed = required_items(
        limit=limit, true_rate=rate, power=power, confidence=level, verdict=verdict
    )
    if not design.is_clustered:
        return math.ceil(needed / kept)
    chance = _chance_to_pass if verdict == "pass" else _chance_to_fail

    def is_enough(groups: int) -> bool:
        items = math.ceil(groups * design.group_size)
        return chance(design, items, limit=limit, rate=true_rate, alpha=alpha) >= power

    groups = bisect_left(range(MOST_GROUPS), True, lo=2, key=is_enough)
    return math.ceil(groups * design.group_size)


def finite_sample_groups(design: Design, limit: float) -> int:
    """Count the groups from which on a bound that holds in finite samples decides.

    Parameters
    ----------
    design : Design
        With the mean and the largest size of groups.
    limit : float
        Allowed flip rate, strictly between 0 and 1.

    Returns
    -------
    int
        With fewer groups the bound is approximate.

    Raises
    ------
    UsageError
        If the limit is not between 0 and 1.

    Examples
    --------
    >>> finite_sample_groups(Design(group_size=10, largest_group=20), 0.05)
    400
    """
    share = design.largest / design.group_size
    return math.ceil(round(SETTLED * share / check_share("limit", limit), 9))


def _chance_to_pass(
    design: Design, items: int, *, limit: float, rate: float, alpha: float
) -> float:
    worst = design.worst_rate(rate)
    worth = int(_worth(design, items, alpha))
    units = items / design.group_size
    stricter = limit - _cost_of_bound(design, items, rate=worst, alpha=alpha)
    if worst > 1 or worth < 1 or units < minimum_items(limit, 1 - alpha) or stricter <= 0:
        return 0.0
    return gate_power(items=worth, limit=stricter, true_rate=worst, confidence=1 - alpha).passes


def _chance_to_fail(
    design: Design, items: int, *, limit: float, rate: float, alpha: float
) -> float:
    each = _alpha_to_fail(design, alpha)
    worth = int(_worth(design, items * (1 - design.missing_share), each))
    # The bounds of repeats are Gaffke's on this side too.
    cost = _cost_of_bound(design, items, rate=rate, alpha=each) if design.repeats > 1 else 0.0
    if worth < 1 or limit + cost >= 1:
        return 0.0
    return gate_power(items=worth, limit=limit + cost, true_rate=rate, confidence=1 - each).fails


def _cost_of_bound(design: Design, items: int, *, rate: float, alpha: float) -> float:
    """How much nearer a limit must be for independent items to stand for groups or prompts.

    Gaffke's bound adds one group or prompt that breaks, of the largest size, with a random weight
    of mean and standard deviation 1; the bound of independent items adds one of these items.
    """
    if not design.is_clustered:
        return 0.0
    group, item = design.largest / items, min(design.effect, design.largest) / items
    variance = rate * (1 - rate) * design.effect / items
    spread = math.sqrt(variance + group**2) - math.sqrt(variance + item**2)
    return group - item + normal_quantile(alpha) * spread


def _worth(design: Design, items: float, alpha: float) -> float:
    """Independent items that these are worth, at bounds with a quantile of Student's t."""
    if not design.is_clustered:
        return items
    from scipy.stats import t

    freedom = items / design.group_size - 1
    if freedom <= 0:
        return 0.0
    shrink = normal_quantile(alpha) / float(t.isf(alpha, freedom))
    return items / design.effect * shrink**2


def _alpha_to_fail(design: Design, alpha: float) -> float:
    # Holm's correction fails at least one criterion if the smallest p-value is alpha / criteria.
    bounds = BOUNDS_OF_REPEATS if design.repeats > 1 else 1
    return alpha / design.criteria / bounds


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')} ({name}=)"
