"""What a policy asks of a comparison: one criterion per limit, with the evidence for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from muscle_metrics.comparison.items import positions_by_label
from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.gate import evidence as kinds
from muscle_metrics.gate.clustered_evidence import clustered_loss, clustered_rate

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.flips.changes import ScoreChanges
    from muscle_metrics.gate.evidence import Evidence
    from muscle_metrics.gate.policy import Limit, Policy

__all__ = ["UNKNOWN_ANSWERS", "Criterion", "broken_pins", "exact_limit", "list_criteria"]

UNKNOWN_ANSWERS = (
    "expected recorded answers for max_nfr_mc, got verdicts or scores only: which wrong answers "
    "changed is not known; record answers, or drop max_nfr_mc"
)

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


def broken_pins(comparison: Comparison, policy: Policy) -> tuple[str, ...]:
    """Ids of pinned items that broke, in the natural order of ids.

    Examples
    --------
    >>> from muscle_metrics import Policy, compare
    >>> comparison = compare(old=["A", "A"], new=["A", "B"], references=["A", "A"])
    >>> broken_pins(comparison, Policy(max_nfr=0.5, pinned=frozenset({"0", "1"})))
    ('1',)
    """
    pinned: dict[tuple[str | None, str], list[int]] = {}
    for row, (task, name) in enumerate(comparison.table.prompts):
        if name in policy.pinned:
            pinned.setdefault((task, name), []).append(row)
    broken = (
        name for (_, name), rows in pinned.items() if _is_broken(comparison, policy, np.array(rows))
    )
    return tuple(dict.fromkeys(broken))


def _is_broken(comparison: Comparison, policy: Policy, rows: Positions) -> bool:
    """Whether most generations of one prompt were right and now are wrong, or score worse."""
    most = len(rows) / 2
    if comparison.correctness is None:
        return bool(np.count_nonzero(_negative(comparison, policy)[rows]) > most)
    old, new, _ = comparison.correctness.take(rows)
    return bool(np.count_nonzero(old) > most > np.count_nonzero(new))


def _overall(comparison: Comparison, policy: Policy) -> Iterator[Criterion]:
    everything = np.arange(comparison.total)
    flips = _flip_evidence(comparison, policy, everything)
    metric = f" by {_first_metric(comparison)}" if comparison.correctness is None else ""
    yield Criterion(f"negative flip rate{metric}", exact_limit(policy.max_nfr), flips)
    if policy.max_accuracy_loss is not None:
        loss = _loss_evidence(comparison)
        yield Criterion("accuracy loss", exact_limit(policy.max_accuracy_loss), loss)
    if policy.max_nfr_mc is not None:
        rate = _rate(comparison, _inconsistent(comparison), everything)
        yield Criterion("inconsistency flip rate", exact_limit(policy.max_nfr_mc), rate)
    if policy.max_weighted_nfr is not None:
        weighted = kinds.weighted_rate(
            _negative(comparison, policy), _weights(comparison, policy), *_units(comparison)
        )
        yield Criterion(
            "severity-weighted negative flip rate",
            exact_limit(policy.max_weighted_nfr),
            _noisy(comparison, weighted),
        )
    if policy.max_mean_regression is not None:
        yield from _regressions(comparison, policy)


def _parts(comparison: Comparison, policy: Policy) -> Iterator[Criterion]:
    for metric, limit in policy.metrics.items():
        regressed = _regressed(_changes_of(comparison, metric), policy)
        yield Criterion(
            f"negative flip rate by {metric}",
            exact_limit(limit),
            _rate(comparison, regressed, np.arange(comparison.total)),
        )
    overall = exact_limit(policy.max_nfr)
    budgets = {**dict.fromkeys(policy.protected, overall), **policy.slices}
    for kind, labels, limits in (
        ("slice", comparison.table.slices, budgets),
        ("task", comparison.table.tasks, policy.tasks),
    ):
        positions = positions_by_label(labels)
        for name, limit in limits.items():
            if name not in positions:
                raise UsageError(
                    f"expected a {kind} that the runs have, got {name!r} in the policy: there is "
                    f"{sorted(positions) or 'none'}"
                )
            yield Criterion(
                f"negative flip rate of {kind} {name}",
                exact_limit(limit),
                _flip_evidence(comparison, policy, positions[name]),
            )


def _flip_evidence(comparison: Comparison, policy: Policy, positions: Positions) -> Evidence:
    if comparison.correctness is None or not comparison.table.is_repeated:
        return _rate(comparison, _negative(comparison, policy), positions)
    prompts = comparison.table.prompts
    labels, unit = _units(comparison)
    return kinds.repeated_rate(
        comparison.correctness.take(positions),
        [prompts[i] for i in positions],
        [labels[i] for i in positions] if unit == "groups" else None,
        noise_adjusted_pass=policy.noise_adjusted_pass,
    )


def _rate(comparison: Comparison, flags: Flags, positions: Positions) -> Evidence:
    """Evidence about a share of rows, over whatever units are independent."""
    chosen = flags[positions]
    labels, unit = _units(comparison)
    if unit == "items":
        return kinds.independent_rate(int(np.count_nonzero(chosen)), len(chosen))
    rate = clustered_rate(chosen, [labels[i] for i in positions], unit)
    return _noisy(comparison, rate)


def _loss_evidence(comparison: Comparison) -> Evidence:
    labels, unit = _units(comparison)
    if comparison.correctness is None or unit == "items":
        return kinds.accuracy_loss(comparison.counts)
    return clustered_loss(comparison.correctness, labels, unit)


def _units(comparison: Comparison) -> tuple[Sequence[Hashable], str]:
    """Name what rows are drawn together: their group, else their prompt, else nothing."""
    table = comparison.table
    if any(group is not None for group in table.groups):
        pairs = zip(table.groups, table.prompts, strict=True)
        # A prompt without a group is a group of its own.
        return [prompt if group is None else group for group, prompt in pairs], "groups"
    return table.prompts, "prompts" if comparison.table.is_repeated else "items"


def _noisy(comparison: Comparison, evidence: Evidence) -> Evidence:
    return kinds.with_decoding_noise(evidence) if comparison.table.is_repeated else evidence


def _negative(comparison: Comparison, policy: Policy) -> Flags:
    if comparison.correctness is not None:
        flags: Flags = comparison.correctness.old_right & ~comparison.correctness.new_right
        return flags
    return _regressed(comparison.changes[_first_metric(comparison)], policy)


def _first_metric(comparison: Comparison) -> str:
    # Without verdicts flips are those of the metric that was named first.
    return next(iter(comparison.changes))


def _inconsistent(comparison: Comparison) -> Flags:
    correctness = comparison.correctness
    if correctness is None or correctness.changed is None:
        raise InputError(UNKNOWN_ANSWERS)
    flags: Flags = ~correctness.new_right & (correctness.old_right | correctness.changed)
    return flags


def _weights(comparison: Comparison, policy: Policy) -> npt.NDArray[np.float64]:
    table = comparison.table
    for kind, weights, there in (
        ("slices", policy.weights, table.slices),
        ("items", policy.item_weights, table.ids),
    ):
        unknown = sorted(set(weights).difference(map(str, there)))
        if unknown:
            raise UsageError(f"expected weights of {kind} that the runs have, got {unknown}")
    of_slices = (policy.weights.get(str(name), 1.0) for name in table.slices)
    pairs = zip(table.ids, of_slices, strict=True)
    return np.array([policy.item_weights.get(name, weight) for name, weight in pairs])


def _regressions(comparison: Comparison, policy: Policy) -> Iterator[Criterion]:
    if not comparison.changes:
        raise UsageError(
            "expected a graded score for max_mean_regression, got right and wrong answers: name a "
            "score with --score-field, or drop max_mean_regression"
        )
    for metric, changes in comparison.changes.items():
        if not np.isfinite([changes.low, changes.high]).all():
            raise UsageError(
                f"expected the range of {metric!r} to bound its mean regression, got none: give "
                f"it with --score-range LOW HIGH"
            )
        labels, unit = _units(comparison)
        regressed = np.flatnonzero(_regressed(changes, policy)).tolist()
        size = kinds.mean_regression(
            _material(changes, policy).mean_regression, [labels[i] for i in regressed], unit
        )
        yield Criterion(
            f"mean regression of {metric}",
            exact_limit(policy.max_mean_regression),
            _noisy(comparison, size),
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


def exact_limit(limit: Limit | None) -> Fraction:
    """Limit as the number that was written.

    Examples
    --------
    >>> exact_limit("0.02")
    Fraction(1, 50)
    """
    return Fraction(str(limit))
