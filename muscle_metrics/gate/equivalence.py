"""Limits by which two models are equivalent: a change counts in either direction.

PASS by them is a proof of equivalence at the level of the policy: two one-sided tests for the
accuracy, one of each direction (Schuirmann 1987), and a bound of all changes for flips and answers.
An item that the new run lost counts as changed: as flipped, as another answer, and for the accuracy
as broken in the test for a loss, and as fixed in the test for a gain.
"""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from muscle_metrics.comparison.near_misses import right_on_almost_nothing
from muscle_metrics.comparison.uncertainty import event_evidence, shift_evidence
from muscle_metrics.evidence.units import Cells
from muscle_metrics.flips.rate_table import RATES
from muscle_metrics.gate.criterion import noisy
from muscle_metrics.runs.joining.losses import ONLY_IN_NEW, OTHER_REFERENCE
from muscle_metrics.words.numbers import short_percent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.evidence.evidence import Evidence
    from muscle_metrics.gate.criterion import Criterion, Views
    from muscle_metrics.gate.policy import Policy

__all__ = ["LIMITS", "count_unseen", "equivalence_criteria", "equivalence_note"]

# What a limit says of all items, after its value.
LIMITS: Mapping[str, str] = MappingProxyType(
    {
        "max_flip_rate": "flips either way",
        "max_churn": "changed answers",
        "max_accuracy_change": "change of accuracy",
    }
)


def equivalence_criteria(
    views: Views, policy: Policy, breakable: Callable[[Facts], Evidence] | None
) -> Iterator[Criterion]:
    """Criteria of equivalence, in the order of reports.

    Parameters
    ----------
    views : Views
        The compared items, without and with lost ones.
    policy : Policy
        Limits of the update.
    breakable : callable, optional
        Evidence if every item broke that can break: two runs that are wrong everywhere are equal,
        and say nothing.
    """
    if LIMITS.keys().isdisjoint(policy.limited):
        return
    fixed = views.observed if policy.missing == "ignore" else views.observed.fixed_case
    judge = partial(views.judge, is_mutual=True)
    if policy.max_flip_rate is not None:
        flips = partial(_share, "flip_rate", policy)
        yield judge("flip rate", policy.max_flip_rate, flips, breakable, lost=fixed)
    if policy.max_churn is not None:
        answers = partial(_share, "churn", policy)
        some = None if breakable is None else partial(_where_wrong, breakable)
        yield judge("churn", policy.max_churn, answers, some, lost=fixed)
    margin = policy.max_accuracy_change
    if margin is not None:
        loss, gain = (partial(_shift, policy, gained=gained) for gained in (False, True))
        yield judge("accuracy change (loss)", margin, loss, breakable)
        yield judge("accuracy change (gain)", margin, gain, breakable, lost=fixed)


def equivalence_note(policy: Policy) -> str:
    """Say within what two models are equivalent, if a policy has no other limits; else nothing.

    Examples
    --------
    >>> from muscle_metrics import Policy
    >>> equivalence_note(Policy(max_flip_rate="0.03", max_accuracy_change="0.01"))
    'equivalent within 3% flips either way and 1% change of accuracy'
    >>> equivalence_note(Policy(max_flip_rate="0.03", max_nfr="0.01"))
    ''
    """
    if not LIMITS.keys() >= {*policy.limited}:
        return ""
    parts = [f"{short_percent(getattr(policy, name))} {LIMITS[name]}" for name in policy.limited]
    return f"equivalent within {' and '.join(filter(None, [', '.join(parts[:-1]), parts[-1]]))}"


def count_unseen(comparison: Facts, policy: Policy) -> int:
    """Count the items of old that may have changed unseen, where a policy limits all changes.

    What old left unanswered cannot break, so leaving it out is no loss for other limits. But the
    new model may have answered it.
    """
    if policy.missing == "ignore" or LIMITS.keys().isdisjoint(policy.limited):
        return 0
    left_out = sum(comparison.dropped.values()) - comparison.dropped.get(ONLY_IN_NEW, 0)
    # Items that another reference judges are lost, but not left out.
    return left_out - sum(comparison.lost.values()) + comparison.lost.get(OTHER_REFERENCE, 0)


def _share(rate: str, policy: Policy, comparison: Facts) -> Evidence:
    event = Cells(RATES[rate].counted)
    return noisy(comparison, event_evidence(comparison, event, strict=policy.strict_groups))


def _where_wrong(breakable: Callable[[Facts], Evidence], comparison: Facts) -> Evidence | None:
    """Evidence of what could break if old is right on almost nothing; else answers may change."""
    return breakable(comparison) if right_on_almost_nothing(comparison.counts) else None


def _shift(policy: Policy, comparison: Facts, *, gained: bool) -> Evidence:
    return shift_evidence(comparison, gained=gained, strict=policy.strict_groups)
