"""The criteria of a policy for a comparison: one per limit, with the evidence about it."""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from muscle_metrics.comparison.uncertainty import (
    event_evidence,
    flip_evidence,
    loss_evidence,
    share_evidence,
)
from muscle_metrics.errors import UsageError
from muscle_metrics.evidence.scores import mean_loss, mean_regression, weighted_rate
from muscle_metrics.evidence.units import Part, Regression
from muscle_metrics.flips.magnitudes import Magnitude
from muscle_metrics.gate.criterion import Criterion, Views, noisy
from muscle_metrics.gate.equivalence import LIMITS, equivalence_criteria
from muscle_metrics.gate.prompt_limits import prompt_criteria, rates_loss, refuse_of_rates
from muscle_metrics.words.escape import distinct
from muscle_metrics.words.place import list_names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.evidence.evidence import Evidence
    from muscle_metrics.evidence.units import Event
    from muscle_metrics.gate.policy import Policy

__all__ = ["Criterion", "broken_prompts", "list_criteria"]

# Limits that need the items themselves, and the value of each in a policy without that limit.
OF_ITEMS: Mapping[str, object] = MappingProxyType(
    {
        "item_weights": {},
        "max_flap_rate": None,
        "max_mean_loss": None,
        "max_mean_regression": None,
        "max_pass_at_k_loss": None,
        "max_pass_hat_k_loss": None,
        "max_weighted_nfr": None,
        "noise_adjusted_pass": False,
        "pinned": frozenset(),
        "waivers": (),
        "weights": {},
    }
)
# Limits that need labels of other items than those that differ, or of single parts.
OF_PARTS: Mapping[str, object] = MappingProxyType(
    {
        "answer": None,
        **dict.fromkeys(LIMITS),
        "max_conditional_nfr": None,
        "metrics": {},
        "minimum_effect": 0.0,
        "protected": (),
        "slices": {},
        "tasks": {},
    }
)
# Limits that need counts of flips.
OF_COUNTS = (
    "max_conditional_nfr",
    "max_accuracy_loss",
    "max_nfr_mc",
    *LIMITS,
    "tasks",
    "slices",
    "protected",
)


def list_criteria(comparison: Facts, policy: Policy) -> list[Criterion]:
    """Criteria of a policy, in the order of reports.

    Raises
    ------
    UsageError
        If the policy names a missing slice, task or metric, limits an unknown rate, or limits
        single items where an engine counted the runs.
    """
    if comparison.sample is not None:
        _refuse_beyond_labels(policy)
    elif comparison.in_memory is None:
        _refuse_items(comparison, policy)
    refuse_of_rates(comparison, policy)
    ignores = policy.missing == "ignore"
    worst = comparison.accepting_losses if ignores else comparison.worst_case
    views = Views(comparison, worst)
    return [*_overall(views, policy), *_metrics(views, policy), *_parts(views, policy)]


def broken_prompts(
    comparison: Comparison, policy: Policy, names: Collection[str] | None = None
) -> list[tuple[str | None, str]]:
    """Task and id of the prompts that broke, in the natural order; of the given ids alone."""
    rows: dict[tuple[str | None, str], list[int]] = {}
    for row, prompt in enumerate(comparison.table.prompts):
        if names is None or prompt[1] in names:
            rows.setdefault(prompt, []).append(row)
    return [prompt for prompt, some in rows.items() if _is_broken(comparison, policy, some)]


def _is_broken(comparison: Comparison, policy: Policy, rows: list[int]) -> bool:
    """Whether most generations of one prompt were right and now are wrong, or score worse."""
    prompts, most = comparison.prompts, len(rows) / 2
    if prompts is not None and prompts.of_rates:
        old_right, new_right, total = (column[rows] for column in prompts.counts[:3])
        return bool(np.any((2 * old_right > total) & (2 * new_right < total)))
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
                f"out, or leave out --engine"
            )
    if comparison.is_repeated:
        raise UsageError(
            "expected one generation of every prompt where an engine counts the runs, got repeats: "
            "leave out --engine, as decoding noise is told apart in memory"
        )


