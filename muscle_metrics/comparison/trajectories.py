"""Behaviour flips: items whose outcome stayed, while the model called tools in another way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from muscle_metrics.answers.reading.tool_calls import Call, difference
from muscle_metrics.answers.reading.trajectory import read_trajectory
from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.evidence.evidence import Bounds
from muscle_metrics.evidence.rates import conditional_rate
from muscle_metrics.evidence.units import Units
from muscle_metrics.flips.rates import Rate
from muscle_metrics.words.numbers import counted
from muscle_metrics.words.place import describe, item_name, show

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.items import Item

__all__ = ["BehaviourChange", "Trajectories", "compare_trajectories"]

KINDS = ("tools", "arguments", "order")
ItemKey = tuple[str | None, str, str | None]


class BehaviourChange(NamedTuple):
    """One item for which the models called tools differently.

    `kind` is "tools", "arguments" or "order", the gravest that differs; `reason` names the first
    difference.
    """

    item: Item
    kind: str
    reason: str
    old: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def outcome_stayed(self) -> bool:
        """Whether both answers were right, or both wrong."""
        return self.item.quadrant in ("both_right", "both_wrong")


@dataclass(frozen=True, kw_only=True, eq=False)
class Trajectories:
    """Changes of behaviour beside the flips of outcomes; `compare_trajectories` makes it.

    Parameters
    ----------
    changes : tuple of BehaviourChange
        Items with other calls: first those whose outcome stayed; else in the order of items.
    stayed : Rate
        Of the items whose outcome stayed, those with other calls: the behaviour flips.
    flipped : Rate
        Of the items that broke or got fixed, those with other calls.
    bounds : Bounds or None
        Interval of `stayed` at 95 %; None where no outcome stayed.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> comparison = compare(old=["A", "A"], new=["A", "B"], references=["A", "A"])
    >>> key = [(None, "0", None), (None, "1", None)]
    >>> one, two = ([{"name": "add", "arguments": {"a": n}}] for n in (1, 2))
    >>> found = compare_trajectories(
    ...     comparison, old=dict.fromkeys(key, one), new={key[0]: two, key[1]: one}
    ... )
    >>> print(found.stayed, found.changes[0].reason, sep="; ")
    100.00% (1 of 1); argument a of add differs
    """

    changes: tuple[BehaviourChange, ...]
    stayed: Rate
    flipped: Rate
    bounds: Bounds | None

    def count(self, kind: str) -> int:
        """Behaviour flips of one kind: "tools", "arguments" or "order"."""
        return sum(one.outcome_stayed and one.kind == kind for one in self.changes)

    def to_dict(self, *, items: str = "all") -> dict[str, Any]:
        """Plain data for JSON: counts, share and interval, and the items with both sequences."""
        listed = self.changes if items == "all" else ()
        low, high = (None, None) if self.bounds is None else self.bounds.ends
        return {
            "outcome_stayed": {
                "changed": self.stayed.count,
                "total": self.stayed.total,
                **{kind: self.count(kind) for kind in KINDS},
                "interval": [low, high],
                "method": None if self.bounds is None else self.bounds.method,
            },
            "outcome_flipped": {"changed": self.flipped.count, "total": self.flipped.total},
            "changes": [
                {
                    "id": one.item.id,
                    "task": one.item.task,
                    "repeat": one.item.repeat,
                    "quadrant": str(one.item.quadrant),
                    "kind": one.kind,
                    "reason": one.reason,
                    "old": list(one.old),
                    "new": list(one.new),
                }
                for one in listed
            ],
        }


def compare_trajectories(
    comparison: Comparison, *, old: Mapping[ItemKey, object], new: Mapping[ItemKey, object]
) -> Trajectories:
    """Compare the calls of tools in the trajectories of two runs, item by item.

    Two trajectories are equal if the same tools were called with equal arguments in the same order;
    ids of calls, what tools said and what the model wrote do not count.

    Parameters
    ----------
    comparison : Comparison
        Old against new, where answers are right or wrong.
    old, new : mapping of (task, id, repeat) to object
        Trajectory of every item, as `read_trajectory` takes it.

    Returns
    -------
    Trajectories

    Raises
    ------
    InputError
        If an item has no trajectory, or no model called any tool.
    UsageError
        If scores are graded, and no threshold says which are right.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> comparison = compare(old=["A"], new=["A"], references=["A"])
    >>> calls = [{"name": "add", "arguments": {}}, {"name": "sum", "arguments": {}}]
    >>> old, new = {(None, "0", None): calls}, {(None, "0", None): calls[::-1]}
    >>> compare_trajectories(comparison, old=old, new=new).changes[0].kind
    'order'
    """
    if comparison.correctness is None:
        raise UsageError(
            "expected right and wrong answers beside trajectories, got graded scores: say which "
            "are right with --threshold (threshold=)"
        )
    items = list(comparison.items())
    calls = [
        [_read(values, item, f"{side} {show(name)}") for item in items]
        for side, values, name in zip(("old", "new"), (old, new), comparison.names, strict=True)
    ]
    if not any(map(len, [one for run in calls for one in run])):
        raise InputError(
            f"expected calls of tools in some trajectory, got none in "
            f"{counted(len(items), 'item')} of both runs: name the field of the messages or steps "
            f"with --trajectory-field"
        )
    changes = [
        _change(item, before, now, why)
        for item, before, now in zip(items, *calls, strict=True)
        if (why := difference(now, before))
    ]
    stays = np.array([item.quadrant in ("both_right", "both_wrong") for item in items])
    changed = np.array([before != now for before, now in zip(*calls, strict=True)])
    stayed = Rate(int((stays & changed).sum()), int(stays.sum()))
    return Trajectories(
        changes=tuple(sorted(changes, key=lambda one: not one.outcome_stayed)),
        stayed=stayed,
        flipped=Rate(int((~stays & changed).sum()), int((~stays).sum())),
        bounds=_bounds(comparison, stays, changed, stayed),
    )


def _read(values: Mapping[ItemKey, object], item: Item, run: str) -> list[Call]:
    key = (item.task, item.id, item.repeat)
    value = values.get(key, values.get((None, item.id, item.repeat)))
    calls = read_trajectory(value)
    if calls is None:
        name = show(item_name(item.task, item.id, item.repeat))
        raise InputError(
            f"expected a list of messages or steps as trajectory of {name} in {run}, got "
            f"{describe(value)}: name the field of such a list with --trajectory-field, as in "
            f"--trajectory-field messages"
        )
    return calls


def _change(item: Item, old: list[Call], new: list[Call], why: str) -> BehaviourChange:
    kind = next((kind for kind in ("order", "argument") if why.startswith(kind)), "tools")
    reason = why.replace("is not asked for", "is new")
    return BehaviourChange(
        item,
        "arguments" if kind == "argument" else kind,
        reason,
        *(tuple(map(_shown, calls)) for calls in (old, new)),
    )


def _shown(call: Call) -> str:
    arguments = ", ".join(f"{name}={call.arguments[name]}" for name in sorted(call.arguments))
    return f"{call.name}({arguments})"


def _bounds(comparison: Comparison, stays: Any, changed: Any, stayed: Rate) -> Bounds | None:
    if not stayed.total:
        return None
    table = comparison.table
    if not table.is_clustered:
        return Bounds.by("Wilson", stayed.interval())
    found, whole = (
        Units.of(flags.astype(float), table.unit_numbers, table.unit)
        for flags in (stays & changed, stays)
    )
    return conditional_rate(found, whole).interval(0.95, "two-sided")
