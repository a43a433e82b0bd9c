"""Why runs cannot be joined as they are, in words that say what to do."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.runs.joining.references import same_reference
from muscle_metrics.runs.natural_order import natural_order
from muscle_metrics.words.numbers import counted
from muscle_metrics.words.place import describe, list_ids, list_names, show

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from muscle_metrics.runs.record import Record, Run

__all__ = ["Key", "Mismatches", "Side"]

_MOST_SHOWN = 5


class Key(NamedTuple):
    """What an item is known by."""

    task: str | None
    id: str
    repeat: str | None

    def __str__(self) -> str:
        return "/".join(part for part in self if part is not None)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the runs to join, as messages call it, and its records by key."""

    label: str
    run: Run
    records: Mapping[Key, Record]

    def __str__(self) -> str:
        return f"{self.label} {show(self.run.name)}"

    @property
    def is_scored(self) -> bool:
        """Whether any record holds a score; one without is then missing, whatever it answers."""
        return any(record.scores for record in self.run)

    @property
    def has_references(self) -> bool:
        """Whether any record holds a reference; a run without is judged by those of others."""
        return any(record.reference is not None for record in self.run)


class Mismatches:
    """What stands in the way of joining some runs, one list of reasons per kind.

    Parameters
    ----------
    runs : sequence of Run
        The runs; two of them are called old and new.
    total : int, optional
        How many items the runs share, where these hold only some of them.

    Attributes
    ----------
    sides : list of Side
        One per run.
    keys, shared : list of Key
        Items of any run and of all runs, in natural order.
    conflicting, unanswered : list of Key
        Shared items whose references differ, and those for which a run holds no score, or neither
        an answer nor a score where nothing in it is scored.

    Examples
    --------
    >>> from muscle_metrics.runs.record import Record, Run
    >>> runs = Run((Record("1", "A"),), "x"), Run((Record("1", None),), "y")
    >>> print(Mismatches(runs).explain_unanswered()[0].partition(":")[0])
    1 of 1 predictions null in new 'y' (id '1')
    """

    def __init__(self, runs: Sequence[Run], total: int | None = None) -> None:
        self.sides = _sides(runs)
        self.keys = _in_order({key for side in self.sides for key in side.records})
        self.shared = [key for key in self.keys if all(key in s.records for s in self.sides)]
        self.total = len(self.shared) if total is None else total
        self._is_part = total is not None
        self.conflicting = self._conflicting()
        self._silent = {
            side.label: {key for key in self.shared if _is_unanswered(side.records[key], scored)}
            for side in self.sides
            for scored in [side.is_scored]
        }
        self.unanswered = [
            key for key in self.shared if any(key in keys for keys in self._silent.values())
        ]

    def explain_faults(self) -> list[str]:
        """Faults that no option makes good: repeated ids, unusable scores, other prompts."""
        problems = [reason for side in self.sides for reason in _faults(side)]
        problems += self._explain_directions()
        moved = [key for key in self.shared if len(self._prompts(key)) > 1]
        if moved:
            problems.append(
                f"different prompts for {_count(moved, 'id')} ({_list(moved)}): an id that names "
                f"another item in each run pairs answers to different questions: "
                f"check --id-field (id_field)"
            )
        return problems

    def explain_missing(self) -> list[str]:
        """Items that some runs lack; where none is shared, how their ids look."""
        empty = [side for side in self.sides if not side.records]
        if empty:
            return [f"no item in {side}: check what its records were read from" for side in empty]
        if not self.shared:
            firsts = [next(key for key in self.keys if key in s.records) for s in self.sides]
            samples = " and ".join(
                f"{show(str(key))} in {side.label}"
                for key, side in zip(firsts, self.sides, strict=True)
            )
            return [
                f"no id in all of them (such as {samples}): compare runs of one benchmark, or "
                f"check --id-field (id_field)"
            ]
        lacking = {
            str(side): [key for key in self.keys if key not in side.records] for side in self.sides
        }
        return _one_problem(
            [f"{_count(keys, 'item')} missing in {side} ({_list(keys)})"
             for side, keys in lacking.items() if keys],
            '--missing drop (missing="drop") leaves them out',
        )  # fmt: skip

    def explain_conflicting(self) -> list[str]:
        """Items whose references differ."""
        keys = self.conflicting
        if not keys:
            return []
        advice = (
            '--conflict own (conflict="own") judges each run by its own, first or last all by '
            "those of that run, drop leaves them out"
        )
        if self._has_row_numbers():
            advice = (
                f"the ids are row numbers, and name other items if a file was sorted or cut, so "
                f"check --id-field (id_field) first; {advice}"
            )
        found = f"different references for {_count(keys, 'item')} ({_list(keys)})"
        return [f"{found}, {self._differing(keys[0])}: {advice}"]

    def explain_unanswered(self) -> list[str]:
        """Items without an answer, which are neither right nor known to be wrong."""
        found = []
        advice = '--unanswered drop (unanswered="drop") leaves them out'
        for side in self.sides:
            keys = [key for key in self.unanswered if key in self._silent[side.label]]
            if not keys:
                continue
            given = "items without a score"
            if not side.is_scored:
                given = "predictions null"
                advice = (
                    '--unanswered wrong (unanswered="wrong") counts them as wrong answers, '
                    "drop leaves them out"
                )
            found.append(f"{len(keys)} of {self.total} {given} in {side} ({_list(keys)})")
        return _one_problem(found, advice)

    def _explain_directions(self) -> list[str]:
        """Metrics that one run calls better when lower, and another that has them does not."""
        lower = sorted(set().union(*(side.run.lower_is_better for side in self.sides)))
        mixed = [
            metric
            for metric in lower
            for side in self.sides
            if metric not in side.run.lower_is_better
            and any(metric in record.scores for record in side.run)
        ]
        return [
            f"scores {list_names(mixed)} better when lower in one run and when higher in another: "
            f"evaluate both in the same way"
        ] * bool(mixed)

    def _conflicting(self) -> list[Key]:
        first, *others = [side for side in self.sides if side.has_references] or self.sides
        return [
            key
            for key in self.shared
            if not all(
                same_reference(first.records[key].reference, side.records[key].reference)
                for side in others
            )
        ]

    def _differing(self, key: Key) -> str:
        first, *others = [side for side in self.sides if side.has_references]
        reference = first.records[key].reference
        other = next(s for s in others if not same_reference(reference, s.records[key].reference))
        return (
            f"such as {describe(reference)} in {first.label} and "
            f"{describe(other.records[key].reference)} in {other.label}"
        )

    def _has_row_numbers(self) -> bool:
        """Whether the ids of every run count its rows, from 0 or from 1; of a part none is told."""
        if self._is_part:
            return False
        for side in self.sides:
            ids, rows = {key.id for key in side.records}, len(side.run)
            if ids not in ({*map(str, range(rows))}, {*map(str, range(1, rows + 1))}):
                return False
        return True

    def _prompts(self, key: Key) -> set[str]:
        prompts = (side.records[key].prompt for side in self.sides)
        return {prompt for prompt in prompts if prompt is not None}


