"""Where an update stands among public ones, by its relative negative flip rate."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from muscle_metrics.atlas.table import (
    ALL,
    LEAST_ITEMS,
    LEAST_UPDATES,
    check_like,
    comparable,
)
from muscle_metrics.errors import InputError
from muscle_metrics.statistics.interval import Interval
from muscle_metrics.words.numbers import percent, ratio

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muscle_metrics.evidence.evidence import Bounds
    from muscle_metrics.evidence.units import Kind
    from muscle_metrics.flips.counts import FlipCounts
    from muscle_metrics.flips.rates import Rate

__all__ = ["Place", "place", "place_lines"]

RERUNS = ("rerun", "rerun+harness")
# An interval that holds more of the updates than this share places nothing.
_WIDEST = 0.8
# The items that are lost may be those that broke.
_LEAST_COVERAGE = 0.99


class _Compared(Protocol):
    """Facts of a comparison that decide whether and where it is placed."""

    @property
    def recipe(self) -> Mapping[str, str]: ...

    @property
    def is_judged(self) -> bool: ...

    @property
    def is_thresholded(self) -> bool: ...

    @property
    def counts(self) -> FlipCounts: ...

    @property
    def coverage(self) -> Rate: ...

    def bounds(self, rate: str) -> Bounds | None: ...

    def part_names(self, kind: Kind) -> list[str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an update stands among the version updates of the atlas.

    Parameters
    ----------
    relative_nfr : float
        NFR over the NFR of a new model that errs independently of the old one.
    interval : Interval
        Its 95 % interval: that of the NFR, over the same independent NFR. The accuracies are taken
        as known, which makes it too wide rather than too narrow.
    below : tuple of int
        Number of version updates whose relative NFR is below each end of the interval.
    share_below : float
        Share of the version updates whose relative NFR is below that of this update, in [0, 1].
    updates : int
        Number of version updates.
    reruns : Interval
        Middle half of the relative NFR of pairs of runs of the same model.
    rerun_pairs : int
        Number of these pairs.
    like : str
        The family or task of the version updates; "all" for every one.
    reruns_like : str
        The same for the reruns: "all" where the family has too few.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> runs = {"old": ["A"] * 320 + ["B"] * 80, "new": ["B"] * 20 + ["A"] * 300 + ["B"] * 80}
    >>> place(compare(**runs, references=["A"] * 400)).relative_nfr
    0.25
    """

    relative_nfr: float
    interval: Interval
    below: tuple[int, int]
    share_below: float
    updates: int
    reruns: Interval
    rerun_pairs: int
    like: str
    reruns_like: str

    @property
    def sentence(self) -> str:
        """The place in one sentence, as reports write it."""
        low, high = self.below
        number = f"{low}" if low == high else f"{low} to {high}"
        named = "" if self.like == ALL else f" ({self.like})"
        elsewhere = "" if self.reruns_like == self.like else " on other tasks"
        return (
            f"relative NFR {ratio(self.relative_nfr)}: above {number} of {self.updates} public "
            f"version updates{named}; half of {self.rerun_pairs} reruns of one model{elsewhere} "
            f"gave {ratio(self.reruns.low)} to {ratio(self.reruns.high)}"
        )


def place(comparison: _Compared, like: str | None = None) -> Place:
    """Place an update among version updates of public models, by its relative NFR.

    No verdict depends on it: an update that breaks less than others may still break too much.

    Parameters
    ----------
    comparison : Comparison or CountedComparison
        Old against new, at least 200 items.
    like : str, optional
        A family, such as "tool-calls", or a task, such as "mmlu-pro", to place it among; by default
        all of them.

    Returns
    -------
    Place

    Raises
    ------
    UsageError
        If no such family or task has at least 5 version updates.
    InputError
        If the update cannot be placed: graded scores, too few items, items of old that new lost,
        nothing broken, or an interval that holds most of the updates. Also if a threshold decides
        what is right, or there are several tasks, and `like` does not say which updates are
        comparable.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> runs = {"old": ["A"] * 320 + ["B"] * 80, "new": ["B"] * 20 + ["A"] * 300 + ["B"] * 80}
    >>> found = place(compare(**runs, references=["A"] * 400))
    >>> found.updates, found.below
    (122, (6, 49))
    """
    found = _find(comparison, like)
    if isinstance(found, str):
        raise InputError(found)
    return found


