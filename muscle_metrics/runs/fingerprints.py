"""Fingerprints of runs: differences between two runs, and faults of one."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.words.place import show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "FAULTS",
    "FIRST_SCORES",
    "JUDGE_NOISE",
    "REDUCER",
    "SKIPPED",
    "Concern",
    "list_concerns",
    "list_notes",
]

# Files of a place that were not read, because newer ones are the same evaluation run again.
SKIPPED = "skipped"
# How a harness made one score of the repeats of an item, if not by their mean.
REDUCER = "reducer"
# Scores by which tasks are compared because the old run lists them first, and nobody chose others.
FIRST_SCORES = "first_scores"
# On how many answers a judge that was asked several times did not say the same.
JUDGE_NOISE = "judge_noise"
# Parts of a fingerprint that name a run; the other parts describe how it was made.
DESCRIPTIVE = frozenset({"format", "model", "date", FIRST_SCORES, JUDGE_NOISE, REDUCER, SKIPPED})
# Only some plain formats record these: nothing is amiss where one of two runs lacks them.
SELDOM = frozenset({"split"})
# Only a faulty run has these parts.
FAULTS = ("errors", "partial", "status")


class Concern(NamedTuple):
    """Why two runs may not be comparable, and the part of the fingerprint that says so."""

    part: str
    text: str


def list_concerns(fingerprints: Sequence[Mapping[str, str]], names: Sequence[str]) -> list[Concern]:
    """Name the faults of each run, and the differences between two.

    Parameters
    ----------
    fingerprints : sequence of mapping
        One per run, oldest first.
    names : sequence of str
        Names of the runs.
    """
    concerns = [
        Concern(part, f"run {show(name)} has {part}: {fingerprint[part]}")
        for name, fingerprint in zip(names, fingerprints, strict=True)
        for part in FAULTS
        if part in fingerprint
    ]
    for old, new in pairwise(fingerprints):
        for part in sorted({*old, *new} - DESCRIPTIVE - {*FAULTS}):
            is_known = part in old and part in new
            if old.get(part) != new.get(part) and (is_known or part not in SELDOM):
                text = f"{part} differs: {_named(old, part)} before, {_named(new, part)} now"
                concerns.append(Concern(part, text))
    return concerns


def list_notes(fingerprints: Sequence[Mapping[str, str]], names: Sequence[str]) -> list[str]:
    """Say what was left out of each run, whether it published other numbers, and what decides.

    Examples
    --------
    >>> list_notes([{}, {"skipped": "1 older file of a rerun ('a_1.jsonl')"}], ["old", "new"])
    ["run 'new' leaves out 1 older file of a rerun ('a_1.jsonl')"]
    """
    notes = []
    for name, fingerprint in zip(names, fingerprints, strict=True):
        if SKIPPED in fingerprint:
            notes.append(f"run {show(name)} leaves out {fingerprint[SKIPPED]}")
        if JUDGE_NOISE in fingerprint:
            notes.append(
                f"in run {show(name)} {fingerprint[JUDGE_NOISE]}: their "
                f"{fingerprint.get('judge_repeats')} counts"
            )
        if REDUCER in fingerprint:
            notes.append(
                f"run {show(name)} was published by the reducer {fingerprint[REDUCER]} of its "
                f"epochs, and here every epoch counts: the numbers differ"
            )
        if FIRST_SCORES in fingerprint:
            notes.append(
                f"compared by the score that each task lists first: {fingerprint[FIRST_SCORES]}; "
                f"choose others with --metric (metric=)"
            )
    return notes


def _named(fingerprint: Mapping[str, str], part: str) -> str:
    return repr(fingerprint[part]) if part in fingerprint else "not recorded"
