"""What a policy asks of a comparison: one criterion per limit, with the evidence for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from muscle_metrics import evidence as kinds
from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.items import positions_by_label

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from muscle_metrics.changes import ScoreChanges
    from muscle_metrics.comparison import Comparison
    from muscle_metrics.evidence import Evidence
    from muscle_metrics.policy import Limit, Policy

__all__ = ["Criterion", "list_criteria"]

Flags = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One limit and the evidence about it.

    Parameters
    ----------
    name : str
        What is limited.
    limit : Fraction
        The most that is allowed.
    evidence : Evidence
        Estimate and bounds.
    is_share : bool
        Whether values are shares, to be shown in percent.

    Examples
    --------
    >>> Criterion("NFR", Fraction(1, 50), kinds.independent_rate(9, 100)).is_broken_at(0.05)
    True
    """

    name: str
    limit: Fraction
    evidence: Evidence
    is_share: bool = True

    def is_broken_at(self, alpha: float) -> bool:
        """Whether the lower bound exceeds the limit when it may err with probability `alpha`."""
        return Fraction(self.evidence.lower(1 - alpha)) > self.limit


def list_criteria(comparison: Comparison, policy: Policy) -> list[Criterion]:
    """Criteria of a policy, in the order in which a reader wants them.

    Raises
    ------
    UsageError
        If the policy names a slice, task or metric that is not there, or limits what is unknown.

    Examples
    --------
    >>> from muscle_metrics import Policy, compare
    >>> comparison = compare(old=["A"], new=["A"], references=["A"])
    >>> [criterion.name for criterion in list_criteria(comparison, Policy(max_nfr=0.5))]
    ['negative flip rate']
    """
    return [*_overall(comparison, policy), *_parts(comparison, policy)]


def _overall(comparison: Comparison, policy: Policy) -> Iterator[Criterion]:
    everything = np.arange(comparison.total)
    yield Criterion(
        "negative flip rate",
        _exact(policy.max_nfr),
        _flip_evidence(comparison, policy, everything),
    )
    if policy.max_accuracy_loss is not None:
        loss = _loss_evidence(comparison)
        yield Criterion("accuracy loss", _exact(policy.max_accuracy_loss), loss)
    if policy.max_nfr_mc is not None:
        rate = _rate(comparison, _inconsistent(comparison), everything)
        yield Criterion("inconsistency flip rate", _exact(policy.max_nfr_mc), rate)
    if policy.max_weighted_nfr is not None:
        flags = _negative(comparison, policy)
        weights = _weights(comparison, policy)
        yield Criterion(
            "severity-weighted negative flip rate",
            _exact(policy.max_weighted_nfr),
            kinds.weighted_rate(flags, weights),
        )
    if policy.max_mean_regression is not None:
        yield from _regressions(comparison, policy)


def _parts(comparison: Comparison, policy: Policy) -> Iterator[Criterion]:
    for metric, limit in policy.metrics.items():
        regressed = _regressed(_changes_of(comparison, metric), policy)
        yield Criterion(
            f"negative flip rate by {metric}",
            _exact(limit),
            _rate(comparison, regressed, np.arange(comparison.total)),
        )
    overall = _exact(policy.max_nfr)
    budgets = {**dict.fromkeys(policy.protected, overall), **policy.slices}
    for kind, labels, limits in (
        ("slice", comparison.table.slices, budgets),
        ("task", comparison.table.tasks, policy.tasks),
    ):
        positions = positions_by_label(labels) if limits else {}
        for name, limit in limits.items():
            if name not in positions:
                raise UsageError(
                    f"expected a {kind} that the runs have, got {name!r} in the policy: there is "
                    f"{sorted(positions) or 'none, name its field with --slice-field'}"
                )
            yield Criterion(
                f"negative flip rate of {kind} {name}",
                _exact(limit),
                _flip_evidence(comparison, policy, positions[name]),
            )


def _flip_evidence(comparison: Comparison, policy: Policy, positions: Positions) -> Evidence:
    table = comparison.table
    if comparison.verdicts is None or not table.is_repeated:
        return _rate(comparison, _negative(comparison, policy), positions)
    groups = [table.groups[i] for i in positions] if any(table.groups) else None
    prompts = table.prompts
    return kinds.repeated_rate(
        comparison.verdicts.take(positions),
        [prompts[i] for i in positions],
        groups,
        noise_adjusted_pass=policy.noise_adjusted_pass,
    )


