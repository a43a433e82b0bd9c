"""Fingerprints of runs: differences between two runs, and faults of one."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.words.place import show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["FAULTS", "Concern", "list_concerns"]

# Parts of a fingerprint that name a run; the other parts describe how it was made.
DESCRIPTIVE = frozenset({"format", "model", "date"})
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
            if old.get(part) != new.get(part):
                text = f"{part} differs: {_named(old, part)} before, {_named(new, part)} now"
                concerns.append(Concern(part, text))
    return concerns


def _named(fingerprint: Mapping[str, str], part: str) -> str:
    return repr(fingerprint[part]) if part in fingerprint else "not recorded"
