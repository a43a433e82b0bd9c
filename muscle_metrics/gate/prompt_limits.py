"""Limits on pass@k, pass^k and flaps of prompts: their number k, and their criteria."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from muscle_metrics.errors import UsageError
from muscle_metrics.evidence.evidence import nothing_observed
from muscle_metrics.evidence.prompts import flap_evidence, pass_loss
from muscle_metrics.words.escape import shorten, visible
from muscle_metrics.words.place import item_name, show

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.evidence.evidence import Evidence
    from muscle_metrics.evidence.prompts import PassRate, PromptCounts
    from muscle_metrics.evidence.units import Part
    from muscle_metrics.gate.criterion import Criterion, Views
    from muscle_metrics.gate.policy import Policy

__all__ = ["OF_PROMPTS", "check_pass_k", "prompt_criteria", "rates_loss", "refuse_of_rates"]

OF_PROMPTS = ("max_pass_at_k_loss", "max_pass_hat_k_loss", "max_flap_rate")
# Limits that need to know of each generation whether it is right.
OF_ANSWERS = (
    "max_conditional_nfr",
    "max_nfr_mc",
    "max_flip_rate",
    "max_churn",
    "max_accuracy_change",
)
_LOSSES: tuple[tuple[PassRate, str], ...] = (("pass_at_k", "pass@"), ("pass_hat_k", "pass^"))


def check_pass_k(policy: Policy) -> None:
    """Refuse limits on k generations of a prompt without k, and k without a limit.

    Raises
    ------
    UsageError
        Also if k is no whole number, or too small for a limit.
    """
    limits = [name for name in OF_PROMPTS if getattr(policy, name) is not None]
    k = policy.pass_k
    if limits and k is None:
        raise UsageError(
            f"expected pass_k, the number of generations that {limits[0]} is about, got none: add "
            f"--pass-k K (pass_k=)"
        )
    if k is not None and not limits:
        raise UsageError(
            "expected a limit on k generations of a prompt beside pass_k, got none: add "
            "--max-pass-hat-k-loss (max_pass_hat_k_loss=), or drop --pass-k"
        )
    least = 2 if policy.max_flap_rate is not None else 1
    # True is 1 to Python.
    if k is not None and (isinstance(k, bool) or not isinstance(k, int) or k < least):
        raise UsageError(
            f"expected pass_k to be a whole number of at least {least}"
            f"{', as one generation cannot flap' if least > 1 else ''}, got "
            f"{shorten(visible(repr(k)), 60)}: name it with --pass-k (pass_k=)"
        )


def prompt_criteria(views: Views, policy: Policy) -> Iterator[Criterion]:
    """Criteria of the limits on k generations, over prompts or their groups.

    Prompts that new lost a generation of count in the worst case only, where they have fewer than k
    left: there each lost generation is wrong, or for flaps the answer that flaps most.

    Raises
    ------
    UsageError
        If prompts were answered once, or the old run holds fewer than k generations of one.
    """
    k, strict = policy.pass_k or 0, policy.strict_groups
    _check_generations(views.worst, k)
    for rate, sign in _LOSSES:
        limit = getattr(policy, f"max_{rate}_loss")
        if limit is not None:
            loss = partial(_loss, rate, k, strict)
            everything = partial(_loss, rate, k, strict, broken=True)
            yield views.judge(f"{sign}{k} loss", limit, loss, everything)
    if policy.max_flap_rate is not None:
        flaps = partial(_flaps, k, strict)
        yield views.judge(f"flap rate of new over {k} generations", policy.max_flap_rate, flaps)


def refuse_of_rates(comparison: Facts, policy: Policy) -> None:
    """Refuse limits on answers that are right or wrong where scores are shares of generations.

    Raises
    ------
    UsageError
        If the policy has one.
    """
    if comparison.prompts is None or not comparison.prompts.of_rates:
        return
    for name in OF_ANSWERS:
        if getattr(policy, name) is not None:
            raise UsageError(
                f"expected limits that shares of generations can decide, got {name}: drop it, or "
                f"give the generations one by one with --repeat-field (repeats=) and without "
                f"--samples (samples=)"
            )


def rates_loss(
    comparison: Facts, part: Part | None = None, *, strict: bool = False, broken: bool = False
) -> Evidence:
    """Loss of accuracy where scores are shares of generations: that of pass@1, by `pass_loss`."""
    items = cast("Comparison", comparison)
    if part is not None and part.name not in items.part_names(part.kind):
        return nothing_observed()
    counts = _counts(items).take(items.rows(part))
    return pass_loss(counts, "pass_at_k", 1, strict=strict, broken=broken)


def _loss(
    rate: PassRate, k: int, strict: bool, comparison: Facts, *, broken: bool = False
) -> Evidence:
    return pass_loss(_counts(comparison), rate, k, strict=strict, broken=broken)


def _flaps(k: int, strict: bool, comparison: Facts) -> Evidence:
    return flap_evidence(_counts(comparison), k, strict=strict)


def _counts(comparison: Facts) -> PromptCounts:
    if comparison.prompts is None:
        raise UsageError(
            "expected several generations of the prompts, each right or wrong, for a limit with "
            "pass_k, got one of each or graded scores: number generations with --repeat-field "
            "(repeats=), judge scores with --threshold (threshold=), or drop --pass-k"
        )
    return comparison.prompts.counts


def _check_generations(worst: Facts, k: int) -> None:
    total = _counts(worst).total
    if total.min() < k and worst.prompts is not None:
        few = int(total.argmin())
        raise UsageError(
            f"expected at least {k} generations of every prompt, got {int(total[few])} of "
            f"{show(item_name(*worst.prompts.names[few], None))}: lower --pass-k (pass_k=), or "
            f"generate again"
        )
