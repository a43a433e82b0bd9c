"""Lines about a comparison that belong above its rates: what was left out, lost, or is doubtful."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from muscle_metrics.comparison.answer_forms import form_lines
from muscle_metrics.comparison.judges import judge_note, split_note
from muscle_metrics.runs.fingerprints import list_concerns, list_notes
from muscle_metrics.words.numbers import counted, percent_range

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muscle_metrics.comparison.facts import Facts

__all__ = ["coarse_notes", "dependence_text", "relabelled_notes", "remark_lines"]


def remark_lines(comparison: Facts) -> list[str]:
    """List what was left out, which items are lost, and concerns and notes about the runs.

    Text of users in the lines is not escaped.

    Examples
    --------
    >>> from muscle_metrics import Record, Run, compare_runs
    >>> old = Run((Record("1", "A", "A"), Record("2", "A", "A")), "v1")
    >>> new = Run(old.records[:1], "v2")
    >>> remark_lines(compare_runs(old, new, missing="drop"))[0]
    'left out: 1 (only in old)'
    """
    return list(_lines(comparison))


def relabelled_notes(comparison: Facts) -> list[str]:
    """Say how many items the new run puts into another slice or group than the old run.

    Examples
    --------
    >>> from muscle_metrics import Record, Run, compare_runs
    >>> old, new = (Run((Record("1", "A", "A", slice=name),), "v") for name in ("x", "y"))
    >>> relabelled_notes(compare_runs(old, new))
    ['1 item has another slice in new: the slices of old count']
    """
    return [
        f"{counted(count, 'item')} {'has' if count == 1 else 'have'} another {name} in new: the "
        f"{name}s of old count"
        for name, count in comparison.relabelled.items()
    ]


def coarse_notes(comparison: Facts) -> list[str]:
    """Doubt the number of generations, where all scores are shares of fewer.

    Examples
    --------
    >>> from muscle_metrics import compare_runs
    >>> rates = [{"id": "1", "rate": 0.5}, {"id": "2", "rate": 1}]
    >>> coarse_notes(compare_runs(rates, rates, score_field="rate", samples=10))
    ['every score is a multiple of 1/2: --samples 2 (samples=) if each is of 2 generations, not 10']
    """
    prompts = comparison.prompts
    if prompts is None or not prompts.of_rates:
        return []
    samples = prompts.fewest
    right = np.concatenate([prompts.counts.old_right, prompts.counts.new_right])
    fewer = samples // math.gcd(samples, *right.tolist())
    # Scores that are all 0 or 1 fit any number.
    if fewer in (1, samples):
        return []
    return [
        f"every score is a multiple of 1/{fewer}: --samples {fewer} (samples=) if each is of "
        f"{fewer} generations, not {samples}"
    ]


def _lines(comparison: Facts) -> Iterator[str]:
    for reason, count in comparison.dropped.items():
        if count:
            yield f"left out: {count} ({reason})"
    if comparison.lost:
        yield _lost_line(comparison)
    if comparison.reading is not None:
        yield from comparison.reading.lines()
    for line in form_lines(comparison):
        yield f"note: {line}"
    for _, concern in list_concerns(comparison.fingerprints, comparison.names):
        yield f"warning: {concern}"
    for note in list_notes(comparison.fingerprints, comparison.names):
        yield f"note: {note}"
    if comparison.sample is None and (alone := judge_note(comparison)):
        yield f"note: {alone}"
    if split := split_note(comparison):
        yield f"note: {split}"
    for note in relabelled_notes(comparison):
        yield f"note: {note}"
    for note in coarse_notes(comparison):
        yield f"note: {note}"
    if comparison.is_clustered:
        yield f"note: {dependence_text(comparison)}"


def dependence_text(comparison: Facts) -> str:
    """Say over which units the intervals are, where rows depend on each other."""
    items = comparison.in_memory
    if not comparison.knows_units or (items is None and not comparison.is_judged):
        return (
            "rows share prompts or groups that the engine did not count, so there are no "
            "intervals: leave out --engine"
        )
    if items is None:
        found = comparison.units("negative")
        unit, number = found.unit, len(found.sizes)
    else:
        unit, number = items.table.unit, int(items.table.unit_numbers.max()) + 1
    return (
        f"{counted(comparison.total, 'row')} in {counted(number, unit.removesuffix('s'))}: "
        f"intervals are over {unit}, as in 'muscle-metrics gate'"
    )


def _lost_line(comparison: Facts) -> str:
    lost = ", ".join(f"{count} {reason}" for reason, count in comparison.lost.items())
    line = f"coverage: {comparison.coverage} items of old; {lost}"
    possible = comparison.possible_negative_flip_rates
    if possible is None:
        return line
    return f"{line}; NFR of all of them is {percent_range(possible)}, by what the lost items hide"
