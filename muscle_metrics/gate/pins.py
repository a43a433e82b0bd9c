"""Pinned items that broke or are lost, and the waivers that let some of them break."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from muscle_metrics.errors import UsageError
from muscle_metrics.gate.criteria import broken_prompts
from muscle_metrics.gate.waived import JudgedWaiver, WaiverState
from muscle_metrics.words.place import list_names, show

if TYPE_CHECKING:
    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.gate.policy import Policy
    from muscle_metrics.gate.waivers import Waiver

__all__ = ["JudgedPins", "judge_pins"]

Prompt = tuple[str | None, str]
ORDER = list(WaiverState)


class JudgedPins(NamedTuple):
    """Ids of pinned items that broke without a waiver, are missing or are lost; and all waivers."""

    broken: tuple[str, ...] = ()
    missing: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
    waivers: tuple[JudgedWaiver, ...] = ()


def judge_pins(comparison: Facts, policy: Policy) -> JudgedPins:
    """Judge pinned items and waivers by a comparison.

    A lost item is no known regression: no waiver lets it pass.

    Raises
    ------
    UsageError
        If a waiver names no task, and several tasks hold its id.
    """
    items = comparison.in_memory
    if items is None or not (policy.pinned or policy.waivers):
        return JudgedPins()
    names = policy.pinned.union(waiver.id for waiver in policy.waivers)
    broken = broken_prompts(items, policy, names)
    # A task, a repeat or a reference is lost: the id may be there, but may have broken unseen.
    unseen = {*broken_prompts(items.worst_case, policy, names)}.difference(broken)
    waivers = _judge_waivers(items, policy, {*broken})
    waived = {prompt for one, prompt in waivers if one.state is WaiverState.WAIVED}
    failing = (name for task, name in broken if (task, name) not in waived)
    missing = policy.pinned.difference(items.table.ids)
    return JudgedPins(
        broken=tuple(name for name in dict.fromkeys(failing) if name in policy.pinned),
        missing=missing,
        lost=policy.pinned.intersection(name for _, name in unseen) - missing,
        waivers=tuple(one for one, _ in waivers),
    )


def _judge_waivers(
    items: Comparison, policy: Policy, broken: set[Prompt]
) -> list[tuple[JudgedWaiver, Prompt | None]]:
    """Every waiver with the item that it is of: those in use first, pinned ones before others."""
    worst = items.worst_case
    tasks: dict[str, set[str | None]] = {}
    for task, name in worst.table.prompts if policy.waivers else ():
        tasks.setdefault(name, set()).add(task)
    # In whole, or some of its repeats, or only judged by another reference than that of old.
    lost = {worst.table.prompts[row] for row in np.flatnonzero(worst.is_lost)}

    def state(waiver: Waiver, prompt: Prompt | None) -> WaiverState:
        if prompt is None:
            return WaiverState.UNKNOWN
        if prompt in lost:
            return WaiverState.LOST
        if prompt not in broken:
            return WaiverState.UNNEEDED
        ended = policy.today is None or policy.today > waiver.expires
        return WaiverState.EXPIRED if ended else WaiverState.WAIVED

    judged = []
    for waiver in policy.waivers:
        prompt = _prompt_of(waiver, tasks.get(waiver.id, set()))
        is_pinned = waiver.id in policy.pinned
        judged.append((JudgedWaiver(waiver, state(waiver, prompt), is_pinned), prompt))
    return sorted(judged, key=lambda one: (ORDER.index(one[0].state), not one[0].is_pinned))


def _prompt_of(waiver: Waiver, tasks: set[str | None]) -> Prompt | None:
    """Task and id of the item that a waiver is of; None where old has no such item."""
    if waiver.task is not None:
        return waiver.key if waiver.task in tasks else None
    if len(tasks) > 1:
        raise UsageError(
            f"expected the task of the waiver of {show(waiver.id)}, got none, and "
            f"{len(tasks)} tasks hold this id: add task to the waiver, one of "
            f"{list_names(sorted(filter(None, tasks)))}"
        )
    return next(((task, waiver.id) for task in tasks), None)
