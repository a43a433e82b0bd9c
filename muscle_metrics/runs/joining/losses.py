"""Items of the old run that the new run lost: lacking, unanswered, or judged by another reference.

A gate must not pass because such items are out of sight, so they stay known beside the joined runs.
"""

from __future__ import annotations

from collections import Counter
from itertools import compress
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.runs.joining.mismatches import is_unanswered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from muscle_metrics.runs.joining.mismatches import Identity, Mismatches
    from muscle_metrics.runs.record import Record

__all__ = [
    "CONFLICTING",
    "NO_LOSSES",
    "ONLY_IN_NEW",
    "ONLY_IN_OLD",
    "OTHER_REFERENCE",
    "UNANSWERED",
    "UNANSWERED_BY_NEW",
    "Losses",
    "find_losses",
]

# Reasons for which items are left out, or lost; engines give the same.
ONLY_IN_OLD = "only in old"
ONLY_IN_NEW = "only in new"
CONFLICTING = "conflicting references"
UNANSWERED = "unanswered"
OTHER_REFERENCE = "judged by another reference"
UNANSWERED_BY_NEW = "unanswered by new"


class Losses(NamedTuple):
    """Items of the old run that the new run lost.

    Parameters
    ----------
    records : tuple of Record
        Records of the old run.
    reasons : mapping of str to int
        Number of these items, by reason.
    replaced : tuple of int
        Positions of joined items that stay in the comparison, but are judged by another reference
        than that of the old run. `records` holds them too.
    """

    records: tuple[Record, ...]
    reasons: Mapping[str, int]
    replaced: tuple[int, ...]


NO_LOSSES = Losses((), MappingProxyType({}), ())


def find_losses(
    found: Mismatches,
    *,
    left_out: Mapping[Identity, str],
    drops_unanswered: bool,
    is_rejudged: bool,
    kept: Sequence[Identity],
) -> Losses:
    """Find the lost items of two runs.

    Parameters
    ----------
    found : Mismatches
        The runs, old first.
    left_out : mapping of (task, id, repeat) to str
        Reason for leaving out each item that is not compared.
    drops_unanswered : bool
        Whether items without an answer are left out.
    is_rejudged : bool
        Whether other references than those of the old run judge the items whose references differ.
    kept : sequence of (task, id, repeat)
        Items that are compared, in order.
    """
    old = found.runs[0]
    lost: dict[Identity, str] = {}
    for item, reason in left_out.items():
        # Without the loss, an item that old left unanswered would be left out as well.
        if item not in old.records or (drops_unanswered and is_unanswered(old, item)):
            continue
        lost[item] = UNANSWERED_BY_NEW if reason == UNANSWERED else reason
    replaced: tuple[int, ...] = ()
    if is_rejudged and found.conflicting:
        conflicting = set(found.conflicting)
        replaced = tuple(compress(range(len(kept)), map(conflicting.__contains__, kept)))
        lost.update(dict.fromkeys((kept[position] for position in replaced), OTHER_REFERENCE))
    if not lost:
        return NO_LOSSES
    in_order = [item for item in found.items if item in lost]
    return Losses(
        records=tuple(map(old.records.__getitem__, in_order)),
        reasons=MappingProxyType(dict(sorted(Counter(lost.values()).items()))),
        replaced=replaced,
    )
