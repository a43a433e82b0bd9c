"""Whether the runs of a gate can be trusted: lost items, other conditions, facts from new alone."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.comparison.judges import judge_note, split_note
from muscle_metrics.comparison.remarks import coarse_notes, relabelled_notes
from muscle_metrics.comparison.sameness import EQUAL_RUNS, runs_are_equal
from muscle_metrics.gate.equivalence import count_unseen
from muscle_metrics.gate.verdict import Check, Outcome
from muscle_metrics.runs.fingerprints import list_concerns
from muscle_metrics.runs.fingerprints import list_notes as list_skipped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.gate.pins import JudgedPins
    from muscle_metrics.gate.policy import Policy

__all__ = ["Reason", "check_coverage", "list_notes", "list_reasons"]

# A PASS by accuracy alone says nothing about flips: the mean holds while fixes balance what breaks.
FLIPS_UNLIMITED = (
    "flips over all items are not limited, any number may break where as many get fixed: --max-nfr "
    "(max_nfr) limits them"
)


class Reason(NamedTuple):
    """Why two runs may not be comparable, and whether the policy accepts it."""

    text: str
    is_accepted: bool


def check_coverage(comparison: Facts, policy: Policy) -> tuple[Check, ...]:
    """Check the share of the old run's items that are compared; nothing to check without losses."""
    if not comparison.lost or policy.missing == "ignore":
        return ()
    coverage, least = comparison.coverage, Fraction(policy.min_coverage)
    is_kept = Fraction(coverage.count or 0, coverage.total) >= least
    advice = (
        "evaluate the lost items again, or lower --min-coverage (min_coverage); "
        'missing = "ignore" (--accept-losses) accepts every loss'
    )
    return (
        Check(
            criterion="coverage",
            outcome=Outcome.PASS if is_kept else Outcome.INVALID,
            estimate=float(coverage),
            low=float(coverage),
            high=float(coverage),
            limit=least,
            sample=f"{coverage.count} of {coverage.total} items of old, {_losses(comparison)}",
            advice="" if is_kept else advice,
            is_minimum=True,
        ),
    )


def list_notes(comparison: Facts, policy: Policy) -> tuple[str, ...]:
    """Facts for the first line of a verdict."""
    return tuple(_notes(comparison, policy))


def list_reasons(comparison: Facts, policy: Policy, pins: JudgedPins) -> list[Reason]:
    """Reasons why the runs cannot be judged, and differences that the policy accepts."""
    return [
        *_differences(comparison, policy),
        *_missing_pins(pins),
        *_facts_of_new(comparison, policy),
        *_unseen_changes(comparison, policy),
    ]


def _notes(comparison: Facts, policy: Policy) -> Iterator[str]:
    if not policy.limits_flips:
        yield FLIPS_UNLIMITED
    if comparison.lost:
        coverage = comparison.coverage
        where = f"coverage {coverage.count} of {coverage.total} items of old"
        if policy.missing == "ignore":
            where += f", the policy ignores the loss: {_losses(comparison)}"
        yield where
    if runs_are_equal(comparison):
        yield f"{EQUAL_RUNS} that both hold" if comparison.lost else EQUAL_RUNS
    yield from relabelled_notes(comparison)
    yield from coarse_notes(comparison)
    if note := judge_note(comparison, policy.judge):
        yield note
    if split := split_note(comparison):
        yield split
    if comparison.reading is not None:
        yield from comparison.reading.notes()
    yield from list_skipped(comparison.fingerprints, comparison.names)


def _losses(comparison: Facts) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in comparison.lost.items())


def _differences(comparison: Facts, policy: Policy) -> Iterator[Reason]:
    for part, text in list_concerns(comparison.fingerprints, comparison.names):
        accepted = part in policy.accepted_differences
        yield Reason(f"{text} (accepted)" if accepted else text, accepted)


def _missing_pins(pins: JudgedPins) -> Iterator[Reason]:
    for names, what in ((pins.missing, "are not in the comparison"), (pins.lost, "are lost")):
        if names:
            shown = ", ".join(map(repr, sorted(names)[:5]))
            yield Reason(f"{len(names)} pinned items {what} (first {shown})", False)


def _unseen_changes(comparison: Facts, policy: Policy) -> Iterator[Reason]:
    unseen = count_unseen(comparison, policy)
    if unseen:
        yield Reason(
            f"{unseen} items that old left unanswered are left out, and their answers may have "
            f"changed: count them with --unanswered wrong (unanswered=), or accept the loss with "
            f'--accept-losses (missing = "ignore")',
            False,
        )


def _facts_of_new(comparison: Facts, policy: Policy) -> Iterator[Reason]:
    """Refuse references and labels that the new run alone holds: it would set its own exam."""
    if not comparison.coverage.count:
        yield Reason("no item of old is compared by its own reference: nothing was compared", False)
    found = comparison.labels_from_new
    needed = {"references", "groups"}
    if policy.slices or policy.protected or policy.weights:
        needed.add("slices")
    for part in sorted(found & needed):
        way = (
            "or give them with --reference FILE"
            if part == "references"
            else "or leave out its field"
        )
        yield Reason(
            f"{part} only in new, which would then decide how it is judged: put {part} into old, "
            f"{way}",
            False,
        )