def _sides(runs: Sequence[Run]) -> list[Side]:
    labels = ["old", "new"] if len(runs) == 2 else [f"run {n}" for n in range(1, len(runs) + 1)]
    return [
        Side(label, run, {_key_of(record): record for record in run})
        for label, run in zip(labels, runs, strict=True)
    ]


def _in_order(keys: Iterable[Key]) -> list[Key]:
    # None before any text, so that a key without task or repeat has a place of its own.
    return sorted(
        keys,
        key=lambda key: [(False,) if part is None else (True, natural_order(part)) for part in key],
    )


def _key_of(record: Record) -> Key:
    return Key(record.task, record.id, record.repeat)


def _is_unanswered(record: Record, scored: bool) -> bool:
    return not record.scores and (scored or record.prediction is None)


def _faults(side: Side) -> list[str]:
    counts = Counter(map(_key_of, side.run))
    repeated = _in_order(key for key, count in counts.items() if count > 1)
    unusable = _in_order(
        key
        for key, record in side.records.items()
        if not all(map(_is_finite, record.scores.values()))
    )
    problems = []
    if repeated:
        named = [f"{show(str(key))} {counts[key]} times" for key in repeated[:_MOST_SHOWN]]
        more = ["..."] * (len(repeated) > _MOST_SHOWN)
        problems.append(
            f"{_count(repeated, 'id')} more than once in {side} ({', '.join(named + more)}), "
            f"{len(side.run) - len(counts)} rows too many: check --id-field (id_field), or name "
            f"the number of the generation with --repeat-field (repeat_field)"
        )
    if unusable:
        problems.append(
            f"scores that are no finite numbers for {_count(unusable, 'item')} in {side} "
            f"({_list(unusable)}): score these items again"
        )
    return problems


def _is_finite(score: object) -> bool:
    if not isinstance(score, Real):
        return False
    try:
        return math.isfinite(score)
    except OverflowError:
        return False


def _one_problem(found: Sequence[str], advice: str) -> list[str]:
    """One problem, with its advice once, of what was found in each run; none if nothing was."""
    return [f"{', '.join(found)}: {advice}"] if found else []


def _count(items: Sequence[object], noun: str) -> str:
    return counted(len(items), noun)


def _list(keys: Sequence[Key]) -> str:
    return list_ids([str(key) for key in keys])