def _refuse_beyond_labels(policy: Policy) -> None:
    """Refuse limits that labels of a sample cannot decide."""
    for name, absent in (*OF_ITEMS.items(), *OF_PARTS.items()):
        if getattr(policy, name) != absent:
            raise UsageError(
                f"expected limits that labels of some items decide, got {name}: leave it out; "
                f"for one part write a sheet of its own with --where FIELD=VALUE"
            )


def _refuse_counts(policy: Policy) -> None:
    for name in OF_COUNTS:
        if getattr(policy, name):
            raise UsageError(
                f"expected a threshold that makes graded scores right or wrong with {name}, got "
                f"none: pass --threshold (threshold=), or leave out --engine"
            )


def _overall(views: Views, policy: Policy) -> Iterator[Criterion]:
    comparison = views.observed
    metric = "" if comparison.has_flips else f" by {_first_metric(comparison)}"
    # A limit on the items that old got right holds where few of all items can break.
    conditional = policy.max_conditional_nfr
    breakable = None if conditional else partial(_breakable, _negative(comparison, policy))
    if policy.max_nfr is not None:
        flips = partial(_flip_evidence, policy)
        yield views.judge(f"negative flip rate{metric}", policy.max_nfr, flips, breakable)
    if comparison.in_memory is None and not comparison.has_flips:
        _refuse_counts(policy)
    if conditional is not None:
        possible = partial(_conditional, policy, "right before")
        flips = partial(_conditional, policy, "negative")
        yield views.judge("conditional negative flip rate", conditional, flips, possible)
    if policy.max_accuracy_loss is not None:
        yield views.judge(
            "accuracy loss",
            policy.max_accuracy_loss,
            partial(_loss_evidence, policy),
            breakable,
        )
    if policy.max_nfr_mc is not None:
        rate = partial(_rate, policy, "inconsistent")
        yield views.judge("inconsistency flip rate", policy.max_nfr_mc, rate)
    yield from equivalence_criteria(views, policy, breakable)
    if comparison.in_memory is not None:
        yield from _of_items(views, policy)


def _of_items(views: Views, policy: Policy) -> Iterator[Criterion]:
    if policy.max_weighted_nfr is not None:
        event = _negative(views.observed, policy)
        yield views.judge(
            "severity-weighted negative flip rate",
            policy.max_weighted_nfr,
            lambda comparison: noisy(comparison, _weighted(policy, event, comparison)),
            lambda comparison: _weighted(policy, _before(event), comparison),
        )
    if policy.pass_k is not None:
        yield from prompt_criteria(views, policy)
    yield from _means(views, policy)


def _metrics(views: Views, policy: Policy) -> Iterator[Criterion]:
    for metric, limit in policy.metrics.items():
        if metric not in views.observed.changes:
            raise UsageError(
                f"expected a metric that was compared, got {metric!r} in the policy: there is "
                f"{list_names(sorted(views.observed.changes)) or 'none'}"
            )
        event = Regression(metric, policy.minimum_effect)
        yield views.judge(
            f"negative flip rate by {metric}",
            limit,
            partial(_rate, policy, event),
            partial(_breakable, event),
        )


def _parts(views: Views, policy: Policy) -> Iterator[Criterion]:
    budgets = {**dict.fromkeys(policy.protected, policy.max_nfr), **policy.slices}
    parts = [
        *((Part("slice", name), limit) for name, limit in budgets.items()),
        *((Part("task", name), limit) for name, limit in policy.tasks.items()),
    ]
    event = _negative(views.observed, policy)
    for part, limit in parts:
        known = views.worst.part_names(part.kind)
        if part.name not in known:
            raise UsageError(
                f"expected a {part.kind} that the runs have, got {part.name!r} in the policy: "
                f"there is {list_names(known) or 'none'}"
            )
        yield views.judge(
            f"negative flip rate of {part.kind} {distinct(part.name)}",
            limit,
            partial(_flip_evidence, policy, part=part),
            partial(_breakable, event, part=part),
        )


def _flip_evidence(policy: Policy, comparison: Facts, part: Part | None = None) -> Evidence:
    flips = flip_evidence(
        comparison,
        _negative(comparison, policy),
        part,
        strict=policy.strict_groups,
        noise_adjusted_pass=policy.noise_adjusted_pass,
    )
    # The noise of verdicts is told apart; that of graded scores is not.
    return flips if comparison.has_flips else noisy(comparison, flips)