def _rate(comparison: Comparison, flags: Flags, positions: Positions) -> Evidence:
    """Evidence about a share of rows, over whatever units are independent."""
    chosen = flags[positions]
    clusters = _cluster_labels(comparison)
    if clusters is None:
        return kinds.independent_rate(int(np.count_nonzero(chosen)), len(chosen))
    labels, unit = clusters
    return kinds.clustered_rate(chosen, [labels[i] for i in positions], unit)


def _loss_evidence(comparison: Comparison) -> Evidence:
    clusters = _cluster_labels(comparison)
    if clusters is None or comparison.verdicts is None:
        return kinds.accuracy_loss(comparison.counts)
    return kinds.clustered_loss(comparison.verdicts, *clusters)


def _cluster_labels(comparison: Comparison) -> tuple[Sequence[object], str] | None:
    """Name what rows are drawn together: groups, else prompts; None if they are independent."""
    table = comparison.table
    if any(group is not None for group in table.groups):
        # An item without a group stands alone.
        alone = [(i, "alone") for i in range(comparison.total)]
        labels = [g if g is not None else a for g, a in zip(table.groups, alone, strict=True)]
        return labels, "groups"
    return (table.prompts, "prompts") if table.is_repeated else None


def _negative(comparison: Comparison, policy: Policy) -> Flags:
    if comparison.verdicts is not None:
        flags: Flags = comparison.verdicts.old_right & ~comparison.verdicts.new_right
        return flags
    if len(comparison.changes) != 1:
        raise UsageError(
            f"expected one graded metric for max_nfr, got {sorted(comparison.changes)}: give each "
            f"a limit under metrics"
        )
    (changes,) = comparison.changes.values()
    return _regressed(changes, policy)


def _inconsistent(comparison: Comparison) -> Flags:
    verdicts = comparison.verdicts
    if verdicts is None or verdicts.changed is None:
        raise InputError(
            "expected recorded answers for max_nfr_mc, got verdicts or scores only: which wrong "
            "answers changed is not known; record answers, or drop max_nfr_mc"
        )
    flags: Flags = ~verdicts.new_right & (verdicts.old_right | verdicts.changed)
    return flags


def _weights(comparison: Comparison, policy: Policy) -> npt.NDArray[np.float64]:
    unknown = sorted(set(policy.weights).difference(map(str, comparison.table.slices)))
    if unknown:
        raise UsageError(f"expected weights of slices that the runs have, got {unknown}")
    return np.array([policy.weights.get(str(name), 1.0) for name in comparison.table.slices])


def _regressions(comparison: Comparison, policy: Policy) -> Iterator[Criterion]:
    if not comparison.changes:
        raise UsageError(
            "expected a graded score for max_mean_regression, got right and wrong answers: name a "
            "score with --score-field, or drop max_mean_regression"
        )
    for metric, changes in comparison.changes.items():
        if not np.isfinite(changes.high - changes.low):
            raise UsageError(
                f"expected the range of {metric!r} to bound its mean regression, got none: give "
                f"it with --score-range LOW HIGH"
            )
        yield Criterion(
            f"mean regression of {metric}",
            _exact(policy.max_mean_regression),
            kinds.mean_regression(_material(changes, policy).mean_regression),
            is_share=False,
        )


def _changes_of(comparison: Comparison, metric: str) -> ScoreChanges:
    if metric not in comparison.changes:
        raise UsageError(
            f"expected a metric that was compared, got {metric!r} in the policy: there is "
            f"{sorted(comparison.changes) or 'none'}"
        )
    return comparison.changes[metric]


def _regressed(changes: ScoreChanges, policy: Policy) -> Flags:
    changes = _material(changes, policy)
    flags: Flags = changes.gains < -changes.dead_band
    return flags


def _material(changes: ScoreChanges, policy: Policy) -> ScoreChanges:
    """Apply the policy's minimum effect where it asks for more than the comparison did."""
    return replace(changes, minimum_effect=max(changes.minimum_effect, policy.minimum_effect))


def _exact(limit: Limit | None) -> Fraction:
    return Fraction(limit or 0)
