"""What a policy asks of runs that were counted and not held: the limits on counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from operator import add
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from muscle_metrics.comparison.totals import counts_of
from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.gate import evidence as kinds
from muscle_metrics.gate.clustered_evidence import loss_of_clusters, rate_of_clusters
from muscle_metrics.gate.criteria import UNKNOWN_ANSWERS, Criterion, exact_limit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muscle_metrics.comparison.counted import CountedComparison
    from muscle_metrics.comparison.totals import Cell
    from muscle_metrics.flips.counts import FlipCounts
    from muscle_metrics.gate.evidence import Evidence
    from muscle_metrics.gate.policy import Policy

    Cells = Mapping[Cell, FlipCounts]

__all__ = ["list_counted_criteria"]

# What is known of an item only while it is held, and how a policy says that it is not asked for.
OF_ITEMS: Mapping[str, object] = MappingProxyType(
    {
        "item_weights": {},
        "max_mean_regression": None,
        "max_weighted_nfr": None,
        "noise_adjusted_pass": False,
        "pinned": frozenset(),
        "weights": {},
    }
)


class _Sum(NamedTuple):
    """How many items add one, how many take one away, and of how many."""

    plus: int
    minus: int
    total: int

    def __add__(self, other: _Sum) -> _Sum:  # type: ignore[override]
        return _Sum(*map(add, self, other))


_Summed = Callable[["FlipCounts"], _Sum]


def list_counted_criteria(comparison: CountedComparison, policy: Policy) -> list[Criterion]:
    """Criteria of a policy on counts, in the order in which a reader wants them.

    Raises
    ------
    UsageError
        If the policy limits what only items tell, or names a slice, task or metric that is not
        there.

    Examples
    --------
    >>> from muscle_metrics import Policy, compare
    >>> from muscle_metrics.scale import CountedComparison, Totals
    >>> totals = Totals.of(compare(old=["A"], new=["A"], references=["A"]))
    >>> counted = CountedComparison(names=("v1", "v2"), totals=totals, dropped={}, recipe={})
    >>> [criterion.name for criterion in list_counted_criteria(counted, Policy(max_nfr=0.5))]
    ['negative flip rate']
    """
    _refuse_items(comparison, policy)
    return [
        *_overall(comparison, policy),
        *_metrics(comparison, policy),
        *_parts(comparison, policy),
    ]


def _refuse_items(comparison: CountedComparison, policy: Policy) -> None:
    for name, absent in OF_ITEMS.items():
        if getattr(policy, name) != absent:
            raise UsageError(
                f"expected limits on counts where an engine counts the runs, got {name}: leave it "
                f"out, or compare the runs in memory"
            )
    if comparison.is_repeated:
        raise UsageError(
            "expected one generation of every prompt where an engine counts the runs, got repeats: "
            "compare the runs in memory, where decoding noise is told apart"
        )


def _overall(comparison: CountedComparison, policy: Policy) -> Iterator[Criterion]:
    limit = exact_limit(policy.max_nfr)
    if comparison.is_judged:
        cells = comparison.totals.cells
        yield Criterion("negative flip rate", limit, _rate(cells, _broken))
        if policy.max_accuracy_loss is not None:
            yield Criterion("accuracy loss", exact_limit(policy.max_accuracy_loss), _loss(cells))
        if policy.max_nfr_mc is not None:
            rate = _rate(cells, _inconsistent)
            yield Criterion("inconsistency flip rate", exact_limit(policy.max_nfr_mc), rate)
        return
    metric = next(iter(comparison.changes))
    yield Criterion(
        f"negative flip rate by {metric}", limit, _regressed(comparison, metric, policy)
    )
    for name in ("max_accuracy_loss", "max_nfr_mc", "tasks", "slices", "protected"):
        if getattr(policy, name):
            raise UsageError(
                f"expected a threshold that makes graded scores right or wrong with {name}, got "
                f"none: pass threshold= (--threshold), or compare the runs in memory"
            )


def _metrics(comparison: CountedComparison, policy: Policy) -> Iterator[Criterion]:
    for metric, limit in policy.metrics.items():
        if metric not in comparison.changes:
            raise UsageError(
                f"expected a metric that was compared, got {metric!r} in the policy: there is "
                f"{sorted(comparison.changes) or 'none'}"
            )
        yield Criterion(
            f"negative flip rate by {metric}",
            exact_limit(limit),
            _regressed(comparison, metric, policy),
        )


def _parts(comparison: CountedComparison, policy: Policy) -> Iterator[Criterion]:
    budgets = {**dict.fromkeys(policy.protected, policy.max_nfr), **policy.slices}
    for kind, limits in (("slice", budgets), ("task", policy.tasks)):
        for name, limit in limits.items():
            cells = {
                cell: counts
                for cell, counts in comparison.totals.cells.items()
                if getattr(cell, kind) == name
            }
            if not cells:
                known = {getattr(cell, kind) for cell in comparison.totals.cells} - {None}
                raise UsageError(
                    f"expected a {kind} that the runs have, got {name!r} in the policy: there is "
                    f"{sorted(known) or 'none'}"
                )
            yield Criterion(
                f"negative flip rate of {kind} {name}", exact_limit(limit), _rate(cells, _broken)
            )


def _regressed(comparison: CountedComparison, metric: str, policy: Policy) -> Evidence:
    changes = comparison.changes[metric]
    if policy.minimum_effect > changes.minimum_effect:
        raise UsageError(
            f"expected runs counted with the minimum effect of the policy, "
            f"{policy.minimum_effect!r}, got {changes.minimum_effect!r}: compare them with it"
        )
    if comparison.is_clustered:
        raise UsageError(
            f"expected independent items for the scores of {metric!r} where an engine counts the "
            f"runs, got groups: compare the runs in memory"
        )
    return kinds.independent_rate(changes.negative, changes.total)


def _broken(counts: FlipCounts) -> _Sum:
    return _Sum(counts.negative, 0, counts.total)


def _inconsistent(counts: FlipCounts) -> _Sum:
    if counts.wrong_changed is None:
        raise InputError(UNKNOWN_ANSWERS)
    return _Sum(counts.negative + counts.wrong_changed, 0, counts.total)


def _lost(counts: FlipCounts) -> _Sum:
    return _Sum(counts.negative, counts.positive, counts.total)


def _rate(cells: Cells, summed: _Summed) -> Evidence:
    if any(cell.group is not None for cell in cells):
        return rate_of_clusters(*_clusters(cells, summed), "groups")
    whole = summed(counts_of(cells.values()))
    return kinds.independent_rate(whole.plus, whole.total)


def _loss(cells: Cells) -> Evidence:
    if any(cell.group is not None for cell in cells):
        return loss_of_clusters(*_clusters(cells, _lost), "groups")
    return kinds.accuracy_loss(counts_of(cells.values()))


def _clusters(
    cells: Cells, summed: _Summed
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Sum and size of every group; an item without a group is one of its own."""
    groups: dict[str, _Sum] = defaultdict(lambda: _Sum(0, 0, 0))
    alone = _Sum(0, 0, 0)
    for cell, counts in cells.items():
        if cell.group is None:
            alone += summed(counts)
        else:
            groups[cell.group] += summed(counts)
    singles = np.repeat(
        [1.0, -1.0, 0.0], [alone.plus, alone.minus, alone.total - alone.plus - alone.minus]
    )
    sums = [part.plus - part.minus for part in groups.values()]
    sizes = [part.total for part in groups.values()]
    return (
        np.concatenate([np.array(sums, dtype=np.float64), singles]),
        np.array([*sizes, *[1] * len(singles)], dtype=np.intp),
    )
