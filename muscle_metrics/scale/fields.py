"""Which run gives references, slices and groups: a field without any value counts as absent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from muscle_metrics.scale.counting import Tally
    from muscle_metrics.scale.joining import Joining
    from muscle_metrics.scale.sources import Source

__all__ = ["drop_empty_labels", "drop_empty_values", "labels_from_new"]


def drop_empty_values(joining: Joining, found: Tally) -> Joining:
    """Leave out the references of a run that holds none, and answers where scores judge alike."""
    both = joining.old.fields.keys() & joining.new.fields.keys()
    old, new = set[str](), set[str]()
    if "reference" in both:
        referenced = [found.count(f"{run}_referenced") for run in ("old", "new")]
        if any(referenced):
            old |= {"reference"} if not referenced[0] else set()
            new |= {"reference"} if not referenced[1] else set()
    if joining.judging.by_score and "prediction" in both:
        for run, empty in (("old", old), ("new", new)):
            if not found.count(f"{run}_answered", without=joining.left_out):
                empty.add("prediction")
    return _without(joining, old, new)


def drop_empty_labels(joining: Joining, found: Tally) -> Joining:
    """Leave out slices and groups of OLD if none of its items has one."""
    both = joining.old.fields.keys() & joining.new.fields.keys()
    return _without(joining, {"slice", "group"} & both - found.labels("in_old"), set())


def labels_from_new(joining: Joining, found: Tally) -> frozenset[str]:
    """Name the facts that a gate would take from NEW alone: of references, slices and groups."""
    labels = found.labels(without=joining.left_out)
    given = {part for part in labels if part not in joining.old.fields}
    # Recorded scores need no references.
    judged = not joining.judging.by_score or joining.judging.graders
    if judged and found.count("new_referenced") and not found.count("old_referenced"):
        given.add("reference")
    return frozenset(f"{part}s" for part in given)


def _without(joining: Joining, old: set[str], new: set[str]) -> Joining:
    if not old and not new:
        return joining
    return replace(joining, old=_kept(joining.old, old), new=_kept(joining.new, new))


def _kept(source: Source, empty: set[str]) -> Source:
    fields = {part: field for part, field in source.fields.items() if part not in empty}
    return replace(source, fields=fields)