def _rate(policy: Policy, event: Event, comparison: Facts) -> Evidence:
    return noisy(comparison, event_evidence(comparison, event, strict=policy.strict_groups))


def _breakable(event: Event, comparison: Facts, part: Part | None = None) -> Evidence:
    """Evidence if every item broke that can break."""
    if comparison.prompts is not None and comparison.prompts.of_rates:
        return rates_loss(comparison, part, broken=True)
    return event_evidence(comparison, _before(event), part)


def _before(event: Event) -> Event:
    """Event of the old run alone without which an event cannot happen."""
    return event.possible if isinstance(event, Regression) else "right before"


def _conditional(policy: Policy, event: Event, comparison: Facts) -> Evidence:
    share = share_evidence(comparison, event, strict=policy.strict_groups)
    return noisy(comparison, share)


def _loss_evidence(policy: Policy, comparison: Facts) -> Evidence:
    if comparison.prompts is not None and comparison.prompts.of_rates:
        return rates_loss(comparison, strict=policy.strict_groups)
    return loss_evidence(comparison, strict=policy.strict_groups)


def _negative(comparison: Facts, policy: Policy) -> Event:
    if comparison.has_flips:
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
                f"expected weights of {kind} that the runs have, got {list_names(unknown)}: drop "
                f"these weights"
            )
    of_slices = (policy.weights.get(str(name), 1.0) for name in table.slices)
    pairs = zip(table.ids, of_slices, strict=True)
    return np.array([policy.item_weights.get(name, weight) for name, weight in pairs])


def _weighted(policy: Policy, event: Event, comparison: Facts) -> Evidence:
    items = cast("Comparison", comparison)
    flags = items.values(event).astype(bool)
    table = items.table
    return weighted_rate(
        flags,
        _weights(items, policy),
        table.unit_numbers,
        table.unit,
        # A sample without an item of the largest weight does not show that there is none.
        largest=max(1.0, *policy.weights.values(), *policy.item_weights.values()),
    )


def _means(views: Views, policy: Policy) -> Iterator[Criterion]:
    for limit_name, name, evidence in (
        ("max_mean_loss", "mean loss", _mean_loss),
        ("max_mean_regression", "mean regression", _mean_regression),
    ):
        limit = getattr(policy, limit_name)
        if limit is not None:
            for metric in _graded(views.observed, limit_name):
                of_metric = partial(evidence, metric, policy)
                yield views.judge(f"{name} of {metric}", limit, of_metric, is_share=False)


def _graded(comparison: Facts, limit: str) -> list[str]:
    """Metrics whose means can be limited."""
    if not comparison.changes:
        raise UsageError(
            f"expected a graded score for {limit}, got right and wrong answers: name a score with "
            f"--score-field, or drop {limit}"
        )
    for metric, changes in comparison.changes.items():
        if not np.isfinite([changes.low, changes.high]).all():
            raise UsageError(
                f"expected the range of {metric!r} to bound its {limit.removeprefix('max_')}, got "
                f"none: give it with --score-range LOW HIGH"
            )
    return list(comparison.changes)


def _mean_loss(metric: str, policy: Policy, comparison: Facts) -> Evidence:
    items = cast("Comparison", comparison)
    material, table = items.changes[metric].with_effect(policy.minimum_effect), items.table
    losses = np.where(material.regressed(), -material.gains, 0.0)
    largest = material.high - material.low
    mean = mean_loss(losses, largest, table.unit_numbers, table.unit, strict=policy.strict_groups)
    return noisy(comparison, mean)


def _mean_regression(metric: str, policy: Policy, comparison: Facts) -> Evidence:
    items = cast("Comparison", comparison)
    material, table = items.changes[metric].with_effect(policy.minimum_effect), items.table
    falls, largest = (
        np.where(material.regressed(), -material.gains, 0.0),
        material.high - material.low,
    )
    # Small falls would lower the mean: it is largest if each lost item fell by the whole range.
    falls[items.is_lost] = largest
    rows = np.flatnonzero(falls)
    size = mean_regression(
        Magnitude(falls[rows], limit=largest), table.unit_numbers[rows], table.unit
    )
    return noisy(comparison, size)