def place_lines(comparison: _Compared, like: str | None = None) -> list[str]:
    """List the sentence that reports write, or nothing.

    Parameters
    ----------
    comparison : Comparison or CountedComparison
        Old against new.
    like : str, optional
        As in `place`. Where it is given, the line says why an update is not placed.

    Raises
    ------
    UsageError
        If no such family or task has enough version updates.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> place_lines(compare(old=["A"], new=["B"], references=["A"]))
    []
    """
    found = _find(comparison, like)
    if isinstance(found, Place):
        return [found.sentence]
    return [] if like is None else [f"no place in the atlas: {found}"]


def _find(comparison: _Compared, like: str | None) -> Place | str:
    """Place an update, or say why it has no place."""
    name = ALL if like is None else check_like(like)
    refusal = _refusal(comparison, names_family=name != ALL)
    if refusal is not None:
        return refusal
    bounds = comparison.bounds("negative_flip_rate")
    if bounds is None:
        return "expected an interval of the NFR, got none: leave out --engine"
    value = comparison.counts.relative_negative_flip_rate
    # With the accuracies taken as known the interval is too wide. By the delta method, the variance
    # of the logarithm exceeds the true one by (both_right + both_wrong) / (old_right * new_wrong).
    scale = value / comparison.counts.negative_flip_rate
    interval = Interval(bounds.low * scale, bounds.high * scale)
    values = _relative_rates("version", like=name)
    below = bisect_left(values, interval.low), bisect_right(values, interval.high)
    held = below[1] - below[0]
    if held > _WIDEST * len(values):
        return (
            f"expected items enough to tell updates apart, got a relative NFR between "
            f"{ratio(interval.low)} and {ratio(interval.high)}, as {held} of {len(values)} updates "
            f"have: compare more items"
        )
    reruns_like = name if len(comparable(*RERUNS, like=name)) >= LEAST_UPDATES else ALL
    reruns = _relative_rates(*RERUNS, like=reruns_like)
    return Place(
        relative_nfr=value,
        interval=interval,
        below=below,
        share_below=bisect_left(values, value) / len(values),
        updates=len(values),
        reruns=Interval(*map(float, np.quantile(reruns, [0.25, 0.75]))),
        rerun_pairs=len(reruns),
        like=name,
        reruns_like=reruns_like,
    )


def _refusal(comparison: _Compared, *, names_family: bool) -> str | None:
    """Say which counts cannot be placed among those of the atlas."""
    if not comparison.is_judged:
        return (
            "expected right and wrong items, got graded scores, or labels of a sample: pass "
            "--threshold (threshold=), or --reference FILE"
        )
    if comparison.is_thresholded and not names_family:
        return (
            "expected the updates to compare with, got items that are right by a threshold: pass "
            "--like (like=) with a family"
        )
    tasks = comparison.part_names("task")
    if len(tasks) > 1 and not names_family:
        # Easy and hard tasks in one make the relative NFR as much as half of that of each.
        return (
            f"expected one task, got {len(tasks)} tasks: compare one with --task (task=), or pass "
            f"--like (like=) with a family"
        )
    if comparison.coverage < _LEAST_COVERAGE:
        return (
            f"expected at least {_LEAST_COVERAGE:.0%} of the items of old, got "
            f"{percent(comparison.coverage, 1)}: answer the others in new too"
        )
    counts = comparison.counts
    if counts.total < LEAST_ITEMS:
        return f"expected at least {LEAST_ITEMS} items, got {counts.total}: compare more items"
    if not counts.negative:
        return "expected items that broke, got none: there is nothing to place"
    # The relative NFR is then 1, however many items broke.
    if not counts.old_wrong or not counts.new_right:
        given = "old right" if not counts.old_wrong else "new wrong"
        return (
            f"expected items that old got wrong and items that new got right, got {given} on all "
            f"items: compare items that were not chosen by their outcome"
        )
    if "skipped" in comparison.recipe:
        return "expected every item, got a run without some that old got wrong: run all items"
    return None


def _relative_rates(*kinds: str, like: str) -> list[float]:
    return sorted(u.counts.relative_negative_flip_rate for u in comparable(*kinds, like=like))
