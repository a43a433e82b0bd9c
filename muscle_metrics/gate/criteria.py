"""The criteria of a policy for a comparison: one per limit, with the evidence about it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from muscle_metrics.comparison.facts import Part, Regression
from muscle_metrics.errors import UsageError
from muscle_metrics.gate import evidence as kinds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.facts import Event, Facts
    from muscle_metrics.gate.evidence import Evidence
    from muscle_metrics.gate.policy import Limit, Policy

__all__ = ["Criterion", "broken_pins", "list_criteria"]

# Limits that need the items themselves, and the value of each in a policy without that limit.
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
# Limits that need counts of flips.
OF_COUNTS = ("max_accuracy_loss", "max_nfr_mc", "tasks", "slices", "protected")


@dataclass(frozen=True, slots=True)
class Criterion:
    """One limit and the evidence about it.

    Parameters
    ----------
    name : str
        Name of the limited rate or mean.
    limit : Fraction
        Largest value that the policy allows.
    evidence : Evidence
        Estimate and bounds.
    is_share : bool
        Whether values are shares, to be shown in percent.
    """

    name: str
    limit: Fraction
    evidence: Evidence
    is_share: bool = True

    def is_broken_at(self, alpha: float) -> bool:
        """Whether the lower bound exceeds the limit when it may err with probability `alpha`."""
        return Fraction(self.evidence.lower(1 - alpha)) > self.limit


def list_criteria(comparison: Facts, policy: Policy) -> list[Criterion]:
    """Criteria of a policy, in the order of reports.

    Raises
    ------
    UsageError
        If the policy names a missing slice, task or metric, limits an unknown rate, or limits
        single items where an engine counted the runs.
    """
    if comparison.in_memory is None:
        _refuse_items(comparison, policy)
    return [
        *_overall(comparison, policy),
        *_metrics(comparison, policy),
        *_parts(comparison, policy),
    ]


def broken_pins(comparison: Facts, policy: Policy) -> tuple[str, ...]:
    """Ids of pinned items that broke, in the natural order of ids."""
    items = comparison.in_memory
    if items is None or not policy.pinned:
        return ()
    pinned: dict[tuple[str | None, str], list[int]] = {}
    for row, (task, name) in enumerate(items.table.prompts):
        if name in policy.pinned:
            pinned.setdefault((task, name), []).append(row)
    broken = (name for (_, name), rows in pinned.items() if _is_broken(items, policy, rows))
    return tuple(dict.fromkeys(broken))


def _is_broken(comparison: Comparison, policy: Policy, rows: list[int]) -> bool:
    """Whether most generations of one prompt were right and now are wrong, or score worse."""
    most = len(rows) / 2
    if comparison.correctness is None:
        worse = comparison.values(_negative(comparison, policy))[rows]
        return bool(np.count_nonzero(worse) > most)
    old, new, _ = comparison.correctness.take(np.array(rows))
    return bool(np.count_nonzero(old) > most > np.count_nonzero(new))


def _refuse_items(comparison: Facts, policy: Policy) -> None:
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


def _refuse_counts(policy: Policy) -> None:
    for name in OF_COUNTS:
        if getattr(policy, name):
            raise UsageError(
                f"expected a threshold that makes graded scores right or wrong with {name}, got "
                f"none: pass threshold= (--threshold), or compare the runs in memory"
            )


def _overall(comparison: Facts, policy: Policy) -> Iterator[Criterion]:
    metric = "" if comparison.is_judged else f" by {_first_metric(comparison)}"
    flips = _flip_evidence(comparison, policy)
    yield Criterion(f"negative flip rate{metric}", _exact(policy.max_nfr), flips)
    if comparison.in_memory is None and not comparison.is_judged:
        _refuse_counts(policy)
    if policy.max_accuracy_loss is not None:
        loss = _loss_evidence(comparison)
        yield Criterion("accuracy loss", _exact(policy.max_accuracy_loss), loss)
    if policy.max_nfr_mc is not None:
        rate = _rate(comparison, "inconsistent")
        yield Criterion("inconsistency flip rate", _exact(policy.max_nfr_mc), rate)
    if comparison.in_memory is not None:
        yield from _of_items(comparison.in_memory, policy)


def _of_items(comparison: Comparison, policy: Policy) -> Iterator[Criterion]:
    if policy.max_weighted_nfr is not None:
        table = comparison.table
        weighted = kinds.weighted_rate(
            comparison.values(_negative(comparison, policy)).astype(bool),
            _weights(comparison, policy),
            table.unit_numbers,
            table.unit,
        )
        yield Criterion(
            "severity-weighted negative flip rate",
            _exact(policy.max_weighted_nfr),
            _noisy(comparison, weighted),
        )
    if policy.max_mean_regression is not None:
        yield from _regressions(comparison, policy)


def _metrics(comparison: Facts, policy: Policy) -> Iterator[Criterion]:
    for metric, limit in policy.metrics.items():
        if metric not in comparison.changes:
            raise UsageError(
                f"expected a metric that was compared, got {metric!r} in the policy: there is "
                f"{sorted(comparison.changes) or 'none'}"
            )
        rate = _rate(comparison, Regression(metric, policy.minimum_effect))
        yield Criterion(f"negative flip rate by {metric}", _exact(limit), rate)


def _parts(comparison: Facts, policy: Policy) -> Iterator[Criterion]:
    budgets = {**dict.fromkeys(policy.protected, policy.max_nfr), **policy.slices}
    parts = [
        *((Part("slice", name), limit) for name, limit in budgets.items()),
        *((Part("task", name), limit) for name, limit in policy.tasks.items()),
    ]
    for part, limit in parts:
        known = comparison.part_names(part.kind)
        if part.name not in known:
            raise UsageError(
                f"expected a {part.kind} that the runs have, got {part.name!r} in the policy: "
                f"there is {known or 'none'}"
            )
        rate = _flip_evidence(comparison, policy, part)
        yield Criterion(f"negative flip rate of {part.kind} {part.name}", _exact(limit), rate)


def _flip_evidence(comparison: Facts, policy: Policy, part: Part | None = None) -> Evidence:
    items = comparison.in_memory
    if items is None or items.correctness is None or not items.is_repeated:
        return _rate(comparison, _negative(comparison, policy), part)
    rows, table = items.rows(part), items.table
    return kinds.repeated_rate(
        items.correctness.take(rows),
        table.prompt_numbers[rows],
        table.unit_numbers[rows] if table.unit == "groups" else None,
        noise_adjusted_pass=policy.noise_adjusted_pass,
    )


def _rate(comparison: Facts, event: Event, part: Part | None = None) -> Evidence:
    return _noisy(comparison, kinds.rate(comparison.units(event, part)))


def _loss_evidence(comparison: Facts) -> Evidence:
    counts, units = comparison.counts, comparison.units("loss")
    return kinds.accuracy_loss(counts) if units.unit == "items" else kinds.clustered_loss(units)


def _noisy(comparison: Facts, evidence: Evidence) -> Evidence:
    return kinds.with_decoding_noise(evidence) if comparison.is_repeated else evidence


def _negative(comparison: Facts, policy: Policy) -> Event:
    if comparison.is_judged:
        return "negative"
    return Regression(_first_metric(comparison), policy.minimum_effect)


def _first_metric(comparison: Facts) -> str:
    # Graded scores without a threshold: the first metric decides the flips.
    return next(iter(comparison.changes))


def _weights(comparison: Comparison, policy: Policy) -> npt.NDArray[np.float64]:
    table = comparison.table
    for kind, weights, there in (
        ("slices", policy.weights, table.slices),
        ("items", policy.item_weights, table.ids),
    ):
        unknown = sorted(set(weights).difference(map(str, there)))
        if unknown:
            raise UsageError(
                f"expected weights of {kind} that the runs have, got {unknown}: drop these weights"
            )
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
        material, table = changes.with_effect(policy.minimum_effect), comparison.table
        size = kinds.mean_regression(
            material.mean_regression, table.unit_numbers[material.regressed()], table.unit
        )
        yield Criterion(
            f"mean regression of {metric}",
            _exact(policy.max_mean_regression),
            _noisy(comparison, size),
            is_share=False,
        )


def _exact(limit: Limit | None) -> Fraction:
    """Limit as an exact fraction of the decimal digits that a person wrote."""
    return Fraction(str(limit))
